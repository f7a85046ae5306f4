"""Names that no list holds: runs of capitalised words, cut at titles, with what they and their neighbours say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from pipeline.enrich.capitals import Word, is_link, runs, starts_sentence
from pipeline.enrich.name_words import (
    ACRONYMS_OF_NO_NAME,
    ADJECTIVES,
    CALENDAR,
    DIRECTIONS,
    INSTITUTIONS,
    NOT_NAMES,
    ORGANISATION_BEGINNINGS,
    ORGANISATION_HEADS,
    ORGANISATION_NOUNS,
    ORGANISATION_OPENERS,
    ORGANISATION_ROLES,
    PERSON_TITLES_ONLY,
    PLACE_HEADS,
    PLACE_NOUNS,
    PLACE_OPENERS,
    PRESS_HEADS,
    REGIONS,
    SAYING,
    STATE_ABBREVIATIONS,
    SURNAMES_BEFORE_HYPHENS,
    TEAM_ROLES,
    TITLES,
)

Kind = Literal["", "person", "organisation", "place", "none"]
MAX_ACRONYM_CHARACTERS: Final = 6
_AGE: Final = re.compile(r",? \(?\d{1,3}\)?(?:,|\)| tahun)|, who\b|, whose\b|,? yang berusia")
_INNER_CAPITAL: Final = re.compile(
    r"(?!Ma?c|De|La|Le|Van|Von|Di|Du)[A-Z]+[a-z0-9]+[A-Z][A-Za-z0-9]*$|[A-Z]{2}[a-z]{3,}$"
)
_DATELINE_END: Final = re.compile(r"[^\n]{0,60}?(?:[-–—]|:)\s|,")
_ACRONYM_BEHIND: Final = re.compile(r" \(([A-Z]{2,8})\)")
_RECORD: Final = re.compile(r" \d{1,3}[-–]\d{1,3}(?![-–\w])| \(\d{1,3}-\d{1,3}[,)]|: \d{1,3}-\d{1,3},")
"""A score, or the games won and lost, behind a team."""
_OFFICE: Final = re.compile(" (?:Secretary(?![- ][Gg]eneral)|Minister|Undersecretary|Commissioner|Advis[eo]r)(?![a-z])")
"""Behind what an office is for: "Commerce Secretary"."""
_HYPHENED: Final = re.compile(r"-[a-z]{1,6}(?![-a-z])")
_NEXT_WORD: Final = re.compile(r",? ?([^\W\d_]{2,20})")


class Piece(NamedTuple):
    """One run of words that may be a name."""

    start: int
    end: int
    words: tuple[Word, ...]
    kind: Kind
    """What its own words and its neighbours say; empty: nothing, "none": that it is a name of something else."""
    is_first: bool
    """It begins a sentence, where a capital says nothing of a lone word."""
    before: str
    """The word before it, in lower case."""


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """Return common given names in lower case (see the file for their source)."""
    return _read("given_names.txt")


@lru_cache(maxsize=1)
def surnames() -> frozenset[str]:
    """Return common surnames in lower case (see the file for their source)."""
    return _read("surnames.txt")


def _read(name: str) -> frozenset[str]:
    lines = (files("pipeline.enrich") / name).read_text(encoding="utf-8").split("\n")
    return frozenset(line for line in lines if line and not line.startswith("#"))


class Writing(NamedTuple):
    """What the article as a whole says of its words."""

    lower_words: frozenset[str] | set[str]
    """Those that it also writes small."""
    function_words: frozenset[str]
    """Those that begin sentences in its language and are no names."""
    is_strict: bool = False
    """A capital says little, as nouns or whole phrases have it."""


def pieces(text: str, writing: Writing) -> Iterator[Piece]:
    """Yield what may be names in ``text``, in order."""
    for run in runs(text):
        is_first = starts_sentence(text, run[0].start)
        title = ""
        for part, before in _cut(text, run, writing.function_words):
            words = _seat_alone(part)
            title = before or ("" if words[0].start != run[0].start else title)
            kept = _without_opening(words, writing, is_first=is_first and words[0].start == run[0].start)
            if kept:
                yield _piece(text, kept, title, writing, is_first=is_first and kept[0].start == run[0].start)


def _cut(text: str, run: Sequence[Word], function_words: frozenset[str]) -> Iterator[tuple[list[Word], str]]:
    """Yield the parts of a run between titles, days and the like, each with the title before it."""
    part: list[Word] = []
    title = ""
    spelt = _spelt_out(text, run)
    for place, word in enumerate(run[: len(run) - len(spelt)]):
        begins = word.low in ORGANISATION_BEGINNINGS and not word.link
        goes_on = _is_led_on(part, word) or _is_agency(text, run, place, part)
        if part and (begins or (is_link(word.link) and not goes_on)):
            yield part, title
            part, title = [], ""
        is_said = len(run) == 1 and word.low in surnames() and _says(text[word.end : word.end + 24])  # "Black said"
        if not is_said and _parts_names(run, place, part, title, function_words):
            if part:
                yield part, title
            part, title = [], word.low if word.low in TITLES else ""
        else:
            part.append(word)
    if part:
        yield part, title
    if spelt:
        yield spelt, ""


def _seat_alone(words: list[Word]) -> list[Word]:
    """Return only the White House of "White House Economics"; that of "White House Office" is part of the name."""
    is_seat = len(words) > 2 and f"{words[0].low} {words[1].low}" in INSTITUTIONS and not words[1].link
    return words[:2] if is_seat and not any(word.low in ORGANISATION_HEADS for word in words[2:]) else words


def _spelt_out(text: str, run: Sequence[Word]) -> list[Word]:
    """Return the last words of a run that an acronym behind it in brackets is made of, if one is."""
    end = run[-1].end
    found = _ACRONYM_BEHIND.match(text, end)
    if not found:
        return []
    number = len(found.group(1))
    words = list(run[-number:])
    return words if "".join(word.text[0] for word in words) == found.group(1) and len(words) > 1 else []


def _is_led_on(part: Sequence[Word], word: Word) -> bool:
    """Return whether "of", "for" or "and" goes on with the organisation that ``part`` begins."""
    opens = any(each.low in ORGANISATION_OPENERS for each in part)
    if word.link in {"of", "of the", "for", "for the", "on"}:
        return opens and word.low not in CALENDAR
    if word.link == "&":
        return True
    if not opens or word.link not in {"and", "and the"} or word.text.isupper():
        return False
    if word.low in ORGANISATION_OPENERS or word.low in ADJECTIVES:
        return False
    return any(is_link(each.link) for each in part)


def _is_agency(text: str, run: Sequence[Word], place: int, part: Sequence[Word]) -> bool:
    """Return whether "and" stands within the name of one agency: "the Food and Drug Administration"."""
    word, following = run[place], run[place + 1] if place + 1 < len(run) else None
    if word.link != "and" or len(part) > 2 or not following or following.link or following.low not in _AGENCY_HEADS:
        return False
    is_other = part[-1].text.isupper() or any(each.low in INSTITUTIONS or each.low in _AGENCY_HEADS for each in part)
    is_definite = part[0].low == "the" or _word_before(text, part[0].start) == "the"
    return (is_definite and not is_other) or (len(part) == 2 and part[0].low in INSTITUTIONS)


_AGENCY_HEADS: Final = frozenset(
    {
        "administration", "commission", "agency", "committee", "committees", "authority", "office", "bureau", "council",
        "corporation", "service", "services", "department", "ministry", "board", "inspectorate", "directorate",
    }
)  # fmt: skip


def _parts_names(
    run: Sequence[Word], place: int, part: Sequence[Word], title: str, function_words: frozenset[str]
) -> bool:
    """Return whether the word at ``place`` belongs to no name, so that one ends before it."""
    word = run[place]
    following = run[place + 1] if place + 1 < len(run) else None
    ends_run = not following or is_link(following.link) or following.low in {"jr", "sr"}
    if part and part[0].low in given_names() and ends_run and len(part) < 3 and word.low in surnames():
        return False  # "Regina King"
    if word.low == "affairs" and part:
        return False  # "Ministry of Home Affairs"
    if word.low in TITLES:
        return _is_title(word, following, part, title, ends_run=ends_run)
    if word.low in CALENDAR:
        is_short = part and following and len(word.low) == 3
        return not (_heads_follow(run, place) or is_short or _begins_person(word, following))
    if word.low in ADJECTIVES:
        return not _heads_follow(run, place) and not (part and is_link(word.link))
    is_initial = len(word.low) == 1 and bool(following) and bool(title or part)
    is_acronym = len(word.text) > 1 and word.text.isupper()
    return word.low in function_words and word.low not in _ALSO_IN_NAMES and not (is_initial or is_acronym)


def _begins_person(word: Word, following: Word | None) -> bool:
    """Return whether a word that is a day or a creed is a given name here: "Christian Bale"."""
    return word.low in given_names() and bool(following and not following.link and following.low in surnames())


def _is_title(word: Word, following: Word | None, part: Sequence[Word], title: str, *, ends_run: bool) -> bool:
    if ends_run and part and title in PERSON_TITLES_ONLY:
        return False  # "Mr Kyaw Moe Tun"
    is_adjective = following and following.low in _HEADS_NO_TITLES and not following.link
    return not is_adjective and not (part and is_link(word.link))


_HEADS_NO_TITLES: Final = ORGANISATION_HEADS - TITLES
_ALSO_IN_NAMES: Final = frozenset(
    {"the", "new", "will", "don", "le", "la", "los", "las", "el", "les", "for", "al", "san", "dos"}
)


def _heads_follow(run: Sequence[Word], place: int) -> bool:
    """Return whether an organisation's head stands a few words on: "Republican Senatorial Committee"."""
    for word in run[place + 1 : place + 5]:
        if word.link or word.low in TITLES:
            return False
        if word.low in ORGANISATION_HEADS:
            return True
    return False


def _has_head(words: Sequence[Word]) -> bool:
    return any(word.low in ORGANISATION_HEADS or word.low in ORGANISATION_OPENERS for word in words)


def _without_opening(words: list[Word], writing: Writing, *, is_first: bool) -> list[Word]:
    """Drop what is capitalised because it begins a sentence, and an article."""
    first = words[0]
    if first.low in _ALSO_IN_NAMES:
        if first.low == "the":
            is_paper = len(words) > 1 and words[-1].low in PRESS_HEADS
            keeps = (
                is_paper and (len(words) == 2 or writing.is_strict)
                if is_first
                else is_paper or (len(words) > 1 and _has_head(words))
            )
            return words if keeps else words[1:]
        return words[1:] if len(words) == 1 or (is_first and first.low in writing.function_words) else words
    if is_first and first.low in writing.lower_words and not _is_name_of_words(words):
        return words[1:]
    return words


def _is_name_of_words(words: Sequence[Word]) -> bool:
    """Return whether the first word, though it is also an ordinary one, belongs to the name ("Mark", "Bank of")."""
    return words[0].low in given_names() or (len(words) > 1 and _has_head(words))


_WITH_STOP: Final = frozenset({"inc", "corp", "ltd", "co", "jr", "sr", "bros", *STATE_ABBREVIATIONS})


def _piece(text: str, words: Sequence[Word], title: str, writing: Writing, *, is_first: bool) -> Piece:
    if len(words) == 2 and (rest := _HYPHENED.match(text, words[1].end)) and words[0].low in SURNAMES_BEFORE_HYPHENS:
        whole = words[1].text + rest.group()
        words = [words[0], words[1]._replace(end=rest.end(), text=whole, low=whole.lower())]
        title = title or "mr"
    start, end = words[0].start, words[-1].end
    before = title or _word_before(text, start)
    kind = kind_of(text, words, end, before)
    if kind == "organisation" and _is_work(text, start, end, len(words)):
        kind = "none"
    if not kind and len(words) > 1 and text[start - 1 : start] == "（":
        kind = "person"  # as Chinese adds a foreign name as its bearer writes it
    elif not kind and len(words) > 1 and words[-1].low in writing.lower_words:
        kind = "none"  # "Women Artists", where the text speaks of artists too
    elif kind == "organisation" and len(words) == 1 and _is_shouted(words[0].low, writing):
        kind = ""  # "HATE"
    if text[end : end + 1] == "." and words[-1].low in _WITH_STOP:
        end += 1
    return Piece(start, end, tuple(words), kind, is_first, before)


def _is_work(text: str, start: int, end: int, words: int) -> bool:
    """Return whether several words stand alone between marks, as the title of a book does."""
    return words > 2 and text[start - 1 : start] in _OPENING and text[end : end + 2].lstrip(".,!?")[:1] in _CLOSING


_OPENING: Final = frozenset('“"‘«„')
_CLOSING: Final = frozenset('”"’»“')


def _is_shouted(low: str, writing: Writing) -> bool:
    return low in writing.function_words or (len(low) > 3 and low in writing.lower_words)


def _word_before(text: str, start: int) -> str:
    near = text[max(0, start - 24) : start].split() if text[start - 1 : start] == " " else []
    return near[-1].lower().strip("(“\"'‘") if near else ""


def kind_of(text: str, words: Sequence[Word], end: int, before: str) -> Kind:
    """Return what a name of these words is, by its words first, then by what stands around it."""
    form = " ".join(word.low for word in words)
    if form in INSTITUTIONS:
        return "organisation"
    if form in REGIONS:
        return "place"
    if len(words) == 1:
        return _kind_of_one(text, words[0], end, before)
    return _kind_of_several(text, words, end, before)


def _kind_around(text: str, start: int, end: int, before: str) -> Kind:
    """Return what a noun beside a name says it is: "drugmaker X", "the village of X", "X striker Jane Jones"."""
    if before in ORGANISATION_NOUNS:
        return "organisation"
    if before == "of":
        owner = text[max(0, start - 24) : start].split()
        return "place" if len(owner) > 1 and owner[-2].lower() in PLACE_NOUNS else ""
    following = _NEXT_WORD.match(text, end) if text[end : end + 1] == " " else None
    noun = following.group(1) if following else ""
    if noun in TEAM_ROLES or noun.lower() in ORGANISATION_ROLES or _RECORD.match(text, end):
        return "organisation"
    return ""


def _kind_of_several(text: str, words: Sequence[Word], end: int, before: str) -> Kind:
    first, last = words[0], words[-1]
    is_given = first.low in given_names()
    if (first.low in NOT_NAMES and not is_given) or last.low in NOT_NAMES or _is_numbered(words) or _is_street(words):
        return "none"
    if not (is_given and last.low in surnames()) and is_organisation(words):
        return "organisation"
    if last.low in PLACE_HEADS or first.low in PLACE_OPENERS:
        return "place"
    around = "" if is_given and before not in ORGANISATION_NOUNS else _kind_around(text, first.start, end, before)
    return around or ("person" if _is_person(text, words, end, before, is_given=is_given) else "")


def _is_numbered(words: Sequence[Word]) -> bool:
    """Return whether this is a model, a chapter, a war; a pope and a king have a given name."""
    return words[-1].text[-1].isdigit() or (words[-1].low in _ROMAN and words[0].low not in given_names())


_REGNAL: Final = re.compile("[IVX]{1,5}")
_ROMAN: Final = frozenset({"ii", "iii", "iv"})


def _is_street(words: Sequence[Word]) -> bool:
    return any(word.low in {"street", "streets", "avenue", "road", "boulevard"} for word in words)


def _is_person(text: str, words: Sequence[Word], end: int, before: str, *, is_given: bool) -> bool:
    is_initial = len(words[0].text.strip(".")) == 1
    if before in TITLES or ((is_given or is_initial) and not words[-1].text.isupper()):
        return True
    if is_given and len(words) == 2 and _REGNAL.fullmatch(words[1].text):
        return True  # "Henry VIII"
    if len(words[0].text) == 2 and words[0].text.isupper() and words[-1].text[1:].islower():
        return words[-1].low in surnames() or words[-1].low in given_names()  # "JD Vance"
    after = text[end : end + 24]
    return bool(_AGE.match(after)) or _says(after)


def _kind_of_one(text: str, word: Word, end: int, before: str) -> Kind:
    is_short = "." in text[word.end - 1 : end + 1]
    if is_short and word.low.strip(".") in STATE_ABBREVIATIONS:
        return "place"
    is_number = word.text[-1].isdigit() and "-" in word.text  # a flight, a case
    if word.low in NOT_NAMES or word.low in DIRECTIONS or is_number or _OFFICE.match(text, end):
        return "none"
    if before in PERSON_TITLES_ONLY or (before in TITLES and word.low in given_names()):
        return "person"
    if word.text.isupper() and len(word.text) > 1:
        return _kind_of_capitals(text, word, end)
    around = _kind_around(text, word.start, end, before)
    return around or ("organisation" if _INNER_CAPITAL.match(word.text) else "")


def _kind_of_capitals(text: str, word: Word, end: int) -> Kind:
    if word.start < 2 and len(word.text) > 3 and _DATELINE_END.match(text, end):
        return "place"
    is_number = word.text[-1].isdigit() and word.text[:2].isalpha()  # a flight, an amount
    if text[word.start - 1 : word.start] in _OPENING_BRACKETS and _abbreviates_other(text, word):
        return "none"
    if is_number or word.low in ACRONYMS_OF_NO_NAME:
        return "none"
    return "organisation" if len(word.text) <= MAX_ACRONYM_CHARACTERS else ""


def _abbreviates_other(text: str, word: Word) -> bool:
    """Return whether capitals in brackets stand for a law, a thing or the like: the words before say so."""
    if text[word.end : word.end + 1] not in _CLOSING_BRACKETS:
        return False
    lead = text[max(0, word.start - 80) : word.start - 1].rstrip()
    if _OTHER_IN_HAN.search(lead):
        return True
    words = _BRACKETED.findall(lead[lead.rfind("\n") + 1 :])[-len(word.text) :]
    if not words or any(one.lower() in _HEADS for one in words):
        return False
    return words[-1].lower() in NOT_NAMES or all(one.islower() for one in words[-2:])


_HEADS: Final = ORGANISATION_HEADS | ORGANISATION_OPENERS
_OPENING_BRACKETS: Final = frozenset("(（")
_CLOSING_BRACKETS: Final = frozenset(")）")
_BRACKETED: Final = re.compile(r"[A-Za-z][\w'’-]*")
_OTHER_IN_HAN: Final = re.compile(
    "(?:协定|协议|法案|条约|法|技术|系统|测试|指数|疫苗|病毒|病|签证|计划|货币|协議|協定|條約|系統|計劃)$"
)


def is_institution(words: Sequence[Word]) -> bool:
    """Return whether these words name a seat of power or a chamber, whatever else is called so."""
    return " ".join(word.low for word in words) in INSTITUTIONS


def is_organisation(words: Sequence[Word]) -> bool:
    """Return whether the words name an organisation by themselves: a head at either end, or one that leads on."""
    first, last = words[0], words[-1]
    ends_in_head = last.low in ORGANISATION_HEADS and last.low not in ORGANISATION_BEGINNINGS
    if ends_in_head or last.low in PRESS_HEADS or first.low in ORGANISATION_HEADS:
        return True
    return any(is_link(word.link) for word in words) and any(word.low in ORGANISATION_OPENERS for word in words)


def _says(after: str) -> bool:
    found = _NEXT_WORD.match(after)
    return bool(found) and found.group(1) in SAYING  # type: ignore[union-attr]
