"""Stage ``clean``: what stands in a text but is not of it (advertising lines, a date line), and what hides in it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

from pipeline.article import Article
from pipeline.enrich.dateline import find_dateline
from pipeline.enrich.encoding import with_repaired_text
from pipeline.enrich.noise import MAX_LONE_CHARACTERS, MAX_NOTICE_CHARACTERS, is_noise
from pipeline.enrich.paragraphs import Paragraph, split_body, with_paragraphs
from pipeline.enrich.repeated import without_repeated
from pipeline.enrich.tools import Tools
from pipeline.text.times import plausible

MAX_STARTS = 50
"""Date lines, datelines and what is left of their paragraphs."""
MAX_HEADING_WORDS = 12
MIN_PARAGRAPH_CHARACTERS = 120
"""What follows a heading is at least this long; lines in a list or a table are shorter."""
TITLE_CHARACTERS = 120

_DATE_LINE = re.compile(
    r"\s*(?:date|datum|fecha|дата|tarih|التاريخ)\s*[:：]?\s*(\d{4})-(\d{2})-(\d{2})(?![\w-])\s*[-–—:|,.]*\s*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"""[.!?…:;,。！？：；،؛؟۔।]["'”’»)\]]*$""")
_FIRST_SENTENCE = re.compile(r""".+?(?:[.!?…]["'”’»)]*(?=\s)|[。！？](?:[」』”])?|[؟۔।]|$)""", re.DOTALL)
_MARK = re.compile(r"[-–—*•·>#|+=~\d]")


def enrich(article: Article, tools: Tools) -> Article:
    """Repair a broken encoding; drop lines that are no text of the article, and those its outlet's pages repeat; move a
    dateline and a date line to their fields; give a plain-text file the headings and the title it has no tags for.

    The date of a date line becomes ``published`` when there is none, and a dateline ``dateline``. The title of a text
    that has none is its first line when that stands alone like one, else its first sentence, cut at about 120
    characters.
    """
    article = with_repaired_text(article)
    paragraphs = split_body(article.body, article.headings)
    is_of_page = article.text_from == "page"
    if is_of_page and article.outlet:
        left = without_repeated(paragraphs, tools.profiles.repeated_lines(article.outlet))
        article = article if len(left) == len(paragraphs) else article.flagged("lines_removed")
        paragraphs = left
    paragraphs = [paragraph for paragraph in paragraphs if not is_noise(paragraph.text)]
    published, dateline, paragraphs = _without_start(paragraphs, article)
    if is_of_page:
        paragraphs = _without_last_headings(paragraphs)
    title = article.title
    if article.text_from == "file":
        paragraphs = _with_headings(paragraphs)
        if not title.strip():
            title, rest = _titled(paragraphs)
            if len(rest) < len(paragraphs):  # what follows the title may start with a dateline in its turn
                told = msgspec.structs.replace(article, title=title, dateline=dateline)
                date, dateline, paragraphs = _without_start(rest, told)
                published, paragraphs = published or date, _with_headings(paragraphs)
    article = msgspec.structs.replace(with_paragraphs(article, paragraphs), title=title, dateline=dateline)
    return article if article.published or not published else _dated(article, published)


def _dated(article: Article, claimed: datetime) -> Article:
    """Set ``published`` by the rule for all claimed dates; "now" is when we first had the article."""
    published, flags = plausible(claimed, article.first_seen or claimed)
    return msgspec.structs.replace(article, published=published).flagged(*flags)


def _without_start(paragraphs: list[Paragraph], article: Article) -> tuple[datetime | None, str, list[Paragraph]]:
    """Return the date of a date line, the dateline, and the text behind both, as often as the text starts with one.

    A text that starts with another dateline than the article is known to have keeps it; so does one that starts with
    more of them than any article does.
    """
    published, dateline = None, article.dateline
    first = start = 0
    for _ in range(MAX_STARTS):
        if first == len(paragraphs):
            return published, dateline, []
        text = paragraphs[first].text
        if start == len(text) or is_noise(text[start : start + MAX_NOTICE_CHARACTERS + 1]):
            first, start = first + 1, 0
        elif found := _date_at(text, start):
            published, start = published or found[0], found[1]
        elif (place := find_dateline(text, start, title=article.title)).end and (
            dateline in ("", written := text[start : place.end])
        ):
            dateline, start = written, place.rest
        else:
            break
    else:
        return None, article.dateline, paragraphs
    kept = paragraphs[first]
    rest = kept._replace(text=kept.text[start:].strip(), is_heading=kept.is_heading and not start)
    return published, dateline, [rest, *paragraphs[first + 1 :]]


def _date_at(text: str, start: int) -> tuple[datetime, int] | None:
    found = _DATE_LINE.match(text, start)
    if found is None:
        return None
    try:
        date = datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:  # the 30th of February is no date line
        return None
    return date, found.end()


def _without_last_headings(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Drop the headings that nothing follows, as over a page's lists of other articles; none where nothing is left."""
    end = len(paragraphs)
    while end and paragraphs[end - 1].is_heading:
        end -= 1
    return paragraphs[:end] if end else paragraphs


def _with_headings(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Mark lone short lines with a long paragraph behind them as headings, unless the file has headings already."""
    if not paragraphs or any(paragraph.is_heading for paragraph in paragraphs):
        return paragraphs
    marked = [
        first._replace(is_heading=_looks_like_heading(first.text) and _is_long(second.text))
        for first, second in pairwise(paragraphs)
    ]
    return [*marked, paragraphs[-1]]


def _titled(paragraphs: list[Paragraph]) -> tuple[str, list[Paragraph]]:
    """Return a title for the text and the text without it: a heading in first place moves, a sentence stays."""
    if not paragraphs:
        return "", paragraphs
    if paragraphs[0].is_heading:
        return paragraphs[0].text, paragraphs[1:]
    return _first_sentence(paragraphs[0].text), paragraphs


def _first_sentence(text: str) -> str:
    found = _FIRST_SENTENCE.match(text[: 4 * TITLE_CHARACTERS])
    sentence = " ".join((found.group() if found else text[: 4 * TITLE_CHARACTERS]).split())
    if len(sentence) <= TITLE_CHARACTERS:
        return sentence
    cut = sentence[:TITLE_CHARACTERS]
    # Scripts without spaces are cut where they stand.
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > TITLE_CHARACTERS // 2 else cut).rstrip(" ,;:–-") + "…"


def _looks_like_heading(text: str) -> bool:
    if "\n" in text or len(text) > MAX_LONE_CHARACTERS or len(text.split()) > MAX_HEADING_WORDS:
        return False
    # Lower case starts a sentence cut in two; a mark or a number starts an item of a list.
    return not (_SENTENCE_END.search(text) or _MARK.match(text) or unicodedata.category(text[0]) == "Ll")


def _is_long(text: str) -> bool:
    """Whether this is a paragraph of prose; a character of an unspaced script says as much as two or three letters."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text[:MIN_PARAGRAPH_CHARACTERS])
    return len(text) + 2 * wide >= MIN_PARAGRAPH_CHARACTERS
