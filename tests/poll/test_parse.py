"""Whatever the bytes of a feed are, the answer is its entries or one sentence on why there are none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import item, rss
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pipeline.article import encode_article
from pipeline.poll.articles import Source, article_of
from pipeline.poll.bounds import MAX_ITEMS
from pipeline.poll.parse import Entry, NotAFeed, ParsedFeed, parse_feed
from pipeline.topics import MAX_RECORD_BYTES

HERE = Path(__file__).parents[1] / "data" / "feeds"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "feeds"
URL = "https://stand.example/feed"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def read(name: str, content_type: str = "") -> ParsedFeed:
    return parse_feed((HERE / name).read_bytes(), content_type=content_type, url=URL)


def one(body: str | bytes, **more: str) -> Entry:
    """Return the only entry of a feed."""
    (entry,) = parse_feed(body if isinstance(body, bytes) else body.encode(), url=URL, **more).entries
    return entry


def reason(body: str | bytes, **more: str) -> str:
    with pytest.raises(NotAFeed) as refused:
        parse_feed(body if isinstance(body, bytes) else body.encode(), url=URL, **more)
    return refused.value.reason


class Watch:
    """Notes every file and socket that Python opens. An audit hook stays for good, so there is one, and it can rest."""

    def __init__(self) -> None:
        self.opened: list[str] | None = None
        sys.addaudithook(self.note)

    def note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.opened is not None and (event == "open" or event.startswith("socket.")):
            self.opened.append(f"{event} {arguments}")


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture
def opened(watch: Watch) -> Iterator[list[str]]:
    """Everything opened during a test."""
    watch.opened = []
    yield watch.opened
    watch.opened = None


# --- the formats


def test_rss_2_is_read_with_its_richest_text() -> None:
    feed = read("rss20.xml")
    berth, lighthouse = feed.entries

    assert (feed.title, feed.link, feed.language) == ("The Harbour Gazette", "https://gazette.example/", "en")
    assert replace(berth, raw_hash=0) == Entry(
        guid="berth-1",
        link="https://gazette.example/news/berth?utm_source=rss",
        identifying_link="https://gazette.example/news/berth?utm_source=rss",
        title="Ferry & freighter share a berth",
        summary="Two ships, one quay.",
        html="<p>Two ships, one quay.</p><p>The harbour master calls it &quot;a squeeze&quot;.</p>",
        authors=("Ada Quay",),
        tags=("Port", "Traffic"),
        language="en",
        published=datetime(2026, 3, 1, 8, tzinfo=UTC),
    )
    assert lighthouse.link == "https://gazette.example/news/lighthouse"
    assert (lighthouse.html, lighthouse.summary) == ("<p>It is <b>red</b> now.</p>", "")


def test_rdf_is_read_and_its_one_date_is_when_it_was_published() -> None:
    (entry,) = read("rdf10.xml").entries

    assert (entry.title, entry.authors, entry.language) == ("Le phare s’éteint", ("Zoé Récif",), "fr")
    assert entry.published == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def test_atom_is_read_with_relative_links_and_the_language_of_each_entry() -> None:
    feed = read("atom10.xml")
    storm, english = feed.entries

    assert (feed.title, feed.link, feed.language) == ("Der Küstenbote", "https://bote.example/", "de")
    assert (storm.title, storm.link) == ("Sturm & Flut", "https://bote.example/artikel/7")
    assert (storm.summary, storm.tags, storm.authors) == ("Der Deich hält.", ("Wetter",), ("Jörn Deich",))
    assert "<em>hält</em>" in storm.html
    assert storm.published == datetime(2026, 2, 28, 20, tzinfo=UTC)
    assert storm.updated == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert (english.language, english.html) == ("en", "Water &lt; dyke.")


def test_a_feed_that_is_not_well_formed_is_read_as_far_as_it_goes() -> None:
    salt, second = read("broken.xml").entries

    assert (salt.title, salt.link) == ("Salt & vinegar", "https://broken.example/?a=1&b=2")
    assert second.link == "https://broken.example/2"


def test_a_harmless_document_type_is_no_obstacle() -> None:
    (entry,) = read("rss091-doctype.xml").entries

    assert entry.title == "Still here"


@pytest.mark.parametrize(
    "rubbish", ["\n \t", "\ufeff", "<br />\n<b>Warning</b>: x in <b>y.php</b><br />\n", "<!DOCTYPE html>\n"]
)
def test_a_feed_behind_rubbish_is_still_read(rubbish: str) -> None:
    body = rubbish + '<?xml version="1.0" encoding="utf-8"?>' + rss(item("Öl", "https://stand.example/1"))

    assert one(body).title == "Öl"


def test_no_feed_of_the_shared_corpus_raises_anything_but_a_refusal() -> None:
    if not SHARED.is_dir():
        pytest.skip(f"needs the feeds of {SHARED}, which are not part of the project")
    refused = {}
    for path in sorted(SHARED.iterdir()):
        try:
            feed = parse_feed(path.read_bytes(), url=URL)
        except NotAFeed as error:
            refused[path.name] = error.reason
        else:
            assert feed.entries, path.name
            for entry in feed.entries[:3]:
                if entry.guid or entry.link or entry.title:
                    article_of(entry, feed, Source(feed_url=URL), NOW)

    assert refused == {"unrecognized.rss": "an HTML page"}


# --- characters


@pytest.mark.parametrize("name", ["windows-1251.xml", "utf-16.xml", "declared-wrongly.xml"])
@pytest.mark.parametrize("content_type", ["", "text/xml", "application/rss+xml", "text/xml; charset=UTF-8"])
def test_the_same_text_comes_of_every_encoding_whatever_the_header_says(name: str, content_type: str) -> None:
    feed = read(name, content_type)
    (entry,) = feed.entries

    assert (feed.title, entry.title) == ("Вестник Гавани", "Паром вернулся в порт")
    assert entry.link.endswith("/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/1")
    assert entry.flags == ()


def test_the_ids_of_an_article_are_the_same_in_every_encoding() -> None:
    names = ("windows-1251.xml", "utf-16.xml", "declared-wrongly.xml")
    feeds = [read(name) for name in names]

    assert len({article_of(feed.entries[0], feed, Source(feed_url=URL), NOW).id for feed in feeds}) == 1


def test_the_label_of_the_header_goes_before_that_of_the_document() -> None:
    body = (HERE / "windows-1251.xml").read_bytes().replace(b"windows-1251", b"iso-8859-1")

    assert one(body, content_type="text/xml; charset=windows-1251").title == "Паром вернулся в порт"


@pytest.mark.parametrize("name", ["shift_jis.xml", "iso-2022-jp.xml"])
def test_japanese_encodings_are_read_seven_bits_wide_too(name: str) -> None:
    (entry,) = read(name).entries

    assert entry.title.startswith("灯台に新しい灯り")
    assert entry.flags == ()


def test_bytes_that_fit_no_label_are_guessed_and_flagged() -> None:
    unlabelled = rss(item("Caf\xe9", "https://stand.example/1")).encode("latin-1")
    damaged = rss(item("Ünïcödé äöü ", "https://stand.example/1")).encode() + b"<!-- \xff -->"

    assert (one(unlabelled).title, one(unlabelled).flags) == ("Café", ("charset_guessed",))
    assert (one(damaged).title, one(damaged).flags) == ("Ünïcödé äöü", ("charset_guessed",))


@pytest.mark.parametrize(
    "label", ["utf-7", "unicode_escape", "zip", "rot13", "punycode", "no-such", "idna", "undefined"]
)
def test_a_label_that_names_no_character_encoding_is_ignored(label: str) -> None:
    body = f'<?xml version="1.0" encoding="{label}"?>' + rss(
        item(r"\u003cb\u003e +ADw-b+AD4-", "https://stand.example/1")
    )

    assert one(body, content_type=f"text/xml; charset={label}").title == r"\u003cb\u003e +ADw-b+AD4-"


@pytest.mark.parametrize("label", ["utf-7", "unicode_escape", "raw_unicode_escape", "utf_16"])
def test_bytes_are_not_decoded_by_what_is_no_encoding_of_feeds(label: str) -> None:
    body = rss(item("Caf\xe9 \\u0041 +AEE-", "https://stand.example/1")).encode("latin-1")

    entry = one(body, content_type=f"text/xml; charset={label}")

    assert (entry.title, entry.flags) == ("Café \\u0041 +AEE-", ("charset_guessed",))


def test_text_that_is_valid_utf_8_is_not_spoilt_by_a_label_that_fits_every_byte() -> None:
    body = rss(item("Паром", "https://stand.example/1")).encode()

    assert one(body, content_type="text/xml; charset=koi8-r").title == "Паром"


def test_null_bytes_and_controls_are_removed_and_flagged() -> None:
    entry = one(rss(item("a\0b\x07c", "https://stand.example/1", text="e\x1bf")))

    assert (entry.title, entry.html) == ("abc", "ef")
    assert "controls_removed" in entry.flags


@pytest.mark.parametrize("reference", ["&#xD800;", "&#55357;", "&#x110000;", f"&#{'9' * 5_000};", "&#xFFFFFFFFFF;"])
def test_row_9_references_to_no_character_become_the_replacement_character(reference: str) -> None:
    entry = one(rss(item(f"a{reference}b", "https://stand.example/1")))

    assert entry.title == "a\ufffdb"


# --- what is no feed


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "an empty body"),
        (b" \n\0 ", "an empty body"),
        (b"%PDF-1.4\n%\xe2\xe3", "a PDF document"),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', "JSON"),
        (b"\xef\xbb\xbf[1]", "JSON"),
        (b"Service unavailable", "plain text"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        (b"  <!-- x --><HTML><body><item><title>x</title></item></body></HTML>", "an HTML page"),
        (b"<head><title>Moved</title></head>", "an HTML page"),
        ("<!doctype html><html>".encode("utf-16"), "an HTML page"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a feed: its root element is <svg>"),
        (b"\x1f\x8b\x08\0", "a compressed file or an image"),
        (b"<!-- x", "text without any element"),
        (b"<" * 2_000, "more than 1,000 comments and instructions before the first element"),
        (b"x" * (20 * 1024**2 + 1), "larger than 20 MiB"),
    ],
)
def test_row_16_what_is_no_feed_is_named(body: bytes, why: str) -> None:
    assert reason(body) == why


def test_an_empty_feed_is_a_feed() -> None:
    assert parse_feed(rss().encode()).entries == ()
    assert parse_feed(b"<feed xmlns='http://www.w3.org/2005/Atom'/>").entries == ()


LAUGHS = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12))


@pytest.mark.parametrize(
    "prolog",
    [
        f'<!DOCTYPE rss [<!ENTITY a "ha">{LAUGHS}]>',
        f'<!DOCTYPE rss [<!ENTITY a "{"x" * 100_000}">]>',
        '<!DOCTYPE rss SYSTEM "file:///etc/passwd" [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>',
        '<!-- <rss> --><!DOCTYPE rss [<!ENTITY a "b">]>',
        '<?x <rss> ?><!DOCTYPE rss [<!ENTITY a "b">]>',
        '<!DOCTYPE rss PUBLIC "[>" "]>" [<!ENTITY a "b">]>',
        '<!DOCTYPE rss [ <!-- ]><rss> --> <!ENTITY a "b">]>',
        '<!DOCTYPE rss [ <!ELEMENT a "]"> <!ENTITY a "b">]>',
        '<!doctype rss [<!ENTITY a "b">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_row_20_declared_entities_are_refused_in_every_encoding_before_anything_is_parsed_or_opened(
    prolog: str, encoding: str, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.poll.reading.read_raw_feed", None)
    body = (prolog + rss(item("&l;&a;", "https://stand.example/1"))).encode(encoding)
    reason(body)  # Python opens a file when it first meets an encoding
    opened.clear()

    why = reason(body)

    assert opened == []
    assert why == "XML that declares entities or a document type of its own"


def test_row_20_an_external_document_type_is_not_loaded(opened: list[str]) -> None:
    body = '<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/rss.dtd">' + rss(item("A &nbsp; B", "https://stand.example/1"))
    one(body)
    opened.clear()

    entry = one(body)

    assert opened == []
    assert entry.title == "A B"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (rss("<item>" + "<a>" * 100_001), "more than 100,000 tags in one item"),
        (rss(item("x") * 3) + "<a>" * 100_001, "more than 100,000 tags in one item"),
        (rss("<item " + " ".join(f"a{n}='>'" for n in range(300)) + "/>"), "an element with more than 256 attributes"),
        ('<rss x="><item ' + " ".join(f"a{n}='>'" for n in range(257)), "an element with more than 256 attributes"),
        (rss('<item b="' + "\n".join(f"a{n} = 'b='" for n in range(257))), "an element with more than 256 attributes"),
        (rss(item(more="<category>a</category>" * 501)), "more than 500 categories in one item"),
        (rss(item(more=f"<keywords>{'a,' * 600}</keywords>")), "more than 500 categories in one item"),
        (rss(item(more=f"<keywords>{'a,' * 60_000}</keywords>")), "a list of keywords longer than 100,000 characters"),
    ],
)
def test_row_20_feeds_built_to_exhaust_their_reader_are_refused(body: str, why: str) -> None:
    assert reason(body) == why


def test_row_20_an_element_at_its_limit_of_attributes_and_many_below_it_are_read() -> None:
    attributes = " ".join(f"a{n}='>'" for n in range(256))
    assert len(parse_feed((rss(f"<item {attributes}/>" * 20)).encode()).entries) == 20


def test_row_20_of_too_many_items_the_first_are_read() -> None:
    feed = parse_feed(rss(*(item(f"n{n}") for n in range(MAX_ITEMS + 500))).encode())

    assert feed.cut
    assert len(feed.entries) == MAX_ITEMS
    assert feed.entries[-1].title == f"n{MAX_ITEMS - 1}"


def test_a_feed_of_exactly_as_many_items_as_are_read_is_not_cut() -> None:
    assert not parse_feed(rss(*(item(f"n{n}") for n in range(MAX_ITEMS))).encode()).cut


# --- size


def test_row_9_an_article_of_five_mebibytes_is_capped_flagged_and_fits_a_record() -> None:
    huge = "\U0001f600" * (5 * 1024**2 // 4)
    body = rss(item("t" * 50_000, "https://stand.example/1", "g" * 50_000, huge, more=f"<author>{huge}</author>"))

    feed = parse_feed(body.encode())
    article = article_of(feed.entries[0], feed, Source(feed_url=URL), NOW)

    assert {"title_truncated", "body_truncated", "list_truncated"} <= set(article.flags)
    assert len(article.title) == 1_000
    assert len(encode_article(article)) <= MAX_RECORD_BYTES


def test_row_9_an_article_fits_a_record_however_its_characters_are_written() -> None:
    wide = "\U0001f600"
    lists = "".join(f"<{name}>{n:02}{wide * 198}</{name}>" for name in ("category", "author") for n in range(50))
    content = f'<x:encoded xmlns:x="http://purl.org/rss/1.0/modules/content/">{wide * 199_000}</x:encoded>'
    body = rss(item(wide * 1_000, "https://stand.example/1", text=wide * 10_000, more=lists + content))

    feed = parse_feed(body.encode())
    (entry,) = feed.entries
    article = article_of(entry, feed, Source(feed_url=URL), NOW)

    assert entry.flags == ()
    assert article.flags == ("body_truncated",)
    assert MAX_RECORD_BYTES / 2 < len(encode_article(article)) <= MAX_RECORD_BYTES


def test_lists_are_capped() -> None:
    tags = "".join(f"<category>{n} {'x' * 300}</category>" for n in range(120))

    entry = one(rss(item("x", more=tags)))

    assert len(entry.tags) == 100
    assert max(map(len, entry.tags)) == 200
    assert entry.flags == ("list_truncated",)


# --- markup and links


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("&lt;b&gt;Bold&lt;/b&gt; claim", "Bold claim"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;News", "News"),
        ("&lt;img src=x onerror=alert(1)&gt;News", "News"),
        ("<![CDATA[<a href='javascript:alert(1)'>News</a>]]>", "News"),
        ("How to use &lt;script&gt; tags", "How to use tags"),
        ("Tom &amp;amp; Jerry", "Tom & Jerry"),
        ("5 &lt; 6", "5 < 6"),
        ("a\n   b\tc", "a b c"),
        ("pay\u202egnp.exe", "paygnp.exe"),
        ("z\u200bero\u2060", "zero"),
        ("p\u200da\u200cypal", "paypal"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    ],
)
def test_row_21_a_title_is_plain_text_on_one_line(written: str, shown: str) -> None:
    entry = one(
        rss(item(written, "https://stand.example/1", more=f"<author>{written}</author><category>{written}</category>"))
    )

    assert entry.title == shown
    assert entry.authors == entry.tags == (shown,)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "java&#10;script:x"])
def test_row_21_a_link_that_is_not_http_is_removed_and_flagged(link: str) -> None:
    entry = one(rss(item("x", link)))

    assert entry.link == ""
    assert entry.flags == ("link_removed",)


def test_row_21_user_and_password_are_stripped_from_a_link_and_hosts_are_punycode() -> None:
    assert one(rss(item("x", "https://user:secret@stand.example/1"))).link == "https://stand.example/1"
    assert one(rss(item("x", "https://аррӏе.example/"))).link == "https://xn--80ak6aa92e.example/"


def test_a_relative_link_is_resolved_against_where_the_feed_was_found() -> None:
    assert one(rss(item("x", "news/1"))).link == "https://stand.example/news/1"


def test_a_guid_is_a_link_only_when_it_is_an_address() -> None:
    assert one(rss("<item><guid>https://stand.example/1</guid></item>")).link == "https://stand.example/1"
    assert one(rss("<item><guid>4711</guid></item>")).link == ""
    assert one(rss("<item><guid isPermaLink='false'>https://stand.example/1</guid></item>")).link == ""


def test_the_front_page_identifies_no_item() -> None:
    entry = one(rss(item("x", "https://stand.example/", "g")))

    assert (entry.link, entry.identifying_link) == ("https://stand.example/", "")


def test_the_publishers_own_address_goes_before_that_of_a_redirecting_service() -> None:
    feedburner = 'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
    body = rss(
        item(
            "x",
            "https://proxy.example/~r/1",
            more=f"<feedburner:origLink {feedburner}>https://a.example/1</feedburner:origLink>",
        )
    )

    assert one(body).link == "https://a.example/1"


# --- dates


def published(date: str, now: datetime = NOW):
    feed = parse_feed(rss(item("x", "https://stand.example/1", date=date)).encode())
    return article_of(feed.entries[0], feed, Source(feed_url=URL), now)


@pytest.mark.parametrize(
    ("written", "expected", "flags"),
    [
        ("Sun, 01 Mar 2026 10:00:00 GMT", datetime(2026, 3, 1, 10, tzinfo=UTC), ()),
        ("2026-03-01T10:00:00", datetime(2026, 3, 1, 10, tzinfo=UTC), ()),
        ("2026-03-01T10:00:00+14:00", datetime(2026, 2, 28, 20, tzinfo=UTC), ()),
        ("Mon, 02 Mar 2026 00:00:00 GMT", NOW, ()),
        ("Mon, 02 Mar 2026 00:00:01 GMT", NOW, ("published_clamped",)),
        ("Fri, 01 Jan 2990 00:00:00 GMT", NOW, ("published_clamped",)),
        ("9999-12-31T23:59:59-14:00", None, ("published_unreadable",)),
        ("Tue, 01 Jan 1901 00:00:00 GMT", None, ("published_clamped",)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, ("published_clamped",)),
        ("32 Foo", None, ("published_unreadable",)),
        ("", None, ()),
    ],
)
def test_row_15_dates_are_utc_and_impossible_ones_are_clamped_and_flagged(
    written: str, expected: datetime | None, flags: tuple[str, ...]
) -> None:
    article = published(written)

    assert article.published == expected
    assert article.flags == flags


@pytest.mark.parametrize("date", ["Fri, 01 Jan 2990 00:00:00 GMT", "32 Foo", ""])
def test_row_15_no_date_and_no_clock_changes_an_id(date: str) -> None:
    usual = published("Sun, 01 Mar 2026 10:00:00 GMT")

    assert published(date).id == usual.id
    assert published(date, datetime(2020, 1, 1, tzinfo=UTC)).id == usual.id


# --- anything


FRAGMENTS = """
<rss version='2.0'> <channel> <item> </item> <title> </title> <link> <guid> <pubDate> <entry> <link_href=' '/> <svg>
<feed_xmlns='http://www.w3.org/2005/Atom'> <content_type='xhtml'> <![CDATA[ ]]> &#x &#xD800; &amp; & <!-- --> &a; http://[
<!DOCTYPE_rss_[ ]> <!ENTITY_a_'b'> \0 \x9b <content:encoded> <dc:date> 2026-02-30T99:99:99 <author> <category_term='x'/>
xml:base='//[ mode='base64'> <source> <image> <georss:point> <georss:polygon>1_2_x <itunes:duration>1:x: <keywords>a,b
<media:content_url='x'> <psc:chapter_start='1:'>
"""
PIECES = st.one_of(
    st.sampled_from([piece.replace("_", " ") for piece in FRAGMENTS.split()]),
    st.text(max_size=10),
    st.text("0123456789:+-TZ ", max_size=10),
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(
            lambda start, pieces, encoding: (start + "".join(pieces)).encode(encoding, "surrogatepass"),
            st.sampled_from(["", "<rss version='2.0'><channel><item>", "<feed xmlns='http://www.w3.org/2005/Atom'>"]),
            st.lists(PIECES, max_size=25),
            st.sampled_from(["utf-8", "utf-16"]),
        ),
    ),
    st.sampled_from(["", "text/html", "text/xml; charset=utf-16", "text/xml; charset=shift_jis", "x; charset=\0"]),
)
def test_any_bytes_give_entries_or_a_reason(body: bytes, content_type: str) -> None:
    try:
        feed = parse_feed(body, content_type=content_type, url=URL)
    except NotAFeed:
        return
    for entry in feed.entries:
        if entry.guid or entry.identifying_link or (entry.title + entry.summary + entry.html).strip():
            encode_article(article_of(entry, feed, Source(feed_url=URL), NOW))
