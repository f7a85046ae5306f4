"""Seeded news of any length: distinct texts, words by Zipf's law, copies and edits in known shares."""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

VOCABULARY = 50_000
"""Words per language; drawn with probability 1/rank (Zipf), as in any natural text."""
CHARACTERS = 3_000
COPIES, EDITS = 0.05, 0.02
SYLLABLES = {
    "en": "the and ing ion ent ver ter men con pro land port ship ness ward ed ly er est un re in out over".split(),
    "de": "sch ein ung ver lich keit auf aus ge be er en ten haf land stadt wind see berg tag nacht über für".split(),
    "fr": "le la tion ment eur euse qu ou eau ais ant port ville mer nuit jour é è ré dé pré con par pour".split(),
    "ru": "по на пре ство ние ный ого ова ля ми го род мор ской ветер день ночь при рас вос ть ся ка".split(),
}


class Story(Struct, frozen=True):
    """One article to be: ``number`` is its link; a copy has the text of another."""

    number: int
    language: str
    title: str
    text: str


class Vocabulary:
    """Words of one language with their cumulative Zipf weights."""

    def __init__(self, language: str, seed: int) -> None:
        rng = random.Random(f"{language}{seed}")
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words["".join(rng.choices(SYLLABLES[language], k=rng.randint(1, 4)))] = None
        self._words = list(words)
        self._weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def draw(self, rng: random.Random) -> str:
        return self._words[bisect(self._weights, rng.random() * self._weights[-1])]


def stories(number: int, seed: int = 1) -> Sequence[Story]:
    """Return ``number`` stories in four languages, one in twenty a copy of an earlier one."""
    rng = random.Random(seed)
    vocabularies = {language: Vocabulary(language, seed) for language in SYLLABLES}
    made: list[Story] = []
    for n in range(number):
        language = rng.choice(sorted(SYLLABLES))
        words = vocabularies[language]
        if made and rng.random() < COPIES:
            origin = made[rng.randrange(len(made))]
            made.append(Story(n, origin.language, origin.title, origin.text))
            continue
        title = " ".join(words.draw(rng) for _ in range(9)).capitalize()
        made.append(Story(n, language, title, text_of(words, rng)))
    return made


def edited(all_stories: Sequence[Story], seed: int = 2) -> Sequence[Story]:
    """Return new forms of one story in fifty."""
    rng = random.Random(seed)
    chosen = rng.sample(range(len(all_stories)), max(1, int(len(all_stories) * EDITS)))
    return [
        Story(s.number, s.language, f"{s.title} (updated)", f"{s.text}\n\nUpdate {rng.randrange(10**9)}.")
        for s in (all_stories[n] for n in sorted(chosen))
    ]


def text_of(words: Vocabulary, rng: random.Random) -> str:
    """Return about ``CHARACTERS`` characters in sentences and paragraphs."""
    paragraphs, sentence, length = [[]], [], 0
    while length < CHARACTERS:
        word = words.draw(rng)
        sentence.append(word if sentence else word.capitalize())
        length += len(word) + 1
        if len(sentence) >= rng.randint(8, 25):
            paragraphs[-1].append(" ".join(sentence) + ".")
            sentence = []
            if len(paragraphs[-1]) >= 4:
                paragraphs.append([])
    paragraphs[-1].append(" ".join(sentence) + ".")
    return "\n\n".join(" ".join(sentences) for sentences in paragraphs if sentences)
