"""Draw the 60 real texts whose names, quotes and origin were labelled: by seed, from real pages and real stories.

The texts themselves are not in the repository: labels are kept by the hash of the text they belong to.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

SEED: Final = 20_261_125
MAX_CHARACTERS: Final = 3_000
"""Of a text: whole paragraphs (or sentences, where it has none) as far as they go within this."""
PAGES, STORIES_PER_SCRIPT = 30, {"latin": 20, "han": 10}
HELD_OUT: Final = 20
SEEN: Final = "39f55bef5bad773b"
"""Of these, the one whose labels were looked at by mistake while stages were tuned: it counts with the others."""

AGAIN_SEED: Final = 20_261_126
AGAIN_PAGES, AGAIN_STORIES_PER_SCRIPT = 22, {"latin": 16, "han": 6}

_HAN = re.compile("[\u4e00-\u9fff]")
_SENTENCE_END = re.compile(r"(?<=[.!?”\"])\s|(?<=[。！？」”])")


class Text(Struct, frozen=True, kw_only=True):
    """One text to label: what a reader is shown, and what the program is given."""

    hash: str
    """First 16 hexadecimal digits of the SHA-256 of ``body`` in UTF-8."""
    kind: str
    """``page`` or ``story``."""
    outlet: str
    """Publisher of a page; a story's is not known."""
    title: str
    body: str
    is_held_out: bool = False


def drawn(data: Path) -> list[Text]:
    """Return the texts in the order they were labelled; ``data`` holds ``pages`` and ``stories``."""
    rng = random.Random(SEED)
    pages = sorted(_pages(data), key=lambda text: text.hash)
    chosen = rng.sample(pages, PAGES)
    stories = sorted(_stories(data), key=lambda text: text.hash)
    for script, number in STORIES_PER_SCRIPT.items():
        chosen += rng.sample([text for text in stories if _script(text.body) == script], number)
    rng.shuffle(chosen)
    held_out = {text.hash for text in rng.sample(chosen, HELD_OUT)} - {SEEN}
    return [
        Text(hash=t.hash, kind=t.kind, outlet=t.outlet, title=t.title, body=t.body, is_held_out=t.hash in held_out)
        for t in chosen
    ]


def drawn_again(data: Path) -> list[Text]:
    """Return 44 more texts, none of the first ones, drawn after those had been scored; 20 of them held out."""
    first = {text.hash for text in drawn(data)}
    rng = random.Random(AGAIN_SEED)
    chosen = rng.sample(sorted((t for t in _pages(data) if t.hash not in first), key=_hash), AGAIN_PAGES)
    stories = sorted((t for t in _stories(data) if t.hash not in first), key=_hash)
    for script, number in AGAIN_STORIES_PER_SCRIPT.items():
        chosen += rng.sample([text for text in stories if _script(text.body) == script], number)
    rng.shuffle(chosen)
    held_out = {text.hash for text in rng.sample(chosen, HELD_OUT)}
    return [msgspec.structs.replace(text, is_held_out=text.hash in held_out) for text in chosen]


def _hash(text: Text) -> str:
    return text.hash


def _pages(data: Path) -> Iterator[Text]:
    truth = json.loads((data / "pages" / "ground_truth.json").read_text())
    for name, page in truth.items():
        paragraphs = [" ".join(paragraph.split()) for paragraph in page["body"]]
        yield _text("page", name.partition("_")[0], "", [paragraph for paragraph in paragraphs if paragraph], "\n\n")


def _stories(data: Path) -> Iterator[Text]:
    for line in (data / "stories" / "dev.jsonl").read_text().splitlines():
        story = json.loads(line)
        yield _text("story", "", story["title"], _SENTENCE_END.split(" ".join(story["text"].split())), " ")


def _text(kind: str, outlet: str, title: str, parts: list[str], between: str) -> Text:
    body = parts[0][:MAX_CHARACTERS]
    for part in parts[1:]:
        if len(body) + len(between) + len(part) > MAX_CHARACTERS:
            break
        body += between + part
    return Text(hash=hashlib.sha256(body.encode()).hexdigest()[:16], kind=kind, outlet=outlet, title=title, body=body)


def _script(body: str) -> str:
    return "han" if _HAN.search(body[:200]) else "latin"
