"""The outbox: each alert once, each of its deliveries until the channel has taken it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from pipeline.ports import State
from pipeline.rule import Alert, Delivery

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def an_alert(alert_id: str, rule: str = "r1", raised_at: datetime = NOW) -> Alert:
    return Alert(
        id=alert_id,
        rule=rule,
        rule_name="Rule 1",
        family="a1",
        article_id="a1",
        title="Title",
        url="https://example.org/1",
        outlet="Example",
        published=None,
        first_seen=NOW,
        raised_at=raised_at,
    )


def claim(state: State, now: datetime = NOW, holder: str = "ann", limit: int = 10) -> list[Delivery]:
    return list(state.claim_deliveries(now, limit, holder, 60))


def test_an_alert_is_saved_once(state: State) -> None:
    assert len(state.save_alerts([(an_alert("x1"), ["log"]), (an_alert("x2"), ["log"])], NOW)) == 2

    assert len(state.save_alerts([(an_alert("x2"), ["log"]), (an_alert("x3"), ["log"])], NOW)) == 1
    assert len(state.save_alerts([], NOW)) == 0

    assert len(state.alerts()) == 3
    assert len(claim(state)) == 3


def test_an_alert_twice_in_one_call_is_saved_once(state: State) -> None:
    second = replace(an_alert("x1"), title="Second")

    assert len(state.save_alerts([(an_alert("x1"), ["log"]), (second, ["webhook"])], NOW)) == 1
    assert state.alerts() == [an_alert("x1")]
    assert [delivery.channel for delivery in claim(state)] == ["log"]


def test_a_channel_named_twice_gets_one_delivery(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log", "log", "webhook"])], NOW)

    assert sorted(delivery.channel for delivery in claim(state)) == ["log", "webhook"]


def test_an_alert_raised_again_is_not_delivered_to_a_channel_added_since(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)

    state.save_alerts([(an_alert("x1"), ["log", "webhook"])], NOW)

    assert [delivery.channel for delivery in claim(state)] == ["log"]


def test_an_alert_without_channels_is_history_alone(state: State) -> None:
    assert len(state.save_alerts([(an_alert("x1"), [])], NOW)) == 1
    assert state.alerts() == [an_alert("x1")]
    assert claim(state) == []


def test_many_alerts_are_saved_at_once(state: State) -> None:
    assert len(state.save_alerts([(an_alert(f"x{i}"), ["log"]) for i in range(1201)], NOW)) == 1201
    assert state.queued_deliveries() == {"waiting": 1201, "sent": 0, "failed": 0}


def test_alerts_are_listed_newest_first(state: State) -> None:
    alerts = [an_alert(f"x{i}", rule=f"r{i % 2}", raised_at=NOW + i * SECOND) for i in range(6)]
    state.save_alerts([(alert, []) for alert in alerts], NOW)

    assert state.alerts() == alerts[::-1]
    assert state.alerts(limit=2) == [alerts[5], alerts[4]]
    assert state.alerts(limit=2, rule="r0") == [alerts[4], alerts[2]]
    assert state.alerts(rule="unknown") == []


def test_alerts_stay_when_their_article_is_deleted(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)

    state.bury(["a1"], "asked for", NOW)

    assert state.alerts() == [an_alert("x1")]


def test_a_delivery_carries_its_alert(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)

    (delivery,) = claim(state)

    assert (delivery.alert, delivery.channel, delivery.attempts) == (an_alert("x1"), "log", 0)


def test_a_claimed_delivery_is_not_given_again_before_its_time_is_over(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)
    (first,) = claim(state)

    assert claim(state, NOW + 59 * SECOND, "bob") == []
    (again,) = claim(state, NOW + 60 * SECOND, "bob")
    assert (again.id, again.attempts) == (first.id, 1)
    assert state.finish_delivery(first.id, "ann") is False
    assert state.finish_delivery(first.id, "bob") is True


def test_a_delivery_claimed_before_the_clock_went_back_an_hour_is_free(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW - 2 * HOUR)
    claim(state)

    assert len(claim(state, NOW - HOUR, "bob")) == 1


def test_the_longest_due_are_claimed_first(state: State) -> None:
    state.save_alerts([(an_alert("x2"), ["log"])], NOW + SECOND)
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)

    assert [delivery.alert.id for delivery in claim(state, NOW + HOUR, limit=1)] == ["x1"]


def test_a_delivery_is_not_due_before_its_alert_was_saved(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)

    assert claim(state, NOW - SECOND) == []


def test_a_sent_delivery_is_not_sent_again(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)
    (delivery,) = claim(state)

    assert state.finish_delivery(delivery.id, "ann") is True

    assert claim(state, NOW + HOUR) == []
    assert state.queued_deliveries() == {"waiting": 0, "sent": 1, "failed": 0}
    assert state.finish_delivery(delivery.id, "ann") is False


def test_a_delivery_to_be_tried_again_waits_until_then(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)
    (delivery,) = claim(state)

    assert state.finish_delivery(delivery.id, "ann", cause="503", retry_at=NOW + HOUR) is True

    assert state.queued_deliveries() == {"waiting": 1, "sent": 0, "failed": 0}
    assert claim(state, NOW + HOUR - SECOND) == []
    assert [again.attempts for again in claim(state, NOW + HOUR)] == [1]


def test_a_delivery_given_up_is_kept_as_failed(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)
    (delivery,) = claim(state)

    assert state.finish_delivery(delivery.id, "ann", cause="410 Gone\x00\ud800" + "x" * 2_000_000) is True

    assert state.queued_deliveries() == {"waiting": 0, "sent": 0, "failed": 1}
    assert claim(state, NOW + HOUR) == []


def test_an_unknown_delivery_cannot_be_finished(state: State) -> None:
    assert state.finish_delivery(12345, "ann") is False


def test_hostile_text_of_an_alert_is_stored(state: State) -> None:
    state.save_alerts([(replace(an_alert("x1"), title="a\x00b\udfff\u202e", rule_name="\x00"), ["log"])], NOW)

    (alert,) = state.alerts()
    assert (alert.title, alert.rule_name) == ("ab?\u202e", "")


def test_what_was_no_attempt_does_not_count_as_one(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"])], NOW)
    (delivery,) = claim(state)

    assert state.finish_delivery(delivery.id, "ann", cause="not set up", retry_at=NOW + HOUR, is_attempt=False)

    assert [again.attempts for again in claim(state, NOW + HOUR)] == [0]


def test_how_far_deliveries_have_come_is_told(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log", "webhook"]), (an_alert("x2"), [])], NOW)
    sent, gone = sorted(claim(state), key=lambda delivery: delivery.channel)
    state.finish_delivery(sent.id, "ann")
    state.finish_delivery(gone.id, "ann", cause="410")

    told = state.deliveries(["x1", "x2", "x3"])

    assert [(each.alert_id, str(each), each.attempts) for each in told] == [
        ("x1", "log sent", 1), ("x1", "webhook failed: 410", 1),
    ]  # fmt: skip
    assert state.deliveries([]) == []


def test_what_failed_can_be_made_due_again(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"]), (an_alert("x2"), ["log"]), (an_alert("x3"), ["log"])], NOW)
    first, second, third = claim(state)
    state.finish_delivery(first.id, "ann", cause="410")
    state.finish_delivery(second.id, "ann", cause="410")
    state.finish_delivery(third.id, "ann")

    assert state.send_again(NOW + HOUR, [second.alert.id, third.alert.id]) == 1
    assert [(each.alert.id, each.attempts) for each in claim(state, NOW + HOUR)] == [(second.alert.id, 0)]
    assert state.send_again(NOW + HOUR) == 1
    assert [each.alert.id for each in claim(state, NOW + HOUR, "bob")] == [first.alert.id]


def test_what_waits_can_be_made_due_but_not_while_it_is_being_sent(state: State) -> None:
    state.save_alerts([(an_alert("x1"), ["log"]), (an_alert("x2"), ["log"])], NOW)
    first, second = claim(state)
    state.finish_delivery(first.id, "ann", cause="503", retry_at=NOW + HOUR)

    assert state.send_again(NOW, ["x1", "x2"]) == 1
    assert [each.id for each in claim(state, NOW, "bob")] == [first.id]
    assert state.finish_delivery(second.id, "ann") is True
