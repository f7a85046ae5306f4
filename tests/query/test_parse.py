"""Queries: their text, their tree, their faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from pipeline.query.parse import FIELDS, MAX_CHARACTERS, MAX_DEPTH, MAX_TERMS, parse
from pipeline.query.tree import (
    DEFAULT_FIELDS,
    And,
    Between,
    DateField,
    Edition,
    Everything,
    Exact,
    Not,
    Or,
    Query,
    StageName,
    TextField,
    Words,
)
from pipeline.query.unparse import unparse

A, B, C, D = Words("a"), Words("b"), Words("c"), Words("d")
NOW = datetime(2024, 3, 15, 12, 30, tzinfo=UTC)


def day(year: int, *rest: int) -> datetime:
    return datetime(*(year, *rest, *(1, 1)[len(rest) :]), tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("hezbollah", Words("hezbollah")),
        ("  Qa'ani's ", Words("Qa'ani's")),
        ('"islamic state"', Words("islamic state")),
        ("“islamic state”", Words("islamic state")),
        ("„islamic state“ “x”", And((Words("islamic state"), Words("x")))),
        ('"say \\"no\\" \\\\ now"', Words('say "no" \\ now')),
        ("title:war", Words("war", ("title",))),
        ('outlet:"The Guardian"', Words("The Guardian", ("outlet",))),
        ('url:"https://example.org/x"', Words("https://example.org/x", ("url",))),
        ("url:https://example.org/x", Words("https://example.org/x", ("url",))),
        ("title:(a OR b)", Or((Words("a", ("title",)), Words("b", ("title",))))),
        ("title:(a tag:b)", And((Words("a", ("title",)), Words("b", ("tag",))))),
        ("a b", And((A, B))),
        ("a AND b && c", And((A, B, C))),
        ("a OR b || c", Or((A, B, C))),
        ("a||b&&c", Or((A, And((B, C))))),
        ("a OR b c", Or((A, And((B, C))))),
        ("a b OR c d", Or((And((A, B)), And((C, D))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("(a b) c", And((A, B, C))),
        ("((a))", A),
        ("a(b)c", And((A, B, C))),
        ('a"b"c', And((A, B, C))),
        ("NOT a", Not(A)),
        ("NOT a b", And((Not(A), B))),
        ("NOT(a b)", Not(And((A, B)))),
        ("a NOT b", And((A, Not(B)))),
        ("a OR NOT b", Or((A, Not(B)))),
        ("a -b +c !d", And((A, Not(B), C, Not(D)))),
        ("-(a OR b)", Not(Or((A, B)))),
        ("-title:a", Not(Words("a", ("title",)))),
        ("NOT NOT a", Not(Not(A))),
        ("*", Everything()),
        ("*:*", Everything()),
        ("* -a", And((Everything(), Not(A)))),
        ("and or not to", And((Words("and"), Words("or"), Words("not"), Words("to")))),
        ('"AND"', Words("AND")),
        ("\\AND", Words("AND")),
        ("ANDROID NOTE", And((Words("ANDROID"), Words("NOTE")))),
        ("covid-19 and/or C++ yahoo! AT&T", And(tuple(map(Words, ["covid-19", "and/or", "C++", "yahoo!", "AT&T"])))),
        ("12\\:30 what\\?", And((Words("12:30"), Words("what?")))),
        ("\\(a\\)", Words("(a)")),
        ("北京", Words("北京")),
        ('צה"ל', Words('צה"ל')),
        ('"צה"ל אמר"', Words('צה"ל אמר')),
        ("id:0A1b", Exact("id", "0A1b")),
        ("family:(x OR y)", Or((Exact("family", "x"), Exact("family", "y")))),
        ('story:"x y"', Exact("story", "x y")),
        ("lane:live", Exact("lane", "live")),
        ("person:qaani", Words("qaani", ("person",))),
        ("entity:ofac\\:12", Exact("entity", "ofac:12")),
        ("stages.text:<7", Edition("text", 0, 6)),
        ("stages.text:<=7", Edition("text", 0, 7)),
        ("stages.text:>7", Edition("text", 8, 99)),
        ("stages.text:>=7", Edition("text", 7, 99)),
        ("stages.text:7", Edition("text", 7, 7)),
        ("stages.text:[2 TO 6]", Edition("text", 2, 6)),
        ("stages.quotes:*", Edition("quotes", 1, 99)),
    ],
)
def test_text_becomes_this_tree(text: str, tree: Query) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024-03-15", day(2024, 3, 15), day(2024, 3, 16)),
        ('"2024-03-15"', day(2024, 3, 15), day(2024, 3, 16)),
        ("2024-02", day(2024, 2), day(2024, 3)),
        ("2024-12", day(2024, 12), day(2025)),
        ("2024", day(2024), day(2025)),
        ("2024-03-15T10:30", day(2024, 3, 15, 10, 30), day(2024, 3, 15, 10, 31)),
        ("2024-03-15T10:30:05Z", day(2024, 3, 15, 10, 30, 5), day(2024, 3, 15, 10, 30, 6)),
        ("2024-03-15T01:00+03:30", day(2024, 3, 14, 21, 30), day(2024, 3, 14, 21, 31)),
        (">=2024-03-15", day(2024, 3, 15), None),
        (">2024-03-15", day(2024, 3, 16), None),
        ("<2024-03-15", None, day(2024, 3, 15)),
        ("<=2024-03-15", None, day(2024, 3, 16)),
        ("[2024-03-01 TO 2024-03-15]", day(2024, 3), day(2024, 3, 16)),
        ("{2024-03-01 TO 2024-03-15}", day(2024, 3, 2), day(2024, 3, 15)),
        ("[ 2024-03  TO * ]", day(2024, 3), None),
        ("[* TO 2024}", None, day(2024)),
        ("[* TO *]", None, None),
        ("*", None, None),
        (">=now-24h", NOW - timedelta(hours=24), None),
        ("[now-7d TO now}", NOW - timedelta(days=7), NOW),
        ("<now+2w", None, NOW + timedelta(weeks=2)),
    ],
)
@pytest.mark.parametrize("field", ["published", "updated", "first_seen"])
def test_a_date_is_a_stretch_of_time_in_utc(field: DateField, text: str, start: datetime, end: datetime) -> None:
    assert parse(f"{field}:{text}", NOW) == Between(field, start, end)


def test_every_time_of_a_tree_is_in_utc() -> None:
    tree = parse("published:2024-03-15T01:00+03:30")
    assert isinstance(tree, Between)
    assert tree.start is not None
    assert tree.start.tzinfo is UTC


def test_a_group_of_dates_takes_the_field() -> None:
    assert parse("published:(2023 OR >=2024-03)") == Or(
        (Between("published", day(2023), day(2024)), Between("published", day(2024, 3)))
    )


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 0, "empty; * selects every article"),
        (" \n ", 0, "empty"),
        ('a "b c', 2, "never closed"),
        ("a (b c", 2, 'this "(" is never closed'),
        ("a b)", 3, "closes nothing"),
        (")", 0, "closes nothing"),
        ("a OR )", 5, "OR needs something after it"),
        ("(((((", 4, 'this "(" is never closed'),
        ("title:( ", 6, 'this "(" is never closed'),
        ("()", 1, "nothing between the parentheses"),
        ("title:()", 7, "nothing between the parentheses"),
        ("AND a", 0, "AND needs something before it"),
        ("a AND", 5, "AND needs something after it"),
        ("a OR", 4, "OR needs something after it"),
        ("a AND OR b", 6, "OR needs something before it"),
        ("(a OR)", 5, "OR needs something after it"),
        ("a NOT", 5, "NOT needs something after it"),
        ("a - b", 2, '"-" must touch the word'),
        ("a -", 2, '"-" must touch the word'),
        ("titel:war", 0, "did you mean title:"),
        ("a published_at:2024", 2, "did you mean published:"),
        ("Title:war", 0, "did you mean title:"),
        ("zzzz:war", 0, "the fields are title, summary"),
        ("12:30", 0, "Quote the text when the colon is part of it"),
        ("see https://example.org/x?y", 4, 'an address must be quoted: url:"https://example.org/x?y"'),
        ("title: war", 6, "nothing follows title:"),
        ("title:", 6, "nothing follows title:"),
        ("title:-war", 6, "-title:word"),
        ("a :b", 2, "needs the name of a field"),
        ("a ?! …", 2, "wildcards"),
        ("a … b", 2, "no letter or digit"),
        ('a "--" b', 2, "no letter or digit"),
        ("a \\", 2, "a backslash needs a character after it"),
        ("hezbol*", 6, "wildcards are not supported yet"),
        ("te?t", 2, "wildcards are not supported yet"),
        ("title:hez*", 9, "wildcards are not supported yet"),
        ('"a b"~5', 5, "not supported yet"),
        ("roam~1", 4, "not supported yet"),
        ("a^4", 1, "boosting"),
        ('"a b"^4', 5, "boosting"),
        ("/x[a-z]/", 0, "regular expressions are not supported yet"),
        ("title:/x/", 6, "regular expressions are not supported yet"),
        ("[a TO b]", 0, "ranges are for dates"),
        ("title:[a TO b]", 6, "ranges are for dates"),
        ("title:>5", 6, "only dates (published, updated, first_seen) and the editions"),
        ("organisation:hamas", 0, "did you mean org:?"),
        ("language:en", 0, "did you mean lang:?"),
        ("stages.txt:<5", 0, "did you mean stages.text:?"),
        ("stages.text:seven", 12, "an edition is a number up to 99"),
        ("stages.text:<0", 12, "no edition is"),
        ("stages.text:>99", 12, "no edition is"),
        ("stages.text:100", 12, "an edition is a number up to 99"),
        ("stages.text:[6 TO 2]", 12, "the lower one first"),
        ("stages.text:{2 TO 6]", 12, "write a range of editions as stages.text:[2 TO 6]"),
        ("title:*", 6, "title:* is not supported yet"),
        ("lane:slow", 5, "a lane is live or backfill"),
        ('id:""', 3, "needs a value"),
        ("published:yesterday", 10, "not a date"),
        ("published:2024-02-30", 10, "no such date"),
        ("published:2024-13", 10, "no such date"),
        ("published:>=0999", 12, "years go from 1000 to 9998"),
        ("published:2024-03-15T25:00", 10, "no such date"),
        ("published:[2024 2025]", 10, "write a range as published:[2024-03-01 TO 2024-03-15]"),
        ("published:[2024-03 TO soon]", 22, "not a date"),
        ("published:[2025 TO 2024]", 10, "ends before it starts"),
        ("published:>=now-24h", 12, "a time relative to now has no meaning here"),
        ("a" * (MAX_CHARACTERS + 1), MAX_CHARACTERS, "at most 10,000 characters"),
        ("a " * MAX_TERMS + "b", 2 * MAX_TERMS, "at most 1,024 words"),
        ('"' + "京" * (MAX_TERMS + 1) + '"', 0, "at most 1,024 words"),
        ("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH, MAX_DEPTH, "nest at most 50 deep"),
        ("NOT " * MAX_DEPTH + "a", 4 * MAX_DEPTH, "nest at most 50 deep"),
        ("-" * 9_000 + "a", MAX_DEPTH, "nest at most 50 deep"),
        ("(" * 9_000, MAX_DEPTH, "nest at most 50 deep"),
    ],
)
def test_a_fault_is_shown_where_it_is_with_what_to_do(text: str, column: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert caught.value.column == column


def test_a_message_about_hostile_text_is_short_and_printable() -> None:
    with pytest.raises(QueryError) as caught:
        parse("\x1b[31m\u202e\ud800" + "x" * 5_000 + ":y")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 350


def test_the_largest_query_allowed_is_read() -> None:
    assert len(parse("a " * MAX_TERMS).parts) == MAX_TERMS  # type: ignore[union-attr]
    assert parse("(" * (MAX_DEPTH - 1) + "a" + ")" * (MAX_DEPTH - 1)) == A


@given(st.text(st.characters(exclude_categories=()), max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    assert_read_or_refused(text)


pieces = st.sampled_from(
    [
        *(f"{field}:" for field in FIELDS),
        *'()"\\*?~^/[]{}<>=+-!:&| ',
        "AND ",
        "OR ",
        "NOT ",
        " TO ",
        "a",
        "2024",
        "now-1h",
    ]
)


@given(st.lists(pieces, max_size=15).map("".join))
@settings(max_examples=600, deadline=None)
@example("published:[* TO *]")
def test_any_string_of_pieces_of_the_language_is_too(text: str) -> None:
    assert_read_or_refused(text)


def assert_read_or_refused(text: str) -> None:
    try:
        tree = parse(text, NOW)
    except QueryError as error:
        refused_at = error.column
    else:
        refused_at = 0
        assert parse(unparse(tree), NOW) == tree
    assert 0 <= refused_at <= len(text)


text_fields = st.sampled_from([DEFAULT_FIELDS, *((field,) for field in TextField.__args__)])
some_text = st.text(st.characters(exclude_categories=()) | st.sampled_from('"“”\\*:א'), max_size=12).map(
    lambda text: f"{text}x{text[::-1]}"
)
times = st.datetimes(datetime(1001, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
leaves = st.one_of(
    st.builds(Words, some_text, text_fields),
    st.builds(Exact, st.sampled_from(["id", "family", "story"]), some_text),
    st.builds(Exact, st.just("lane"), st.sampled_from(["live", "Backfill"])),
    st.builds(Between, st.sampled_from(DateField.__args__), st.none() | times, st.none()),
    st.builds(Between, st.sampled_from(DateField.__args__), st.none(), st.none() | times),
    st.builds(
        lambda start, length: Between("published", start, start + length),
        times,
        st.sampled_from([timedelta(days=1), timedelta(microseconds=1), timedelta(days=366), timedelta(hours=5)]),
    ),
    st.builds(
        Edition, st.sampled_from(StageName.__args__), st.just(0) | st.integers(0, 40), st.just(99) | st.integers(40, 98)
    ),
    st.just(Everything()),
)


def joined(kind: type[And | Or], parts: list[Query]) -> Query:
    """As the parser does: an And directly in an And is one And."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, kind) else (part,)))
    return kind(flat)


trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: joined(And, parts)),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: joined(Or, parts)),
        inner.map(Not),
    ),
    max_leaves=8,
)


@given(trees)
@settings(max_examples=400, deadline=None)
def test_every_tree_can_be_written_and_read_back(tree: Query) -> None:
    assert parse(unparse(tree)) == tree


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("a b OR -c", "a AND b OR NOT c"),
        ("(a OR b) (c AND d)", "(a OR b) AND c AND d"),
        ('title:"x y" +published:2024-03', 'title:"x y" AND published:2024-03'),
        ("published:[2024-03-01 TO 2024-03-15]", "published:[2024-03-01 TO 2024-03-16}"),
        ("published:<=2024", "published:<2025-01-01"),
        ("NOT (a b)", "NOT (a AND b)"),
        ('"NOT"', '"NOT"'),
    ],
)
def test_the_canonical_text_is_plain(text: str, canonical: str) -> None:
    assert unparse(parse(text)) == canonical
