"""Parts that worker tests share: a clock to set, real embedded adapters, and a broker that can be made to fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline import topics
from pipeline.adapters.sql_state import SqlState
from pipeline.adapters.sqlite_broker import SqliteBroker
from pipeline.errors import PublishError
from pipeline.outcomes import Status
from pipeline.ports import Message, Record, TopicPartition
from pipeline.topics import Topic
from pipeline.worker import Handled, Limits, Worker

IN, OUT = "articles.raw", "articles.enriched"
BACK = "backfill.raw"


class SettableClock:
    """A clock that stands still until told to move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class FaultyBroker:
    """The real broker, but the next publishes to a topic can be made to fail."""

    def __init__(self, broker: SqliteBroker) -> None:
        self._broker = broker
        self.failures: dict[str, list[PublishError | None]] = {}
        """Per topic, the outcome of each further message; None and the end of the list let it through."""
        self.published: list[Message] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._broker, name)

    def publish(self, messages: Sequence[Message]) -> Sequence[PublishError | None]:
        outcomes: list[PublishError | None] = []
        for message in messages:
            planned = self.failures.get(message.topic)
            outcome = planned.pop(0) if planned else None
            if outcome is None:
                (outcome,) = self._broker.publish([message])
                self.published.append(message)
            outcomes.append(outcome)
        return outcomes


class Bench:
    """One worker over real parts in a folder; ``worker()`` makes another, as a restart of the process would."""

    def __init__(self, folder: Path, partitions: int = 2) -> None:
        self.clock = SettableClock()
        self.folder = folder
        self.real_broker = SqliteBroker(folder / "broker.db", clock=self.clock, lease_seconds=30)
        self.broker = FaultyBroker(self.real_broker)
        self.state = SqlState.open(f"sqlite:///{folder / 'state.db'}", migrate=True)
        names = (IN, BACK, OUT)
        self.real_broker.create_topics([Topic(name, partitions=partitions) for name in names])
        self.real_broker.create_topics([Topic(topics.dead(name), partitions=1) for name in names])
        self.stop_after: int | None = None
        self.waited: list[float] = []
        self.pass_over: Callable[[Record], None] = lambda _: None
        self._consumers: list[object] = []

    def close(self) -> None:
        for consumer in self._consumers:
            consumer.close()  # type: ignore[attr-defined]
        self.real_broker.close()
        self.state.close()

    def send(self, *values: bytes | None, topic: str = IN, key: str = "k") -> None:
        """Publish values under one key, so that they stand in one partition, in order."""
        outcomes = self.real_broker.publish([Message(topic=topic, key=key, value=value) for value in values])
        assert outcomes == [None] * len(values)

    def wait(self, seconds: float) -> bool:
        """Never sleeps: notes the wait, and says "stop" once ``stop_after`` waits are used up."""
        if seconds:
            self.waited.append(seconds)
        if self.stop_after is None:
            return False
        self.stop_after -= bool(seconds)
        return self.stop_after < 0

    def worker(
        self,
        handle: Callable[[Sequence[Record]], Sequence[Handled]] | None = None,
        *,
        reach: Callable[[str], None] = lambda _: None,
        guard: Callable[[], None] = lambda: None,
        inputs: Sequence[str] = (IN,),
        **limits: float,
    ) -> Worker:
        consumer = self.real_broker.consumer("step", inputs)
        self._consumers.append(consumer)
        self.consumer = consumer
        return Worker(
            "step", broker=self.broker, consumer=consumer, progress=self.state, handle=handle or passed_on,
            clock=self.clock, wait=self.wait, reach=reach, guard=guard, pass_over=self.pass_over,
            limits=Limits(**{"poll_seconds": 0.0, "first_wait_seconds": 0.01, **limits}),
        )  # fmt: skip

    def crash(self) -> None:
        """What a killed process leaves: its membership runs out, nothing is committed or cleared."""
        for consumer in self._consumers:
            consumer.close()  # type: ignore[attr-defined]
        self._consumers.clear()

    def values(self, topic: str) -> list[bytes | None]:
        """Everything that stands in a topic, in order within a partition."""
        partitions = self.real_broker.topics()[topic]
        return [r.value for n in range(partitions) for r in self.real_broker.read(TopicPartition(topic, n), 0, 10_000)]

    def committed(self, topic: str = IN) -> int:
        """Sum of the group's offsets over a topic's partitions."""
        return sum(self.real_broker.committed("step", [topic]).values())

    def counts(self) -> dict[tuple[str, str], int]:
        return dict(self.state.counts().get("step", {}))


def passed_on(records: Sequence[Record]) -> Sequence[Handled]:
    """Send every value on to the next topic."""
    return [Handled(r, Status.PUBLISHED, [Message(topic=OUT, key=r.key or "none", value=r.value)]) for r in records]


def failing_on(*bad: bytes, reason: str = "bad") -> Callable[[Sequence[Record]], Sequence[Handled]]:
    """A step that finds some values can never be handled."""

    def handle(records: Sequence[Record]) -> Sequence[Handled]:
        return [
            Handled(record, Status.DEAD, reason=reason, detail="why") if record.value in bad else passed
            for record, passed in zip(records, passed_on(records), strict=True)
        ]

    return handle
