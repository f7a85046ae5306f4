"""Which mentions of one article are of the same person, organisation or place.

A surname, a given name or an acronym alone joins the full name that the article has too; what joins nothing and says
nothing of itself is no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pipeline.article import EntityKind
from pipeline.enrich.gazetteer_files import Row
from pipeline.enrich.mentions import Mention, is_in_a_place
from pipeline.enrich.name_words import ACRONYMS_OF_NO_NAME, ORGANISATION_HEADS, PERSON_TITLES_ONLY, PRESS_HEADS
from pipeline.enrich.spans import given_names, surnames
from pipeline.query.analysis import joined

_SEPARATOR: Final = "ꙮ"
LARGE_PLACE: Final = 1_000_000
"""Inhabitants of a place that is meant by its name alone, also where people bear it."""
MIN_UNCASED_WEIGHT: Final = 200_000
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


def join(found: Sequence[Mention], rows: Sequence[Row], choose: Mapping[Mention, int]) -> list[Name | None]:
    """Return whom or what each mention names; None: nothing. ``choose`` holds the row meant by each listed one."""
    forms = folded_all([mention.text for mention in found])
    known = _Known()
    named: list[Name | None] = [None] * len(found)
    lone: list[int] = []
    for number, (mention, form) in enumerate(zip(found, forms, strict=True)):
        if mention.kind == "none" or not form:
            continue
        row = choose.get(mention, -1)
        if row >= 0 and _is_certain(mention, rows[row]):
            named[number] = Name(rows[row].kind, row)
        elif (
            not mention.rows
            and (mention.words > 1 or "·" in mention.text)
            and not mention.is_small
            and not _is_shouted(mention)
        ):
            named[number] = known.full.get(form) or Name(_kind_of_several(mention), -1, form)
        else:
            lone.append(number)
            continue
        _learn(known, named[number], mention, form, rows)
    _learn_acronyms_in_brackets(known, found, named, forms)
    _join_longer(known, named, found, forms)
    sure_lone = _evident(found, forms, lone)
    for number in lone:
        named[number] = _lone_name(known, found[number], forms[number], rows, choose, sure_lone)
    return named


def _is_certain(mention: Mention, row: Row) -> bool:
    """Return whether a listed name means its row by itself, without another mention's help."""
    if mention.is_small:
        return row.kind == "person" and mention.words > 1
    if mention.kind == "person" and row.kind != "person":
        return False
    return mention.words > 1


def _is_shouted(mention: Mention) -> bool:
    return mention.text.isupper() and mention.words > 1


def _kind_of_several(mention: Mention) -> EntityKind:
    return "person" if mention.kind in {"", "none"} else mention.kind  # type: ignore[return-value]


def _learn(known: _Known, name: Name | None, mention: Mention, form: str, rows: Sequence[Row]) -> None:
    if name is None:
        return
    known.full.setdefault(form, name)
    words = form.split(" ")
    if "·" in mention.text:
        for part in mention.text.split("·"):
            known.surname.setdefault(" ".join(part), name)
        return
    if name.kind == "person" and len(words) > 1:
        if words[-1] in {"jr", "sr", "ii", "iii"}:
            words = words[:-1]
        known.surname.setdefault(words[-1], name)
        known.given.setdefault(words[0], name)
        if len(words) > 2:
            known.surname.setdefault(" ".join(words[1:]), name)
            known.surname.setdefault(" ".join(words[-2:]), name)
            known.given.setdefault(" ".join(words[:2]), name)
        if mention.text.rpartition(" ")[2].islower():
            known.small_surnames.add(words[-1])
    elif name.kind == "organisation" and len(words) > 1:
        letters = [word[0] for word in mention.text.replace("-", " ").split() if word[0].isupper()]
        if len(letters) > 1:
            known.acronym.setdefault("".join(letters).lower(), name)
        if (words[-1] not in ORGANISATION_HEADS or words[-1] in PRESS_HEADS) and words[-1].isalpha():
            known.short.setdefault(words[-1], name)
        if words[0] not in ORGANISATION_HEADS and words[0] not in given_names() and len(words[0]) > 3:
            known.short.setdefault(words[0], name)


def _learn_acronyms_in_brackets(
    known: _Known, found: Sequence[Mention], named: Sequence[Name | None], forms: Sequence[str]
) -> None:
    """Let "SIA" mean what it stands behind in brackets: "Singapore Airlines (SIA)"."""
    for number in range(len(found) - 1):
        first, second = found[number], found[number + 1]
        name = named[number]
        is_behind = second.start - first.end == 2 and second.text.isupper() and 2 <= len(second.text) <= 8
        if is_behind and name is not None and name.kind == "organisation" and second.words == 1:
            known.acronym[forms[number + 1]] = name


def _join_longer(known: _Known, named: list[Name | None], found: Sequence[Mention], forms: Sequence[str]) -> None:
    """Let an unlisted name that begins and ends as a listed or longer one does be that person."""
    for number, name in enumerate(named):
        if name is None or name.row >= 0 or name.kind != "person":
            continue
        words = forms[number].split(" ")
        other = known.surname.get(words[-1])
        if other and other != name and known.given.get(words[0]) == other:
            named[number] = other
            known.full[forms[number]] = other


def _evident(found: Sequence[Mention], forms: Sequence[str], lone: Iterable[int]) -> dict[str, EntityKind]:
    """Return the kinds of single words that any mention of theirs gives away."""
    evident: dict[str, EntityKind] = {}
    for number in lone:
        kind = found[number].kind
        if kind in {"person", "organisation", "place"}:
            evident.setdefault(forms[number], kind)
    return evident


def _lone_name(
    known: _Known,
    mention: Mention,
    form: str,
    rows: Sequence[Row],
    choose: Mapping[Mention, int],
    evident: Mapping[str, EntityKind],
) -> Name | None:
    """Return what a single word (or a whole line of capitals) names."""
    row = choose.get(mention, -1)
    person = known.surname.get(form) or known.given.get(form)
    if mention.is_small and not (row >= 0 and known.full.get(form) == Name(rows[row].kind, row)):
        return known.surname[form] if form in known.small_surnames else None
    if form in known.full:
        return known.full[form]
    if row >= 0 and _is_meant(mention, rows[row], has_person=person is not None, form=form):
        name = Name(rows[row].kind, row)
        known.full.setdefault(form, name)
        return name
    if person is not None:
        return person
    if form in known.acronym and (mention.text.isupper() or "." in mention.text):
        return known.acronym[form]
    if form in known.short:
        return known.short[form]
    kind = evident.get(form)
    if kind is None or form in ACRONYMS_OF_NO_NAME or _is_shouted(mention):
        return None
    name = Name(kind, -1, form)
    known.full.setdefault(form, name)
    return name


def _is_meant(mention: Mention, row: Row, *, has_person: bool, form: str) -> bool:
    """Return whether a single listed word means its row here."""
    if (
        mention.kind == "person"
        and row.kind != "person"
        and (row.type != "country" or mention.before in PERSON_TITLES_ONLY)
    ):
        return False
    if row.kind != "place" or row.type == "country":
        return not (row.kind == "organisation" and has_person)
    if is_in_a_place(mention):
        return True
    if not mention.text[0].isupper():  # a script without capitals
        return len(form.replace(" ", "")) > 2 or row.weight >= MIN_UNCASED_WEIGHT
    if has_person:
        return False
    return row.weight >= LARGE_PLACE or not (form in surnames() or form in given_names())
