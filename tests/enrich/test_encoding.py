"""Text that was decoded with the wrong charset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import Article, Heading
from pipeline.enrich.encoding import with_repaired_text


@pytest.mark.parametrize("sound", ["L’été", "schön", "日本", "café"])
def test_broken_text_is_repaired_and_flagged(sound: str) -> None:
    broken = sound.encode().decode("cp1252")
    found = with_repaired_text(Article(id="a", title=broken, summary=broken, body=f"One.\n\n{broken}"))
    assert (found.title, found.summary, found.body) == (sound, sound, f"One.\n\n{sound}")
    assert found.flags == ("encoding_repaired",)


@pytest.mark.parametrize("text", ["plain", "L’ÂGE D’OR", "SÃO PAULO", "«Ça va»", "Привет", "日本語", "مرحبا", "😀", ""])
def test_sound_text_stays(text: str) -> None:
    article = Article(id="a", title=text, summary=text, body=text)
    assert with_repaired_text(article) is article


def test_a_sound_paragraph_beside_a_broken_one_stays_and_headings_stand_where_they_say() -> None:
    body = "“Été”, said he.\n\nÃ‰tÃ©\n\nThe end."
    found = with_repaired_text(Article(id="a", body=body, headings=(Heading(body.index("The end"), "The end."),)))
    assert found.body == "“Été”, said he.\n\nÉté\n\nThe end."
    assert [found.body[heading.offset :] for heading in found.headings] == ["The end."]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_repairing_twice_changes_nothing_more(text: str) -> None:
    for broken in (text, text.encode().decode("latin-1")):
        once = with_repaired_text(Article(id="a", title=broken, body=broken))
        assert with_repaired_text(once) == once
