"""Which mentions of one article are of the same person, organisation or place.

A surname, a given name or an acronym alone joins the full name that the article has too; what joins nothing and says
nothing of itself is no name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pipeline.article import EntityKind
from pipeline.enrich.gazetteer_files import Row
from pipeline.enrich.mentions import Mention, is_in_a_place
from pipeline.enrich.name_words import (
    CORPORATE_HEADS,
    ORGANISATION_HEADS,
    PERSON_TITLES_ONLY,
    PRESS_HEADS,
)
from pipeline.enrich.spans import Writing, given_names, surnames
from pipeline.query.analysis import joined

_SEPARATOR: Final = "ꙮ"
MAX_PERSON_WORDS: Final = 4
LARGE_PLACE: Final = 500_000
"""Inhabitants of a place that is meant by its name alone, also where people bear it."""
MIN_NATIVE_WEIGHT: Final = 2_000_000
_NATIVE: Final = frozenset({"CN", "TW", "JP", "KR", "HK", "MO"})
"""Where towns have names of two characters that are ordinary words too (合作, 联合, 中心)."""
MIN_UNCASED_WEIGHT: Final = 100_000
"""Of a place whose name of two characters may as well be part of a longer word, in a script without capitals."""


class Name(NamedTuple):
    """Who or what a mention is of: a row of the gazetteer, or else a name as the article has it."""

    kind: EntityKind
    row: int = -1
    folded: str = ""


@dataclass
class _Known:
    """What the article's full names let its short ones mean; the first that has one keeps it."""

    full: dict[str, Name] = field(default_factory=dict)
    surname: dict[str, Name] = field(default_factory=dict)
    given: dict[str, Name] = field(default_factory=dict)
    acronym: dict[str, Name] = field(default_factory=dict)
    short: dict[str, Name] = field(default_factory=dict)
    small_surnames: set[str] = field(default_factory=set)
    """Surnames that the article writes small within a full name ("Ismail qaani")."""


def folded_all(texts: Sequence[str]) -> list[str]:
    """Return the folded form of each text, folding all in one go."""
    distinct = list(dict.fromkeys(texts))
    together = joined(f" {_SEPARATOR} ".join(distinct)).split(_SEPARATOR)
    if len(together) != len(distinct):
        together = [joined(text) for text in distinct]
    forms = dict(zip(distinct, map(str.strip, together), strict=True))
    return [forms[text] for text in texts]


def join(found: Sequence[Mention], rows: Sequence[Row], chosen: Sequence[int], writing: Writing) -> list[Name | None]:
    """Return whom or what each mention names; None: nothing. ``chosen`` holds the row that each means, or -1."""
    forms = folded_all([mention.text for mention in found])
    known = _Known()
    named: list[Name | None] = [None] * len(found)
    undecided: list[int] = []
    lone: list[int] = []
    abbreviated: list[int] = []
    for number, (mention, form, row) in enumerate(zip(found, forms, chosen, strict=True)):
        if not form:
            continue
        if mention.kind == "none":
            if mention.words == 1 and mention.text.isupper():
                abbreviated.append(number)
            continue
        if row >= 0 and _is_certain(mention, rows[row]):
            named[number] = Name(rows[row].kind, row)
            _learn(known, named[number], mention, form)
        elif mention.rows or mention.is_small or _is_shouted(mention) or not _has_parts(mention):
            lone.append(number)
        elif mention.kind:
            named[number] = known.full.get(form) or Name(mention.kind, -1, form)
            _learn(known, named[number], mention, form)
        else:
            undecided.append(number)
    for number in undecided:
        form = forms[number]
        kind = _likely_kind(found[number], is_strict=writing.is_strict)
        named[number] = known.full.get(form) or known.short.get(form) or (Name(kind, -1, form) if kind else None)
        _learn(known, named[number], found[number], form)
    _learn_acronyms_in_brackets(known, found, named, forms)
    _join_longer(known, named, forms)
    for number in abbreviated:  # an MBA is a degree but where Mortgage Bankers Association stands
        named[number] = known.acronym.get(forms[number])
    others = {forms[number] for number in abbreviated if named[number] is None}
    # "the Inflation Reduction Act (IRA)": no IRA of this article is another
    lone = [number for number in lone if not (forms[number] in others and found[number].text.isupper())]
    evident = _evident(found, forms, lone, writing)
    teams = _teams(found, forms, lone, chosen, rows)
    for number in lone:
        mention, form, row = found[number], forms[number], chosen[number]
        known_as = teams.get(number) or _lone_name(known, mention, form, rows[row] if row >= 0 else None, row)
        is_unknown_place = row < 0 and _is_unknown_place(mention, rows)
        named[number] = Name("place", -1, form) if is_unknown_place else known_as
        if named[number] is None and form in evident and not mention.is_small and not _is_shouted(mention):
            named[number] = known.full.setdefault(form, Name(evident[form], -1, form))
    return named


def _is_unknown_place(mention: Mention, rows: Sequence[Row]) -> bool:
    """Whether this is a place's name, though none of the places we know by it: the Moscow of Idaho."""
    if mention.is_small or mention.kind not in {"", "place"}:
        return False
    return bool(mention.rows) and all(rows[n].kind == "place" and not rows[n].context for n in mention.rows)


def _teams(
    found: Sequence[Mention], forms: Sequence[str], lone: Iterable[int], chosen: Sequence[int], rows: Sequence[Row]
) -> dict[int, Name]:
    """Return the mentions of cities that a word beside one of them says to be a team or a company here."""
    teams = {
        forms[number]
        for number in lone
        if found[number].kind == "organisation" and chosen[number] >= 0 and rows[chosen[number]].type == "city"
    }
    return {
        number: Name("organisation", -1, forms[number])
        for number in lone
        if forms[number] in teams and not is_in_a_place(found[number])
    }


def _has_parts(mention: Mention) -> bool:
    return mention.words > 1 or "·" in mention.text


def _is_certain(mention: Mention, row: Row) -> bool:
    """Return whether a listed name means its row by itself, without another mention's help."""
    if mention.is_small:
        return row.kind == "person" and mention.words > 1
    if mention.kind == "person" and row.kind != "person":
        return False
    return mention.words > 1 and _has_case(mention)


def _has_case(mention: Mention) -> bool:
    return mention.text[0].isupper() or mention.text[0].islower()


def _is_shouted(mention: Mention) -> bool:
    return mention.text.isupper() and mention.words > 1


def _likely_kind(mention: Mention, *, is_strict: bool) -> EntityKind | None:
    """Return what several words in a row name that say nothing: a person more often than not."""
    if mention.words > MAX_PERSON_WORDS:
        return None
    if _has_acronym(mention.text):
        return "organisation"
    if is_strict or mention.text.startswith("New "):  # no person: "New England"
        return None
    if mention.before in {"the", "a", "an"}:
        return "organisation" if mention.text[-1] == "s" else None
    if mention.before in _WITHIN:
        return "place"
    return None if mention.before == "at" else "person"


def _has_acronym(text: str) -> bool:
    """Return whether one of the words is an acronym: "UC Berkeley", "WECT News"."""
    words = text.split(" ")
    return any(len(word) > 1 and word.isalpha() and word.isupper() for word in words[:-1])


_ARTICLES: Final = frozenset({"the", "a", "an"})
_WITHIN: Final = frozenset({"in", "near", "into", "outside"})


def _learn(known: _Known, name: Name | None, mention: Mention, form: str) -> None:
    if name is None:
        return
    known.full.setdefault(form, name)
    words = form.split(" ")
    if name.kind == "person":
        _learn_person(known, name, mention, words)
    elif name.kind == "organisation" and not _has_case(mention):
        for cut in range(2, min(5, len(words) - 3)):  # "新加坡安全驾驶中心", then "安全驾驶中心"
            known.short.setdefault(" ".join(words[cut:]), name)
    elif name.kind == "organisation" and len(words) > 1:
        _learn_organisation(known, name, mention, words)


def _learn_person(known: _Known, name: Name, mention: Mention, words: list[str]) -> None:
    if "·" in mention.text:
        for part in mention.text.split("·"):
            known.surname.setdefault(" ".join(part), name)
        return
    if words[-1] in {"jr", "sr", "ii", "iii"}:
        words = words[:-1]
    if len(words) < 2:
        return
    known.surname.setdefault(words[-1], name)
    known.given.setdefault(words[0], name)
    if len(words) > 2:
        known.surname.setdefault(" ".join(words[1:]), name)
        known.surname.setdefault(" ".join(words[-2:]), name)
        known.given.setdefault(" ".join(words[:2]), name)
    if mention.text.rpartition(" ")[2].islower():
        known.small_surnames.add(words[-1])


def _learn_organisation(known: _Known, name: Name, mention: Mention, words: list[str]) -> None:
    letters = [word[0] for word in mention.text.replace("-", " ").split() if word[0].isupper()]
    if len(letters) > 1:
        known.acronym.setdefault("".join(letters).lower(), name)
    last = words[-1]
    if last.isalpha() and (last not in ORGANISATION_HEADS or last in PRESS_HEADS):
        known.short.setdefault(last, name)
    if last in CORPORATE_HEADS or len(last) == 3:
        known.short.setdefault(" ".join(words[:-1]), name)


def _learn_acronyms_in_brackets(
    known: _Known, found: Sequence[Mention], named: Sequence[Name | None], forms: Sequence[str]
) -> None:
    """Let "SIA" mean what it stands behind in brackets: "Singapore Airlines (SIA)"."""
    for number in range(len(found) - 1):
        first, second = found[number], found[number + 1]
        name = named[number]
        is_bracketed = second.start - first.end in {1, 2} and not second.before
        is_acronym = second.text.isupper() and 2 <= len(second.text) <= 8
        if is_bracketed and is_acronym and name is not None and name.kind == "organisation" and second.words == 1:
            known.acronym[forms[number + 1]] = name


def _join_longer(known: _Known, named: list[Name | None], forms: Sequence[str]) -> None:
    """Let an unlisted name that begins and ends as a listed or longer one does be that person."""
    for number, name in enumerate(named):
        if name is None or name.row >= 0 or name.kind != "person":
            continue
        words = forms[number].split(" ")
        other = known.surname.get(words[-1])
        if other and other != name and known.given.get(words[0]) == other:
            named[number] = other
            known.full[forms[number]] = other


def _evident(
    found: Sequence[Mention], forms: Sequence[str], lone: Iterable[int], writing: Writing
) -> dict[str, EntityKind]:
    """Return the kinds of unlisted single words: what any of their mentions gives away, else what repetition tells."""
    evident: dict[str, EntityKind] = {}
    within: set[str] = set()
    times: Counter[str] = Counter()
    articles: Counter[str] = Counter()
    for number in lone:
        mention, form = found[number], forms[number]
        if mention.kind in {"person", "organisation", "place"}:
            evident.setdefault(form, mention.kind)
        elif not mention.rows and not mention.is_first and not mention.is_small and form not in writing.lower_words:
            times[form] += 1
            articles[form] += mention.before in _ARTICLES
            if mention.before in _WITHIN:
                within.add(form)
    for form, number in times.items():
        if form in given_names() or (number > 1 and form in surnames()):
            evident.setdefault(form, "person")
        elif not writing.is_strict and form in within:
            evident.setdefault(form, "place")
        elif 2 * articles[form] >= number and form[-1] != "s":
            continue  # "the Panhandle", "the Channel": a place, a thing or a title as often
        elif not writing.is_strict and number > 1 and len(form) > 3 and form not in ORGANISATION_HEADS:
            evident.setdefault(form, "organisation")
    return evident


def _lone_name(known: _Known, mention: Mention, form: str, row: Row | None, number: int) -> Name | None:
    """Return what a single word (or a whole line of capitals) names by the full names, or by its row."""
    if mention.is_small:
        if row and known.full.get(form) == Name(row.kind, number):
            return known.full[form]
        return known.surname[form] if form in known.small_surnames else None
    if form in known.full:
        return known.full[form]
    person = known.surname.get(form) or known.given.get(form)
    if mention.text.isupper() and form in known.acronym and not (row and row.type == "country"):
        return known.acronym[form]
    if row and _is_meant(mention, row, has_person=person is not None, form=form):
        return known.full.setdefault(form, Name(row.kind, number))
    is_acronym = form in known.acronym and (mention.text.isupper() or "." in mention.text)
    return person or (known.acronym[form] if is_acronym else known.short.get(form))


def _is_meant(mention: Mention, row: Row, *, has_person: bool, form: str) -> bool:
    """Return whether a single listed word means its row here."""
    if _is_other(mention, row):
        return False
    if row.kind != "place" or row.type == "country":
        return not (row.kind == "organisation" and has_person)
    if is_in_a_place(mention):
        return True
    if not _has_case(mention):
        least = MIN_NATIVE_WEIGHT if row.country in _NATIVE else MIN_UNCASED_WEIGHT
        return row.type != "city" or len(mention.text) > 2 or row.weight >= least
    is_surname = form in surnames() or form in given_names()
    return not has_person and (row.weight >= LARGE_PLACE or not is_surname)


def _is_other(mention: Mention, row: Row) -> bool:
    """Return whether the mention is evidently of somebody or something else that is called so."""
    if mention.kind == "person" and row.kind != "person":
        return row.type != "country" or mention.before in PERSON_TITLES_ONLY
    is_capitals = 1 < len(mention.text) <= 4 and mention.text.isupper() and mention.start > 9
    # the CIA is not Cia, nor the GAO Gao
    return is_capitals and row.name.casefold() == mention.text.casefold() and not row.name.isupper()
