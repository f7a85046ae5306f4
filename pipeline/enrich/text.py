"""Stage ``text``: the article's body as plain paragraphs, the best of what its page and its feed or file gave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
import structlog
from lxml.html import HtmlElement

from pipeline.article import Article, TextChoice
from pipeline.enrich.choose import Candidate, Choice, characters, choose
from pipeline.enrich.markup import read_markup
from pipeline.enrich.page import MIN_CHARACTERS, ExtractionFailed, canonical_address, extract_paragraphs
from pipeline.enrich.page_head import read_head
from pipeline.enrich.page_json import read_page_json
from pipeline.enrich.page_kind import page_kind
from pipeline.enrich.paragraphs import Paragraph, split_body, with_paragraphs
from pipeline.enrich.repeated import candidate_keys
from pipeline.enrich.tools import Tools
from pipeline.outcomes import FlagName
from pipeline.text.characters import cleaned, has_controls, one_line
from pipeline.text.times import EARLIEST, plausible

log = structlog.get_logger("wirewatch")

MIN_PROSE_CHARACTERS: Final = 300
"""A list of articles has less than this in paragraphs of prose; the shortest of 40 real articles has some 400."""
MIN_PARAGRAPH_CHARACTERS: Final = 120

_KIND_FLAGS: Final[dict[str, FlagName]] = {
    "index": "page_is_index",
    "login": "page_is_login",
    "consent": "page_is_consent",
    "video": "page_is_video",
}
_NO_TEXT_OF_ITS_OWN: Final = frozenset({"page_is_index", "page_is_video"})
"""Pages that are to have no text; a log-in in the place of each article is a break, however well it is known."""
_WORD = re.compile(r"[^\W_]+")


def enrich(article: Article, tools: Tools) -> Article:
    """Fill ``body`` and ``headings``, and say in ``text_from``, ``text_choice`` and ``text_confidence`` where they are
    from and how sure that is; empty ``html``.

    A feed that gives only a summary has it as the body, so that copies are recognised by their bodies whichever way a
    feed gave the text; a summary that is the body is emptied. A body that came from the page in an earlier run stays
    when the page is gone by now. The profile of the outlet is told what the page's text repeats.
    """
    if has_controls(article.html):
        article = msgspec.structs.replace(article, html=cleaned(article.html)).flagged("controls_removed")
    own = _own_text(article)
    is_of_page = article.text_from == "page" and bool(article.body) and not article.html
    if not is_of_page:
        article = with_paragraphs(msgspec.structs.replace(article, html=""), own.paragraphs)
    if article.page:
        article = _with_page_text(article, None if is_of_page else own, tools)
    elif not is_of_page:
        article = _on_own_text(article, own)
    if article.summary.split() == article.body.split():
        article = msgspec.structs.replace(article, summary="")
    return article


def has_article(tree: HtmlElement) -> bool:
    """Whether a page that stands alone gives a text. Raises ``ExtractionFailed`` as ``extract_paragraphs`` does."""
    texts = (extract_paragraphs(tree), read_page_json(tree).body)
    return any(characters(text) >= MIN_CHARACTERS for text in texts)


def _own_text(article: Article) -> Candidate:
    """Return what the feed or file gave, which after the first run stands in the body."""
    given: TextChoice = "content" if article.feed else "given"
    if paragraphs := read_markup(article.html):
        return Candidate(given, paragraphs)
    if paragraphs := split_body(article.body, article.headings):
        return Candidate(article.text_choice or given, paragraphs)
    paragraphs = split_body(article.summary)
    return Candidate("summary" if paragraphs else "", paragraphs)


class _PageText(NamedTuple):
    extracted: Sequence[Paragraph] = ()
    told: Sequence[Paragraph] = ()
    flags: tuple[FlagName, ...] = ()
    """For a page that is known to be no article."""


def _with_page_text(article: Article, own: Candidate | None, tools: Tools) -> Article:
    """Return the article with its page's text where that is better than its own; flagged where there is none.

    Without an own text (the body came from the page before) the body stays unless the page gives one.
    """
    told = article
    try:
        tree = tools.open_page(article.page)
        if tree is None:
            return article if own is None else _on_own_text(article.flagged("page_missing"), own)
        canonical_url = article.canonical_url or canonical_address(tree, article.url)
        article = msgspec.structs.replace(article, canonical_url=canonical_url)
        is_told = article.title and (article.feed or article.published)
        told = article if is_told else _with_page_head(article, tree)
        found = _page_text(tree, told.title)
    except ExtractionFailed as failure:
        log.warning("page not read", step="enrich", id=article.id, page=article.page, cause=str(failure)[:200])
        found = _PageText()
    if not _NO_TEXT_OF_ITS_OWN.intersection(found.flags):
        _note(article, found.extracted, tools)
    article, choice = _chosen(article, own or Candidate("", ()), found, tools)
    if choice.choice not in ("extracted", "json_ld"):
        if "extraction_broken" not in article.flags:  # else there may be an article, which cannot be read just now
            tools.meter.no_article(_kind_name(found.flags))
            article = article.flagged("page_without_article", *found.flags)
        return article if own is None else _on_own_text(article, own)
    return msgspec.structs.replace(
        with_paragraphs(told.flagged(*article.flags), choice.paragraphs),
        text_from="page",
        text_choice=choice.choice,
        text_confidence=choice.confidence,
    )


def _chosen(article: Article, own: Candidate, found: _PageText, tools: Tools) -> tuple[Article, Choice]:
    """Return the best text; while extraction is broken for this outlet, the best of the others, if there are any."""
    if article.outlet and tools.profiles.broken(article.outlet):
        article = article.flagged("extraction_broken")
        other = choose(own, (), found.told, article.summary)
        if other.paragraphs:
            return article, other
    return article, choose(own, found.extracted, found.told, article.summary)


def _note(article: Article, extracted: Sequence[Paragraph], tools: Tools) -> None:
    """Tell the outlet's profile what extraction gave, be it nothing: that is how its drift is noticed."""
    if article.outlet and article.lane == "live":  # an archive's pages are as the outlet was, not as it is
        keys, size = candidate_keys(extracted), characters(extracted)
        tools.profiles.note(article.id, article.outlet, keys, size, tools.page_bytes(article.page))


def _page_text(tree: HtmlElement, title: str) -> _PageText:
    """Return both texts of a page, or the flags for what it is instead of an article."""
    said = read_page_json(tree)
    extracted = _before_entries(_without_title(extract_paragraphs(tree), title), said.entries)
    is_empty = max(characters(extracted), characters(said.body)) < MIN_CHARACTERS
    if is_empty or (not said.body and _prose(extracted) < MIN_PROSE_CHARACTERS):
        kind = page_kind(tree)
        if kind and (is_empty or kind == "index"):
            return _PageText(flags=(_KIND_FLAGS[kind],))
    return _PageText(extracted, said.body)


def _kind_name(flags: Sequence[FlagName]) -> str:
    return flags[0].removeprefix("page_is_") if flags else "unknown"


def _prose(paragraphs: Sequence[Paragraph]) -> int:
    return sum(len(paragraph.text) for paragraph in paragraphs if len(paragraph.text) >= MIN_PARAGRAPH_CHARACTERS)


def _before_entries(paragraphs: list[Paragraph], entries: frozenset[str]) -> list[Paragraph]:
    """Return what stands before the first entry of a live blog: each entry is a posting of its own, by the page's word.

    All of it, where that is too little to be a text.
    """
    for index, paragraph in enumerate(paragraphs if entries else ()):
        if one_line(paragraph.text).casefold() in entries:
            return paragraphs[:index] if characters(paragraphs[:index]) >= MIN_CHARACTERS else paragraphs
    return paragraphs


def _with_page_head(article: Article, tree: HtmlElement) -> Article:
    """Return an article that no feed described, or none but by its address, with what its page says of it."""
    head = read_head(tree)
    published, flags = plausible(head.published, article.fetched or article.first_seen or EARLIEST)
    return msgspec.structs.replace(
        article,
        title=article.title or head.title,
        authors=article.authors or head.authors,
        published=article.published or published,
    ).flagged(*(flags if not article.published else ()))


def _on_own_text(article: Article, own: Candidate) -> Article:
    if not article.body:
        return article
    # In a later run the text was cleaned since, so that it would be judged by what is no longer there.
    is_judged = article.text_choice != "" and article.text_choice == own.choice
    confidence = article.text_confidence if is_judged else choose(own, (), (), "").confidence
    return msgspec.structs.replace(
        article, text_from="feed" if article.feed else "file", text_choice=own.choice, text_confidence=confidence
    )


def _without_title(paragraphs: list[Paragraph], title: str) -> list[Paragraph]:
    """Drop a first heading that only repeats the title (which may carry the outlet's name behind it)."""
    if not paragraphs or not paragraphs[0].is_heading:
        return paragraphs
    words = _WORD.findall(paragraphs[0].text.casefold())
    is_title = words and _WORD.findall(title.casefold())[: len(words)] == words
    return paragraphs[1:] if is_title or title.casefold().startswith(paragraphs[0].text.casefold()) else paragraphs
