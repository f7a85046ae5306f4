"""py3langid's model, asked one question: what a text is written in, and how sure that is.

The probabilities are those of its ``LanguageIdentifier.rank`` (tested against it); the tables are kept as they serve
this question: half of the time, 25 MB less, and 30 MB less while loading.
"""

from __future__ import annotations

import lzma
import math
import shutil
import unicodedata
from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Any, Final
from zipfile import ZipFile

import numpy as np
from msgspec import Struct
from py3langid.langid import MODEL_DIR, MODEL_FILE, visit_counts

_PIECE_BYTES: Final = 1 << 20
_STEPS: Final = 512
"""The model's weights are half-precision numbers of 2.7 to 15, hence multiples of 1/512, and fit 16-bit integers as
they are; processors turn those into single precision far faster."""


class LanguageModel(Struct, frozen=True):
    """Naive Bayes over the byte sequences that an automaton finds in a text."""

    labels: tuple[str, ...]
    """Of each column."""
    columns: dict[str, int]
    """Of each label, the first."""
    doubles: tuple[tuple[int, int], ...]
    """The first and the other column of a language of two scripts; they add up."""
    moves: Any
    """The automaton's next states, by row and byte."""
    row_starts: Any
    """Of each state."""
    features: Any
    """Of each state; -1 for none. As arrays the two take 1 MB, as lists 8, and the walk is as fast."""
    weights: Any
    """By feature and column, in steps."""
    priors: Any

    def likeliest(self, text: str, *, hint: str, hint_weight: float) -> tuple[str, float]:
        """Return the likeliest language and its share of all, when ``hint`` is so many times likelier than it seems."""
        shares = self._probabilities(text)
        for column, other in self.doubles:
            shares[column] += shares[other]
            shares[other] = 0.0
        if hint in self.columns:
            shares[self.columns[hint]] *= hint_weight
        best = int(shares.argmax())
        return self.labels[best], float(shares[best] / shares.sum())

    def _probabilities(self, text: str) -> Any:
        """Return the probability of each column; all alike when the model knows nothing of the text."""
        text = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
        encoded = text.encode("utf-8", "surrogatepass")
        visits = visit_counts(self.moves, self.row_starts, self.features, encoded)
        if not visits:
            return np.full(len(self.labels), 1 / len(self.labels), dtype=np.float32)
        found = np.fromiter(visits.keys(), dtype=np.intp, count=len(visits))
        times = np.fromiter(visits.values(), dtype=np.float32, count=len(visits))
        scores = np.log1p(times) @ self.weights.take(found, axis=0).astype(np.float32)
        scores = scores * np.float32(1 / _STEPS) + self.priors
        # py3langid's temperature, which keeps a long text from being certain of anything.
        scores *= 1.0 / math.sqrt(len(encoded))
        np.exp(scores - scores.max(), out=scores)
        return scores / scores.sum()


def load_languages() -> LanguageModel:
    """Load the model (1 s, about 75 MB), reduced to ISO 639-1 languages.

    The whole model also knows varieties (wuu, yue, ary, arz, pcm) that split the vote for zh, ar and en on a headline.
    It is read piece by piece: py3langid's own loader holds all of it twice meanwhile, and a process is as large as it
    ever was.
    """
    with TemporaryFile() as unpacked:
        with lzma.open(MODEL_DIR / MODEL_FILE) as packed:
            shutil.copyfileobj(packed, unpacked, _PIECE_BYTES)
        with ZipFile(unpacked) as archive:
            return _read_model(archive)


def _read_model(archive: ZipFile) -> LanguageModel:
    """Return the model of an archive of NumPy arrays (py3langid/modelio.py says which)."""
    all_labels: list[str] = _table(archive, "classes").tolist()
    kept = [column for column, label in enumerate(all_labels) if len(label) == 2]
    labels = tuple(all_labels[column] for column in kept)
    columns = {label: column for column, label in reversed(list(enumerate(labels)))}
    moves = array("I")
    for piece in _pieces(archive, "nextmove"):
        moves.frombytes(piece.astype(np.uint32, copy=False).tobytes())
    weights = bytearray()
    for piece in _pieces(archive, "ptc"):
        weights += np.rint(piece[:, kept].astype(np.float32) * _STEPS).astype(np.int16).tobytes()
    return LanguageModel(
        labels=labels,
        columns=columns,
        doubles=tuple((columns[label], other) for other, label in enumerate(labels) if columns[label] != other),
        moves=moves,
        row_starts=array("I", (_table(archive, "nextmove_row").astype(np.uint32) << 8).tobytes()),
        features=array("i", _table(archive, "out_feat").astype(np.int32).tobytes()),
        weights=np.frombuffer(weights, np.int16).reshape(-1, len(kept)),
        priors=_table(archive, "pc")[kept],
    )


def _table(archive: ZipFile, name: str) -> Any:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _pieces(archive: ZipFile, name: str) -> Iterator[Any]:
    """Yield a large array in parts of its first dimension."""
    with archive.open(f"{name}.npy") as file:
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        row_bytes = math.prod(shape[1:]) * dtype.itemsize
        while piece := file.read(_PIECE_BYTES // row_bytes * row_bytes):
            yield np.frombuffer(piece, dtype).reshape(-1, *shape[1:])
