"""What every search index promises (``SearchIndex`` in ``pipeline.ports``), whichever adapter stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from elasticsearch_parts import elasticsearch_index, installed_prefix

from pipeline.adapters.tantivy_index import TantivyIndex
from pipeline.article import Article, Entity
from pipeline.ports import CountField, IndexDelete, SearchIndex, Sort
from pipeline.query.tree import (
    And,
    Between,
    DateField,
    Edition,
    Everything,
    Exact,
    IdField,
    Not,
    Or,
    Query,
    TextField,
    Words,
)

NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EVERYTHING = Everything()


Place = Callable[[], AbstractContextManager[SearchIndex]]


@contextmanager
def tantivy_index(folder: Path) -> Iterator[SearchIndex]:
    index = TantivyIndex(folder / "index", writer=True, heap_bytes=15_000_000)
    try:
        yield index
    finally:
        index.close()


@pytest.fixture(scope="module", params=["tantivy", "elasticsearch"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Where an adapter can open one empty index after the other."""
    if request.param == "tantivy":
        yield lambda: tantivy_index(tmp_path_factory.mktemp("index"))
        return
    url = request.getfixturevalue("elasticsearch")
    with installed_prefix(url) as prefix:
        yield lambda: elasticsearch_index(url, prefix)


@pytest.fixture
def index(place: Place) -> Iterator[SearchIndex]:
    with place() as opened:
        yield opened


def article(article_id: str, **fields: Any) -> Article:
    return Article(**{"id": article_id, "first_seen": NOON, "version": 1, "title": article_id} | fields)


def ids(index: SearchIndex, query: Query = EVERYTHING, sort: Sort = "oldest", **page: int) -> list[str]:
    return [hit.article.id for hit in index.search(query, sort=sort, **page).hits]


def statuses(index: SearchIndex, *items: Article | IndexDelete) -> list[str]:
    return [outcome.status for outcome in index.write(items)]


# --- versions ---------------------------------------------------------------------------------------------------------


def test_a_new_article_is_written_and_found_at_once(index: SearchIndex) -> None:
    written = article("a", title="Talks in Geneva", body="First.\n\nSecond.", authors=("Ann",), extra={"k": [1]})
    assert statuses(index, written) == ["written"]
    assert index.get("a") == written
    assert ids(index, Words("geneva")) == ["a"]


def test_a_higher_version_replaces_all_of_the_former_form(index: SearchIndex) -> None:
    index.write([article("a", title="old words", outlet="Old", version=3)])
    assert statuses(index, article("a", title="new words", version=4)) == ["updated"]
    assert ids(index, Words("old")) == []
    assert ids(index, Words("new")) == ["a"]
    assert index.count_by(EVERYTHING, "outlet") == []
    assert index.search(EVERYTHING).total == 1


def test_an_equal_version_is_written_again(index: SearchIndex) -> None:
    index.write([article("a", title="before", version=3)])
    assert statuses(index, article("a", title="after", version=3)) == ["updated"]
    assert ids(index, Words("after")) == ["a"]
    assert index.search(EVERYTHING).total == 1


def test_a_lower_version_changes_nothing(index: SearchIndex) -> None:
    index.write([article("a", title="newest", version=3)])
    assert statuses(index, article("a", title="late", version=2)) == ["older"]
    assert ids(index, Words("late")) == []
    assert ids(index, Words("newest")) == ["a"]


@pytest.mark.parametrize(
    ("versions", "expected", "kept"),
    [
        ((1, 2, 3), ["written", "updated", "updated"], 3),
        ((3, 2, 1), ["written", "older", "older"], 3),
        ((2, 2), ["written", "updated"], 2),
        ((1, 3, 2), ["written", "updated", "older"], 3),
    ],
)
def test_one_id_may_come_several_times_in_one_write(
    index: SearchIndex, versions: tuple[int, ...], expected: list[str], kept: int
) -> None:
    assert statuses(index, *(article("a", title=f"form {number}", version=number) for number in versions)) == expected
    assert index.search(EVERYTHING).total == 1
    assert ids(index, Words(f"form {kept}")) == ["a"]


def test_every_item_has_its_outcome_at_its_place(index: SearchIndex) -> None:
    index.write([article("kept", version=5), article("replaced", version=5), article("deleted")])
    outcomes = index.write(
        [
            article("new"),
            article("kept", version=4),
            article(""),
            article("replaced", version=6),
            IndexDelete("deleted"),
            IndexDelete("unknown"),
            article("last"),
        ]
    )
    assert [outcome.status for outcome in outcomes] == [
        "written",
        "older",
        "rejected",
        "updated",
        "updated",
        "older",
        "written",
    ]
    assert ids(index) == ["kept", "last", "new", "replaced"]


def test_writing_nothing_gives_nothing(index: SearchIndex) -> None:
    assert list(index.write([])) == []


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (article(""), "id is empty"),
        (article("x" * 70_000), "70000 bytes"),
        (article("a", outlet="x" * 70_000), "70000 bytes"),
        (article("a", family="я" * 35_000), "70000 bytes"),
        (article("a", title="half \ud83d"), "UTF-8"),
        (article("\udcff"), "UTF-8"),
        (article("a", version=2**63), "version"),
        (article("a", version=-1), "version"),
        (article("a", first_seen=None), "first_seen"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_never_be_indexed_is_rejected_alone_and_says_why(
    index: SearchIndex, bad: Article, reason: str
) -> None:
    rejected, taken = index.write([bad, article("good")])
    assert rejected.status == "rejected"
    assert reason in rejected.reason
    assert taken.status == "written"
    assert ids(index) == ["good"]


def test_a_rejected_form_leaves_the_one_before_it(index: SearchIndex) -> None:
    index.write([article("a", title="fine")])
    assert statuses(index, article("a", title="\ud800", version=2)) == ["rejected"]
    assert ids(index, Words("fine")) == ["a"]


# --- delete -----------------------------------------------------------------------------------------------------------


def test_a_deleted_article_is_nowhere(index: SearchIndex) -> None:
    index.write([article("a", outlet="Post"), article("b")])
    assert statuses(index, IndexDelete("a")) == ["updated"]
    assert index.get("a") is None
    assert ids(index) == ["b"]
    assert index.count_by(EVERYTHING, "outlet") == []


def test_a_delete_that_finds_nothing_is_no_error(index: SearchIndex) -> None:
    assert statuses(index, IndexDelete("a"), IndexDelete("\ud800")) == ["older", "older"]


def test_a_delete_follows_the_order_of_its_write(index: SearchIndex) -> None:
    assert statuses(index, article("a"), IndexDelete("a"), IndexDelete("a")) == ["written", "updated", "older"]
    assert ids(index) == []


def test_an_article_may_come_back_after_its_delete_with_a_higher_version(index: SearchIndex) -> None:
    index.write([article("a", version=3)])
    index.write([IndexDelete("a")])
    assert statuses(index, article("a", version=10)) == ["written"]
    assert ids(index) == ["a"]


# --- what a query selects ---------------------------------------------------------------------------------------------

CORPUS = [
    article(
        "rocket",
        title="Qa'ani meets Nasrallah",
        summary="A limited rocket barrage",
        body="The U.S. said so.\n\nOn Friday, talks ended.",
        authors=("Anna Berg", "Carl Danz"),
        outlet="Morning Post",
        origin="Wire Agency",
        feed="feed-1",
        language="en",
        tags=("Middle East", "war"),
        url="https://example.org/world/rocket",
        family="FA1",
        story="Straße-9",
        published=datetime(2024, 3, 14, 23, 59, 59, 999_999, tzinfo=UTC),
        updated=NOON,
        first_seen=NOON,
        entities=(
            Entity(kind="person", name="Esmail Qaani", id="list:Q1", aliases=("Qa'ani", "قاآنی"), in_title=((0, 7),)),
            Entity(kind="place", name="Paris", id="geo:1", country="FR", in_title=((0, 1),)),
            Entity(kind="place", name="Beirut", id="geo:2", country="LB", in_title=((0, 1),)),
        ),
        stages=("text/2", "clean/11"),
    ),
    article(
        "border",
        title="Rocket talks at the border",
        body="The barrage was not limited. The ministers met; a limited number came.",
        authors=("Anna Danz",),
        outlet="Evening Mail",
        language="de",
        family="fa2",
        lane="backfill",
        published=datetime(2024, 3, 15, tzinfo=UTC),
        first_seen=NOON + timedelta(hours=1),
    ),
    article("empty", title="", first_seen=NOON + timedelta(hours=2)),
]


@pytest.fixture
def corpus(index: SearchIndex) -> SearchIndex:
    index.write(CORPUS)
    return index


def words(text: str, *fields: TextField) -> Words:
    return Words(text, fields) if fields else Words(text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (words("rocket"), "rocket border"),
        (words("ROCKETS"), ""),
        (words("qaani"), "rocket"),
        (words("Qa’ani's"), "rocket"),
        (words("us"), "rocket"),
        (words("nowhere"), ""),
        (words("…"), ""),
        (words(""), ""),
        (words("limited rocket barrage"), "rocket"),
        (words("rocket limited"), ""),
        (words("barrage was not limited"), "border"),
        (words("said so on friday"), "rocket"),
        (words("nasrallah a limited"), ""),
        (words("rocket", "title"), "border"),
        (words("rocket", "title", "summary"), "rocket border"),
        (words("barrage", "body"), "border"),
        (words("anna", "author"), "rocket border"),
        (words("anna danz", "author"), "border"),
        (words("berg carl", "author"), ""),
        (words("morning post", "outlet"), "rocket"),
        (words("post morning", "outlet"), ""),
        (words("agency", "origin"), "rocket"),
        (words("feed-1", "feed"), "rocket"),
        (words("DE", "lang"), "border"),
        (words("middle east", "tag"), "rocket"),
        (words("east war", "tag"), ""),
        (words("example.org/world", "url"), "rocket"),
        (words("anna"), ""),
        (words("قاآنی", "person"), "rocket"),
        (words("qaani qaani", "person"), ""),
        (words("paris", "place"), "rocket"),
        (words("paris", "org", "person"), ""),
    ],
)
def test_words_and_phrases_select(corpus: SearchIndex, query: Query, expected: str) -> None:
    assert set(ids(corpus, query)) == set(expected.split())


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("id", "rocket", "rocket"),
        ("id", "ROCKET", "rocket"),
        ("id", "rock", ""),
        ("family", "fa1", "rocket"),
        ("family", "FA2", "border"),
        ("story", "STRASSE-9", "rocket"),
        ("story", "straße-9", "rocket"),
        ("story", "straße", ""),
        ("story", "", ""),
        ("lane", "backfill", "border"),
        ("lane", "live", "rocket empty"),
        ("id", "\udcff", ""),
        ("entity", "LIST:q1", "rocket"),
        ("entity", "geo:2", "rocket"),
        ("entity", "geo", ""),
        ("country", "lb", "rocket"),
        ("country", "FR", "rocket"),
    ],
)
def test_exact_fields_compare_whole_values_but_for_case(
    corpus: SearchIndex, field: IdField, value: str, expected: str
) -> None:
    assert set(ids(corpus, Exact(field, value))) == set(expected.split())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (EVERYTHING, "rocket border empty"),
        (And((words("rocket"), words("talks"))), "rocket border"),
        (And((words("rocket"), words("talks", "title"))), "border"),
        (Or((words("qaani"), words("ministers"))), "rocket border"),
        (Not(words("rocket")), "empty"),
        (Not(words("nowhere")), "rocket border empty"),
        (Not(Not(words("qaani"))), "rocket"),
        (Not(EVERYTHING), ""),
        (And((words("rocket"), Not(words("qaani")))), "border"),
        (And((Not(words("qaani")), Not(words("ministers")))), "empty"),
        (Or((words("qaani"), Not(words("rocket")))), "rocket empty"),
        (And((EVERYTHING, Not(Or((words("qaani"), words("ministers")))))), "empty"),
        (Or((And((words("a"), words("b"))), And((words("talks"), words("us"))))), "rocket"),
        (Not(And((words("rocket"), Not(words("qaani"))))), "rocket empty"),
    ],
)
def test_queries_nest(corpus: SearchIndex, query: Query, expected: str) -> None:
    assert set(ids(corpus, query)) == set(expected.split())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Edition("text", 2, 2), "rocket"),
        (Edition("text", 1, 1), ""),
        (Edition("clean", 2), "rocket"),
        (Edition("clean", 0, 10), "border empty"),
        (Edition("text", 0, 2), "rocket border empty"),
        (Edition("quotes", 0, 0), "rocket border empty"),
        (Edition("quotes", 1), ""),
        (And((Edition("text", 0, 6), words("rocket"))), "rocket border"),
        (Not(Edition("text", 0, 1)), "rocket"),
    ],
)
def test_editions_of_stages_are_numbers(corpus: SearchIndex, query: Query, expected: str) -> None:
    assert set(ids(corpus, query)) == set(expected.split())


MIDNIGHT = datetime(2024, 3, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "start", "end", "expected"),
    [
        ("published", MIDNIGHT, None, "border"),
        ("published", MIDNIGHT + MICROSECOND, None, ""),
        ("published", None, MIDNIGHT, "rocket"),
        ("published", None, MIDNIGHT + MICROSECOND, "rocket border"),
        ("published", MIDNIGHT - MICROSECOND, MIDNIGHT, "rocket"),
        ("published", None, None, "rocket border"),
        ("published", MIDNIGHT, MIDNIGHT, ""),
        ("published", MIDNIGHT + timedelta(days=1), MIDNIGHT, ""),
        ("updated", None, None, "rocket"),
        ("updated", NOON, NOON + MICROSECOND, "rocket"),
        ("first_seen", None, None, "rocket border empty"),
        ("first_seen", NOON + MICROSECOND, NOON + timedelta(hours=2), "border"),
        ("first_seen", datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "rocket border empty"),
    ],
)
def test_a_time_range_holds_its_start_and_not_its_end(
    corpus: SearchIndex, field: DateField, start: datetime | None, end: datetime | None, expected: str
) -> None:
    assert set(ids(corpus, Between(field, start, end))) == set(expected.split())


def test_a_time_is_the_same_in_every_zone(corpus: SearchIndex) -> None:
    tehran = datetime.fromisoformat("2024-03-15T03:30:00+03:30")
    assert ids(corpus, Between("published", tehran, None)) == ["border"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("İstanbul'da deprem", "istanbulda"),
        ("Straße gesperrt", "STRASSE"),
        ("إيران والعراق", "ایران"),
        ("東京で会談", "東京"),
        ("ﬁnancial ﬂow", "financial"),
        ("A\u202ebidi\u202c and zero\u200bwidth", "zerowidth"),
        ("nul\0inside", "inside"),
        ("tabs\tand\nlines\u2028too", "and lines too"),
        ("👩‍👩‍👧 family", "family"),
        ("𠮷野家", "𠮷野家"),
        ("e\u0301lan vital", "élan"),
        ("x" * 300, "x" * 300),
    ],
)
def test_odd_characters_are_kept_and_found(index: SearchIndex, text: str, asked: str) -> None:
    index.write([article("odd", title=text), article("other")])
    assert ids(index, Words(asked)) == ["odd"]
    found = index.get("odd")
    assert found is not None
    assert found.title == text


# --- order and pages --------------------------------------------------------------------------------------------------


def test_time_orders_live_articles_by_first_seen_and_backfilled_ones_by_published(index: SearchIndex) -> None:
    index.write(
        [
            article("live", first_seen=NOON, published=NOON - timedelta(days=9)),
            article("old", lane="backfill", first_seen=NOON + timedelta(days=1), published=NOON - timedelta(days=5)),
            article("undated", lane="backfill", first_seen=NOON + timedelta(days=2)),
            article("ancient", lane="backfill", published=datetime(1950, 1, 1, tzinfo=UTC)),
            article("future", lane="backfill", published=datetime(9999, 12, 31, 23, 59, tzinfo=UTC)),
        ]
    )
    in_order = ["ancient", "old", "live", "undated", "future"]
    assert ids(index, sort="oldest") == in_order
    assert ids(index, sort="newest") == in_order[::-1]


def test_articles_of_one_time_are_ordered_by_id(index: SearchIndex) -> None:
    index.write([article(name) for name in ("c", "a", "d")])
    index.write([article("b")])
    assert ids(index, sort="oldest") == ["a", "b", "c", "d"]
    assert ids(index, sort="newest") == ["d", "c", "b", "a"]


def test_relevance_puts_a_word_in_the_title_first_and_a_word_more_often_before_once(index: SearchIndex) -> None:
    filler = "other words stand here to make each text as long as the next "
    index.write(
        [
            article("once", title=filler + "filler", body=filler + "rocket " + filler),
            article("thrice", title=filler + "filler", body=filler + "rocket rocket rocket " + filler),
            article("title", title=filler + "rocket", body=filler + "filler " + filler),
            article("title too", title=filler + "rocket", body=filler + "filler " + filler),
        ]
    )
    hits = index.search(Words("rocket"), sort="relevance").hits
    assert {hit.article.id for hit in hits[:2]} == {"title", "title too"}
    assert [hit.article.id for hit in hits[2:]] == ["thrice", "once"]
    scores = [hit.score for hit in hits if hit.score is not None]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert all(hit.score is None for hit in index.search(Words("rocket"), sort="newest").hits)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_pages_follow_each_other_without_gap_or_overlap(index: SearchIndex, sort: Sort) -> None:
    for start in range(0, 31, 8):
        index.write(
            [
                article(f"{number:02}", title="news", first_seen=NOON + timedelta(hours=number % 3))
                for number in range(start, min(start + 8, 31))
            ]
        )
    whole = ids(index, Words("news"), sort, limit=100)
    pages = [index.search(Words("news"), sort=sort, limit=7, offset=offset) for offset in range(0, 42, 7)]
    assert [hit.article.id for page in pages for hit in page.hits] == whole
    assert sorted(whole) == [f"{number:02}" for number in range(31)]
    assert {page.total for page in pages} == {31}
    assert [len(page.hits) for page in pages] == [7, 7, 7, 7, 3, 0]


def test_a_page_of_none_still_counts(index: SearchIndex) -> None:
    index.write([article("a"), article("b")])
    assert index.search(EVERYTHING, limit=0) == index.search(EVERYTHING, offset=10**9)
    assert index.search(EVERYTHING, limit=0).total == 2
    assert len(index.search(EVERYTHING, limit=10**9).hits) == 2


# --- counts -----------------------------------------------------------------------------------------------------------


def test_values_are_counted_by_frequency_then_value(index: SearchIndex) -> None:
    outlets = ["Zeit", "Post", "Mail", "Post", "Zeit", "Az", "Post", "", "Öst"]
    for number, outlet in enumerate(outlets):  # one write each: the counts of many commits must add up
        index.write([article(f"{number}", outlet=outlet, title="even" if number % 2 == 0 else "odd")])
    assert index.count_by(EVERYTHING, "outlet") == [("Post", 3), ("Zeit", 2), ("Az", 1), ("Mail", 1), ("Öst", 1)]
    assert index.count_by(EVERYTHING, "outlet", limit=3) == [("Post", 3), ("Zeit", 2), ("Az", 1)]
    assert index.count_by(Words("odd"), "outlet") == [("Post", 2), ("Az", 1)]
    assert index.count_by(Words("nowhere"), "outlet") == []
    assert index.count_by(EVERYTHING, "outlet", limit=0) == []


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("outlet", [("Evening Mail", 1), ("Morning Post", 1)]),
        ("language", [("de", 1), ("en", 1), ("und", 1)]),
        ("feed", [("feed-1", 1)]),
        ("lane", [("live", 2), ("backfill", 1)]),
        ("family", [("FA1", 1), ("fa2", 1)]),
    ],
)
def test_every_countable_field_is_counted_as_written(
    corpus: SearchIndex, field: CountField, expected: list[tuple[str, int]]
) -> None:
    assert corpus.count_by(EVERYTHING, field) == expected


def test_days_are_cut_at_midnight_utc_of_the_sort_time(index: SearchIndex) -> None:
    india = datetime.fromisoformat("2024-03-17T02:00:00+05:30")
    index.write(
        [
            article("last of 14", first_seen=MIDNIGHT - MICROSECOND),
            article("first of 15", first_seen=MIDNIGHT),
            article("last of 15", first_seen=MIDNIGHT + timedelta(days=1) - MICROSECOND),
            article("16 in UTC", first_seen=india),
            article("backfilled", lane="backfill", published=datetime(1969, 12, 31, 23, 59, tzinfo=UTC)),
            article("far", lane="backfill", published=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ]
    )
    assert index.count_by_day(EVERYTHING) == [
        (date(1969, 12, 31), 1),
        (date(2024, 3, 14), 1),
        (date(2024, 3, 15), 2),
        (date(2024, 3, 16), 1),
        (date(9999, 12, 31), 1),
    ]
    assert index.count_by_day(Words("15")) == [(date(2024, 3, 15), 2)]
    assert index.count_by_day(Words("nowhere")) == []


# --- months -----------------------------------------------------------------------------------------------------------


def test_months_are_those_of_first_seen_in_utc(index: SearchIndex) -> None:
    assert index.months() == []
    index.write(
        [
            article("a", first_seen=datetime(2024, 4, 1, tzinfo=UTC) - MICROSECOND),
            article("b", first_seen=datetime(2024, 4, 1, tzinfo=UTC)),
            article("c", first_seen=datetime.fromisoformat("2024-06-01T01:00:00+02:00")),
            article("d", lane="backfill", first_seen=NOON, published=datetime(2001, 1, 1, tzinfo=UTC)),
        ]
    )
    assert index.months() == ["2024-03", "2024-04", "2024-05"]


def test_dropping_a_month_removes_what_was_first_seen_in_it(index: SearchIndex) -> None:
    index.write([article("a"), article("b"), article("c", first_seen=datetime(2024, 4, 2, tzinfo=UTC), published=NOON)])
    assert index.drop_month("2024-03") == 2
    assert ids(index) == ["c"]
    assert index.months() == ["2024-04"]
    assert index.drop_month("2024-03") == 0
    assert index.drop_month("no month") == 0
    assert statuses(index, article("a")) == ["written"]


# --- size -------------------------------------------------------------------------------------------------------------


def test_get_knows_ids_exactly_as_they_are(index: SearchIndex) -> None:
    index.write([article("Ab"), article("aB")])
    assert index.search(EVERYTHING).total == 2
    found = index.get("aB")
    assert found is not None
    assert found.id == "aB"
    assert [index.get(name) for name in ("ab", "", "\ud800", "A")] == [None] * 4


def test_an_article_of_five_megabytes_is_kept_and_found(index: SearchIndex) -> None:
    body = "\n\n".join(f"Paragraph {number} of a long text, with some words more." for number in range(100_000))
    big = article("big", body=body)
    assert len(body) > 5_000_000
    assert statuses(index, big, article("small")) == ["written", "written"]
    assert index.get("big") == big
    assert ids(index, Words("paragraph 99999 of a long text")) == ["big"]


def test_unknown_keys_are_kept_but_never_searched(index: SearchIndex) -> None:
    extra = {f"key_{number}": {"deep": [number, "hidden"]} for number in range(2_000)}
    index.write([article("a", extra=extra), article("b", extra={"title": "hidden"})])
    found = index.get("a")
    assert found is not None
    assert found.extra == extra
    assert ids(index, Words("hidden")) == []
    assert ids(index) == ["a", "b"]


def test_a_large_batch_is_written_whole(index: SearchIndex) -> None:
    outcomes = index.write([article(f"{number:05}", body="some text here") for number in range(3_000)])
    assert {outcome.status for outcome in outcomes} == {"written"}
    assert index.search(Words("some text")).total == 3_000
    assert ids(index, limit=2, offset=2_998) == ["02998", "02999"]
