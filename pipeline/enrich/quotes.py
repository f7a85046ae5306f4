"""Stage ``quotes``: what people are quoted as having said, and who said it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice
from typing import Final

import msgspec

from pipeline.article import Article, Quote
from pipeline.enrich.bounds import MAX_QUOTES
from pipeline.enrich.named import Named
from pipeline.enrich.quote_marks import Quoted, quoted_in
from pipeline.enrich.speaker import (
    NAMELESS,
    Attribution,
    Clause,
    Saying,
    Speaker,
    Word,
    dense_attribution,
    first_named,
    sayings,
    topic,
    words_of,
)
from pipeline.enrich.speech_words import CONTRASTING, DenseSpeech, Speech, dense_speech_of, speech_of
from pipeline.enrich.tools import Tools
from pipeline.text.limits import MAX_BODY_CHARACTERS

MAX_STRETCHES: Final = 2_000
"""Between marks, in one article, that are looked at; a long interview has some 200."""
MIN_WORDS: Final = 3
MIN_DENSE_LETTERS: Final = 6
"""Of a script that writes no spaces."""
MIN_SENTENCE_WORDS: Final = 5
"""So many words with a stop at their end are a quote where nothing says whose."""
MIN_PART_WORDS: Final = 6
"""So many words in the middle of a sentence are somebody's where nothing says so."""
MAX_STRETCH: Final = 400
"""How far around a quote its attribution is looked for, in characters, within the sentence."""
MAX_GAP: Final = 250
"""Between a quote and the next, when the attribution of the first is of both."""
MAX_FAR_GAP: Final = 700
"""The same for a quote that is a sentence of its own and that nothing else is said about."""
MAX_DENSE_TAIL: Final = 10
"""Behind a quote that ends with a full stop: room for a short name and "says"; what is longer is the next sentence."""
MAX_CREDIT: Final = 20
"""From a quote to the name that follows it, when there is no verb of saying: room for one verb and a title."""
NEAR_WORDS: Final = 16
"""A verb behind a quote is of that quote when it is one of the first words."""

_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
_STOPS: Final = ".!?…。！？؟۔।"
_DASHES: Final = frozenset("-–—")
_PAUSES: Final = ",，،、"
_TITLE_SHARE: Final = 0.7
MAX_TITLE: Final = 80


def enrich(article: Article, tools: Tools) -> Article:  # noqa: ARG001 - a stage's interface
    """Fill ``quotes``: each stretch between marks that somebody says or wrote, with the speaker that the text names.

    Scare quotes and titles of works are left out: what is shorter than three words (six characters of an unspaced
    script), and what no verb of saying, "according to" or colon stands near and that is no sentence of its own.
    The speaker is an entity of the article where one stands in the speaker's place, else the name as it is written.
    """
    quoted = list(islice(quoted_in(article.body[:MAX_BODY_CHARACTERS]), MAX_STRETCHES))
    quotes = tuple(_Reader(article, quoted).quotes()) if quoted else ()
    return article if quotes == article.quotes else msgspec.structs.replace(article, quotes=quotes)


def is_long_enough(text: str) -> bool:
    """Whether a stretch is long enough to be a quote: three words, or six characters without spaces."""
    dense = len(_DENSE.findall(text[:200]))
    return dense >= MIN_DENSE_LETTERS or (dense < len(text) // 2 and len(text.split(None, MIN_WORDS)) >= MIN_WORDS)


def looks_like_title(text: str) -> bool:
    """Whether most words start with a capital, as in an English title of a work."""
    if len(text) > MAX_TITLE:
        return False
    words = [word for word in text.split() if word[0].isalpha() and len(word) > 3]
    capitals = sum(word[0].isupper() and not word.isupper() for word in words)
    return len(words) > 1 and capitals >= _TITLE_SHARE * len(words)


class _Reader:
    """One article, read from its first quote to its last: whose a quote is can depend on the one before."""

    def __init__(self, article: Article, quoted: Sequence[Quoted]) -> None:
        self.text = article.body
        self.named = Named(article.body, article.entities, quoted)
        self.quoted = quoted
        self._since = 0
        self._before = [quote.before for quote in quoted]
        self.dense: DenseSpeech | None = dense_speech_of(article.language)
        self.speech: Speech = speech_of(article.language)

    def quotes(self) -> list[Quote]:
        found: list[Quote] = []
        previous: Quoted | None = None
        said: Attribution | None = None
        for index, quote in enumerate(self.quoted):
            if len(found) > MAX_QUOTES:
                break
            inner = self.text[quote.start : quote.end]
            if not is_long_enough(inner):
                continue
            runs_on = previous is not None and not previous.is_closed and previous.after + 2 >= quote.before
            if runs_on and said is not None:
                attribution: Attribution | None = Attribution("", said.speaker)
            else:
                attribution = self._attribution(index, previous, said)
            if attribution is None:
                is_part = self._is_part(inner)
                if not is_part and not self._stands_alone(quote, inner):
                    continue
                near = is_part and previous is not None and said is not None and self._follows(previous, quote)
                attribution = Attribution("", said.speaker if near and said else self._sentence_names(quote, inner))
            elif looks_like_title(inner) and (inner[-1] not in "!?." or self._is_within(quote)):
                continue
            speaker = attribution.speaker or NAMELESS
            found.append(
                Quote(start=quote.start, end=quote.end, speaker=speaker.name, speaker_id=speaker.id,
                      verb=attribution.verb)
            )  # fmt: skip
            # Words that nobody in particular says within a sentence of somebody's do not end what he says.
            is_aside = not speaker.name and not attribution.verb and not self._is_sentence(quote)
            previous, self._since = quote, quote.after
            said = said if is_aside else attribution
        return found

    def _attribution(self, index: int, previous: Quoted | None, said: Attribution | None) -> Attribution | None:
        """Return who says a quote, by what stands around it, else by the quote before."""
        quote = self.quoted[index]
        speaker = said.speaker if said else None
        lead = self._lead(quote)
        own = self._in_sentence(index, lead, speaker)
        if own is not None and own.speaker is not None:
            return own
        is_apart = not self.text[lead[0] : lead[1]].strip()
        follows = said is not None and previous is not None and self._follows(previous, quote)
        if follows and said is not None and previous is not None:
            # A stretch within a sentence of its own that says nothing of speech is no quote: the “end of story”.
            is_same_sentence = self.named.sentences_between(previous.after, quote.before) == 0
            if own is not None or is_apart or is_same_sentence:
                return Attribution(own.verb if own else "", said.speaker)
        if own is not None or not is_apart:
            return own
        before = self._sentence_before(quote, speaker)
        if before is not None and before.speaker is not None:
            return before
        if said is not None and previous is not None and self._follows(previous, quote, MAX_FAR_GAP):
            return Attribution("", said.speaker) if self._is_sentence(quote) else None
        return before

    def _in_sentence(self, index: int, lead: tuple[int, int], previous: Speaker | None) -> Attribution | None:
        quote = self.quoted[index]
        tail = self._tail(quote)
        in_lead = self._behind_or_before(lead, index, is_behind=False, previous=previous)
        if self._colon(lead) and in_lead is not None and in_lead.speaker is not None:
            return in_lead
        in_tail = self._behind_or_before(tail, index, is_behind=True, previous=previous)
        is_of_tail = self._leaves_off(quote) and not self._contrasts(tail)
        both = (in_tail, in_lead) if is_of_tail else (in_lead, in_tail)
        for one in both:
            if one is not None and one.speaker is not None:
                return one
        sign = both[0] or both[1]
        if sign is None and self._leads_in(lead, quote):
            sign = Attribution("", first_named(self.named, *lead))
        elif in_tail is not None and self.dense is not None:
            sign = in_tail._replace(speaker=topic(self.named, *lead))
        return sign

    def _behind_or_before(
        self, stretch: tuple[int, int], index: int, *, is_behind: bool, previous: Speaker | None
    ) -> Attribution | None:
        start, end = stretch
        if start >= end:
            return None
        if self.dense is not None:
            return dense_attribution(self.named, self.dense, start, end, is_behind=is_behind, previous=previous)
        words = words_of(self.named, self._unquoted(start, end))
        found = sayings(words, self.speech, self.named)
        if not found:
            return self._credited(start, end) if is_behind and self._leaves_off(self.quoted[index]) else None
        clause = Clause(self.named, self.speech, words, previous=previous, since=self._since, is_tail=is_behind)
        order = found if is_behind else found[::-1]
        for saying in order:
            if is_behind and saying.first > NEAR_WORDS:
                continue
            speaker = clause.speaker(saying)
            if speaker is not None:
                return Attribution(self._verb(words, saying), speaker)
        return Attribution(self._verb(words, order[0]), None)

    def _credited(self, start: int, end: int) -> Attribution | None:
        """Return the person of a tail that starts with a name, or is one ("…," Jones interjected)."""
        people = [one for one in self.named.within(start, end) if one.entity.kind == "person"]
        if not people or self.text[people[0].end : people[0].end + 1] in {"'", "’"}:
            return None
        is_last = end - start <= MAX_GAP // 3 and not self.text[people[0].end : end].strip(" .\n")
        if not is_last and people[0].start - start > MAX_CREDIT:
            return None
        return Attribution("", Speaker(people[0].entity.name, people[0].entity.id))

    def _sentence_before(self, quote: Quoted, previous: Speaker | None) -> Attribution | None:
        """Return the speaker of the sentence before a quote that is a sentence of its own."""
        end = quote.before
        while end > 0 and self.text[end - 1].isspace():
            end -= 1
        start = max(self.named.sentence_start(max(end - 1, 0)), end - MAX_STRETCH)
        if not self._is_sentence(quote) or start >= end:
            return None
        if self.dense is not None:
            return dense_attribution(self.named, self.dense, start, end, is_behind=False, previous=previous)
        words = words_of(self.named, self._unquoted(start, end))
        clause = Clause(self.named, self.speech, words, previous=previous, since=self._since)
        found = sayings(words, self.speech, self.named)
        if not found and self._since <= start and (subject := self.named.subject_between(start, end, "person")):
            return Attribution("", Speaker(subject.entity.name, subject.entity.id))
        for find in (clause.subject_before, clause.speaker):
            for saying in found:
                if speaker := find(saying):
                    return Attribution(self._verb(words, saying), speaker)
        return None

    # Where to look

    def _lead(self, quote: Quoted) -> tuple[int, int]:
        """Return the stretch of the sentence before a quote."""
        return max(self.named.sentence_start(quote.before), quote.before - MAX_STRETCH), quote.before

    def _tail(self, quote: Quoted) -> tuple[int, int]:
        """Return the stretch of the sentence behind a quote; empty when that sentence ended with the quote."""
        if not quote.is_closed:
            return quote.after, quote.after
        start = quote.after
        # Behind a question the text may go on with a capital: "Why?" Jones asked.
        is_open = self.text[quote.end - 1] in "!?" and self.text[start : start + 1] == " "
        is_open |= self.text[start : start + 2].lstrip(" ")[:1] in _DASHES
        end = min(self.named.sentence_end(start + 2 * is_open), start + MAX_STRETCH)
        if self.dense is not None and self.text[quote.end - 1] in "。！？":
            end = min(end, start + MAX_DENSE_TAIL)
        elif self.text[quote.end - 1] in ".。" and end - start > 1:
            following = self.text[start : start + 3].lstrip(" ")
            if not (following[:1].islower() or following[:1] in {",", "-", "–", "—"}):
                return start, start
        return start, end

    def _unquoted(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return a stretch without what is quoted in it."""
        parts, at = [], start
        for quote in self._quoted_between(start, end):
            parts.append((at, quote.before))
            at = quote.after
        parts.append((at, end))
        return [(first, last) for first, last in parts if first < last]

    def _quoted_between(self, start: int, end: int) -> Sequence[Quoted]:
        return self.quoted[bisect_left(self._before, start) : bisect_left(self._before, end)]

    # What kind of quote it is

    def _colon(self, lead: tuple[int, int]) -> bool:
        return self.text[lead[0] : lead[1]].rstrip().endswith((":", "："))

    def _contrasts(self, tail: tuple[int, int]) -> bool:
        """Whether a tail begins another clause: "…, while Jones said"."""
        first = words_of(self.named, [(tail[0], min(tail[1], tail[0] + 20))])[:1]
        return bool(first) and first[0].folded in CONTRASTING

    def _leads_in(self, lead: tuple[int, int], quote: Quoted) -> bool:
        """Whether a sentence leads to a quote by its mark alone: a colon, or a comma before a whole sentence."""
        before = self.text[lead[0] : lead[1]].rstrip()
        return before.endswith((":", "：")) or (
            before.endswith((",", "，", "،")) and self.text[quote.start].isupper() and self._is_sentence(quote)
        )

    def _leaves_off(self, quote: Quoted) -> bool:
        """Whether a quote stops for its attribution: with a comma, or as a question; or a comma or dash is behind."""
        last, following = self.text[quote.end - 1], self.text[quote.after : quote.after + 2].lstrip()
        return last in _PAUSES or last in "!?！？" or following[:1] in {",", "،", "-", "–", "—"}

    def _is_sentence(self, quote: Quoted) -> bool:
        """Whether a quote is one sentence or more, by its first letter and its last mark."""
        return self.text[quote.end - 1] in _STOPS or not quote.is_closed

    def _is_within(self, quote: Quoted) -> bool:
        """Whether a quote is part of a sentence that leads to it by no mark, as to the title of a work."""
        lead = self.text[slice(*self._lead(quote))].rstrip()
        return bool(lead) and lead[-1] not in ",:：，،"

    def _sentence_names(self, quote: Quoted, inner: str) -> Speaker:
        """Return whom a sentence is about that holds somebody's words without saying whose."""
        words = words_of(self.named, self._unquoted(*self._lead(quote))) if self._is_part(inner) else []
        clause = Clause(self.named, self.speech, words, previous=None, since=self._since)
        return (clause.sentence_subject(len(words) - 1) if words else None) or NAMELESS

    def _is_part(self, inner: str) -> bool:
        """Whether words are too many for a term or an irony, and part of a sentence: “not a day to give in”."""
        return inner[0].islower() and len(inner.split(None, MIN_PART_WORDS)) >= MIN_PART_WORDS

    def _stands_alone(self, quote: Quoted, inner: str) -> bool:
        lead = self._lead(quote)
        is_apart = not self.text[lead[0] : lead[1]].strip() or self._colon(lead)
        is_long = len(inner.split(None, MIN_SENTENCE_WORDS)) >= MIN_SENTENCE_WORDS or bool(_DENSE.search(inner))
        return is_apart and is_long and self._is_sentence(quote)

    def _follows(self, previous: Quoted, quote: Quoted, gap: int = MAX_GAP) -> bool:
        """Whether a quote follows the one before with no more than that one's attribution between them."""
        is_far = quote.before - previous.after > gap
        if is_far or (gap == MAX_GAP and "\n\n" in self.text[previous.after : quote.before]):
            return False
        return gap > MAX_GAP or self.named.sentences_between(previous.after, quote.before) <= 1

    def _verb(self, words: Sequence[Word], saying: Saying) -> str:
        return self.text[words[saying.first].start : words[saying.last].end]
