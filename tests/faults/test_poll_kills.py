"""A poll that is killed between publishing and saving, in the middle of a month's work and at the month's very end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults.kill.parts import Parts, parts_named
from faults.kill.processes import Zygote
from faults.kill.run import ALL_STEPS
from faults.kill.scene import Scene, scene
from faults.oracle import judge

from pipeline import topics, wiring
from pipeline.ports import Message, TopicPartition

LAST_SECOND = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
NEXT_MONTH = datetime(2026, 2, 1, 0, 1, tzinfo=UTC)
A_MONTH_LATER = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def there(tmp_path: Path, zygote: Zygote, parts: Parts) -> Iterator[Scene]:
    with scene(tmp_path, zygote, parts=parts) as there:
        yield there


def kill_after_publishing(there: Scene) -> None:
    poll = there.lives.start("poll", fail_point="poll:published:1")
    assert poll.wait(), "the poll was to die after it had published"


def test_a_killed_poll_is_made_again_under_the_same_ids(there: Scene) -> None:
    for _ in range(3):
        there.world.add("a", rule="flotilla")
    kill_after_publishing(there)
    published = there.raw_ids()
    assert len(published) == 3
    there.lives.run(*ALL_STEPS)
    assert there.raw_ids() == sorted(published * 2)
    polls = [request for request in there.world.server.requests if request.path == "/a.rss"]
    assert len(polls) == 2
    assert "if-none-match" not in polls[1].headers, "nothing of the killed poll may have been saved"
    assert sorted(article.id for article in there.indexed()) == published
    ledger = judge(there.world)
    assert (ledger.articles, ledger.revisions, ledger.indexed_revisions, ledger.alerts) == (3, 3, 3, 3)
    assert ledger.problems == []


@pytest.fixture(scope="module", params=["embedded", "cluster"])
def edited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Iterator[Scene]:
    """Published at 23:59:59, saved in the next month, edited a month later. Shared: what follows changes nothing."""
    with parts_named(request) as parts, scene(tmp_path_factory.mktemp("month"), zygote, parts=parts) as there:
        there.world.clock.set(LAST_SECOND)
        story = there.world.add("a")
        kill_after_publishing(there)
        there.world.clock.set(NEXT_MONTH)
        there.lives.run(*ALL_STEPS)
        assert len(there.raw_ids()) == 2
        there.world.clock.set(A_MONTH_LATER)
        there.world.edit(story)
        there.lives.run(*ALL_STEPS)
        yield there


def assert_newest_in_its_first_month(there: Scene) -> None:
    (article,) = there.indexed()
    newest = there.world.served[-1]
    assert (article.title, article.body, article.revision) == (newest.title, newest.text, 2)
    assert article.first_seen == LAST_SECOND
    assert there.months() == ["2026-01"]


def test_the_edit_of_a_months_last_article_goes_where_it_was_first_recorded(edited: Scene) -> None:
    assert_newest_in_its_first_month(edited)


@pytest.mark.parametrize("topic", [topics.enriched("live"), topics.ready("live")])
def test_an_old_revision_that_is_delivered_late_changes_nothing(edited: Scene, topic: str) -> None:
    old = edited.records(topic)[0]
    with wiring.open_ports(edited.world.settings, clock=edited.world.clock) as ports:
        again = Message(topic=topic, key=str(old.key), value=old.value, headers=old.headers)
        assert list(ports.broker.publish([again])) == [None]
    edited.lives.run(*ALL_STEPS)
    assert_newest_in_its_first_month(edited)


@pytest.mark.parametrize("group", ["enrich", "settle", "index"])
def test_a_step_that_reads_its_log_again_from_the_start_changes_nothing(edited: Scene, group: str) -> None:
    topic = {"enrich": topics.raw, "settle": topics.enriched, "index": topics.ready}[group]("live")
    with wiring.open_ports(edited.world.settings, clock=edited.world.clock) as ports:
        places = [TopicPartition(topic, number) for number in range(ports.broker.topics()[topic])]
        ports.broker.assigned_consumer(group, places).commit(dict.fromkeys(places, 0))
    edited.lives.run(*ALL_STEPS)
    assert_newest_in_its_first_month(edited)
