"""Items read before are passed over, and what is read besides them is what it would be among them."""

from __future__ import annotations

from typing import Any

import pytest
from fakes import item, rss
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.poll import reading
from pipeline.poll.items import raw_hash_of, slice_feed
from pipeline.poll.parse import KnownItem, NotAFeed, ParsedFeed, parse_feed

URL = "https://stand.example/feed"
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{}</feed>'


def read(text: str, known: set[int] | None = None) -> ParsedFeed:
    return parse_feed(text.encode(), url=URL, known=known or set())


def pieces(text: str) -> list[str]:
    sliced = slice_feed(text)
    assert sliced is not None
    return [sliced.data[block.start : block.end].decode() for block in sliced.blocks]


def test_only_what_is_not_known_is_given_to_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = reading.read_raw_feed
    monkeypatch.setattr(reading, "read_raw_feed", lambda text: seen.append(text) or real(text))
    text = rss(*(item(f"n{n}", f"https://stand.example/{n}") for n in range(50)))
    first = read(text)

    again = read(text, {entry.raw_hash for entry in first.entries[2:]})

    assert (seen[0].count("<item>"), seen[1].count("<item>")) == (50, 2)
    assert again.entries == first.entries[:2]
    assert again.known == tuple(KnownItem(entry.place, entry.raw_hash) for entry in first.entries[2:])
    assert (again.total, again.title, again.link, again.language) == (50, first.title, first.link, first.language)


def test_a_feed_of_which_all_is_known_is_still_a_feed() -> None:
    text = rss(item("a", "https://stand.example/1"))

    again = read(text, {read(text).entries[0].raw_hash})

    assert (again.entries, again.total, len(again.known)) == ((), 1, 1)


def test_places_count_all_items_of_the_feed() -> None:
    text = rss(*(item(f"n{n}") for n in range(5)))
    hashes = [entry.raw_hash for entry in read(text).entries]

    again = read(text, {hashes[0], hashes[3]})

    assert [(entry.place, entry.title) for entry in again.entries] == [(1, "n1"), (2, "n2"), (4, "n4")]
    assert [known.place for known in again.known] == [0, 3]


def test_an_item_that_stands_twice_is_known_twice() -> None:
    text = rss(item("a"), item("b"), item("a"))

    again = read(text, {read(text).entries[0].raw_hash})

    assert [known.place for known in again.known] == [0, 2]


def test_a_hash_is_of_the_bytes_and_never_nothing() -> None:
    assert raw_hash_of(b"<item/>") == raw_hash_of(b"<item/>") != raw_hash_of(b"<item />")
    assert all(-(2**63) <= raw_hash_of(str(n).encode()) < 2**63 for n in range(1_000))


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (rss("<item a='>'>x</item>", '<item b="/>">y</item >'), ["<item a='>'>x</item>", '<item b="/>">y</item >']),
        (rss("<item/>", "<item />", "<item a='b'/>"), ["<item/>", "<item />", "<item a='b'/>"]),
        (rss("<item><![CDATA[<item>]]></item>"), ["<item><![CDATA[<item>]]></item>"]),
        (rss("<item><![CDATA[</item>]] ]>]]></item>"), ["<item><![CDATA[</item>]] ]>]]></item>"]),
        (rss("<item><!-- </item> --><?x <item>?></item>"), ["<item><!-- </item> --><?x <item>?></item>"]),
        (rss("<!-- <item/> -->", "<item/>", "<!-- <item/> -->"), ["<item/>"]),
        (rss("<items/><itemx/><ITEM>a</ITEM>"), ["<ITEM>a</ITEM>"]),
        ('<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry>é</a:entry></a:feed>', ["<a:entry>é</a:entry>"]),
    ],
)  # fmt: skip
def test_items_are_found_past_comments_plain_text_and_signs_in_attributes(text: str, items: list[str]) -> None:
    assert pieces(text) == items


@pytest.mark.parametrize(
    "text",
    [
        rss("<item><item/></item>"),
        rss("<item>"),
        rss("</item>"),
        rss("<item a='>", "<item/>"),
        rss("<item/><title>behind</title><item/>"),
        rss("<item/><title>behind</title>"),
        rss("<item/>text<item/>"),
        rss("<item/><![CDATA[text]]>"),
        rss(*["<item/>"] * 5_001),
        '<!DOCTYPE rss SYSTEM "x.dtd">' + rss("<item/>"),
        rss("<item/>") + "<!-- not closed",
        rss(),
    ],
)
def test_where_items_cannot_be_told_apart_nothing_is_cut(text: str) -> None:
    assert slice_feed(text) is None


@pytest.mark.parametrize(
    "text",
    [
        rss("<item><title>a & b</title></item>"),  # not well-formed: read on behind the fault
        rss("<entry><product/></entry>", "<x:item xmlns:x='urn:x'>no item of a feed</x:item>"),
        rss("<item xmlns:x='http://purl.org/dc/elements/1.1/'><x:date>2026-01-01</x:date></item>", "<item/>"),
        rss("<item><channel/></item>", "<item/>"),
        rss("<item><description type='text'>a<div>b</div></description></item>", "<item/>"),
    ],
)
def test_items_that_are_read_otherwise_among_others_have_no_hash(text: str) -> None:
    assert {entry.raw_hash for entry in read(text).entries} == {0}


def test_a_fault_in_a_known_item_makes_the_whole_be_read() -> None:
    broken = "<item><title>a & b</title></item>"
    text = rss(broken, item("c & d"))

    again = read(text, {raw_hash_of(broken.encode())})

    assert [entry.title for entry in again.entries] == ["a & b", "c & d"]


def test_items_of_atom_with_markup_of_their_own_can_be_known() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>{0}</p></div>'
    entry = f'<entry><id>{{0}}</id><content type="xhtml">{div}</content></entry>'
    text = ATOM.format("".join(entry.format(n) for n in range(3)))
    first = read(text)

    again = read(text, {first.entries[1].raw_hash})

    assert 0 not in {entry.raw_hash for entry in first.entries}
    assert again.entries == (first.entries[0], first.entries[2])
    assert "<p>2</p>" in again.entries[1].html


PIECES = """
<title>a</title> <title/> <link>https://a.example/</link> <link_href='/b'/> <link_href='/c'>text</link> <guid>x</guid>
<description>a&lt;b&gt;</description> <description_type='text'>a<div>b</div></description>
<image><title>i</title></image>
<image><url>u</url></image> <source_url='x'>s</source> <dc:date>2026-01-01</dc:date> <dc:language>fr</dc:language>
<x:y_xmlns:x='http://purl.org/dc/elements/1.1/'>z</x:y> <textinput><name>n</name></textinput> <channel/> <item/>
<content_type='xhtml'><div_xmlns='http://www.w3.org/1999/xhtml'><p>a</p></div></content> <author><name>n</name></author>
<svg_xmlns='http://www.w3.org/2000/svg'><title>s</title></svg> <category>c</category> <georss:where_xmlns:georss='u'/>
<![CDATA[<item>]]> <!--</item>--> <a_xml:base='http://b.example/'><link>l</link></a> <a_xml:lang='de'/> <b>&amp;</b>
<summary>s</summary> <content:encoded>c</content:encoded> <media:title>m</media:title> <contributor/> <rss_version='1'/>
<psc:chapters/> <itunes:owner><itunes:name>o</itunes:name></itunes:owner> <body>b</body> <description>2</description>
""".split()
NAMES = (
    "xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:content='http://purl.org/rss/1.0/modules/content/' "
    "xmlns:media='http://search.yahoo.com/mrss/' xmlns:psc='http://podlove.org/simple-chapters' "
    "xmlns:itunes='http://www.itunes.com/DTDs/PodCast-1.0.dtd'"
)
INNER = st.lists(st.sampled_from([piece.replace("_", " ") for piece in PIECES]), max_size=6).map("".join)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from([
        f"<rss version='2.0' {NAMES}><channel><title>t</title>{{}}</channel></rss>",
        f"<rss version='2.0' {NAMES}><channel><image><title>t</title></image>{{}}</channel></rss>",
        f"<feed xmlns='http://www.w3.org/2005/Atom' {NAMES} xml:lang='en'>{{}}</feed>",
    ]),
    st.sampled_from(["item", "entry"]),
    st.lists(INNER, min_size=1, max_size=5),
    st.sets(st.integers(0, 4)),
)  # fmt: skip
def test_what_is_passed_over_changes_nothing_in_what_is_read(
    frame: str, name: str, inner: list[str], chosen: set[int]
) -> None:
    text = frame.format("\n".join(f"<{name}>{part}</{name}>" for part in inner))
    try:
        first = read(text)
    except NotAFeed:
        return
    hashes: Any = {entry.raw_hash for entry in first.entries if entry.place in chosen} - {0}

    again = read(text, hashes)

    assert again.entries == tuple(entry for entry in first.entries if entry.raw_hash not in hashes)
    assert (again.title, again.link, again.total) == (first.title, first.link, first.total)
