"""Stage ``language``: what the text is written in, as seen, with the feed's own claim as a hint; and how it is shown.

Script and direction are seen from the letters, not looked up by the language: Serbian, Kurdish, Uzbek and others are
written in two scripts, and a page must know which way to set what it shows also where the language is unsure.
"""

from __future__ import annotations

import re

import msgspec

from pipeline.article import Article
from pipeline.enrich.language_model import LanguageModel
from pipeline.enrich.tools import Tools
from pipeline.text.scripts import direction_of, script_of

SAMPLE_CHARACTERS = 400
"""A longer sample costs time and decides nothing (1.000 right on paragraphs; 0.970 on headlines)."""
MIN_LETTERS = 20
MIN_PROBABILITY = 0.5
HINT_WEIGHT = 4.0
"""How much likelier the claimed language is than the text alone says. Enough to choose between neighbours (id and ms,
no and da); not enough to uphold the ``en-US`` that blog software claims for whatever is written with it."""

_HINT = re.compile(r"([A-Za-z]{2,3})(?:[-_].*)?", re.DOTALL)
_DENSE = re.compile("[\u3040-\ud7ff]+")
_ADDRESS = re.compile(r"\S*(?:://|@)\S*")


def enrich(article: Article, tools: Tools) -> Article:
    """Set ``language``; when the text cannot tell, to the feed's claim, else to ``und`` with a flag.

    ``script`` and ``direction`` are those of the body, or of the title of an article whose body has no letters.
    """
    hint = _hinted(article.language)
    sample = _sample(f"{article.title}\n{article.body[: 2 * SAMPLE_CHARACTERS]}")
    has_letters = _letters(sample[: 3 * MIN_LETTERS]) >= MIN_LETTERS or _letters(sample) >= MIN_LETTERS
    language = _seen(sample, hint, tools.languages) if has_letters else ""
    language = language or hint or "und"
    if language == "und":
        article = article.flagged("language_unsure")
    shown = _with_letters(article)
    return msgspec.structs.replace(article, language=language, script=script_of(shown), direction=direction_of(shown))


def _with_letters(article: Article) -> str:
    """Return a sample of the body, else of the title; a body may be a caption, a number or an address alone."""
    body = _sample(article.body[: 2 * SAMPLE_CHARACTERS])
    return body if any(map(str.isalpha, body)) else _sample(article.title[: 2 * SAMPLE_CHARACTERS])


def _seen(sample: str, hint: str, languages: LanguageModel) -> str:
    """Return the likeliest language when it is likelier than not, else empty."""
    language, share = languages.likeliest(sample, hint=hint, hint_weight=HINT_WEIGHT)
    return language if share >= MIN_PROBABILITY else ""


def _sample(text: str) -> str:
    """Return the start of the text without addresses, which have no language."""
    text = text[: 2 * SAMPLE_CHARACTERS]
    if "://" in text or "@" in text:  # else each character would be looked at for what most texts do not hold
        text = _ADDRESS.sub(" ", text)
    return text[:SAMPLE_CHARACTERS]


def _letters(sample: str) -> int:
    """Count letters; one of a script that writes a word in one or two counts as three."""
    return sum(map(str.isalpha, sample)) + 2 * sum(map(str.isalpha, "".join(_DENSE.findall(sample))))


def _hinted(claim: str) -> str:
    """Return the language of a claim such as ``en-US``; empty when it claims none."""
    found = _HINT.fullmatch(claim.strip())
    language = found.group(1).lower() if found else ""
    return "" if language == "und" else language
