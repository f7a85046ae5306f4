"""Which characters a text may hold, whatever it came from.

Every text of an article passes here several times on its way, so that no step relies on another; a text with nothing
to remove costs about 1 µs in 1,000 characters of ASCII and 4 µs of anything else.
"""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_CONTROLS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1, but for tab and line ends
    "\ufffe\uffff"  # no characters at all
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # Bidi_Control (UAX 9): they turn what a reader sees
)
# Soft hyphen, zero width, invisible operators, interlinear annotation (Unicode TR 36 and 55): nothing to see or search.
_INVISIBLE = "\u00ad\u200b\u2060-\u2065\ufeff\ufff9-\ufffb"
_HAS_CONTROLS = re.compile(f"[{_CONTROLS}\ud800-\udfff]")
_UNWANTED = re.compile(f"[{_CONTROLS}{_INVISIBLE}]")
# The joiners spell words of Persian, Hindi and Malayalam and join emoji, where they follow a letter that is not ASCII;
# elsewhere they can but hide something ("p\u200daypal"). Each run is looked at once, from its start.
_LOOSE_JOINERS = re.compile(
    "(?<![^\x00-\x7f])[\u200c\u200d]+|(?<![\u200c\u200d])[\u200c\u200d]++(?=[0-9A-Za-z])"
)  # fmt: skip
_PRINTABLE_ASCII = bytes(range(0x20, 0x7F)) + b"\n"
_UNBROKEN = 1_000
_CHUNKS = re.compile(rf"\S{{1,{_UNBROKEN}}}|\s+")


def has_controls(text: str) -> bool:
    """Whether ``text`` holds characters that ``cleaned`` takes away and that no honest text needs."""
    return not _is_printable(text) and _HAS_CONTROLS.search(text) is not None


def cleaned(text: str) -> str:
    """Return ``text`` in NFC, its line ends as ``\\n``, without control, direction-changing and invisible characters.

    Half of a surrogate pair becomes U+FFFD, as ``well_formed`` does: to drop it would join what it kept apart (Unicode
    TR 36, section 3.5).
    """
    if _is_printable(text):
        return _composed(text)
    text = _composed(_UNWANTED.sub("", with_plain_line_ends(well_formed(text))))
    if "\u200c" not in text and "\u200d" not in text:
        return text
    return _composed(_LOOSE_JOINERS.sub("", text))  # a mark may have found its letter


def one_line(text: str) -> str:
    """Return ``text`` cleaned, with every run of white space as one space."""
    if _is_printable(text) and "\n" not in text and "  " not in text:  # its only white space is U+0020
        return _composed(text.strip(" "))
    return " ".join(cleaned(text).split())


def with_plain_line_ends(text: str) -> str:
    """Return ``text`` with each of the line ends that Unicode knows as ``\\n``."""
    return text if _is_printable(text) else _LINE_ENDS.sub("\n", text)


def well_formed(text: str) -> str:
    """Return ``text`` with surrogate pairs joined and lone surrogates, which UTF-8 cannot carry, as U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_printable(text: str) -> bool:
    """A cheap "nothing to remove": true of most texts, and up to ten times faster than the patterns."""
    if text.isascii():
        return not text.encode().translate(None, _PRINTABLE_ASCII)
    return text.replace("\n", " ").isprintable()


def _composed(text: str) -> str:
    """Return ``text`` in NFC, in linear time.

    Normalising is quadratic in a run of combining marks (100,000 of them: 10 s), so what no space breaks for 1,000
    characters is composed in pieces; only there may a pair stay decomposed.
    """
    if text.isascii():
        return text
    if len(text) <= _UNBROKEN or _has_spaces(text) or max(map(len, text.split()), default=0) <= _UNBROKEN:
        return unicodedata.normalize("NFC", text)
    return "".join(unicodedata.normalize("NFC", chunk) for chunk in _CHUNKS.findall(text))


def _has_spaces(text: str) -> bool:
    """Whether a space stands in each piece of half the length: then none of the whole length is without one."""
    half = _UNBROKEN // 2
    return all(text.find(" ", start, start + half) >= 0 for start in range(0, len(text), half))
