"""Links that name one article have one form, and ids depend on nothing that feeds change at will."""

from __future__ import annotations

import inspect
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DropArticle
from pipeline.identity import (
    article_id,
    canonical_link,
    clean_link,
    content_hash,
    entry_key,
    feed_id,
    link_host,
    plain_link,
)
from pipeline.outcomes import DropReason
from pipeline.text.limits import MAX_LINK_CHARACTERS

# --- the canonical form


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("https://example.com/a", "https://example.com/a"),
        ("http://example.com/a", "https://example.com/a"),
        ("HTTPS://Example.COM/A", "https://example.com/A"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com?", "https://example.com/"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("http://example.com:80/a", "https://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://example.com/a#comments", "https://example.com/a"),
        ("https://user:secret@example.com/a", "https://example.com/a"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/a/b/..", "https://example.com/a/"),
        ("https://example.com/a/.", "https://example.com/a/"),
        ("https://example.com/../../a", "https://example.com/a"),
        ("https://example.com/%7Eann/%2e%2e/%c3%a9", "https://example.com/%C3%A9"),
        ("https://example.com/é", "https://example.com/%C3%A9"),
        ("https://example.com/a%2fb", "https://example.com/a%2Fb"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/?b=2&a=1", "https://example.com/?b=2&a=1"),
        ("https://example.com/?a=1&utm_source=rss&b=2", "https://example.com/?a=1&b=2"),
        ("https://example.com/?UTM_Medium=feed&fbclid=x&gclid=y", "https://example.com/"),
        ("https://example.com/?utm%5Fsource=rss", "https://example.com/"),
        ("https://www.bbc.co.uk/news/1?at_medium=RSS&at_campaign=rss", "https://www.bbc.co.uk/news/1"),
        ("https://example.com/?id=7&p=1&ref=x&source=y", "https://example.com/?id=7&p=1&ref=x&source=y"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
        ("https://faß.example/", "https://xn--fa-hia.example/"),
        ("https://例え。テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://my_blog.example/", "https://my_blog.example/"),
        ("https://[2001:DB8::1]:8080/", "https://[2001:db8::1]:8080/"),
        ("https:\\\\example.com\\a?b=\\c", "https://example.com/a?b=%5Cc"),
        ("https://example.com/\ud800", "https://example.com/%EF%BF%BD"),
    ],
)
def test_a_link_has_this_canonical_form(written: str, canonical: str) -> None:
    assert canonical_link(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        "",
        "example.com/a",
        "//example.com/a",
        "/a",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        " \x01javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.com/",
        "mailto:a@example.com",
        "https:",
        "https://",
        "https:example.com",
        "https:///a",
        "https://a..b/",
        "https://-a.example/",
        "https://a b.example/",
        "https://exa\tmple.com/",
        "https://example.com/\x00",
        "https://example.com/\x9b31m",
        "https://example.com:99999/",
        "https://example.com:port/",
        "https://[::1/",
        "https://\u2024\u2024/",
        "https://xn--\u00fc/",
        f"https://{'a' * 254}/",
        f"https://example.com/{'a' * MAX_LINK_CHARACTERS}",
    ],
)
def test_what_is_no_http_link_has_no_canonical_and_no_clean_form(written: str) -> None:
    assert canonical_link(written) == ""
    assert clean_link(written) == ""
    assert link_host(written) == ""


URLISH = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["http://", "https://", "HTTP:\\\\", "https:", " http://u@", "https://[", "https://xn--"]),
        st.one_of(st.text("aZ0.-_:@[]%é。ß\\", max_size=12), st.just("example.com")),
        st.text("/.?&=#;%aZ~20e\\ +é\u202e\ud800\n|\"<>'utm_", max_size=40),
    ),
)


@settings(max_examples=500, deadline=None)
@given(URLISH)
def test_the_canonical_form_of_a_canonical_form_is_itself(url: str) -> None:
    once = canonical_link(url)

    assert canonical_link(once) == once
    assert plain_link(plain_link(url)) == plain_link(url)
    assert once == "" or (once.isascii() and once.startswith("https://"))


@settings(max_examples=300, deadline=None)
@given(URLISH)
def test_a_clean_link_is_clean_names_the_same_thing_and_has_no_userinfo(url: str) -> None:
    clean = clean_link(url)

    assert clean_link(clean) == clean
    assert canonical_link(clean) == canonical_link(url)
    if clean:
        assert urlsplit(clean).scheme in {"http", "https"}
        assert "@" not in urlsplit(clean).netloc
        assert clean.isascii()
        assert not set(clean) & set(' "<>\\^`{|}\n')


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_http_and_https_are_one(rest: str) -> None:
    assert canonical_link("http://example.com/" + rest) == canonical_link("https://example.com/" + rest)


def test_a_clean_link_keeps_scheme_query_and_fragment() -> None:
    link = "http://u:p@Example.com:80/a/../%7eb?utm_source=x&c=d e#f"

    assert clean_link(link) == "http://example.com/a/../%7eb?utm_source=x&c=d%20e#f"


def test_the_host_of_a_link_is_what_an_outlet_is_known_by() -> None:
    assert link_host("https://www.Example.com:8080/a") == "example.com"


# --- ids


def test_the_link_decides_whatever_else_differs() -> None:
    one = article_id(link="http://a.example/1?utm_source=x", feed_url="https://f.example/", guid="1", content="x")
    other = article_id(link="https://a.example/1", feed_url="https://g.example/", guid="2", content="y")

    assert one == other
    assert len(one) == 32
    assert int(one, 16)


def test_the_id_of_a_link_never_changes_between_releases() -> None:
    assert (
        article_id(link="https://a.example/1", feed_url="", guid="", content="") == "c1cfc238d43be862d07da8df9dfe73fc"
    )
    assert feed_id("https://a.example/feed") == "cc58476bd63b"


def test_without_a_link_the_guid_decides_within_its_feed() -> None:
    def of(feed: str, guid: str, content: str = "", link: str = "") -> str:
        return article_id(link=link, feed_url=feed, guid=guid, content=content)

    assert of("https://f.example/", "1", "x") == of("http://f.example", " 1\n", "y", link="javascript:x")
    assert of("https://f.example/", "1") != of("https://g.example/", "1")
    assert of("https://f.example/", "1") != of("https://f.example/", "2")


def test_without_link_and_guid_the_content_decides_and_without_that_it_is_a_drop() -> None:
    one = article_id(link="", feed_url="https://f.example/", guid=" ", content="x")
    assert one == article_id(link="", feed_url="https://g.example/", guid="", content="x")

    with pytest.raises(DropArticle) as dropped:
        article_id(link="mailto:a@b.example", feed_url="https://f.example/", guid=" ", content=" \n")
    assert dropped.value.reason is DropReason.NO_IDENTITY


def test_no_date_is_part_of_an_id() -> None:
    for function in (article_id, entry_key):
        assert not [name for name in inspect.signature(function).parameters if "date" in name or "publish" in name]


def test_row_13_a_new_guid_on_a_known_link_is_a_known_entry_and_a_known_guid_on_a_new_link_a_new_one() -> None:
    assert entry_key("g1", "https://a.example/1", "") == entry_key("g2", "https://a.example/1", "")
    assert entry_key("g1", "https://a.example/1", "") != entry_key("g1", "https://a.example/2", "")
    assert entry_key("", "", "") == ""


def test_the_kinds_of_id_cannot_be_confused() -> None:
    link = "https://a.example/1"
    ids = {
        article_id(link=link, feed_url="", guid="", content=""),
        article_id(link="", feed_url="", guid=link, content=""),
        article_id(link="", feed_url="", guid="", content=link),
        content_hash(link, ""),
    }

    assert len(ids) == 4


def test_hashes_tell_the_borders_of_texts_apart() -> None:
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert content_hash("a", "") != content_hash("", "a")


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\ud83d\ude00"])
def test_surrogates_do_not_break_hashing(text: str) -> None:
    assert len(content_hash(text)) == 32
    assert len(article_id(link="", feed_url=text, guid=text, content="")) == 32
    assert len(feed_id(text)) == 12


def test_a_feed_is_one_whether_by_http_or_https() -> None:
    assert feed_id("http://A.example") == feed_id("https://a.example/")
    assert feed_id("https://a.example/1") != feed_id("https://a.example/2")
