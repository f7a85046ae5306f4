"""Whatever was found fits into a record, cleaned and flagged."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, Entity, Heading, Quote, decode_article, encode_article
from pipeline.enrich.limits import fitted
from pipeline.text.limits import MAX_BODY_BYTES, MAX_BODY_CHARACTERS
from pipeline.topics import MAX_RECORD_BYTES

anything = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("character", "longest"),
    [("x", MAX_BODY_CHARACTERS), ("é", MAX_BODY_BYTES // 2), ("字", MAX_BODY_BYTES // 3), ('"', MAX_BODY_CHARACTERS)],
)
def test_a_body_of_5_mib_is_cut_and_flagged(character: str, longest: int) -> None:
    found = fitted(Article(id="a", title="T", body=character * (5 * 1024 * 1024)))
    assert 0 < len(found.body) <= longest
    assert found.flags == ("body_truncated",)
    assert len(encode_article(found)) <= MAX_RECORD_BYTES


def test_a_body_is_cut_at_the_end_of_a_paragraph_and_loses_the_headings_behind_it() -> None:
    paragraph = "word " * 2_000 + "end."
    body = "\n\n".join([paragraph] * 60)
    late = body.index("word", 500_000)
    found = fitted(Article(id="a", body=body, headings=(Heading(0, "word"), Heading(late, "word"))))
    assert found.body.endswith("end.")
    assert found.headings == (Heading(0, "word"),)


def test_a_body_at_the_limit_is_left_alone() -> None:
    whole = Article(id="a", body="x" * MAX_BODY_CHARACTERS)
    assert fitted(whole) == whole


@pytest.mark.parametrize("character", ["x", '"', "字", "🌍"])
def test_everything_at_its_limit_together_fits_a_record(character: str) -> None:
    long = character * 500_000
    found = fitted(
        Article(
            id=long, url="https://e.example/" + long, guid=long, feed=long, outlet=long, origin=long, title=long,
            summary=long, body=long, html=long, page=long, authors=(long,) * 500, tags=(long,) * 500, language=long,
            flags=(long,) * 500, stages=(long,) * 500, source_path=long, family=long, story=long, content_hash=long,
            headings=tuple(Heading(0, character * 200) for _ in range(1_000)),
            extra={f"{n}{character * 100}": long[:1000] for n in range(2_000)},
            dateline=long, correction=long, section=long, image="https://e.example/" + long, script=long,
            main_place=long, quotes=(Quote(start=0, end=9, speaker=long, speaker_id=long, verb=long),) * 500,
            entities=(Entity(kind="person", name=long, id=long, type=long, aliases=(long,) * 50, country=long,
                             in_title=((0, 9),) * 500, in_body=((0, 9),) * 500),) * 500,
        )
    )  # fmt: skip
    assert len(encode_article(found)) <= MAX_RECORD_BYTES


def test_a_title_of_10_mib_and_a_keyword_of_40_kib_are_cut_and_flagged() -> None:
    found = fitted(Article(id="a", title="t" * (10 * 1024 * 1024), tags=("k" * 40 * 1024, "ok"), authors=("a",) * 300))
    assert len(found.title) == 1_000
    assert [len(tag) for tag in found.tags] == [200, 2]
    assert len(found.authors) == 100
    assert found.flags == ("title_truncated", "list_truncated")


def test_a_link_that_would_have_to_be_changed_goes() -> None:
    found = fitted(Article(id="a", url="https://e.example/" + "x" * 5_000, canonical_url="https://e.example/a\x00b"))
    assert (found.url, found.canonical_url, found.flags) == ("", "", ("link_removed",))


def test_unknown_keys_are_kept_aside_up_to_a_limit_and_change_nothing_else() -> None:
    plain = Article(id="a", title="T", body="B")
    many = fitted(msgspec.structs.replace(plain, extra={f"k{n}": n for n in range(2_000)}))
    large = fitted(msgspec.structs.replace(plain, extra={"big": "x" * 70_000, "small": [1, {"a": None}]}))
    assert list(many.extra) == [f"k{n}" for n in range(100)]
    assert large.extra == {"small": [1, {"a": None}]}
    assert msgspec.structs.replace(many, extra={}) == plain


@pytest.mark.parametrize("field", ["title", "summary", "body", "html"])
def test_controls_and_lone_surrogates_are_removed_and_flagged(field: str) -> None:
    found = fitted(msgspec.structs.replace(Article(id="a"), **{field: "a\x00b\ud800c\u202ed e"}))
    assert getattr(found, field) == "ab\ufffdcd e"
    assert found.flags == ("controls_removed",)


def test_offsets_of_headings_stay_right_when_the_body_is_cleaned() -> None:
    body = "F\x00irst\n\nHead\x00ing\n\nLast\n\nSound\n\nEnd"
    found = fitted(Article(id="a", body=body, headings=(Heading(body.index("Sound"), "Sound"),)))
    assert found.body[found.headings[0].offset :].startswith("Sound\n")


@settings(max_examples=150, deadline=None)
@given(st.lists(anything, min_size=5, max_size=5), st.lists(anything).map(tuple))
def test_what_comes_out_can_be_published_and_stays(texts: list[str], tags: tuple[str, ...]) -> None:
    title, body, html, url, path = texts
    found = fitted(Article(id="a", title=title, body=body, html=html, url=url, tags=tags, source_path=path))
    assert decode_article(encode_article(found)) == found
    assert fitted(found) == found
