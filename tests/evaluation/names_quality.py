"""How well names, quotes and origin are found in labelled real texts: tables, by language.

    .venv/bin/python tests/evaluation/names_quality.py [--data DIR] [--texts NUMBER]
    .venv/bin/python tests/evaluation/names_quality.py --held-out [--again]

There are 60 texts and, with ``--again``, 44 more, drawn and labelled after the first had been scored. Without
``--held-out`` it scores those of them that the stages were tuned on. With it, the 19 (20) that nobody looked at: once,
from a clean checkout; the result goes into ``held_out.json`` (``held_out_again.json``) with the commit, and there is no
second time for it.

A name counts as found when kind, start and end are those of the label; "same entity" counts pairs of found names that
are said to be of one bearer. A quote counts when the two share 80 % of the longer one and have the same speaker: one of
the forms that the text has for him, or a name found in the text that is labelled as his (empty for both: nobody
named); an origin, when it is the same name, or none for both.

The labels are in ``labels``: those of both readings (a, b), which were done without sight of each other or of the
program's output, and the ones that count (gold): where the two agree, and elsewhere as a third reader decided.
``GUIDELINES.md`` says what was labelled. The texts are not in the repository; ``draw.py`` draws them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from draw import Text, drawn, drawn_again
from msgspec import Struct

from pipeline.article import Article
from pipeline.enrich.run import STAGES
from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages
from pipeline.query.analysis import joined

HERE: Final = Path(__file__).resolve().parent
DATA: Final = HERE.parents[2] / "shared" / "data"
KINDS: Final = ("person", "organisation", "place")
GOALS: Final = {"person": 0.85, "organisation": 0.80, "place": 0.85, "quotes": 0.85, "origin": 0.95}
SHARED: Final = 0.8

Span = tuple[str, int, int]


class Found(Struct, frozen=True):
    """What was labelled in one text, or found in it by the program."""

    names: Mapping[Span, str]
    """Kind, start and end → who or what it is."""
    quotes: Sequence[tuple[int, int, str]]
    """Start, end and speaker; of the program's, one of the forms or ids that its ``names`` have."""
    origin: str


class Score(Struct):
    """Right ones, and how many there were of each side."""

    right: int = 0
    found: int = 0
    labelled: int = 0

    def add(self, right: int, found: int, labelled: int) -> None:
        """Add the counts of one text."""
        self.right += right
        self.found += found
        self.labelled += labelled

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 where there was nothing and nothing was found."""
        return 2 * self.right / (self.found + self.labelled) if self.found + self.labelled else 1.0

    def cells(self) -> list[str]:
        """Return precision, recall, F1 and the number of labels as a table has them."""
        precision = self.right / self.found if self.found else 1.0
        recall = self.right / self.labelled if self.labelled else 1.0
        return [f"{precision:.3f}", f"{recall:.3f}", f"{self.f1:.3f}", str(self.labelled)]


def main() -> None:
    arguments = _arguments()
    which, draw = ("_again", drawn_again) if arguments.again else ("", drawn)
    record, drawn_texts = HERE / f"held_out{which}.json", draw(arguments.data)
    texts = [text for text in drawn_texts if text.is_held_out == arguments.held_out][: arguments.texts]
    if arguments.held_out:
        _require_first_time(record)
    labels = {name: _labels(name + which) for name in ("a", "b", "gold")}
    print("Agreement of the two readings (all texts):")
    agreement = _scores({text.hash: text for text in drawn_texts}, labels["b"], labels["a"], {})
    _print_table({name: score for (name, language), score in agreement.items() if language == "all"})
    tools = Tools(pages=MemoryPages())
    articles = {text.hash: _enriched(text, tools) for text in texts}
    found = {key: _found(article) for key, article in articles.items()}
    languages = {key: _language(article) for key, article in articles.items()}
    scores = _scores({text.hash: text for text in texts}, found, labels["gold"], languages)
    for language in ["all", *sorted(set(languages.values()))]:
        number = len(texts) if language == "all" else Counter(languages.values())[language]
        print(f"\n{'All languages' if language == 'all' else language}, {number} texts:")
        _print_table({name: score for (name, of), score in scores.items() if of == language})
    _print_confusions(texts, found, labels["gold"])
    if arguments.held_out:
        _record(record, {name: score for (name, language), score in scores.items() if language == "all"}, len(texts))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with pages and stories")
    parser.add_argument("--texts", type=int, default=None, help="only so many")
    parser.add_argument("--again", action="store_true", help="the 44 texts of the second draw")
    parser.add_argument("--held-out", action="store_true", help="score the held-out texts, once")
    return parser.parse_args()


def _require_first_time(record: Path) -> None:
    if record.exists():
        sys.exit(f"The held-out texts were scored already; {record.name} has the result:\n{record.read_text()}")
    if _git("status", "--porcelain"):
        sys.exit("Commit first: the result is recorded with the commit it was reached at.")


def _record(record: Path, scores: Mapping[str, Score], texts: int) -> None:
    result = {
        "commit": _git("rev-parse", "HEAD"),
        "stages": {name: stage.version for name, stage in STAGES.items()},
        "texts": texts,
        "scores": {
            name: {"right": s.right, "found": s.found, "labelled": s.labelled, "f1": round(s.f1, 4)}
            for name, s in scores.items()
        },
    }
    record.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nrecorded in {record.name}")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=HERE, capture_output=True, text=True, check=True).stdout.strip()


def _labels(name: str) -> dict[str, Found]:
    entries: list[dict[str, Any]] = json.loads((HERE / "labels" / f"{name}.json").read_text())
    return {
        entry["hash"]: Found(
            names={(kind, start, end): who for kind, start, end, who in entry["names"]},
            quotes=[(start, end, speaker) for start, end, speaker in entry["quotes"]],
            origin=entry["origin"],
        )
        for entry in entries
    }


def _enriched(text: Text, tools: Tools) -> Article:
    """Return the text as the stages see it that are judged here; others would move what offsets point at."""
    article = Article(id=text.hash, title=text.title, body=text.body, outlet=text.outlet, text_from="file")
    for name in ("origin", "language", "entities", "quotes"):
        if name in STAGES:
            article = STAGES[name].enrich(article, tools)
    if article.body != text.body:
        raise AssertionError(f"{text.hash}: a stage changed the body")
    return article


def _found(article: Article) -> Found:
    names = {
        (entity.kind, start, end): entity.id or entity.name
        for entity in article.entities
        for start, end in entity.in_body
    }
    quotes = [(quote.start, quote.end, quote.speaker_id or quote.speaker) for quote in article.quotes]
    return Found(names=names, quotes=quotes, origin=article.origin)


def _language(article: Article) -> str:
    return {"id": "ms and id", "ms": "ms and id"}.get(article.language, article.language)


def _scores(
    texts: Mapping[str, Text], found: Mapping[str, Found], labels: Mapping[str, Found], languages: Mapping[str, str]
) -> dict[tuple[str, str], Score]:
    scores: dict[tuple[str, str], Score] = defaultdict(Score)
    for key in texts:
        one = _of_text(found[key], labels[key])
        for name, counts in one.items():
            for language in {"all", languages.get(key, "all")}:
                scores[name, language].add(*counts)
    return scores


def _of_text(found: Found, label: Found) -> dict[str, tuple[int, int, int]]:
    counts = {}
    for kind in KINDS:
        ours, theirs = ({span for span in each.names if span[0] == kind} for each in (found, label))
        counts[kind] = len(ours & theirs), len(ours), len(theirs)
    same, mine, wanted = (_pairs(each, found.names.keys() & label.names.keys()) for each in (found, found, label))
    counts["same entity"] = len(same & wanted), len(mine), len(wanted)
    named = sum(
        _is_same_speaker(ours[2], theirs[2], found, label) for ours, theirs in _matched(found.quotes, label.quotes)
    )
    counts["quotes"] = named, len(found.quotes), len(label.quotes)
    counts["quotes' spans"] = len(_matched(found.quotes, label.quotes)), len(found.quotes), len(label.quotes)
    is_right = int(_key(found.origin) == _key(label.origin))
    counts["origin"] = is_right, 1, 1
    return counts


def _pairs(found: Found, spans: Iterable[Span]) -> set[tuple[Span, Span]]:
    """Return the pairs of names that are said to be of one person, organisation or place."""
    return {(one, other) for one, other in combinations(sorted(spans), 2) if found.names[one] == found.names[other]}


def _matched(
    ours: Sequence[tuple[int, int, str]], theirs: Sequence[tuple[int, int, str]]
) -> list[tuple[tuple[int, int, str], tuple[int, int, str]]]:
    matched, left = [], list(theirs)
    for quote in ours:
        for other in left:
            shared = min(quote[1], other[1]) - max(quote[0], other[0])
            if shared >= SHARED * max(quote[1] - quote[0], other[1] - other[0]):
                matched.append((quote, other))
                left.remove(other)
                break
    return matched


def _is_same_speaker(ours: str, wanted: str, found: Found, label: Found) -> bool:
    """Whether both are one: by name, or as a name that was found in the text is labelled as the wanted one's."""
    labelled = {label.names[span] for span, who in found.names.items() if who == ours and span in label.names}
    return _key(wanted) in {_key(ours), *map(_key, labelled)}


def _key(name: str) -> str:
    return joined(name).removeprefix("the ")


def _print_table(scores: Mapping[str, Score]) -> None:
    print(f"  {'':<14}{'precision':>10}{'recall':>8}{'F1':>8}{'labels':>8}{'goal':>6}")
    for name, score in scores.items():
        precision, recall, f1, labelled = score.cells()
        print(f"  {name:<14}{precision:>10}{recall:>8}{f1:>8}{labelled:>8}{GOALS.get(name, ''):>6}")


def _print_confusions(texts: Sequence[Text], found: Mapping[str, Found], labels: Mapping[str, Found]) -> None:
    confused: Counter[tuple[str, str]] = Counter()
    for text in texts:
        ours = {(start, end): kind for kind, start, end in found[text.hash].names}
        theirs = {(start, end): kind for kind, start, end in labels[text.hash].names}
        for span in ours.keys() | theirs.keys():
            confused[theirs.get(span, "none"), ours.get(span, "none")] += 1
    print("\nLabelled as (rows) and found as (columns), by exact span:")
    columns = (*KINDS, "none")
    print(f"  {'':<14}" + "".join(f"{column:>14}" for column in columns))
    for row in columns:
        print(f"  {row:<14}" + "".join(f"{confused[row, column]:>14}" for column in columns))


if __name__ == "__main__":
    main()
