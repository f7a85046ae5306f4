"""Markup to paragraphs: what a reader of the article would see, whatever the markup is."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.enrich.markup import read_markup
from pipeline.enrich.paragraphs import Paragraph

FRAGMENTS = ("<p>", "</p>", "<br>", "<ul>", "</ul>", "<li>", "<h2>", "</h2>", "<script>", "</script>", "<td>", "<!--",
             "-->", "<a href='", "'>", "&amp", "&#0;", "&#xD800;", "&#8238;", "<![CDATA[", "<svg>", "</body>", "\x00",
             "\ud800", "text", " ", "\n\n", "<", ">", "&")  # fmt: skip


def texts(markup: str) -> list[str]:
    return [paragraph.text for paragraph in read_markup(markup)]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One.</p><p>Two.</p>", ["One.", "Two."]),
        ("<div>One.<div>Two.</div>Three.</div>", ["One.", "Two.", "Three."]),
        ("A <b>bold</b>\n  <i>word</i>,&nbsp;here", ["A bold word, here"]),
        ("One line<br>two lines", ["One line\ntwo lines"]),
        ("One.<br /> <br />Two.", ["One.", "Two."]),
        ("Fish &amp; chips &hellip;", ["Fish & chips …"]),
        ("5 < 6 and <b>a</b>", ["5 < 6 and a"]),
        ("<p>Before</p><script>if (a<b) alert(1)</script><p>After</p>", ["Before", "After"]),
        ("<style>p{}</style>a<noscript>b</noscript><template>c</template>d", ["ad"]),
        ("<p>x<!-- hidden --></p>", ["x"]),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", ["1 2\n3"]),
        ("", []),
        (" <p> </p> ", []),
    ],
)
def test_text_is_what_a_browser_would_show(markup: str, expected: list[str]) -> None:
    assert texts(markup) == expected


def test_a_list_stays_together_as_lines() -> None:
    assert texts("<p>Three:</p><ul><li><p>one</p></li><li>two<ol><li>a</li></ol></li></ul><p>End</p>") == [
        "Three:",
        "one\ntwo\na",
        "End",
    ]


def test_headings_of_every_level_are_marked_and_are_one_line() -> None:
    assert read_markup("<h1>The\n <em>title</em><br>of it</h1><p>Text</p><h6>Small</h6>") == [
        Paragraph("The title of it", is_heading=True),
        Paragraph("Text"),
        Paragraph("Small", is_heading=True),
    ]


def test_a_heading_too_long_for_one_is_a_paragraph() -> None:
    assert [p.is_heading for p in read_markup(f"<h2>{'word ' * 60}</h2>")] == [False]


def test_text_without_markup_keeps_its_lines_and_paragraphs() -> None:
    assert texts("One line\nand the next\n\n  \nTom &amp; Jerry") == ["One line\nand the next", "Tom & Jerry"]


def test_references_to_controls_leave_nothing() -> None:
    assert texts("<p>a&#8238;b&#x1f;c&#173;d</p>") == ["abcd"]


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 30_000 + "deep" + "</div>" * 30_000,
        "<ul><li>" * 20_000 + "deep",
        "<a " + " ".join(f"a{n}=1" for n in range(30_000)) + ">deep</a>",
        "<p>" + "x " * 2_500_000 + "deep",
        "&amp;" * 50_000 + "<b>deep",
        "<svg>" * 20_000 + "</svg>" * 20_000 + "<p>deep",
    ],
    ids=["nested", "lists", "attributes", "5 MB of text", "references", "dropped elements"],
)
def test_hostile_markup_is_read_to_its_end(markup: str) -> None:
    tracemalloc.start()
    found = read_markup(markup)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[-1].text.endswith("deep")
    assert peak < 20 * len(markup) + 20_000_000


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=30).map("".join))
def test_no_markup_raises_and_every_paragraph_is_clean(markup: str) -> None:
    for text, is_heading in read_markup(markup):
        assert text == text.strip() != ""
        assert "\n\n" not in text
        assert not (is_heading and "\n" in text)
        assert not any(character < " " and character != "\n" for character in text)
        text.encode()
