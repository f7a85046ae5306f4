"""What feedparser reads when we start it is what it reads when it starts itself."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import feedparser
import pytest
from fakes import item, rss
from feedparser.html import _cp1252
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.poll.raw_feed import read_raw_feed
from pipeline.text.charset import decode_feed

HERE = Path(__file__).parents[1] / "data" / "feeds"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "feeds"


def by_itself(text: str) -> tuple[Any, ...]:
    found = feedparser.parse(
        io.BytesIO(text.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return found["version"], found["feed"], found["entries"]


def by_us(text: str) -> tuple[Any, ...]:
    found = read_raw_feed(text)
    return found.version, found.feed, found.entries


@pytest.mark.parametrize(
    "path", [*HERE.iterdir(), *(SHARED.iterdir() if SHARED.is_dir() else ())], ids=lambda p: p.name
)
def test_every_feed_is_read_the_same(path: Path) -> None:
    text = decode_feed(path.read_bytes())[0].lstrip("\ufeff \t\r\n\0")
    assert by_us(text) == by_itself(text)


@pytest.mark.parametrize(
    "text",
    [
        "It&#146;s &#x80;5 – für dich",
        "It\x92s für dich",
        "Ñandú",
        "Ã¼ber",
        "Ã¼ber &amp;#146; \x80",
        "Ж\x80",
        "a&lt;b&gt;ж",
    ],
)
@pytest.mark.parametrize("close", ["", "<not closed"])
def test_texts_that_were_encoded_twice_are_mended_the_same(text: str, close: str) -> None:
    body = rss(item(text, "https://stand.example/1", "g", text, more=f"<category>{text}</category>")) + close
    assert by_us(body) == by_itself(body)


def test_only_c1_controls_are_mapped_last_of_all() -> None:
    assert set(_cp1252) <= set(range(0x80, 0xA0))  # else texts without them must not be passed over


def test_a_text_comes_whole_whatever_its_references() -> None:
    (entry,) = read_raw_feed(rss(item("a &lt;b&gt; &amp; &#233; " * 3_000, "https://stand.example/1"))).entries
    assert entry["title"] == ("a <b> & é " * 3_000).strip()


FRAGMENTS = """
<rss_version='2.0'> <channel> <item> </item> <title> </title> <link> <guid> <pubDate> <entry> <link_href='_'/> <svg>
<feed_xmlns='http://www.w3.org/2005/Atom'> <content_type='xhtml'> <![CDATA[ ]]> &#146; &amp; & <!-- --> &a; <div>
<?xml_version='1.1'?> <?xml?> <!DOCTYPE_rss> mode='base64'> <summary_type='html'> é ж \x92 <category_term='x'/>
"""
PIECES = st.sampled_from([piece.replace("_", " ") for piece in FRAGMENTS.split()]) | st.text(max_size=10)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["<", "<rss version='2.0'><channel><item><title>"]), st.lists(PIECES, max_size=20))
def test_anything_is_read_the_same_or_fails_the_same(start: str, pieces: list[str]) -> None:
    text = (start + "".join(pieces)).lstrip("\ufeff \t\r\n\0")
    try:
        expected: Any = by_itself(text)
    except Exception as error:
        expected = type(error)
    try:
        found: Any = by_us(text)
    except Exception as error:
        found = type(error)
    assert found == expected
