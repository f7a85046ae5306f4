"""Whose words a sentence says they are: the subject of its verb of saying, or whom "according to" leads to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from pipeline.enrich.named import APOSTROPHES, REACH, Mention, Named
from pipeline.enrich.speech_words import DOCUMENTS, HONORIFICS, JOINING, MODIFYING, PARTICLES, DenseSpeech, Speech

_WORD = re.compile(r"[^\W_]+")
_COMMON_NOUN_WORDS: Final = 4
"""Between "the" and its noun ("the former prime minister")."""
_PASSIVE: Final = frozenset({"is", "are", "was", "were", "be", "been", "été", "fue", "sido", "foi"})
_AGENTS: Final = frozenset({"by", "par", "por"})
_DETERMINERS: Final = frozenset({"a", "an", "the", "its", "their", "these", "those", "any", "such"})
_RELAYING: Final = frozenset({"quoted", "quotes", "cited", "cites", "reported", "reports"})
_CONTINUING: Final = frozenset({"before", "after", "while", "when"})
""""said before adding": the second verb's subject is the first one's."""
_NAME_WORDS: Final = 5
_PHRASE_WORDS: Final = 12
"""From the last word of a long subject back to its noun."""
_AFTER_CHARACTERS: Final = 100
"""Behind a verb, as far as its subject can be."""
_DENSE_TAIL: Final = 24
_IN_A_STATEMENT: Final = ("在", "于", "於", "通过", "透过", "透過", "发表", "發表", "发布", "發布", "发文告")
"""What leads from whose statement it is to "statement", in Chinese."""


class Speaker(NamedTuple):
    """Who says something; both empty when the text does not name them."""

    name: str = ""
    id: str = ""
    is_person: bool = True


NAMELESS: Final = Speaker()


class Word(NamedTuple):
    """A word of a sentence, with its place in the text."""

    start: int
    end: int
    folded: str


class Saying(NamedTuple):
    """A sign that something is said: the words ``first`` to ``last`` of a sentence."""

    first: int
    last: int
    is_source: bool
    """ "According to" and the like; else a verb."""


class Attribution(NamedTuple):
    """What a stretch of text says about whose words a quote is."""

    verb: str
    speaker: Speaker | None
    """None: it is said, but not by whom."""


def words_of(named: Named, stretches: Sequence[tuple[int, int]]) -> list[Word]:
    """Return the words of stretches of the text, in order."""
    return [
        Word(*found.span(), found.group().casefold())
        for start, end in stretches
        for found in _WORD.finditer(named.text, start, end)
    ]


def sayings(words: Sequence[Word], speech: Speech, named: Named) -> list[Saying]:
    """Return the signs of speech among these words; a word within a name is none."""
    found = []
    for index, word in enumerate(words):
        is_verb = word.folded in speech.verbs and not _is_noun(words, index, speech)
        if is_verb and not _is_hearsay(words, index) and not named.at(word.start):
            found.append(Saying(index, index, is_source=False))
        for rest in speech.sources.get(word.folded, ()):
            last = index + len(rest)
            if tuple(one.folded for one in words[index + 1 : last + 1]) == rest:
                found.append(Saying(index, last, is_source=True))
                break
    return found


def _is_noun(words: Sequence[Word], index: int, speech: Speech) -> bool:
    """Whether what could be a verb is none: "the claims", "a report"."""
    return index > 0 and words[index - 1].folded in _DETERMINERS and "the" in speech.articles


def _is_hearsay(words: Sequence[Word], index: int) -> bool:
    """Whether a verb says what people say in general: "who was said to be ill"."""
    if not 0 < index < len(words) - 1:
        return False
    return words[index + 1].folded == "to" and words[index - 1].folded in _PASSIVE


class Clause:
    """Words around a quote, looked at for the subject of one of their verbs."""

    def __init__(
        self, named: Named, speech: Speech, words: Sequence[Word], *, previous: Speaker | None, since: int = 0,
        is_tail: bool = False,
    ) -> None:  # fmt: skip
        self.named, self.speech, self.words = named, speech, words
        self.text = named.text
        self.previous = previous
        """Of the quote before: a pronoun in a paragraph that names nobody is theirs."""
        self.since = since
        """Where that quote ended: whom a sentence behind it speaks of, a pronoun means rather."""
        self.is_tail = is_tail
        """Whether the words follow a quote, so that the first of them begins no sentence."""

    def subject_before(self, saying: Saying) -> Speaker | None:
        """Return the subject of a verb when it stands before it."""
        return None if saying.is_source else self._before(saying.first)

    def speaker(self, saying: Saying) -> Speaker | None:
        """Return the subject of a verb, or whom "according to" leads to; None when neither is there."""
        if saying.is_source:
            return self._behind(saying.last, is_source=True)
        own = self.words[saying.first].folded
        if own in self.speech.people:
            return self._behind(saying.last, needs_name=True) or self._person(self.words[saying.first].start, own)
        after = self.words[saying.last + 1 :][:6]
        is_agent = bool(after) and after[0].folded in _AGENTS and self.words[saying.first - 1].folded in _PASSIVE
        is_relayed = own in _RELAYING and any(word.folded == "as" for word in after)  # "quoted Jones as saying"
        if (is_agent and saying.first) or is_relayed:
            other = self._behind(saying.last + is_agent, needs_name=True)
            if other is not None and other.name:
                return other
        found = self._before(saying.first) or self._behind(saying.last)
        if found is None and self.speech.no_subject:
            return self._person(self.words[saying.first].start)
        return found

    # What stands before the verb

    def _before(self, index: int) -> Speaker | None:
        at = index - 1
        skipped = self.speech.fillers | self.speech.verbs
        while at >= 0 and self.words[at].folded in skipped and not self.named.at(self.words[at].start):
            if self.words[at].folded in self.speech.people | self.speech.bodies:
                break
            if self.words[at].folded in self.speech.verbs and _is_noun(self.words, at, self.speech):
                break
            at -= 1
        if at < 0:
            return None
        word = self.words[at]
        comma = self._gap(at)
        if ")" in comma or "）" in comma:
            lowest = max(0, word.start - _AFTER_CHARACTERS)
            opening = max(self.text.rfind("(", lowest, word.start), self.text.rfind("（", lowest, word.start))
            if opening >= 0:
                while at > 0 and self.words[at].start > opening:
                    at -= 1
                word = self.words[at]
        if word.folded in self.speech.people and word.folded not in self.speech.verbs:
            return self._person(word.start, word.folded) or NAMELESS
        if word.folded in self.speech.people:
            return self._person(word.start, word.folded)
        if word.folded in self.speech.bodies:
            return self._body(word.start)
        if "," in comma or "،" in comma or "—" in comma:
            return self._before_apposition(word)
        return self._subject_ending(at)

    def _subject_ending(self, at: int) -> Speaker | None:
        """Return whom a noun phrase means whose last word is the one at ``at``."""
        word = self.words[at]
        mention = self.named.at(word.start)
        if mention is not None:
            return self._subject_ending_in(mention, at)
        if word.folded in self.speech.nameless or self._is_led_by_nameless(at):
            return NAMELESS
        if (word.folded in JOINING or word.folded in _CONTINUING) and (subject := self.sentence_subject(at)):
            return subject
        return self._definite(at) or self._unlisted_name(at) or self._earlier(word)

    def _subject_ending_in(self, mention: Mention, at: int) -> Speaker:
        """Return the same of a noun phrase that ends in a name: whose it is, or what hangs on another noun."""
        before = self._index_before(at, mention.start)
        if before < 0:
            return _speaker(mention)
        is_apart = self._gap(before).strip(" -’'")
        if before > 0 and not is_apart and self._is_led_by_nameless(before):
            return NAMELESS
        head = before - 1
        if self.words[before].folded not in MODIFYING or head < 0 or self.words[head].folded in DOCUMENTS:
            return _speaker(mention)
        headed = self.named.at(self.words[head].start)
        return _speaker(headed) if headed else NAMELESS

    def _is_led_by_nameless(self, at: int) -> bool:
        """Whether the noun that a phrase hangs on is nobody in particular: "a source with knowledge of the deal"."""
        for index in range(at, max(0, at - _PHRASE_WORDS), -1):
            word = self.words[index].folded
            if self._gap(index - 1).strip(" -’'") or word in self.speech.verbs or word in JOINING:
                return False
            nouns = [one.folded for one in self.words[max(0, index - 2) : index]] if word in self.speech.links else []
            if any(noun in self.speech.nameless and noun not in DOCUMENTS for noun in nouns):
                return True  # "a source close to"
        return False

    def sentence_subject(self, at: int) -> Speaker | None:
        """Return the subject that a second verb shares with the first: "He told them … and said"."""
        first = self.words[0]
        if first.folded in self.speech.people:
            return self._person(first.start, first.folded)
        mentions = [one for one in self.named.within(first.start, self.words[at].start) if one.entity.kind != "place"]
        is_first = mentions and self.named.is_subject(mentions[0]) and not self.named.is_possessive(mentions[0])
        return _speaker(mentions[0]) if is_first else None

    def _earlier(self, word: Word) -> Speaker | None:
        """Return the last one named before a verb that something else than a noun phrase stands right before."""
        first = self.words[0].start
        mentions = [one for one in self.named.within(first, word.start) if one.entity.kind != "place"]
        if not mentions:
            return None
        nearest = mentions[-1]
        between = self.text[nearest.end : word.end].casefold()
        if between[:1] in APOSTROPHES or between.startswith(" s "):
            return NAMELESS
        following = _WORD.search(between)
        leads = following.group() if following else ""
        if leads in JOINING:
            return _speaker(mentions[0])
        is_led = leads in self.speech.links or between.lstrip()[:1] in {"(", ",", "，"}
        return _speaker(nearest) if is_led or leads.isdigit() else NAMELESS

    def _before_apposition(self, last: Word) -> Speaker | None:
        """Return the subject of "Jones, chief of the Bank of Smith, said": whom a comma follows, a person first."""
        first = self.words[0].start
        mentions = [one for one in self.named.within(first, last.end) if one.entity.kind != "place"]
        earlier = [
            one for one in mentions if self.text[one.end : one.end + 1] in {",", "،", " (", "("} and one.end < last.end
        ]
        for candidates in (
            [one for one in earlier if one.entity.kind == "person"],
            [one for one in mentions if one.entity.kind == "person" and one.end == last.end],
            earlier,
            mentions[-1:],
        ):
            if candidates:
                return _speaker(candidates[0])
        return self._subject_ending(self.words.index(last)) if last.folded not in self.speech.nameless else NAMELESS

    # What stands behind the verb

    def _behind(self, index: int, *, needs_name: bool = False, is_source: bool = False) -> Speaker | None:
        """Return whom the noun phrase behind a word means."""
        start = self.words[index].end
        phrase: list[Word] = []
        for word in self.words[index + 1 :]:
            is_part = self.named.at(word.start) is not None
            if word.start - start > _AFTER_CHARACTERS or (phrase and not is_part and word.folded in self.speech.links):
                break
            gap = self.text[phrase[-1].end if phrase else start : word.start]
            is_title = phrase and gap[0] == "." and len(phrase[-1].folded) < 4
            if not is_title and any(mark in gap for mark in ',;:—(،：.\n“"'):
                break
            phrase.append(word)
        while phrase and phrase[0].folded in self.speech.fillers and len(phrase) > 1:
            phrase = phrase[1:]
        if not phrase:
            return None
        named = self._named_in(phrase)
        in_apposition = self._bearer(phrase[0], named) if named else self._apposition(phrase[0])
        author = self._author(phrase[-1]) if not named and phrase[-1].folded in DOCUMENTS else None
        return in_apposition or author or self._phrase(phrase, needs_name=needs_name, is_source=is_source)

    def _author(self, document: Word) -> Speaker | None:
        """Return whom "a statement by" leads to."""
        after = self.words.index(document) + 1
        if after + 1 >= len(self.words) or self.words[after].folded not in MODIFYING:
            return None
        behind = self.words[after + 1 : after + 3]  # an article may come first
        found = next((mention for word in behind if (mention := self.named.at(word.start))), None)
        return _speaker(found) if found and found.entity.kind != "place" else None

    def _bearer(self, first: Word, named: Sequence[Mention]) -> Speaker | None:
        """Return the person behind an office and its organisation: "Director Acme, Jane Jones"."""
        last = named[-1]
        if last.entity.kind == "person" or named[0].start <= first.start:
            return None
        people = self.named.within(last.end, last.end + 3)
        is_behind = bool(people) and self.text[last.end : people[0].start] == ", "
        return _speaker(people[0]) if is_behind and people[0].entity.kind == "person" else None

    def _apposition(self, first: Word) -> Speaker | None:
        """Return the person behind a noun phrase and a comma: "the chief of police, Jane Jones"."""
        if not self.text[first.start].islower() or first.folded in self.speech.people:
            return None
        end = min(first.start + _AFTER_CHARACTERS, self.words[-1].end)
        for mention in self.named.within(first.start, end):
            if mention.entity.kind == "person":
                return _speaker(mention) if self.text[mention.start - 2 : mention.start] == ", " else None
        return None

    def _phrase(self, phrase: Sequence[Word], *, needs_name: bool, is_source: bool) -> Speaker | None:
        named = self._named_in(phrase)
        if named:
            last = named[-1]
            behind = self.text[last.end : phrase[-1].end]
            nouns = {word.folded for word in phrase if word.start >= last.end}
            is_led = bool(nouns & self.speech.nameless) if is_source else bool(nouns)
            is_owner = behind[:1] in APOSTROPHES or (last.entity.kind != "person" and is_led)
            return NAMELESS if is_owner else _speaker(last)
        if needs_name:
            return None
        if phrase[0].folded in self.speech.people | self.speech.bodies:
            is_person = phrase[0].folded in self.speech.people
            return self._person(phrase[0].start, phrase[0].folded) if is_person else self._body(phrase[0].start)
        at = self.words.index(phrase[-1])
        if phrase[-1].folded in self.speech.nameless or phrase[0].folded in self.speech.nameless:
            return NAMELESS
        return self._definite(at) or self._unlisted_name(at) or NAMELESS

    def _named_in(self, phrase: Sequence[Word]) -> list[Mention]:
        found = self.named.within(phrase[0].start, phrase[-1].end)
        people = [one for one in found if one.entity.kind == "person"]
        return people or [one for one in found if one.entity.kind == "organisation"]

    # Whom words mean that are no name

    def _definite(self, at: int) -> Speaker | None:
        """Return whom "the minister" or "the company" means, when the noun phrase that ends at ``at`` is one."""
        if not self.text[self.words[at].start].islower():
            return None
        is_group = self.words[at].folded in self.speech.groups
        is_plural = self.words[at].folded[-1:] == "s" and self.words[at].folded[-2:] != "ss"
        for index in range(at - 1, max(-1, at - 1 - _COMMON_NOUN_WORDS), -1):
            word = self.words[index]
            if self._gap(index).strip(" -’'"):
                return None
            if word.folded in self.speech.articles:
                if is_group:
                    called = self.named.last_called(word.start, self.words[at].folded)
                    return _speaker(called) if called else self._body(word.start)
                return NAMELESS if is_plural else self._person(word.start)
            is_other = word.folded in self.speech.nameless and not is_group  # "the police department"
            if is_other or word.folded in self.speech.verbs or self.named.at(word.start):
                return None
        return None

    def _unlisted_name(self, at: int) -> Speaker | None:
        """Return what is written like a name but is no entity of the article."""
        first = at
        if not self._is_capital(at):
            return None
        while first > 0 and at - first < _NAME_WORDS and not self._gap(first - 1).strip(" .-’'"):
            if not (self._is_capital(first - 1) or self.words[first - 1].folded in PARTICLES):
                break
            first -= 1
        while first < at and self.words[first].folded in HONORIFICS:
            first += 1
        covering = self.named.at(self.words[at].start)
        if covering:
            return _speaker(covering)
        if at == first:
            if bearer := self.named.by_last_word(self.words[at].folded):
                return Speaker(bearer.name, bearer.id)
            if self.words[at].folded in self.speech.groups or (at == 0 and not self.is_tail):
                return None
        return Speaker(self.text[self.words[first].start : self.words[at].end])

    def _person(self, place: int, pronoun: str = "") -> Speaker | None:
        subject = self.named.subject_between(max(self.since, place - REACH), self._sentence(place), "person", pronoun)
        if subject is not None:
            return _speaker(subject)
        paragraph = max(0, self.text.rfind("\n\n", max(0, place - REACH), place))
        found = self.named.last(place, "person", paragraph, pronoun)
        if self.previous is not None and self.previous.name and (found is None or not self.named.is_subject(found)):
            return self.previous
        found = found or self.named.last(place, "person", pronoun=pronoun)
        return _speaker(found) if found else None

    def _body(self, place: int) -> Speaker | None:
        subject = self.named.subject_between(max(self.since, place - REACH), self._sentence(place), "organisation")
        if subject is not None:
            return _speaker(subject)
        if self.previous is not None and not (self.previous.name and self.previous.is_person):
            return self.previous
        found = self.named.last(place, "organisation")
        return _speaker(found) if found else None

    def _sentence(self, place: int) -> int:
        return self.named.sentence_start(place)

    def _is_capital(self, at: int) -> bool:
        return self.text[self.words[at].start].isupper() and self.words[at].folded not in self.speech.nameless

    def _gap(self, at: int) -> str:
        """Return what stands between a word and the next."""
        return self.text[self.words[at].end : self.words[at + 1].start] if at + 1 < len(self.words) else ""

    def _index_before(self, at: int, place: int) -> int:
        while at >= 0 and self.words[at].start >= place:
            at -= 1
        return at


def _speaker(mention: Mention | None) -> Speaker:
    if mention is None or mention.entity.kind == "place":
        return NAMELESS
    return Speaker(mention.entity.name, mention.entity.id, mention.entity.kind == "person")


def topic(named: Named, start: int, end: int) -> Speaker | None:
    """Return whom a stretch names last: the subject of a verb that stands behind the quote, as in Japanese."""
    mentions = [one for one in named.within(start, end) if one.entity.kind != "place"]
    return _speaker(mentions[-1]) if mentions else None


def first_named(named: Named, start: int, end: int) -> Speaker | None:
    """Return whom a stretch names first: the subject of "Jones disagreed: …"."""
    mentions = [one for one in named.within(start, end) if one.entity.kind != "place"]
    return _speaker(mentions[0]) if mentions else None


def dense_attribution(
    named: Named, speech: DenseSpeech, start: int, end: int, *, is_behind: bool, previous: Speaker | None
) -> Attribution | None:
    """Return what a stretch of a text without spaces says about whose words a quote is, or None.

    Before a quote, the last verb decides; behind it (``is_behind``), the first, when it is near.
    """
    stretch = named.text[start:end]
    verbs = list(speech.verbs.finditer(stretch))
    found = verbs[0 if is_behind else -1] if verbs else None
    if found is None or (is_behind and found.start() > _DENSE_TAIL):
        return None
    before = stretch[: found.start()]
    if speech.people.search(before):
        who = named.last(start + found.start(), "person")
        speaker = previous if who is None and previous else _speaker(who) if who else None
        return Attribution(found.group(), speaker)
    mentions = [one for one in named.within(start, start + found.start()) if one.entity.kind != "place"]
    behind_name = named.text[mentions[-1].end : start + found.start()] if mentions else before
    if speech.nameless.search(behind_name) and not behind_name.startswith(_IN_A_STATEMENT):
        people = [one for one in mentions if one.entity.kind == "person"]
        if not people:
            return Attribution(found.group(), NAMELESS)
    return Attribution(found.group(), _speaker(mentions[-1]) if mentions else None)
