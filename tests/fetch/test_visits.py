"""Pages of young articles are visited again, ever less often; what has changed is published, what is gone is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fakes import HOLDER, Newsstand
from hypothesis import given
from hypothesis import strategies as st
from stub_server import Answer

from pipeline.article import Article, encode_article
from pipeline.errors import PublishError
from pipeline.fetch.run import FetchReport
from pipeline.fetch.visits import LEAST_WAIT, next_visit
from pipeline.ports import PageRequest, PollResult

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = (1, 4, 12)
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(text: str = "The whole text") -> Answer:
    return Answer(body=f"<html><p>{text}</p></html>", headers=HTML)


# --- when


def due(**changes: object) -> datetime | None:
    article = Article(**{"id": "a", "first_seen": NOW, "published": NOW} | changes)
    return next_visit(article, NOW, HOURS)


def test_the_next_visit_is_at_the_next_age_of_the_schedule() -> None:
    assert due() == NOW + HOUR
    assert due(first_seen=NOW - 2 * HOUR) == NOW + 2 * HOUR
    assert due(first_seen=NOW - 12 * HOUR) is None


def test_an_article_is_as_old_as_its_outlet_says_or_as_we_know() -> None:
    assert due(published=NOW - 2 * HOUR) == NOW + 2 * HOUR
    assert due(published=NOW + 9 * HOUR) == NOW + HOUR
    assert due(published=None) == NOW + HOUR
    assert due(published=NOW - 100 * HOUR) is None
    assert due(first_seen=None) is None


def test_two_visits_are_never_close_together_and_no_schedule_means_never() -> None:
    assert due(first_seen=NOW - timedelta(minutes=55)) == NOW + 3 * HOUR + timedelta(minutes=5)
    assert next_visit(Article(id="a", first_seen=NOW), NOW, ()) is None


@given(st.lists(st.floats(0.1, 720), max_size=8), st.timedeltas(timedelta(), timedelta(days=40)))
def test_every_visit_lies_ahead_and_they_come_to_an_end(hours: list[float], late: timedelta) -> None:
    article, now, visits = Article(id="a", first_seen=NOW), NOW + late, 0
    while (then := next_visit(article, now, hours)) is not None:
        assert then >= now + LEAST_WAIT
        now, visits = then, visits + 1
    assert visits <= len(hours)


# --- what comes of it


@pytest.fixture
def fetched(stand: Newsstand) -> Newsstand:
    """An article whose page was fetched."""
    queue(stand)
    stand.server.on("/page", page())
    assert visit(stand).stored == 1
    return stand


def queue(stand: Newsstand, title: str = "One") -> None:
    article = Article(id="a" * 32, title=title, url=stand.server.url("/page"), first_seen=stand.clock())
    request = PageRequest(article_id=article.id, url=article.url, host="h", article=encode_article(article))
    stand.state.claim_due_feeds(stand.clock(), 1, HOLDER, 60, [stand.feed.id])
    shown = PollResult(feed_id=stand.feed.id, state=stand.known.state, pages=(request,))
    assert stand.state.save_poll(shown, HOLDER)


def visit(stand: Newsstand, after: timedelta = timedelta(), hours: tuple[float, ...] = HOURS) -> FetchReport:
    stand.clock.forward(after.total_seconds())
    return stand.fetch(page_visits=hours)


def waiting(stand: Newsstand) -> dict[str, int]:
    return {status: number for status, number in stand.state.queued_pages().items() if number}


def test_a_page_that_was_fetched_waits_for_its_next_visit(fetched: Newsstand) -> None:
    assert waiting(fetched) == {"again": 1}
    assert visit(fetched, HOUR - timedelta(seconds=1)).claimed == 0


def test_a_page_that_has_not_changed_is_not_published_again(fetched: Newsstand) -> None:
    assert visit(fetched, HOUR) == FetchReport(claimed=1, unchanged=1)
    assert len(fetched.published()) == 1
    assert waiting(fetched) == {"again": 1}


def test_a_page_that_has_changed_is_published_again_under_the_same_article(fetched: Newsstand) -> None:
    fetched.server.on("/page", page("Corrected"))
    assert visit(fetched, HOUR) == FetchReport(claimed=1, stored=1)
    first, second = fetched.published()
    assert (first.id, first.first_seen) == (second.id, second.first_seen)
    assert fetched.pages.get(second.page) == page("Corrected").body.encode()
    assert visit(fetched, 3 * HOUR).unchanged == 1


def test_after_the_last_age_it_is_visited_no_more(fetched: Newsstand) -> None:
    reports = [visit(fetched, HOUR).unchanged for _ in range(15)]
    assert [hour for hour, number in enumerate(reports, start=1) if number] == [1, 4, 12]
    assert waiting(fetched) == {}


def test_without_ages_a_page_is_fetched_once(stand: Newsstand) -> None:
    queue(stand)
    stand.server.on("/page", page())
    visit(stand, hours=())
    assert waiting(stand) == {}


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_is_said_to_be_and_keeps_what_it_brought(fetched: Newsstand, status: int) -> None:
    fetched.server.on("/page", Answer(status=status))
    assert visit(fetched, HOUR) == FetchReport(claimed=1, gone=1)
    first, second = fetched.published()
    assert second.flags == ("page_gone",)
    assert (second.page, second.title) == (first.page, first.title)
    assert fetched.pages.get(second.page) == page().body.encode()
    assert waiting(fetched) == {}


def test_a_page_that_is_gone_while_the_broker_is_down_is_asked_for_again(fetched: Newsstand) -> None:
    fetched.server.on("/page", Answer(status=404))
    fetched.broker.failures["articles.raw"] = [PublishError("out of reach")]
    assert visit(fetched, HOUR).put_off == 1
    assert visit(fetched, timedelta(seconds=61)).gone == 1


def test_a_visit_that_fails_is_tried_again_then_left_to_the_next_and_is_never_a_page_that_failed(
    fetched: Newsstand,
) -> None:
    fetched.server.on("/page", Answer(status=503))
    for _ in range(5):
        assert visit(fetched, 2 * HOUR).put_off == 1
    assert waiting(fetched) == {"again": 1}
    fetched.server.on("/page", page("Corrected"))
    assert visit(fetched, 2 * HOUR).stored == 1
    assert waiting(fetched) == {}


def test_the_last_visit_that_fails_leaves_nothing_behind(fetched: Newsstand) -> None:
    visit(fetched, 11 * HOUR)
    fetched.server.on("/page", Answer(body=b"%PDF-1.7", headers={"Content-Type": "application/pdf"}))
    assert visit(fetched, 3 * HOUR).failed == 1
    assert waiting(fetched) == {}
    assert fetched.state.page_troubles() == []


def test_an_edit_of_the_feed_is_the_form_that_is_fetched_next(fetched: Newsstand) -> None:
    fetched.clock.forward(600)
    queue(fetched, title="Two")
    assert waiting(fetched) == {"waiting": 1}
    assert visit(fetched).stored == 1
    assert [article.title for article in fetched.published()] == ["One", "Two"]
    assert visit(fetched, HOUR).unchanged == 1
    assert len(fetched.published()) == 2


def test_a_first_visit_that_fails_for_good_is_a_page_that_failed(stand: Newsstand) -> None:
    queue(stand)
    stand.server.on("/page", Answer(status=404))
    assert visit(stand).failed == 1
    assert waiting(stand) == {"failed": 1}
