"""What script a text is written in, and which way it runs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Final, Literal

# The first word of a character's name says its script for the letters that texts are written in, and Python carries the
# names; the script property itself (UAX 24) it does not. Codes: ISO 15924 (https://www.unicode.org/iso15924).
_CODES: Final = {
    "LATIN": "Latn", "CYRILLIC": "Cyrl", "GREEK": "Grek", "ARABIC": "Arab", "HEBREW": "Hebr", "DEVANAGARI": "Deva",
    "BENGALI": "Beng", "TAMIL": "Taml", "TELUGU": "Telu", "KANNADA": "Knda", "MALAYALAM": "Mlym", "GUJARATI": "Gujr",
    "GURMUKHI": "Guru", "ORIYA": "Orya", "SINHALA": "Sinh", "THAI": "Thai", "LAO": "Laoo", "KHMER": "Khmr",
    "MYANMAR": "Mymr", "TIBETAN": "Tibt", "GEORGIAN": "Geor", "ARMENIAN": "Armn", "ETHIOPIC": "Ethi", "HANGUL": "Hang",
    "CJK": "Hani", "HIRAGANA": "Kana", "KATAKANA": "Kana", "HALFWIDTH": "Kana", "THAANA": "Thaa", "SYRIAC": "Syrc",
    "MONGOLIAN": "Mong", "TIFINAGH": "Tfng", "CHEROKEE": "Cher", "NKO": "Nkoo", "FULLWIDTH": "Latn", "BOPOMOFO": "Bopo",
}  # fmt: skip
_MAY_TURN: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
"""The blocks that Unicode keeps for scripts that run from right to left (DerivedBidiClass.txt, its defaults)."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
MIN_KANA_SHARE: Final = 0.05
"""Of Han and Kana together. Japanese prose has more than half, a headline may have one particle in twenty characters;
Chinese has none, but for a name of a product."""


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the script that most letters are of; empty without letters of a known one.

    Japanese is ``Jpan``, as Han and Kana are one way of writing there. Chinese is ``Hani``: which of its two forms a
    text is in (``Hans``, ``Hant``) is not seen from the characters' names, and most characters are common to both.
    """
    counts = Counter(map(_code, text))
    del counts[""]
    if not counts:
        return ""
    han, kana = counts["Hani"], counts["Kana"]
    if kana and kana >= MIN_KANA_SHARE * (han + kana):
        counts["Jpan"] = han + kana
        del counts["Hani"], counts["Kana"]
    # Of two scripts with as many letters the one that comes first in the text: Counter keeps that order.
    return max(counts, key=lambda code: counts[code])


def direction_of(text: str) -> Literal["ltr", "rtl"]:
    """Return ``rtl`` when most letters run from right to left (Bidi_Class R or AL, UAX 9), else ``ltr``."""
    if not _MAY_TURN.search(text):
        return "ltr"
    letters = [letter for letter in text if letter.isalpha()]
    turned = sum(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in letters)
    return "rtl" if 2 * turned > len(letters) else "ltr"


@lru_cache(maxsize=4_096)
def _code(character: str) -> str:
    if not character.isalpha():
        return ""
    return _CODES.get(unicodedata.name(character, "").partition(" ")[0].partition("-")[0], "")
