"""Delivery: empty the outbox into the channels, each message at least once, with back-off and an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from pipeline.errors import CannotSend, ChannelGone, TryLater
from pipeline.ports import Channel, Clock, Outbox
from pipeline.rule import Delivery

log = structlog.get_logger("wirewatch")

MAX_ATTEMPTS = 12
"""With doubling from 10 s to an hour, about six hours: longer than a receiver's deploy, shorter than stale news."""
FIRST_WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 3600.0
LONGEST_CANNOT_SEND_SECONDS = 600.0
"""How long after a setting was mended the last of what it kept back may still wait."""


class DeliveryReport(Struct):
    """What one round of deliveries did."""

    sent: int = 0
    put_off: int = 0
    given_up: int = 0

    @property
    def handled(self) -> int:
        """All deliveries of the round."""
        return self.sent + self.put_off + self.given_up


async def deliver_alerts(
    *,
    outbox: Outbox,
    channels: Mapping[str, Channel],
    clock: Clock,
    holder: str,
    limit: int = 20,
    lease_seconds: float = 60.0,
    reach: Callable[[str], None] = lambda _: None,
) -> DeliveryReport:
    """Claim due deliveries, send them side by side, and record what became of each as soon as it is known.

    Raises:
        TryLater: the state cannot take it now; what was sent but not recorded is sent again when its claim has ended.
    """
    report = DeliveryReport()
    claimed = outbox.claim_deliveries(clock(), limit, holder, lease_seconds)
    if claimed:
        reach("deliver:claimed")

    async def deliver(delivery: Delivery) -> None:
        outcome = await _send(channels, delivery)
        reach("deliver:sent")
        # At once, so that what befalls the others, a stop among them, does not send this one a second time.
        _finish(delivery, outcome, outbox=outbox, holder=holder, now=clock(), report=report)

    ends = await asyncio.gather(*map(deliver, claimed), return_exceptions=True)
    for fault in ends:
        if fault is not None:
            raise fault
    return report


def _finish(
    delivery: Delivery,
    outcome: TryLater | ChannelGone | None,
    *,
    outbox: Outbox,
    holder: str,
    now: datetime,
    report: DeliveryReport,
) -> None:
    """Record what became of one delivery."""
    words = {"alert": delivery.alert.id, "rule": delivery.alert.rule, "channel": delivery.channel}
    if outcome is None:
        outbox.finish_delivery(delivery.id, holder)
        report.sent += 1
    elif (wait := seconds_until_next(delivery, outcome, now)) is not None:
        outbox.finish_delivery(
            delivery.id, holder, cause=str(outcome), retry_at=now + timedelta(seconds=wait),
            is_attempt=not isinstance(outcome, CannotSend),
        )  # fmt: skip
        report.put_off += 1
        log.warning("alert put off", **words, cause=str(outcome), next=f"again in {wait:.0f} s")
    else:
        outbox.finish_delivery(delivery.id, holder, cause=str(outcome))
        report.given_up += 1
        log.error("alert not delivered", **words, cause=str(outcome), next="`wirewatch alerts resend` tries again")


async def _send(channels: Mapping[str, Channel], delivery: Delivery) -> TryLater | ChannelGone | None:
    channel = channels.get(delivery.channel)
    if channel is None:
        return CannotSend(f"no channel “{delivery.channel}” is set up; there are: {', '.join(sorted(channels))}")
    if delivery.attempts >= MAX_ATTEMPTS:  # the last attempt is never put off, so its sender did not live to say
        return ChannelGone(f"whoever sent it died, or was stopped, {delivery.attempts} times")
    try:
        await channel.send(delivery)
    except (TryLater, ChannelGone) as outcome:
        return outcome
    return None


def seconds_until_next(delivery: Delivery, outcome: TryLater | ChannelGone, now: datetime) -> float | None:
    """Return how long to wait before the next attempt; None when there is to be none.

    What our own settings keep back is asked for again without end, each time after as long as it has waited already.
    """
    if isinstance(outcome, CannotSend):
        waited = (now - delivery.alert.raised_at).total_seconds()
        return min(max(waited, FIRST_WAIT_SECONDS), LONGEST_CANNOT_SEND_SECONDS)
    attempts = delivery.attempts + 1
    if isinstance(outcome, ChannelGone) or attempts >= MAX_ATTEMPTS:
        return None
    return outcome.retry_seconds or min(FIRST_WAIT_SECONDS * 2.0 ** (attempts - 1), LONGEST_WAIT_SECONDS)
