"""Stage ``origin``: the news agency or outlet that an article says it was written by or taken from."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from pipeline.article import Article, OriginEvidence
from pipeline.enrich.agencies import Agencies
from pipeline.enrich.tools import Tools
from pipeline.identity import link_host
from pipeline.variants import is_second_level

HEAD_CHARACTERS: Final = 160
"""A dateline is within these."""
CREDIT_CHARACTERS: Final = 300
"""The longest of 30 real credit lines ("Reporting by … in …; Editing by …") has 190."""
LAST_PARAGRAPHS: Final = 6
FIRST_PARAGRAPHS: Final = 3
MAX_AUTHORS: Final = 20
MAX_NAME_CHARACTERS: Final = 60

_STRENGTH: Final[tuple[OriginEvidence, ...]] = ("", "attribution", "canonical", "credit", "byline", "dateline")
"""From the weakest evidence to the strongest."""

# Each is anchored, or looks at a bounded piece of the text.
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】\n]{1,60})[)）\]】]")
_DASH = re.compile(r"\s*[.．]?\s*[-–—―=:：]")
_SLASHES = re.compile(r"[^\n/]{0,80}/\s?([^\n/]{2,30})/\s*[.\-–—]")
_DASHED = re.compile(r"[^\n–—]{2,60}?\s[-–—]\s([^\n.–—]{2,30})\.\s")
_SLASHED_END = re.compile(r"([^\n.–—]{0,60}/\s*[^\n/–—.]{2,30}?)\s*[-–—]")
_DATED = re.compile(r"[^\n–—]{0,60}\d[^\n–—.]{0,12}\.\s([A-Z.]{4,30})\s[-–—]")
_WIRED = re.compile(r"[(（【]?([^\s()（）【】，。,.]{1,20}?)(?:综合|綜合)?[讯訊电電](?:[)）】(（\s，,：:])")
_SITE = re.compile(r"\b([A-Za-z][\w-]{1,30}(?:\.[A-Za-z]{2,4}){1,2})\b")
_HEAD = re.compile(r"[^\n–—]{3,60}?\s?(?:[–—]|\s-{1,2}\s)")

_CREDITED = re.compile(
    r"(?:source|sources|sumber|quelle|fuente|fonte|bron|källa|kilde|źródło|kaynak|источник|джерело|المصدر|منبع|来源|來源"
    r"|出典|출처|copyright|©|\(c\)|agency|agencies)\s*(?:[:：]|©|\(c\)|\s)\s*(?:©\s*)?(?:(?:19|20)\d\d,?)?\s*(.{2,60})",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(r"(?:©|\(c\)|copyright)\s*(?:©\s*)?(?:(?:19|20)\d\d)?,?\s*([^.,;:\n]{2,60})", re.IGNORECASE)
_REPORTING = re.compile(r"(?:\W*(?:additional\s)?(?:reporting|writing|editing|compiled|written)\sby\b)", re.IGNORECASE)
_PUBLISHED = re.compile(
    r"\b(?:(?:this|the)\s(?:\w+\s){0,2}(?:article|story|piece|report|post|column|essay|interview)|it)\s(?:was\s|has\sbeen\s)?"
    r"(?:(?:originally|first|previously)\s)?(?:published|appeared|produced|reported|co-published|republished)"
    r"\s(?:(?:originally|first)\s)?(?:by|in|on|at|from|with\spermission\sfrom)\s([^\n.,;:()]{2,60})",
    re.IGNORECASE,
)
# "… – AFP", "… (Reuters)", and "… they said. AFP, REUTERS", which has no stop; "calculated by Reuters." is none.
_LAST_WORDS = re.compile(
    r"(?:[-–—]\s?([^-–—\n()]{2,40})[.。]?|[(（]([^()（）\n]{2,40})[)）][.。]?"
    r"|[.!?。！？][\"'”’»)\]]*\s([^.!?。！？\n]{2,40}))[\s\]]*$"
)
_SELF_NAMED = re.compile("(?!本|综合|綜合).{1,10}(?:报|報|网|網|社|台|臺|新闻|新聞|周刊|电视|電視)$")
_THIS_PAPER = frozenset(("本报", "本報", "本网", "本網", "本社", "本台", "本刊"))
_BY = re.compile(r"(?:by|von|par|por|da|di|oleh|door|av|от)\s(.{3,110})", re.IGNORECASE)
_PEOPLE = re.compile(r"\s*(?:[,|;/•·–—]|\band\b|\sfor\s|\swith\s|\s-\s)\s*", re.IGNORECASE)
_STAFF = re.compile(
    r"\s*\b(?:staff|writers?|reporters?|correspondents?|journalists?|newsroom|news (?:agency|desk)|desk|team)\b.*",
    re.IGNORECASE,
)
_REPORTED_IN_CHINESE = re.compile(
    r"(?:^|[。！？”\n]\s{0,3})《([^《》\n]{2,20})》(?:报道|報道|报导|報導)(?:说|指|，|称)"
)


class Origin(NamedTuple):
    """Who wrote it and what says so; both empty: nothing does."""

    name: str = ""
    by: OriginEvidence = ""


def enrich(article: Article, tools: Tools) -> Article:
    """Fill ``origin`` and ``origin_by`` from dateline, byline, credit line, canonical address or attribution.

    An origin that is known stays where the text holds no stronger evidence: the stage ``clean`` may have taken away
    what said it.
    """
    found = origin_of(article, tools.agencies)
    if _STRENGTH.index(found.by) <= (_STRENGTH.index(article.origin_by) if article.origin else 0):
        return article
    return msgspec.structs.replace(article, origin=found.name, origin_by=found.by)


def origin_of(article: Article, agencies: Agencies) -> Origin:
    """Return the origin by the strongest evidence that the article itself holds."""
    paragraphs = _paragraphs(article.body)
    own = _Outlet(article.outlet, agencies)
    kept = f"{article.dateline[:HEAD_CHARACTERS]} - " if article.dateline else ""
    if name := own.dateline(kept) or own.dateline(article.body[:HEAD_CHARACTERS]):
        return Origin(name, "dateline")
    if name := own.byline(article.authors[:MAX_AUTHORS], paragraphs[:FIRST_PARAGRAPHS]) or own.tagged(article.tags):
        return Origin(name, "byline")
    lines = [*paragraphs[:FIRST_PARAGRAPHS], *paragraphs[FIRST_PARAGRAPHS:][-LAST_PARAGRAPHS:]]
    if name := own.credit(lines, article.body[-CREDIT_CHARACTERS:]):
        return Origin(name, "credit")
    if name := own.canonical(article.url, article.canonical_url):
        return Origin(name, "canonical")
    if name := own.attribution(article.body[: 3 * CREDIT_CHARACTERS]):
        return Origin(name, "attribution")
    return Origin()


class _Outlet:
    """Whose article it is: an outlet that names itself is known by its own name too."""

    def __init__(self, name: str, agencies: Agencies) -> None:
        self.name = name
        self.agencies = agencies

    def called(self, text: str) -> str:
        """Return the agency, or the outlet itself, that a piece of text is the name of."""
        if found := self.agencies.called(text):
            return found
        folded = text.strip(" .:()").casefold()
        return self.name if len(folded) > 1 and folded == self.name.casefold() else ""

    def dateline(self, head: str) -> str:
        """Return whom a dateline names ("ROME (Reuters) -", "Bisnis.com, JAKARTA —", "新华社北京3月5日电")."""
        for found in _BRACKETS.finditer(head):
            is_first = not head[: found.start()].strip()
            if (
                (is_first or _DASH.match(head, found.end()) or found.group()[0] == "【")
                and (name := self.called(found[1]) or self.agencies.among(found[1]) or self._place_and_agency(found))
            ):  # fmt: skip
                return name
        if (wired := _WIRED.match(head.lstrip())) and (name := self._wired(wired[1])):
            return name
        for pattern in (_SLASHES, _DASHED, _SLASHED_END, _DATED):
            found_in = pattern.match(head)
            if found_in and (name := self.called(found_in[1]) or self._last_of(found_in[1])):
                return name
        return self._site(head)

    def _wired(self, text: str) -> str:
        """Return the agency that a Chinese dateline starts with ("新华社北京3月5日"), or the outlet of that name."""
        for end in range(len(text), 1, -1):
            if name := self.called(text[:end]):
                return name
        if text in _THIS_PAPER or (len(text) > 1 and self.name.endswith(text)):
            return self.name
        return text if _SELF_NAMED.match(text) else ""

    def _place_and_agency(self, found: re.Match[str]) -> str:
        """Return the agency that a Japanese dateline ends with (【ワシントン共同】)."""
        text = found[1] if found.group()[0] == "【" else ""
        return next(filter(None, (self.agencies.called(text[start:]) for start in range(len(text) - 1))), "")

    def _last_of(self, text: str) -> str:
        return self.called(text.rpartition("/")[2]) if "/" in text else ""

    def _site(self, head: str) -> str:
        """Return the outlet that stands as a site's name in a dateline ("Bisnis.com, JAKARTA —")."""
        dateline = _HEAD.match(head)
        site = _SITE.search(dateline.group()) if dateline and "," in dateline.group() else None
        return (self.agencies.of_host(site[1].casefold()) or site[1]) if site else ""

    def tagged(self, tags: tuple[str, ...]) -> str:
        """Return the agency that a feed has as a tag, when it is the only one."""
        found = {name for tag in tags[:MAX_AUTHORS] if (name := self.agencies.called(tag[: 2 * MAX_NAME_CHARACTERS]))}
        return found.pop() if len(found) == 1 else ""

    def byline(self, authors: tuple[str, ...], first: list[str]) -> str:
        """Return the agency or outlet among the authors, or in a line "By Jane Jones, Associated Press"."""
        lines = [line for line in first if len(line) <= 2 * MAX_NAME_CHARACTERS]
        written = [found[1] for line in lines if (found := _BY.match(line))]
        for author in (*(author[: 2 * MAX_NAME_CHARACTERS] for author in authors), *written):
            for piece in (author, *_PEOPLE.split(author)):
                bare = _BY.sub(r"\1", piece.strip(), count=1)
                if name := self.called(bare) or self.called(_STAFF.sub("", bare)):
                    return name
        return ""

    def credit(self, lines: list[str], ending: str) -> str:
        """Return whom a line of its own, or the last words of the text, give the credit."""
        for line in reversed(lines):
            if len(line) <= CREDIT_CHARACTERS and (name := self._credit_line(line)):
                return name
        found = _LAST_WORDS.search(ending[-MAX_NAME_CHARACTERS:])
        return self.agencies.first(found[1] or found[2] or found[3]) if found else ""

    def _credit_line(self, line: str) -> str:
        bare = line.strip(" \t[]()（）【】-–—*.")
        if name := self.agencies.first(bare):
            return name
        for pattern in (_CREDITED, _COPYRIGHT):
            found = pattern.match(bare)
            if found and (name := self.called(found[1]) or self.agencies.among(found[1].partition(".")[0])):
                return name
        if _REPORTING.match(bare):
            return next(filter(None, (self.agencies.called(one[1]) for one in _BRACKETS.finditer(line))), "")
        found = _PUBLISHED.search(line)
        return (self.agencies.called(found[1]) or _proper_name(found[1])) if found else ""

    def canonical(self, url: str, canonical_url: str) -> str:
        """Return whose copy it is, when its canonical address is of another registered name: by name, or by domain."""
        host, own = link_host(canonical_url), link_host(url)
        if not host or not own:
            return ""
        domain = registered(host)
        if domain.partition(".")[0] == registered(own).partition(".")[0]:
            return ""
        return self.agencies.of_host(host) or domain

    def attribution(self, start: str) -> str:
        """Return the outlet whose report a text is said to be, in a sentence near its start."""
        found = _REPORTED_IN_CHINESE.search(start)
        return (self.agencies.called(found[1]) or found[1]) if found else ""


def registered(host: str) -> str:
    """Return the name that somebody registered: the last two labels, three where the second is a country's own."""
    labels = host.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and is_second_level(labels[-2], labels[-1]) else labels[-2:])


def _paragraphs(body: str) -> list[str]:
    """Return the first and the last paragraphs: those in between give nobody credit."""
    room = CREDIT_CHARACTERS * (FIRST_PARAGRAPHS + LAST_PARAGRAPHS)
    if len(body) <= 2 * room:
        return [line.strip() for line in body.split("\n") if line.strip()]
    first = [line.strip() for line in body[:room].split("\n")[:-1] if line.strip()][:FIRST_PARAGRAPHS]
    last = [line.strip() for line in body[-room:].split("\n")[1:] if line.strip()]
    return [*first, *[""] * (FIRST_PARAGRAPHS - len(first)), *last]


def _proper_name(text: str) -> str:
    """Return the words with a capital that a text starts with, "the" before them aside."""
    words: list[str] = []
    for word in text.strip(" \"“'").split()[:6]:
        if not (word[0].isupper() or word[0].isdigit() or (word in {"of", "the", "and", "&"} and words)):
            if not words and word == "the":
                continue
            break
        words.append(word)
    while words and words[-1] in {"of", "the", "and", "&"}:
        words.pop()
    return " ".join(words)
