"""Feeds built to exhaust, to deceive or to reach out, each with what must become of it. Run as a script it
measures them.

`python tests/poll/hostile_feeds.py` prints the table. Each is read in a fresh process, so that its memory is its own.
"""

from __future__ import annotations

import codecs
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import item, rss
from msgspec import Struct

from pipeline.poll.bounds import MAX_BODY_BYTES, NotAFeed
from pipeline.poll.parse import parse_feed

URL = "https://stand.example/feed"
MIB = 1024**2


class Hostile(Struct, frozen=True):
    """A feed, what becomes of it, and what it may cost."""

    make: Callable[[], bytes]
    becomes: str
    """The reason of the refusal, or ``entries: N`` with the title of the first in brackets."""
    cpu_seconds: float = 0.1
    rise_mib: int = 64
    content_type: str = "text/xml"


class Cost(Struct, frozen=True):
    """What it cost: processor time and the rise of the memory's peak over that before it was read."""

    became: str
    size: int
    cpu_seconds: float
    rise_mib: float
    opened: list[str]


def _doctype(subset: str, body: str = "&a;") -> bytes:
    return f"<!DOCTYPE rss [{subset}]>{rss(item(body, 'https://stand.example/1'))}".encode()


def _laughs() -> bytes:
    return _doctype(
        '<!ENTITY a "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 12))
    )


def _titled(title: str, encoding: str, declared: str = "", mark: bytes = b"") -> bytes:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return mark + (head + rss(item(title, "https://stand.example/1"))).encode(encoding)


def _filled(start: str, piece: str, size: int = MAX_BODY_BYTES - 1_000) -> bytes:
    """Return as much of ``piece`` as is let in."""
    return (start + piece * ((size - len(start)) // len(piece))).encode()


ENTITIES = "XML that declares entities or a document type of its own"
OPEN = rss()[: rss().index("</channel>")]
"""A feed that has begun and is not closed."""

FEEDS = {
    "billion laughs": Hostile(_laughs, ENTITIES),
    "quadratic blow-up": Hostile(lambda: _doctype(f'<!ENTITY a "{"x" * 100_000}">', "&a;" * 100_000), ENTITIES),
    "document type on one line": Hostile(lambda: _doctype('<!ENTITY a "b">'), ENTITIES),
    "external entity, a file": Hostile(lambda: _doctype('<!ENTITY a SYSTEM "file:///etc/passwd">'), ENTITIES),
    "external entity, a socket": Hostile(lambda: _doctype('<!ENTITY a SYSTEM "http://127.0.0.1:9/">'), ENTITIES),
    "parameter entity": Hostile(lambda: _doctype('<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;'), ENTITIES),
    "external document type": Hostile(
        lambda: b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">' + rss(item("t")).encode(), "entries: 1 (t)"
    ),
    "1,000,000 brackets before an end": Hostile(lambda: b"<!DOCTYPE rss [" + b"<![" * 1_000_000, ENTITIES),
    "100,001 nested tags": Hostile((OPEN + "<item>" + "<a>" * 100_001).encode, "more than 100,000 tags in one item"),
    "90,000 nested tags": Hostile(
        (OPEN + "<item>" + "<a>" * 90_000 + "</a>" * 90_000 + "</item>").encode,
        "more than 100,000 tags in one item",
    ),
    "49,000 nested tags": Hostile(
        lambda: rss("<item><title>t</title>" + "<a>" * 49_000 + "</a>" * 49_000 + "</item>").encode(),
        "entries: 1 (t)",
        20,
        160,
    ),
    "98,000 empty tags in one item": Hostile(
        lambda: rss("<item><title>t</title>" + "<a/>" * 98_000 + "</item>").encode(), "entries: 1 (t)", 20, 200
    ),
    "1,000,000 items": Hostile(lambda: _filled(OPEN, "<item>x</item>"), "entries: 5000 ()", 20, 150),
    "5,000 items of 4 kB": Hostile(
        lambda: rss(*(item(f"n{n}", text="word " * 800) for n in range(5_000))).encode(), "entries: 5000 (n0)", 20, 400
    ),
    "invalid bytes": Hostile(
        lambda: rss(item("a")).encode().replace(b"a</title>", b"\xff\xfe\x80a</title>"), "entries: 1 (ÿþ€a)"
    ),
    "20 MiB of invalid bytes": Hostile(
        lambda: OPEN.encode() + b"<item><title>t</title><description>" + b"\xff" * (MAX_BODY_BYTES - 2_000),
        "entries: 1 (t)",
        10,
        400,
    ),
    "charset lies: utf-16 declared, utf-8 sent": Hostile(lambda: _titled("Öl", "utf-8", "utf-16"), "entries: 1 (Öl)"),
    "charset lies: utf-8 declared, windows-1251 in the header": Hostile(
        lambda: _titled("Порт", "utf-8", "utf-8"), "entries: 1 (Порт)", content_type="text/xml; charset=windows-1251"
    ),
    "UTF-7": Hostile(
        lambda: b'<?xml version="1.0" encoding="utf-7"?>' + rss(item("+ADw-script+AD4-")).encode(),
        "entries: 1 (+ADw-script+AD4-)",
        content_type="text/xml; charset=utf-7",
    ),
    "UTF-7 for all of it": Hostile(
        lambda: b"+ADw-rss+AD4-" * 1_000, "plain text", content_type="text/xml; charset=utf-7"
    ),
    "UTF-16 with its mark": Hostile(lambda: _titled("Öl", "utf-16-be", mark=b"\xfe\xff"), "entries: 1 (Öl)"),
    "UTF-16 without": Hostile(lambda: _titled("Öl", "utf-16-le"), "entries: 1 (Öl)"),
    "UTF-16 that ends in a half": Hostile(lambda: _titled("Öl", "utf-16-le") + b"<", "entries: 1 (Öl)"),
    "300,000 attributes": Hostile(
        (OPEN + "<item " + " ".join(f"a{n}='b'" for n in range(300_000)) + "/>").encode,
        "an element with more than 256 attributes",
        2,
        100,
    ),
    "256 attributes, 300 times": Hostile(
        lambda: rss(
            *["<item " + " ".join(f"a{n}='b'" for n in range(256)) + "><title>t</title></item>"] * 300
        ).encode(),
        "entries: 300 (t)",
        20,
        200,
    ),
    "CDATA of 20 MiB": Hostile(
        (
            OPEN
            + "<item><title>t</title><description><![CDATA["
            + "x" * (MAX_BODY_BYTES - 2_000)
            + "]]></description></item></channel></rss>"
        ).encode,
        "entries: 1 (t)",
        10,
        400,
    ),
    "20 MiB of CDATA that is never closed": Hostile(
        lambda: _filled(OPEN + "<item><title>t</title>", "<![CDATA["), "more than 100,000 tags in one item", 10, 200
    ),
    "20 MiB of comments that are never closed": Hostile(
        lambda: _filled(OPEN + "<item><title>t</title>", "<!--"), "more than 100,000 tags in one item", 10, 200
    ),
    "20 MiB of instructions that are never closed": Hostile(
        lambda: _filled(OPEN + "<item><title>t</title>", "<?a "), "more than 100,000 tags in one item", 10, 200
    ),
    "20 MiB of ampersands": Hostile(
        lambda: _filled(OPEN + "<item><title>", "&"), "more than 2,000,000 references", 2, 200
    ),
    "20 MiB of references": Hostile(
        lambda: _filled(OPEN + "<item><title>", "&#65;"), "more than 2,000,000 references", 5, 200
    ),
    "as many references as pass": Hostile(
        (OPEN + "<item><title>" + "&#65;" * 1_999_999).encode, "entries: 1 ()", 20, 300
    ),
    "20 MiB of less-than signs": Hostile(
        lambda: _filled("", "<"), "more than 1,000 comments and instructions before the first element", 2, 200
    ),
    "20 MiB of item ends": Hostile(lambda: _filled(OPEN, "</item>"), "entries: 0 ()", 10, 300),
    "gzip inside": Hostile(lambda: gzip.compress(rss(item("t")).encode()), "a compressed file or an image"),
    "gzip inside gzip": Hostile(lambda: gzip.compress(gzip.compress(b"\0" * MIB)), "a compressed file or an image"),
    "JSON nested 100,000 deep": Hostile(lambda: b"[" * 100_000, "JSON", content_type="application/json"),
    "JSON objects nested 100,000 deep": Hostile(
        lambda: b'{"items":' * 100_000, "JSON", content_type="application/json"
    ),
    "501 categories": Hostile(
        lambda: rss(item(more="<category>a</category>" * 501)).encode(), "more than 500 categories in one item"
    ),
    "500 categories, 50 times": Hostile(
        lambda: rss(
            *(item("t", more="".join(f"<category>{n}</category>" for n in range(500))) for _ in range(50))
        ).encode(),
        "entries: 50 (t)",
        30,
        300,
    ),
    "over 20 MiB": Hostile(lambda: b"x" * (MAX_BODY_BYTES + 1), "larger than 20 MiB"),
}


def _became(body: bytes, content_type: str) -> str:
    try:
        feed = parse_feed(body, content_type=content_type, url=URL)
    except NotAFeed as refused:
        return refused.reason
    return f"entries: {len(feed.entries)} ({feed.entries[0].title[:40] if feed.entries else ''})"


def measured(name: str) -> Cost:
    """Return what a feed costs, read in a fresh process that did not make it: the peak of memory is reading's."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(FEEDS[name].make())
        file.flush()
        command = [sys.executable, __file__, name, file.name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2_000:]}")
    return Cost(**json.loads(done.stdout))


def _measure(name: str, path: str) -> Cost:
    hostile = FEEDS[name]
    body = Path(path).read_bytes()
    for encoding in (
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "cp1252",
        "cp1251",
        "utf-7",
    ):  # Python opens a file when it first meets each
        codecs.lookup(encoding)
    parse_feed(rss(item("warm")).encode(), url=URL)
    opened: list[str] = []
    sys.addaudithook(
        lambda event, arguments: (
            opened.append(f"{event} {arguments}"[:200]) if event == "open" or event.startswith("socket.") else None
        )
    )
    before, started = _peak(), time.process_time()
    opened.clear()
    became = _became(body, hostile.content_type)
    spent, seen = time.process_time() - started, list(opened)
    return Cost(became, len(body), spent, (_peak() - before) / MIB, seen)


def _peak() -> int:
    """Return the highest memory so far, in bytes. Where there is no /proc, what started us may have had more."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss is kept over exec, and so is that of the process which started this one
        return 1024 * int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _table() -> None:
    sys.stdout.write(f"{'feed':<58}{'kB':>7}{'CPU s':>8}{'MiB':>6}  what becomes of it\n")
    for name in FEEDS:
        cost = measured(name)
        sys.stdout.write(
            f"{name:<58}{cost.size // 1000:>7}{cost.cpu_seconds:>8.3f}{cost.rise_mib:>6.0f}  {cost.became}"
            f"{f'  OPENED {cost.opened}' if cost.opened else ''}\n"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        from msgspec.structs import asdict

        sys.stdout.write(json.dumps(asdict(_measure(*sys.argv[1:]))))
    else:
        _table()
