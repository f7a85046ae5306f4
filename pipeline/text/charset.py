"""What characters the bytes of a stranger stand for.

A byte order mark wins; then bytes that are valid UTF-8 are UTF-8 whatever the labels say (text in another encoding is
not valid UTF-8 by chance, and labels are often wrong); then the labels, the better word first. What remains is decoded
as well as it can be, with U+FFFD for the rest, and said to be guessed. Nothing here raises.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

_MARKS = (
    # Longest first: the mark of UTF-32 little-endian starts with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_UNMARKED = (
    # The first character of a document is "<" (XML 1.0, appendix F).
    (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"),
)  # fmt: skip

_WIDER = {
    # What is really sent under these labels, per the WHATWG Encoding Standard, section 4.2.
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "big5": "big5hkscs", "euc_kr": "cp949", "shift_jis": "cp932",
}  # fmt: skip
_KNOWN = re.compile(
    r"utf-8|cp(125\d|874|932|949|950|866|437|850|852|855)|iso8859-\d+|koi8-[rut]|mac-\w+|gb18030|big5hkscs|euc_j\w+"
    r"|iso2022_jp\w*"
)
"""Python knows more codecs, but some are no character encodings (``unicode_escape``), one is quadratic (``idna``), and
some hide "<" from whoever checks the bytes: UTF-7, and HZ and ISO-2022-KR and -CN, which browsers refuse as well. No
UTF-16 either: a label that could be read as ASCII is not in it, whatever it says (HTML standard, section 13.2.3.2)."""
_SEVEN_BIT = "iso2022"

_HEADER = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_XML = re.compile(rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})""")
_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_PRESCAN_BYTES = 4096  # the HTML standard looks at 1024; real pages put scripts before their charset


def decode_feed(body: bytes, content_type: str = "") -> tuple[str, bool]:
    """Return the text of a feed, and whether its encoding had to be guessed.

    The label of the HTTP header (RFC 7303 section 3) goes before that of the XML declaration.
    """
    header = _HEADER.search(content_type)
    return decode(body, (_known(header[1]) if header else "", _declared(_XML.match(body[:500]))))


def decode_page(body: bytes) -> tuple[str, bool]:
    """Return the text of an HTML page, and whether its encoding had to be guessed; a ``meta`` tag is its label."""
    return decode(body, (page_charset(body),))


def page_charset(body: bytes) -> str:
    """Return the codec of the charset that a page declares in a ``meta`` tag; empty when none we accept."""
    return _declared(_META.search(body[:_PRESCAN_BYTES]))


def decode(body: bytes, labels: Sequence[str] = ()) -> tuple[str, bool]:
    """Return the text of ``body``, and whether its encoding had to be guessed; ``labels`` are codecs, or empty."""
    for start, encoding in _MARKS:
        if body.startswith(start):
            return body[len(start) :].decode(encoding, "replace"), False
    for start, encoding in _UNMARKED:
        if body.startswith(start):
            return body.decode(encoding, "replace"), False
    labels = [label for label in labels if label]
    # Bytes of ISO-2022-JP are all ASCII, and valid UTF-8 of something else.
    seven_bit = bool(labels) and labels[0].startswith(_SEVEN_BIT) and body.isascii()
    for encoding in labels if seven_bit else ["utf-8", *labels]:
        try:
            return body.decode(encoding), False
        except UnicodeDecodeError:
            continue
    return body.decode(labels[0] if labels else _likelier(body), "replace"), True


def _declared(found: re.Match[bytes] | None) -> str:
    return _known(found[1].decode("ascii")) if found else ""


def _known(label: str) -> str:
    """Return the codec that a label means, or "" for one that is no encoding of the web."""
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return ""
    name = _WIDER.get(name, name)
    return name if _KNOWN.fullmatch(name) else ""


def _likelier(body: bytes) -> str:
    """Without a label: UTF-8 with some damage, or the commonest encoding of western texts?

    The majority decides: a text that is not UTF-8 has next to nothing that could be read so.
    """
    text = body.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    sound = len(text) - len(text.encode("ascii", "ignore")) - damaged
    return "utf-8" if sound > damaged else "cp1252"
