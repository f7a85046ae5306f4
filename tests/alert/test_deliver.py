"""The outbox is emptied at least once a message, with back-off and an end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from worker_parts import SettableClock

from pipeline.adapters.sql_state import SqlState
from pipeline.alert.deliver import MAX_ATTEMPTS, DeliveryReport, deliver_alerts, seconds_until_next
from pipeline.errors import CannotSend, ChannelGone, TryLater
from pipeline.rule import Alert, Delivery


class ScriptedChannel:
    """Takes a delivery, or raises what the script says next."""

    def __init__(self, *script: Exception | None) -> None:
        self.script = list(script)
        self.taken: list[Delivery] = []

    async def send(self, delivery: Delivery) -> None:
        outcome = self.script.pop(0) if self.script else None
        if outcome is not None:
            raise outcome
        self.taken.append(delivery)


class HangingChannel:
    """Takes for ever."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def send(self, delivery: Delivery) -> None:
        self.begun.set()
        await asyncio.Event().wait()


class Post:
    def __init__(self, folder: Path) -> None:
        self.clock = SettableClock()
        self.state = SqlState.open(f"sqlite:///{folder / 'state.db'}", migrate=True)

    def add(self, ident: str = "a", channel: str = "webhook") -> None:
        now = self.clock()
        alert = Alert(
            id=ident * 32, rule="r", rule_name="R", family="f", article_id="x", title="t", url="", outlet="",
            published=None, first_seen=now, raised_at=now,
        )  # fmt: skip
        self.state.save_alerts([(alert, [channel])], now)

    def round(self, **channels: ScriptedChannel) -> DeliveryReport:
        return asyncio.run(
            deliver_alerts(outbox=self.state, channels=channels, clock=self.clock, holder="h", reach=lambda _: None)
        )


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    post = Post(tmp_path)
    yield post
    post.state.close()


def test_a_taken_alert_is_sent_once(post: Post) -> None:
    post.add()
    channel = ScriptedChannel()
    assert post.round(webhook=channel).sent == 1
    assert post.round(webhook=channel).handled == 0
    assert len(channel.taken) == 1


def test_try_later_is_tried_again_when_the_receiver_said(post: Post) -> None:
    post.add()
    channel = ScriptedChannel(TryLater("busy", retry_seconds=120))
    assert post.round(webhook=channel).put_off == 1
    post.clock.forward(119)
    assert post.round(webhook=channel).handled == 0
    post.clock.forward(2)
    assert post.round(webhook=channel).sent == 1


def test_waits_double_and_end_after_the_last_attempt(post: Post) -> None:
    post.add()
    channel = ScriptedChannel(*[TryLater("down")] * 20)
    rounds = 0
    while not post.round(webhook=channel).given_up:
        post.clock.forward(3601)
        rounds += 1
    assert rounds == MAX_ATTEMPTS - 1
    assert post.state.queued_deliveries() == {"waiting": 0, "sent": 0, "failed": 1}


def test_a_channel_that_is_gone_is_not_asked_again(post: Post) -> None:
    post.add()
    channel = ScriptedChannel(ChannelGone("410"))
    assert post.round(webhook=channel).given_up == 1
    post.clock.forward(86_400)
    assert post.round(webhook=channel).handled == 0


def test_what_our_own_settings_keep_back_waits_without_end_and_is_sent_once_they_are_mended(post: Post) -> None:
    post.add("a", channel="telegraph")
    post.add("b")
    refused = ScriptedChannel(*[CannotSend("webhook: 10.0.0.1 is a private address")] * 1_000)
    rounds = [post.round(webhook=refused)]
    for _ in range(3 * MAX_ATTEMPTS):
        post.clock.forward(601)
        rounds.append(post.round(webhook=refused))
    assert {(each.put_off, each.given_up) for each in rounds} == {(2, 0)}
    assert [each.cause for each in post.state.deliveries(["a" * 32, "b" * 32])] == [
        "no channel “telegraph” is set up; there are: webhook", "webhook: 10.0.0.1 is a private address",
    ]  # fmt: skip
    post.clock.forward(601)
    assert post.round(webhook=ScriptedChannel(), telegraph=ScriptedChannel()).sent == 2


@pytest.mark.parametrize(("waited", "wait"), [(0, 10), (60, 60), (6_000, 600), (-60, 10)])
def test_what_is_kept_back_is_tried_again_after_as_long_as_it_has_waited(post: Post, waited: int, wait: int) -> None:
    post.add()
    (delivery,) = post.state.claim_deliveries(post.clock(), 1, "h", 60)
    now = post.clock() + timedelta(seconds=waited)
    assert seconds_until_next(delivery, CannotSend("no"), now) == wait


def test_one_hanging_or_failing_alert_does_not_hold_the_others(post: Post) -> None:
    post.add("a")
    post.add("b")
    channel = ScriptedChannel(TryLater("busy"))
    report = post.round(webhook=channel)
    assert (report.sent, report.put_off) == (1, 1)


def test_what_was_sent_is_not_sent_again_because_another_broke_its_sender(post: Post) -> None:
    post.add("a")
    post.add("b")
    post.add("c")
    channel = ScriptedChannel(None, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        post.round(webhook=channel)
    post.clock.forward(61)
    assert post.round(webhook=channel).sent == 1
    assert sorted(d.alert.id[0] for d in channel.taken) == ["a", "b", "c"]


def test_what_was_sent_is_not_sent_again_after_a_stop(post: Post) -> None:
    post.add("a")
    post.add("b")
    hanging, quick = HangingChannel(), ScriptedChannel()
    post.add("c", channel="log")

    async def stopped() -> None:
        task = asyncio.create_task(
            deliver_alerts(outbox=post.state, channels={"webhook": hanging, "log": quick}, clock=post.clock, holder="h")
        )
        await hanging.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    post.clock.forward(61)
    assert post.round(webhook=ScriptedChannel(), log=quick).sent == 2
    assert len(quick.taken) == 1


def test_a_delivery_that_kills_its_sender_each_time_comes_to_an_end(post: Post) -> None:
    post.add()
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            post.round(webhook=ScriptedChannel(ZeroDivisionError()))
        post.clock.forward(61)
    channel = ScriptedChannel()
    assert post.round(webhook=channel).given_up == 1
    assert channel.taken == []
    assert post.state.queued_deliveries() == {"waiting": 0, "sent": 0, "failed": 1}
