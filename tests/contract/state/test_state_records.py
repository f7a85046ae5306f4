"""Records and revisions, the settling transaction, tombstones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from pipeline.adapters.sql_state import SqlState
from pipeline.article import Article
from pipeline.errors import LeaseLost
from pipeline.feed import Feed, FeedState
from pipeline.ports import ArticleRecord, Lease, PageRequest, PollResult, Revision, Settling, State, TopicPartition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=31)
PLACE = TopicPartition("cluster/articles.raw", 3)
OTHER = TopicPartition("cluster/articles.raw", 4)


def an_article(article_id: str, version: int = 1, text: str = "Text.", page: str = "") -> Article:
    return Article(id=article_id, version=version, revision=version, body=text, page=page, first_seen=NOW)


def a_record(article: Article) -> ArticleRecord:
    return ArticleRecord(article=article, went_live=True)


def a_revision(article: Article, offset: int = 0, place: TopicPartition = PLACE) -> Revision:
    return Revision(article=article, place=place, offset=offset, at=NOW)


def save(
    tx: Settling,
    articles: Sequence[Article] = (),
    *,
    records: Sequence[ArticleRecord] = (),
    revisions: Sequence[Revision] = (),
    families: dict[str, str] | None = None,
    aliases: dict[str, str] | None = None,
    input_offsets: dict[TopicPartition, int] | None = None,
) -> None:
    """Save articles as their own records and revisions, and what else is given."""
    tx.save(
        records=[*map(a_record, articles), *records],
        revisions=[*(a_revision(article, offset) for offset, article in enumerate(articles)), *revisions],
        families=families or {},
        aliases=aliases or {},
        cluster_id="cluster",
        input_offsets=input_offsets or {},
    )


@pytest.fixture
def lease(state: State) -> Lease:
    """The settle lease, in the hands of this test."""
    taken = state.acquire_lease("settle", "ann", 30, NOW)
    assert taken is not None
    return taken


@pytest.fixture
def settle(state: State, lease: Lease) -> Callable[..., None]:
    """Save something in a settling transaction of its own."""

    def run(*args: object, **kwargs: object) -> None:
        state.settle(lease, NOW, lambda tx: save(tx, *args, **kwargs))  # type: ignore[arg-type]

    return run


def seen(state: State, lease: Lease, look: Callable[[Settling], object]) -> object:
    """Return what ``look`` finds in a settling transaction of its own."""
    found: list[object] = []
    state.settle(lease, NOW, lambda tx: found.append(look(tx)))
    return found[0]


def test_a_record_comes_back_as_it_was_saved(state: State, lease: Lease, settle: Callable[..., None]) -> None:
    record = ArticleRecord(
        article=an_article("a1"), went_live=False, seen_in=("f2", "x\x00y"), sources={"cluster/articles.raw/3": 7}
    )
    settle(records=[record], revisions=[a_revision(record.article)])

    assert state.record("a1") == record
    assert seen(state, lease, lambda tx: tx.records(["a1", "unknown"])) == {"a1": record}


def test_an_unknown_id_has_no_record(state: State) -> None:
    assert state.record("a1") is None
    assert state.revisions("a1") == []


def test_a_record_holds_the_newest_form_and_revisions_hold_all(state: State, settle: Callable[..., None]) -> None:
    first, second = an_article("a1"), an_article("a1", 2, "More text.")
    settle([first])
    settle(records=[a_record(second)], revisions=[a_revision(second, 8, OTHER)])

    assert state.record("a1") == a_record(second)
    assert state.revisions("a1") == [a_revision(first, 0), a_revision(second, 8, OTHER)]


def test_revisions_are_in_the_order_of_their_versions(state: State, settle: Callable[..., None]) -> None:
    for version in (10, 9, 2):
        settle(revisions=[a_revision(an_article("a1", version))])

    assert [revision.article.version for revision in state.revisions("a1")] == [2, 9, 10]


def test_a_sighting_changes_the_record_and_keeps_its_article(state: State, settle: Callable[..., None]) -> None:
    article = an_article("a1")
    settle([article])
    sighted = ArticleRecord(article=article, went_live=True, seen_in=("f2",), sources={"c/t/0": 9})

    settle(records=[sighted])

    assert state.record("a1") == sighted
    assert state.revisions("a1") == [a_revision(article)]


def test_a_record_keeps_an_article_that_no_revision_has(state: State, settle: Callable[..., None]) -> None:
    article = an_article("a1")
    settle([article])
    other = replace(article, story="s1")

    settle(records=[a_record(other)])
    assert state.record("a1") == a_record(other)
    settle(records=[replace(a_record(other), seen_in=("f2",))])

    assert state.record("a1") == replace(a_record(other), seen_in=("f2",))
    assert state.revisions("a1") == [a_revision(article)]


def test_a_record_without_any_revision_is_kept(state: State, settle: Callable[..., None]) -> None:
    settle(records=[a_record(an_article("a1"))])

    assert state.record("a1") == a_record(an_article("a1"))


def test_several_forms_of_one_id_in_one_save_leave_the_last(state: State, settle: Callable[..., None]) -> None:
    settle([an_article("a1"), an_article("a1", 2), an_article("a1", 3)])

    assert state.record("a1") == a_record(an_article("a1", 3))
    assert len(state.revisions("a1")) == 3


def test_a_batch_is_larger_than_one_look_up_takes(state: State, lease: Lease, settle: Callable[..., None]) -> None:
    articles = [an_article(f"a{i}", text=f"Text {i}.") for i in range(1201)]
    settle(articles)

    assert seen(state, lease, lambda tx: len(tx.records({article.id for article in articles}))) == 1201
    inputs = [(PLACE, offset) for offset in range(1300)]
    assert seen(state, lease, lambda tx: len(tx.revisions_at(inputs))) == 1201


def test_revisions_are_found_by_the_input_that_made_them(
    state: State, lease: Lease, settle: Callable[..., None]
) -> None:
    first, second = a_revision(an_article("a1"), 5), a_revision(an_article("a2"), 5, OTHER)
    settle(revisions=[first, second])

    found = seen(state, lease, lambda tx: tx.revisions_at([(PLACE, 5), (PLACE, 6), (OTHER, 5), (OTHER, 4)]))

    assert found == {(PLACE, 5): first, (OTHER, 5): second}
    assert seen(state, lease, lambda tx: tx.revisions_at([])) == {}


def test_families_and_aliases_are_found_by_what_is_known(
    state: State, lease: Lease, settle: Callable[..., None]
) -> None:
    settle(families={"h1": "a1", "h2": "a2"}, aliases={"b1": "a1"})
    settle(families={"h2": "a3"})

    assert seen(state, lease, lambda tx: tx.families(["h1", "h2", "h3"])) == {"h1": "a1", "h2": "a3"}
    assert seen(state, lease, lambda tx: tx.aliases(["a1", "b1"])) == {"b1": "a1"}
    assert [state.first_name(name) for name in ("a1", "b1", "unknown")] == ["a1", "a1", "unknown"]


def test_input_offsets_are_those_of_the_log_asked_for(state: State, lease: Lease, settle: Callable[..., None]) -> None:
    settle(input_offsets={PLACE: 5, OTHER: 2**40})
    settle(input_offsets={PLACE: 7})

    assert seen(state, lease, lambda tx: tx.input_offsets("cluster")) == {PLACE: 7, OTHER: 2**40}
    assert seen(state, lease, lambda tx: tx.input_offsets("another")) == {}


def test_a_transaction_sees_what_it_saved(state: State, lease: Lease) -> None:
    def decide(tx: Settling) -> None:
        save(tx, [an_article("a1")], input_offsets={PLACE: 1})
        assert tx.records(["a1"]) == {"a1": a_record(an_article("a1"))}
        assert tx.input_offsets("cluster") == {PLACE: 1}

    state.settle(lease, NOW, decide)


def test_any_text_of_an_article_comes_back(state: State, settle: Callable[..., None]) -> None:
    article = an_article("a1", text="\x00 \u202e 🗞 " + "long " * 200_000)
    settle([article])

    assert state.record("a1") == a_record(article)


# --- all or nothing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [RuntimeError("bug"), KeyboardInterrupt()])
def test_nothing_is_saved_when_deciding_fails(state: State, lease: Lease, cause: BaseException) -> None:
    def decide(tx: Settling) -> None:
        save(tx, [an_article("a1")], families={"h1": "a1"}, aliases={"b1": "a1"}, input_offsets={PLACE: 1})
        raise cause

    with pytest.raises(type(cause)):
        state.settle(lease, NOW, decide)

    assert state.record("a1") is None
    assert state.revisions("a1") == []
    assert seen(state, lease, lambda tx: tx.families(["h1"])) == {}
    assert seen(state, lease, lambda tx: tx.aliases(["b1"])) == {}
    assert seen(state, lease, lambda tx: tx.input_offsets("cluster")) == {}


def test_a_writer_whose_lease_went_to_another_writes_nothing(state: State, lease: Lease) -> None:
    state.acquire_lease("settle", "bob", 30, LATER)
    called: list[Settling] = []

    with pytest.raises(LeaseLost, match="bob"):
        state.settle(lease, LATER, called.append)

    assert called == []


def test_a_writer_whose_lease_went_away_and_came_back_is_not_the_former_one(state: State, lease: Lease) -> None:
    state.acquire_lease("settle", "bob", 30, LATER)
    mine = state.acquire_lease("settle", "ann", 30, LATER + timedelta(seconds=31))
    assert mine is not None

    with pytest.raises(LeaseLost):
        state.settle(lease, LATER, lambda tx: save(tx, [an_article("a1")]))
    state.settle(mine, LATER, lambda tx: save(tx, [an_article("a2")]))

    assert state.record("a1") is None
    assert state.record("a2") is not None


def test_a_lease_made_up_by_somebody_else_is_refused(state: State, lease: Lease) -> None:
    for false in (Lease("settle", "bob", lease.epoch, LATER), Lease("other", "ann", lease.epoch, LATER)):
        with pytest.raises(LeaseLost):
            state.settle(false, NOW, lambda tx: save(tx, [an_article("a1")]))


def test_a_writer_whose_time_is_over_goes_on_while_nobody_took_over(state: State, lease: Lease) -> None:
    state.settle(lease, LATER + timedelta(hours=1), lambda tx: save(tx, [an_article("a1")]))

    assert state.record("a1") is not None


def test_nobody_takes_the_lease_in_the_middle_of_a_transaction(state: State, lease: Lease, state_url: str) -> None:
    """The epoch is checked first; what makes that enough is that it cannot move before the commit."""
    other = SqlState.open(state_url, migrate=False)

    def decide(tx: Settling) -> None:
        if state_url.startswith("sqlite"):
            with other._db.reading() as connection:
                connection.exec_driver_sql("PRAGMA busy_timeout = 0").close()
        else:
            with other._db.writing() as connection:
                connection.exec_driver_sql("SET lock_timeout = '50ms'").close()
        with pytest.raises(Exception, match="cannot take this now"):
            other.acquire_lease("settle", "bob", 30, LATER)
        save(tx, [an_article("a1")])

    state.settle(lease, LATER, decide)
    other.close()

    assert state.record("a1") is not None


# --- tombstones -------------------------------------------------------------------------------------------------------


def test_a_buried_article_is_gone_and_its_pages_are_named(state: State, lease: Lease) -> None:
    forms = [an_article("a1", page="p1"), an_article("a1", 2, page="p2"), an_article("a2", page="p3")]
    state.settle(lease, NOW, lambda tx: save(tx, forms, families={"h1": "a1"}))

    assert state.bury(["a1"], "asked for by its author", NOW) == ["p1", "p2"]

    assert state.record("a1") is None
    assert state.revisions("a1") == []
    assert state.record("a2") is not None
    assert seen(state, lease, lambda tx: tx.revisions_at([(PLACE, 0), (PLACE, 1)])) == {}
    assert seen(state, lease, lambda tx: tx.families(["h1"])) == {"h1": "a1"}


def test_buried_ids_are_known_inside_and_outside_of_settling(state: State, lease: Lease) -> None:
    state.bury(["a1"], "asked for", NOW)

    assert set(state.tombstoned(["a1", "a2"])) == {"a1"}
    assert seen(state, lease, lambda tx: set(tx.tombstoned(["a1", "a2"]))) == {"a1"}


def test_an_id_without_a_record_can_be_buried_and_twice(state: State) -> None:
    assert state.bury(["a1"], "asked for", NOW) == []
    assert state.bury(["a1", "a1"], "again", LATER) == []
    assert set(state.tombstoned(["a1"])) == {"a1"}
    assert state.bury([], "nothing", NOW) == []


def test_a_page_that_a_record_alone_names_is_named(state: State, settle: Callable[..., None]) -> None:
    settle(records=[a_record(an_article("a1", page="p9"))])

    assert state.bury(["a1"], "asked for", NOW) == ["p9"]


def test_many_are_buried_at_once(state: State, settle: Callable[..., None]) -> None:
    articles = [an_article(f"a{i}", page=f"p{i:04}") for i in range(1201)]
    settle(articles)

    assert len(state.bury([article.id for article in articles], "a whole feed\x00" * 10_000, NOW)) == 1201
    assert len(state.tombstoned([article.id for article in articles])) == 1201


def test_a_buried_article_is_not_fetched(state: State) -> None:
    page = PageRequest(article_id="a1", url="https://example.org/1", host="example.org", article=b"1")
    state.save_feeds([Feed(id="f1", url="https://example.org/feed")])
    state.claim_due_feeds(NOW, 1, "ann", 60)
    state.save_poll(PollResult(feed_id="f1", state=FeedState(last_polled=NOW), pages=(page,)), "ann")
    assert state.claim_pages(NOW, 1, "ann", 60, 1)

    state.bury(["a1"], "asked for", NOW)

    assert state.finish_page("a1", "ann", cause="503", retry_at=LATER) is False
    assert state.queued_pages() == {"waiting": 0, "failed": 0, "again": 0}
