"""Where a text names whom, for whoever reads a sentence of it: the entities of an article in the order of its body."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.article import Entity
from pipeline.enrich.quote_marks import Quoted
from pipeline.enrich.speech_words import ABBREVIATIONS

REACH: Final = 2_000
"""How far before a pronoun its name is looked for, in characters."""

# It starts with one class of characters, which the engine finds four times as fast as a choice of patterns, and never
# fails once it has started: a text can be nothing but stops, or closing marks.
_BOUNDARY = re.compile("[.!?…。！？؟۔।｡\n]++(?:(?<!\n)[\"'”’»“)\\]」』）]++)?+\\s*+")
_LATIN_STOPS: Final = frozenset(".!?…")
_LAST_WORD = re.compile(r"[^\W\d_]+$")


SUBJECT_CHARACTERS: Final = 50
"""From the start of a sentence, room for a title."""

TITLE_CHARACTERS: Final = 20
"""From the comma that a main clause begins behind ("In a video, Mr Trump said"), room for a short title."""
_CLAUSE = re.compile(r"[,،，] (?:[^\W\d_]+\.? ){0,2}$")

_TITLE_BEFORE = re.compile(r"([^\W\d_]+)\.? $")
_GENDER_OF_PRONOUN: Final = {
    **dict.fromkeys(("he", "him", "il", "él", "ele", "lui", "egli", "hij", "han", "on", "он", "він"), "m"),
    **dict.fromkeys(("she", "her", "elle", "ella", "ela", "lei", "hon", "hun", "ona", "она", "вона"), "f"),
}
_GENDER_OF_TITLE: Final = {
    **dict.fromkeys(("mr", "sir", "lord", "monsieur", "herr", "señor", "senhor", "signor", "meneer", "пан"), "m"),
    **dict.fromkeys(("ms", "mrs", "miss", "lady", "dame", "mme", "mlle", "madame", "frau", "señora", "sra"), "f"),
    **dict.fromkeys(("senhora", "signora", "mevrouw", "пани"), "f"),
}
APOSTROPHES: Final = frozenset("'’‘ʼ`´")
"""Signs that the possessive is written with, right or wrong."""
_FULL_STOPS: Final = frozenset("。！？")


class Mention(NamedTuple):
    """One place where the text names somebody."""

    start: int
    end: int
    entity: Entity


class Named:
    """The names of a text and its sentences, for look-ups by place. What stands in quotes names no speaker."""

    def __init__(self, text: str, entities: Sequence[Entity], quoted: Sequence[Quoted]) -> None:
        before = [one.before for one in quoted]
        after = [one.after for one in quoted]

        def is_quoted(at: int) -> bool:
            index = bisect_right(before, at) - 1
            return index >= 0 and at < after[index]

        spans = sorted(
            (Mention(start, end, entity) for entity in entities for start, end in entity.in_body
             if 0 <= start < end <= len(text) and not is_quoted(start)),
            key=lambda mention: (mention.start, -mention.end),
        )  # fmt: skip
        self.text = text
        self.entities = tuple(entities)
        self._by_noun: dict[str, Entity | None] | None = None
        self._genders: dict[str, str] | None = None
        self._by_last_word: dict[str, Entity | None] | None = None
        self.mentions = spans
        self._starts = [mention.start for mention in spans]
        self.sentences = _sentence_starts(text, quoted)

    def sentence_start(self, at: int) -> int:
        """Return where the sentence starts that holds ``at``; ``at`` itself when one starts there."""
        return self.sentences[bisect_right(self.sentences, at) - 1]

    def sentence_end(self, at: int) -> int:
        """Return where the next sentence starts behind ``at``."""
        index = bisect_right(self.sentences, at)
        return self.sentences[index] if index < len(self.sentences) else len(self.text)

    def sentences_between(self, start: int, end: int) -> int:
        """Return how many sentences start behind ``start``, up to and with ``end``."""
        return bisect_right(self.sentences, end) - bisect_right(self.sentences, start)

    def within(self, start: int, end: int) -> Sequence[Mention]:
        """Return the mentions that start at ``start`` or later and before ``end``."""
        return self.mentions[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def at(self, place: int) -> Mention | None:
        """Return the mention that covers a place."""
        index = bisect_right(self._starts, place) - 1
        return self.mentions[index] if index >= 0 and place < self.mentions[index].end else None

    def last_called(self, place: int, noun: str) -> Mention | None:
        """Return the organisation named last before a place that has a noun in its name: "the department"."""
        for mention in reversed(self.within(max(0, place - REACH), place)):
            if mention.entity.kind == "organisation" and noun in mention.entity.name.casefold().split():
                return mention
        if self._by_noun is None:
            self._by_noun = {}
            for entity in self.entities:
                for word in set(entity.name.casefold().split()) if entity.kind == "organisation" else ():
                    self._by_noun[word] = None if word in self._by_noun else entity
        only = self._by_noun.get(noun)
        return Mention(place, place, only) if only else None

    def last(self, place: int, kind: str, since: int = 0, pronoun: str = "") -> Mention | None:
        """Return whom a pronoun at ``place`` may mean: of the last sentence before it that names one, the first.

        The first is its subject more often than not ("Ms Truss will meet Mr Biden. She said …"); one in the possessive
        is it only when there is no other.
        """
        nearest: Mention | None = None
        for mention in reversed(self.within(max(since, place - REACH), place)):
            if mention.entity.kind != kind or self._is_other_gender(mention.entity, pronoun):
                continue
            if nearest is not None and self.sentence_start(mention.start) != self.sentence_start(nearest.start):
                break
            if nearest is None or not self.is_possessive(mention):
                nearest = mention
        return nearest

    def is_subject(self, mention: Mention) -> bool:
        """Whether a sentence starts with a mention, or with the title of whom it names, or its main clause does."""
        if mention.start - self.sentence_start(mention.start) <= SUBJECT_CHARACTERS:
            return True
        if self.text[mention.end : mention.end + 1] != " ":  # "her husband, Juan Paz, left"
            return False
        return _CLAUSE.search(self.text, max(0, mention.start - TITLE_CHARACTERS), mention.start) is not None

    def subject_between(self, start: int, end: int, kind: str, pronoun: str = "") -> Mention | None:
        """Return whom the sentences of a stretch that has no quote speak of last: the subject of the last of them."""
        mention = self.last(end, kind, start, pronoun) if start < end else None
        return mention if mention and self.is_subject(mention) and not self.is_possessive(mention) else None

    def by_last_word(self, word: str) -> Entity | None:
        """Return the person whose name ends with a word, in lower case; None when there is none, or two."""
        if self._by_last_word is None:
            self._by_last_word = {}
            for entity in self.entities:
                if entity.kind == "person" and " " in entity.name:
                    last = entity.name.rpartition(" ")[2].casefold()
                    self._by_last_word[last] = None if last in self._by_last_word else entity
        return self._by_last_word.get(word)

    def _is_other_gender(self, entity: Entity, pronoun: str) -> bool:
        """Whether a form of address ("Ms") anywhere in the text says that a pronoun does not mean a person."""
        said = _GENDER_OF_PRONOUN.get(pronoun)
        if said is None:
            return False
        if self._genders is None:
            self._genders = {}
            for mention in self.mentions:
                title = _TITLE_BEFORE.search(self.text, max(0, mention.start - TITLE_CHARACTERS), mention.start)
                gender = _GENDER_OF_TITLE.get(title.group(1).casefold()) if title else None
                if gender:
                    self._genders.setdefault(mention.entity.id or mention.entity.name, gender)
        return self._genders.get(entity.id or entity.name, said) != said

    def is_possessive(self, mention: Mention) -> bool:
        """Whether something of whom a mention names is spoken of: "Jones's"."""
        return self.text[mention.end : mention.end + 1] in APOSTROPHES


def _sentence_starts(text: str, quoted: Sequence[Quoted]) -> list[int]:
    """Return where sentences start, those within quotes left out: a sentence goes on behind what it quotes."""
    starts = [0]
    following = iter((*quoted, Quoted(len(text), len(text), len(text), len(text), is_closed=True)))
    quote = next(following)
    for found in _BOUNDARY.finditer(text):
        while quote.after <= found.start():
            if text[quote.end - 1 : quote.end] in _FULL_STOPS and quote.after > starts[-1]:
                starts.append(quote.after)
            quote = next(following)
        at = found.end()
        if not quote.before < at < quote.after and at > starts[-1] and _ends_sentence(text, found):
            starts.append(at)
    return starts


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    start, end = found.span()
    first = text[start]
    if first not in _LATIN_STOPS:
        return True
    if end < len(text) and (not text[end - 1].isspace() or text[end].islower()):
        return False
    word = _LAST_WORD.search(text[max(0, start - 8) : start]) if first == "." else None
    if word is None:
        return True
    is_initial = len(word.group()) == 1 and word.group().isupper()
    return not is_initial and word.group().casefold() not in ABBREVIATIONS
