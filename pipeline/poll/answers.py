"""What one answer of one feed comes to: the articles to publish and the result to save. Decides; does nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from pipeline.article import Article, encode_article
from pipeline.feed import FeedState, KnownFeed, Oddity, SeenEntry
from pipeline.identity import link_host
from pipeline.outcomes import Counts, DropReason, Status, Trouble
from pipeline.poll import decide
from pipeline.poll.articles import Source, article_of
from pipeline.poll.churn import Churn, churn_of
from pipeline.poll.decide import Budget, Failure, Sorted
from pipeline.poll.ledger import tally_of
from pipeline.poll.parse import ParsedFeed
from pipeline.ports import PageRequest, PollResult, PollTally, Response

__all__ = ["Answered", "Brought", "brought_by", "unpublished"]


class Answered(Struct, frozen=True, kw_only=True):
    """A feed that was asked, and what came of it: an answer, and what that says if it is a body to read; or neither."""

    known: KnownFeed
    at: datetime
    response: Response | None = None
    parsed: ParsedFeed | None = None
    items: Mapping[int, str] = {}
    """Raw hash of each item that the feed has shown, with its key: what ``parsed`` passed over is among them."""
    failure: Failure | None = None
    reached_nobody: bool = False


class Brought(Struct, frozen=True, kw_only=True):
    """What a poll brought, to be published first and saved then."""

    known: KnownFeed
    result: PollResult
    articles: tuple[Article, ...] = ()
    counts: dict[tuple[str, str], int] = {}
    unchanged: bool = False
    unpublished: bool = False


LookUp = Callable[[Collection[str]], Mapping[str, SeenEntry]]


def brought_by(answered: Answered, look_up: LookUp, *, host_delay_seconds: float, budget: Budget) -> Brought:
    """Return what an answer comes to; ``look_up`` returns what is known of entries, by their keys."""
    feed, now = answered.known.feed, answered.at
    pause = decide.host_pause_seconds(answered.response, host_delay_seconds, now)
    open_at = now + timedelta(seconds=pause) if pause else None
    state, new_url = answered.known.state, ""
    if answered.response is not None and answered.failure is None:
        state, new_url = decide.after_redirect(feed, state, answered.response, now)
    brought = _brought(replace(answered, known=KnownFeed(feed=feed, state=state)), look_up, budget)
    new_host = link_host(new_url) if new_url else ""
    return replace(
        brought, result=replace(brought.result, host_open_at=open_at, new_url=new_url, new_host=new_host)
    )  # fmt: skip


def _brought(answered: Answered, look_up: LookUp, budget: Budget) -> Brought:
    feed, state, response, now = answered.known.feed, answered.known.state, answered.response, answered.at
    if answered.failure is not None:
        after = (
            decide.after_no_answer(feed, state, answered.failure, now)
            if answered.reached_nobody
            else decide.after_failure(feed, state, answered.failure, now, response=response)
        )
        return _nothing(answered, after, PollTally(failed=True))
    assert response is not None
    if answered.parsed is None:
        after = decide.after_unchanged(feed, state, response, now, budget=budget)
        return _nothing(answered, after, PollTally(unchanged=True), unchanged=True)
    return _read(answered, response, answered.parsed, look_up, budget)


def _nothing(answered: Answered, after: FeedState, tally: PollTally, *, unchanged: bool = False) -> Brought:
    result = PollResult(feed_id=answered.known.feed.id, state=after, tally=tally)
    return Brought(known=answered.known, result=result, unchanged=unchanged)


def _read(answered: Answered, response: Response, parsed: ParsedFeed, look_up: LookUp, budget: Budget) -> Brought:
    feed, state, now = answered.known.feed, answered.known.state, answered.at
    churn = churn_of(parsed.entries, look_up, feed_url=feed.url, unchanged=len(parsed.known))
    between = [(item.place, key) for item in parsed.known if (key := answered.items.get(item.raw_hash))]
    entries = decide.sorted_entries(parsed.entries, churn.known, keys=churn.keys, between=between)
    source = Source(
        feed_url=feed.url, feed=feed.id, outlet=feed.outlet, language=feed.language, first_poll=state.last_ok is None
    )  # fmt: skip
    articles = tuple(
        article_of(one.entry, parsed, source, now, known_as=ident)
        for one, ident in zip(entries, churn.ids, strict=True)
        if one.is_news
    )
    counts = _counted(entries, known=len(parsed.known))
    tally = tally_of(counts, parsed, state, now)
    after = decide.after_parse(
        feed, state, response, parsed, now, tally=tally, budget=budget, oddities=_oddities(churn)
    )
    result = PollResult(
        feed_id=feed.id,
        state=after,
        entries=(*_shown(entries, churn.ids, {key for _, key in between}), churn.note),
        shown_again=tuple(item.raw_hash for item in parsed.known),
        pages=_pages(articles) if feed.full_page else (),
        tally=tally,
    )
    # Of a plain sitemap there is nothing to read yet: such an article comes with its page.
    readable = tuple(one for one in articles if one.title or one.summary or one.html or not feed.full_page)
    return Brought(known=answered.known, result=result, articles=readable, counts=counts)


def unpublished(brought: Brought, cause: str) -> Brought:
    """Return what a poll comes to whose articles the broker did not take: nothing of it is remembered."""
    after = decide.after_unpublished(brought.known.state, f"broker: {cause}", brought.result.polled_at)
    result = PollResult(
        feed_id=brought.known.feed.id, state=after, tally=PollTally(failed=True),
        host_open_at=brought.result.host_open_at,
    )  # fmt: skip
    return Brought(known=brought.known, result=result, unpublished=True)


def refused(cause: str) -> Failure:
    """Return the failure of a request that our own rules forbid."""
    return Failure(cause, Trouble.REFUSED)


def _shown(entries: Sequence[Sorted], ids: Sequence[str], passed_over: Collection[str]) -> tuple[SeenEntry, ...]:
    """Return what was read of the feed, each key once, the first of its kind.

    A repeat of what was passed over is left out, or the two would take each other's place at every poll.
    """
    shown: dict[str, SeenEntry] = {}
    for one, ident in zip(entries, ids, strict=True):
        if one.key and (one.is_news or one.key not in passed_over):
            found = SeenEntry(
                key=one.key, article_id=ident, content_hash=one.content_hash, raw_hash=one.entry.raw_hash
            )  # fmt: skip
            shown.setdefault(one.key, found)
    return tuple(shown.values())


def _oddities(churn: Churn) -> list[Oddity]:
    found: dict[Oddity, int] = {
        "guids_change": churn.guids_change,
        "links_change": churn.links_change,
        "guids_reused": churn.guids_reused,
        "no_link_no_guid": churn.without_link_and_guid,
    }
    return [oddity for oddity, number in found.items() if number]


def _pages(articles: Sequence[Article]) -> tuple[PageRequest, ...]:
    return tuple(
        PageRequest(article_id=one.id, url=one.url, host=link_host(one.url), article=encode_article(one))
        for one in articles
        if one.url
    )


def _counted(entries: Sequence[Sorted], *, known: int) -> dict[tuple[str, str], int]:
    counts = Counts()
    if known:
        counts.add(Status.DUPLICATE, number=known)
    for one in entries:
        counts.add(one.status, DropReason.NO_IDENTITY if one.status is Status.DROPPED else "")
    return counts.take()
