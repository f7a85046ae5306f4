"""The reduced model says what the whole one says."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from language_texts import TEXTS
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pipeline.enrich.tools import Tools


@pytest.fixture(scope="module")
def whole() -> LanguageIdentifier:
    languages = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    languages.set_languages([label for label in languages.labels if len(label) == 2])
    return languages


def agree(tools: Tools, whole: LanguageIdentifier, text: str, hint: str = "", weight: float = 1.0) -> None:
    ranked = {label: share * (weight if label == hint else 1.0) for label, share in whole.rank(text)}
    label, share = tools.languages.likeliest(text, hint=hint, hint_weight=weight)
    assert ranked[label] == pytest.approx(max(ranked.values()), rel=1e-3)
    assert share == pytest.approx(ranked[label] / sum(ranked.values()), rel=1e-3)


@pytest.mark.parametrize("text", [*TEXTS.values(), *map(str.upper, TEXTS.values()), "Ћирилица и latinica заједно", "?"])
@pytest.mark.parametrize("hint", ["", "en", "sr", "nonsense"])
def test_a_text_is_as_likely_to_be_in_a_language_as_py3langid_says(
    tools: Tools, whole: LanguageIdentifier, text: str, hint: str
) -> None:
    agree(tools, whole, text, hint, 4.0)


@settings(max_examples=100, deadline=None)
@example("")
@given(st.text(st.characters(codec=None, exclude_categories=())) | st.sampled_from(list(TEXTS.values())))
def test_any_text_is(tools: Tools, whole: LanguageIdentifier, text: str) -> None:
    agree(tools, whole, text)
