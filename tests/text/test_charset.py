"""Bytes to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.charset import decode, decode_feed, decode_page, page_charset

PAGE = '<html><head><meta charset="{}"></head><body>{}</body>'


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        ("utf-8", "utf-8", "Grüße, 世界"),
        ("iso-8859-1", "cp1252", "It’s “quoted” – 5 €"),
        ("windows-1251", "cp1251", "Президент заявил"),
        ("koi8-r", "koi8-r", "Президент заявил"),
        ("gb2312", "gb18030", "中国外交部发言人"),
        ("Shift_JIS", "cp932", "日本の首相"),
        ("euc-kr", "cp949", "한국 대통령"),
        ("iso-2022-jp", "iso2022_jp", "日本の首相"),
        ("windows-1256", "cp1256", "استقبل الرئيس"),
    ],
)
def test_a_page_is_read_by_the_charset_it_declares(charset: str, codec: str, text: str) -> None:
    page = PAGE.format(charset, text)
    assert decode_page(page.encode(codec)) == (page, False)


def test_valid_utf8_wins_over_a_claim_of_another_charset() -> None:
    page = PAGE.format("iso-8859-1", "Grüße")
    assert decode_page(page.encode()) == (page, False)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides(codec: str) -> None:
    assert decode_page("Grüße".encode(codec)) == ("Grüße", False)


@pytest.mark.parametrize(
    "charset", ["utf-7", "idna", "unicode_escape", "punycode", "rot13", "utf-16", "hz", "iso-2022-kr", "x", ""]
)
def test_codecs_that_are_no_charsets_of_the_web_are_not_used(charset: str) -> None:
    assert page_charset(PAGE.format(charset, "").encode()) == ""


def test_without_a_claim_western_bytes_are_guessed_and_said_to_be() -> None:
    assert decode_page("Grüße aus Köln".encode("cp1252")) == ("Grüße aus Köln", True)


def test_utf8_cut_within_a_character_stays_utf8() -> None:
    text, guessed = decode_page(("äöüß" * 10).encode()[:-1])
    assert guessed
    assert text.startswith("äöüß" * 9)


def test_a_few_damaged_bytes_do_not_make_utf8_anything_else() -> None:
    assert decode("Ünïcödé äöü ".encode() + b"\xff") == ("Ünïcödé äöü \ufffd", True)


def test_bytes_that_do_not_fit_their_label_are_read_by_it_and_said_to_be_guessed() -> None:
    page = PAGE.format("euc-kr", "한국").encode("euc-kr") + b"\xff"
    assert decode_page(page) == (PAGE.format("euc-kr", "한국") + "\ufffd", True)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_document_in_wide_characters_needs_no_mark(codec: str) -> None:
    assert decode_page("<p>Grüße".encode(codec)) == ("<p>Grüße", False)


def test_a_feed_is_read_by_its_header_before_its_declaration() -> None:
    feed = '<?xml version="1.0" encoding="iso-8859-1"?><rss>Паром'
    assert decode_feed(feed.encode("cp1251"), "text/xml; charset=windows-1251") == (feed, False)
    assert decode_feed(feed.replace("iso-8859-1", "koi8-r").encode("koi8-r"))[0].endswith("<rss>Паром")


def test_a_text_is_not_read_by_a_tag_that_it_speaks_of() -> None:
    assert decode("<meta charset=koi8-r> über".encode("cp1252"))[0].endswith("über")


@given(st.binary(), st.text(max_size=40))
def test_no_bytes_raise(body: bytes, content_type: str) -> None:
    decode_feed(body, f"text/xml; charset={content_type}")
    decode_page(body)
    decode_page(b"<meta charset=euc-jp>" + body)
