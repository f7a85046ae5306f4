"""URLs that must never be opened: every kind of address that is not public, in every spelling that anything reads."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

PRIVATE_V4 = (
    *("0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.254", "100.64.0.1", "100.127.255.254", "127.0.0.1"),
    *("127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1"),
    *("192.168.0.1", "192.168.255.254", "198.18.0.1", "198.19.255.254", "198.51.100.7", "203.0.113.9", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255"),
)
PRIVATE_V6 = (
    *(
        "::",
        "::1",
        "::2",
        "::ffff:0:10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:1",
    ),
    *(
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002::1",
        "2002:808:808::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
    ),
    *("fd00:ec2::254", "fd12:3456:789a:1::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff05::1:3"),
)
PUBLIC = (
    *(
        "8.8.8.8",
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "128.0.0.1",
        "172.15.255.255",
    ),
    *("172.32.0.0", "192.0.1.0", "192.31.196.1", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("[2606:4700::1111]", "[2a00:1450::1]", "[2001:4860:4860::8888]", "[64:ff9b::8.8.8.8]", "[::ffff:8.8.8.8]"),
)
MALFORMED = (
    *("ftp://news.example/", "file:///etc/passwd", "gopher://news.example/", "javascript:alert(1)", "data:text/html,x"),
    *(
        "dict://news.example:11211/",
        "//news.example/",
        "news.example/feed",
        "",
        " ",
        "http:",
        "http://",
        "http:///feed",
    ),
    *(
        "http:news.example",
        "http://:80/",
        "http://news.example:0/",
        "http://news.example:65536/",
        "http://news.example:x/",
    ),
    *("http://user@news.example/", "http://user:secret@news.example/", "http://:secret@news.example/"),
    *(
        "http://news.example\\@10.0.0.1/",
        "http:\\\\10.0.0.1\\",
        "http://news.example/\\..\\",
        "http://news.example\\.evil/",
    ),
    *(" http://news.example/", "http://news.example/ ", "http://news .example/", "http://news.example/a b"),
    *(
        "http://news.example/\r\nHost: evil",
        "http://news.example/\n",
        "http://news.example/\t",
        "http://news\x00.example/",
    ),
    *("http://news.example/\x00", "http://news.example/\x7f", "http://news.example/\x85", "http://news.example/\u2028"),
    *(
        "http://news.example/\u00a0",
        "http://news.example/\ud800",
        "http://news\ud800.example/",
        "http://news..example/",
    ),
    *("http://.example/", "http://-news.example/", "http://news%00.example/", "http://%31%30.0.0.1/", "http://a,b/"),
    *("http://[::1/", "http://[]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[v1.x:y]/"),
    *("http://0:0:0:0:0:0:0:1/", "http://" + "a" * 64 + ".example/", "http://" + "a." * 127 + "example/"),
    "http://news.example/" + "a" * 8000,
)
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")


def private_hosts() -> Iterator[str]:
    """Yield each address above in every spelling, as a URL's host."""
    for text in PRIVATE_V4:
        yield from _spellings_v4(IPv4Address(text))
    for text in PRIVATE_V6:
        address = IPv6Address(text)
        yield from (f"[{address}]", f"[{address.exploded}]", f"[{address.exploded.upper()}]")


def _spellings_v4(address: IPv4Address) -> Iterator[str]:
    a, b, c, d = address.packed
    high, low = f"{a:02x}{b:02x}", f"{c:02x}{d:02x}"
    yield from (f"{address}", f"{address}.", f"{address}..")
    yield from (f"{int(address)}", f"{int(address):#x}", f"0{int(address):o}", f"0X{int(address):X}")
    yield from (f"{a}.{(b << 16) + (c << 8) + d}", f"{a}.{b}.{(c << 8) + d}", f"{a:#x}.{(b << 16) + (c << 8) + d}")
    yield from (f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a:03}.{b:03}.{c:03}.{d:03}")
    yield from (f"{a}.{b}.{c}.{d:#x}", f"{a}.{b}.0x.{d}", f"{a + 256}.{b}.{c}.{d}", f"{a}.{b}.{c}.{d}.")
    yield from (f"{address}".translate(_FULL_WIDTH), f"{address}".replace(".", "。"), f"{address}".replace(".", "．"))
    yield from (f"{address}".replace(".", "｡"), f"{address}".translate(_CIRCLED), f"%{ord(str(a)[0]):x}{address}"[:40])
    yield from (f"[::ffff:{address}]", f"[::ffff:{high}:{low}]", f"[0:0:0:0:0:FFFF:{high}:{low}]", f"[::{address}]")
    yield from (
        f"[64:ff9b::{address}]",
        f"[64:ff9b::{high}:{low}]",
        f"[64:ff9b:1::{address}]",
        f"[2002:{high}:{low}::1]",
    )
