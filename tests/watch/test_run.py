"""The watch at work: a stub server for webhook and heartbeat, looks that the test plays, and a clock to set."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from stub_server import Answer, StubServer
from worker_parts import SettableClock

from pipeline import wiring
from pipeline.errors import UsageError
from pipeline.notice import Notice
from pipeline.settings import Settings, load_settings
from pipeline.telemetry import PROBLEM
from pipeline.watch.decide import Seen
from pipeline.watch.run import Watch, run_watch, say_ended, watched
from pipeline.watch.tell import Teller

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
CANARY = "c4n4ry0123"
FULL = Seen(disk="/data", disk_used=0.95)


class Desk:
    """A watch that tells a webhook and beats; ``turn(seen)`` is one look."""

    def __init__(self, folder: Path, server: StubServer, **more: object) -> None:
        self.clock = SettableClock()
        self.server = server
        self.settings = load_settings(
            folder=folder, environment={}, allow_addresses=(server.address,), webhook_url=server.url("/hook"),
            webhook_secret=SECRET, watch_channels=("log", "webhook"), heartbeat_url=server.url(f"/beat/{CANARY}"),
            **more,
        )  # fmt: skip
        self.seen = Seen()
        self.loop = asyncio.Runner()
        self.http = self.loop.run(self._open())
        channels = wiring.open_channels(self.settings, self.http, self.clock)
        self.teller = Teller(channels, self.settings.watch_channels, self.clock)
        self.watch = Watch(self.settings, lambda: self.seen, self.teller, self.http, self.clock)

    async def _open(self) -> wiring.Http:
        return wiring.open_http(self.settings)

    def turn(self, seen: Seen = Seen(), seconds: float = 0) -> Sequence[Notice]:  # noqa: B008 - it is frozen
        self.clock.forward(seconds)
        self.seen = seen
        return self.loop.run(self.watch.turn())

    def asked(self, start: str) -> list[str]:
        return [request.path for request in self.server.requests if request.path.startswith(start)]

    def close(self) -> None:
        self.loop.run(self.http.close())
        self.loop.close()


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as server:
        server.on("*", Answer(status=204))
        yield server


@pytest.fixture
def desk(tmp_path: Path, server: StubServer) -> Iterator[Desk]:
    desk = Desk(tmp_path, server)
    yield desk
    desk.close()


def test_a_webhook_can_tell_a_problem_from_an_alert_and_its_end_from_its_beginning(desk: Desk) -> None:
    desk.turn(FULL)
    desk.turn(Seen(disk="/data", disk_used=0.5), seconds=60)
    bodies = [json.loads(request.body) for request in desk.server.requests if request.path == "/hook"]
    assert [body["type"] for body in bodies] == ["problem.began", "problem.ended"]
    ids = [request.headers["webhook-id"] for request in desk.server.requests if request.path == "/hook"]
    assert ids == [body["data"].pop("id") for body in bodies]
    assert bodies[0] == {
        "type": "problem.began",
        "timestamp": "2026-03-01T12:00:00Z",
        "data": {
            "kind": "disk filling",
            "subject": "/data",
            "detail": "95% of its disk is used; a full one stops every step (nothing is lost). Make room",
            "began": "2026-03-01T12:00:00Z",
        },
    }


def test_the_log_says_it_at_a_level_that_is_shown(desk: Desk) -> None:
    with capture_logs() as lines:
        desk.turn(FULL)
        desk.turn()
    told = [(line["log_level"], line["problem"], line["change"]) for line in lines if line["event"] == "notice"]
    assert told == [("error", "disk filling", "began"), ("warning", "disk filling", "ended")]


def test_a_problem_is_a_gauge_as_long_as_it_goes_on(desk: Desk) -> None:
    desk.turn(FULL)
    assert PROBLEM.labels("disk filling", "/data")._value.get() == 1
    desk.turn()
    assert PROBLEM.labels("disk filling", "/data")._value.get() == 0


def test_the_heart_beats_once_a_minute_while_all_is_well_and_not_while_something_is_not(desk: Desk) -> None:
    desk.turn()
    desk.turn(seconds=59)
    assert len(desk.asked("/beat")) == 1
    desk.turn(seconds=1)
    assert len(desk.asked("/beat")) == 2
    for _ in range(5):
        desk.turn(FULL, seconds=60)
    assert len(desk.asked("/beat")) == 2
    desk.turn(seconds=10)
    assert len(desk.asked("/beat")) == 3


def test_the_heart_does_not_beat_while_something_cannot_be_looked_at(desk: Desk) -> None:
    desk.turn(Seen(steps=None, unseen={"broker": "busy"}))
    assert desk.asked("/beat") == []


@pytest.mark.parametrize("answer", [Answer(status=500, body=CANARY), Answer(status=404), Answer(reset=True)])
def test_a_heartbeat_that_is_not_taken_is_said_without_its_address(desk: Desk, answer: Answer) -> None:
    desk.server.on(f"/beat/{CANARY}", answer)
    with capture_logs() as lines:
        desk.turn()
    assert [line["event"] for line in lines] == ["no heartbeat"]
    assert CANARY not in repr(lines)


def test_a_heartbeat_goes_through_the_door_that_checks_addresses(tmp_path: Path, server: StubServer) -> None:
    desk = Desk(tmp_path, server)
    desk.watch._settings = desk.settings.model_copy(
        update={"heartbeat_url": load_settings(folder=tmp_path, environment={}, heartbeat_url="http://10.0.0.1/k").heartbeat_url}
    )  # fmt: skip
    with capture_logs() as lines:
        desk.turn()
    assert [line["event"] for line in lines] == ["no heartbeat"]
    assert "10.0.0.1" in lines[0]["cause"]
    desk.close()


def test_a_channel_that_cannot_take_a_notice_gets_it_later_under_the_same_id_and_keeps_no_other_waiting(
    desk: Desk,
) -> None:
    desk.server.on("/hook", Answer(status=503), Answer(status=204))
    with capture_logs() as lines:
        desk.turn(FULL)
    assert [line["event"] for line in lines] == ["notice", "notice put off"]
    desk.turn(FULL, seconds=9)
    assert len(desk.asked("/hook")) == 1
    desk.turn(FULL, seconds=1)
    desk.turn(FULL, seconds=60)
    sent = [request.headers["webhook-id"] for request in desk.server.requests if request.path == "/hook"]
    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_the_heart_does_not_beat_while_a_notice_waits(desk: Desk) -> None:
    desk.server.on("/hook", Answer(status=503))
    desk.turn(FULL)
    desk.turn(seconds=60)
    assert desk.asked("/beat") == []


def test_a_notice_that_nobody_takes_is_given_up_after_six_hours(desk: Desk) -> None:
    desk.server.on("/hook", Answer(status=503))
    desk.turn(FULL)
    desk.turn(FULL, seconds=5 * 3600)
    assert not desk.teller.is_done
    with capture_logs() as lines:
        desk.turn(FULL, seconds=3599 + 600)
    assert "notice given up" in [line["event"] for line in lines]


def test_a_receiver_that_is_gone_is_not_asked_again(desk: Desk) -> None:
    desk.server.on("/hook", Answer(status=410))
    desk.turn(FULL)
    desk.turn(FULL, seconds=600)
    assert (desk.asked("/hook"), desk.teller.is_done) == (["/hook"], True)


def test_a_channel_to_tell_that_is_not_set_up_is_a_usage_error_before_anything_begins(tmp_path: Path) -> None:
    settings = load_settings(folder=tmp_path, environment={}, watch_channels=("log", "webhook"))
    cause = "no channel “webhook” is set up; it needs WIREWATCH_WEBHOOK_URL; there are: log"
    with pytest.raises(UsageError, match=cause), watched(settings, ["poll"], tells=True):
        raise AssertionError


def test_the_loop_survives_a_fault_of_ours_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    from pipeline.watch import run

    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 4

    async def breaks(_: object) -> None:
        raise ValueError("ours")

    monkeypatch.setattr(run.Watch, "turn", breaks)
    with capture_logs() as lines:
        run_watch(settings, ["poll"], wait)
    assert [line["event"] for line in lines] == ["watch failed", "watch failed"]
    assert waits == [0, 10, 0, 10, 0]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings(folder=tmp_path, environment={})
    wiring.create_data_folder(settings)
    return settings


def test_the_end_of_a_run_is_told(desk: Desk) -> None:
    say_ended(desk.settings, f"index stopped: http://me:{CANARY}@es.example", clock=desk.clock)
    (request,) = desk.server.requests
    data = json.loads(request.body)["data"]
    assert (data["kind"], data["detail"]) == ("run ended", "index stopped: http://[hidden]@es.example")


def test_the_memory_of_a_watch_ends_with_it_and_nothing_of_it_is_stored(desk: Desk, tmp_path: Path) -> None:
    desk.turn(FULL)
    assert desk.clock() - desk.watch._remembered.told["disk filling", "/data"].began == timedelta(0)
    assert list(tmp_path.iterdir()) == []
