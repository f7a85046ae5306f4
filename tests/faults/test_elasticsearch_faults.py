"""Row 10 on a real Elasticsearch: what it, or something in front of it, answers instead of indexing.

The stub stands in front of the real server and passes everything on but what a test wants to go wrong.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from elasticsearch import Elasticsearch
from fault_parts import FaultyWorld, faulty_world, id_of, storm
from faults.kill.parts import Parts
from stub_server import Answer, Request, StubServer

from pipeline import steps, wiring
from pipeline.adapters.elasticsearch_index import ElasticsearchIndex
from pipeline.adapters.elasticsearch_index import index as index_module
from pipeline.errors import EXIT_NOT_SET_UP, NotSetUp, WirewatchError
from pipeline.ports import TopicPartition

ITEMS = [storm(number) for number in range(12)]
Fault = Callable[[Request], Answer | None]
"""What goes wrong with one bulk request; None: it is passed on."""

pytestmark = pytest.mark.parametrize("parts", ["cluster"], indirect=True)


class Front(StubServer):
    """Passes requests on to Elasticsearch; each bulk request meets the next of ``faults`` first."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._behind = urlsplit(address)
        self.faults: list[Fault] = []
        self.bulks = 0
        self.on("*", self._answer)

    def _answer(self, request: Request) -> Answer:
        if request.path.endswith("/_bulk"):
            self.bulks += 1
            if self.faults and (answer := self.faults.pop(0)(request)):
                return answer
        return self.passed_on(request)

    def passed_on(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._behind.hostname or "", self._behind.port, timeout=30)
        try:
            headers = {name: value for name, value in request.headers.items() if name not in {"host", "connection"}}
            connection.request(request.method, request.target, request.body, headers)
            answer = connection.getresponse()
            kept = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() in {"content-type", "x-elastic-product"}
            }
            return Answer(status=answer.status, body=answer.read(), headers=kept)
        finally:
            connection.close()


def refused(status: int, kind: str = "", body: bytes | None = None) -> Fault:
    error = {"error": {"type": kind, "reason": "of the test"}, "status": status}
    headers = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    return lambda _: Answer(status=status, body=json.dumps(error) if body is None else body, headers=headers)


def one_item(front: Front, status: int, kind: str) -> Fault:
    """The request is done, but for the answer's first item."""

    def answer(request: Request) -> Answer:
        done = front.passed_on(request)
        body = json.loads(done.body)
        (action,) = body["items"][0].values()
        action.update(status=status, error={"type": kind, "reason": "of the test"})
        action.pop("result", None)
        return Answer(status=200, body=json.dumps(body), headers=done.headers)

    return answer


@pytest.fixture
def front(parts: Parts) -> Iterator[Front]:
    with Front(str(parts.settings["index"])) as front:
        yield front


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: Parts, front: Front) -> Iterator[FaultyWorld]:
    monkeypatch.setattr(index_module, "REQUEST_SECONDS", 1.0)
    monkeypatch.setitem(ElasticsearchIndex.__init__.__kwdefaults__, "request_seconds", 1.0)
    with faulty_world(tmp_path, monkeypatch, parts, index=front.url("")) as world:
        world.show("/a.rss", *ITEMS)
        world.watch("/a.rss")
        world.run("poll", "enrich", "settle")
        yield world


@pytest.mark.parametrize(
    "fault",
    [
        refused(429, "es_rejected_execution_exception"),
        refused(503),
        refused(502, body=b"<html>Bad gateway</html>"),
        lambda _: Answer(reset=True),
        lambda _: Answer(hang=True),
        lambda _: Answer(cut=True, body=b"{" * 5000),
    ],
    ids=["429", "503", "a proxy's 502", "a reset", "silence", "half an answer"],
)
def test_a_server_that_does_not_answer_well_gets_it_all_again(world: FaultyWorld, front: Front, fault: Fault) -> None:
    front.faults = [fault] * 7  # more than one call of the bulk loop tries by itself
    world.run("index")
    assert not front.faults
    assert world.dead_letters() == []
    world.check_nothing_lost()


def test_a_request_that_is_too_large_goes_in_halves(world: FaultyWorld, front: Front) -> None:
    front.faults = [refused(413)] * 2  # all of it, and its first half
    world.run("index")
    assert world.dead_letters() == []
    world.check_nothing_lost()


def test_a_request_that_breaks_off_after_it_was_done_makes_nothing_twice(world: FaultyWorld, front: Front) -> None:
    def done_and_reset(request: Request) -> Answer:
        front.passed_on(request)
        return Answer(reset=True)

    front.faults = [done_and_reset] * 3
    world.run("index")
    world.check_nothing_lost()
    assert {article.revision for article in world.documents().values()} == {1}


def test_one_item_that_is_put_off_goes_again_alone(world: FaultyWorld, front: Front) -> None:
    wiring.make_months(world.settings, world.clock)
    front.faults = [one_item(front, 429, "es_rejected_execution_exception")]
    world.run("index")
    bulks = [request for request in front.requests if request.path.endswith("/_bulk")]
    assert [len(bulk.body.splitlines()) // 2 for bulk in bulks][-1] == 1
    world.check_nothing_lost()


def test_one_document_that_cannot_be_parsed_is_buried_and_the_others_arrive(world: FaultyWorld, front: Front) -> None:
    front.faults = [one_item(front, 400, "document_parsing_exception")]
    world.run("index")
    (letter,) = world.dead_letters()
    assert (letter.step, letter.reason) == ("index", "refused by the index")
    assert "document_parsing_exception" in letter.detail
    assert set(world.served) - {letter.key} <= set(world.documents())


def test_no_access_stops_the_worker_with_its_offset_kept(world: FaultyWorld, front: Front) -> None:
    front.faults = [refused(401, "security_exception")] * 100
    with pytest.raises(WirewatchError, match="does not let us in"):
        world.run("index")
    assert front.bulks == 1
    assert world.waiting() == len(ITEMS)
    front.faults = []
    world.run("index")
    world.check_nothing_lost()


def test_a_block_set_by_a_full_disk_holds_the_worker_until_it_is_lifted(
    world: FaultyWorld, front: Front, parts: Parts
) -> None:
    prefix, server = parts.settings["index_prefix"], Elasticsearch(str(front._behind.geturl()))
    world.run("index")
    world.show("/a.rss", *ITEMS, storm(99))
    world.clock.forward(61)
    world.run("poll", "enrich", "settle")
    block = "index.blocks.read_only_allow_delete"
    server.indices.put_settings(index=f"{prefix}-articles-*", settings={block: True})
    bulks = front.bulks

    def lifted(_: Request) -> None:
        if front.bulks == bulks + 5:  # it has been told "no" four times
            server.indices.put_settings(index=f"{prefix}-articles-*", settings={block: None})

    front.faults = [lifted] * 5
    world.run("index")
    server.close()
    assert world.dead_letters() == []
    world.check_nothing_lost()
    assert id_of(storm(99).link) in world.documents()


def test_refusals_for_a_long_time_take_no_memory_and_leave_no_dead_letters(world: FaultyWorld, front: Front) -> None:
    before = resident_kilobytes()
    front.faults = [refused(429, "es_rejected_execution_exception")] * 60
    world.run("index")
    assert resident_kilobytes() - before < 40_000
    assert world.dead_letters() == []
    world.check_nothing_lost()


def test_without_templates_the_worker_ends_with_a_code_of_its_own_and_its_offset_kept(
    world: FaultyWorld, front: Front, parts: Parts
) -> None:
    prefix = parts.settings["index_prefix"]
    with Elasticsearch(str(front._behind.geturl())) as server:
        server.indices.delete_index_template(name=f"{prefix}-articles")
        with pytest.raises(NotSetUp, match="wirewatch setup") as ended:
            world.run("index")
        assert ended.value.exit_code == EXIT_NOT_SET_UP
        assert world.waiting() == len(ITEMS)
    wiring.set_up_index(world.settings, world.clock)
    world.run("index")
    world.check_nothing_lost()


def test_two_workers_write_at_once_and_nothing_is_twice(world: FaultyWorld) -> None:
    with world.ports() as one, world.ports() as other:
        places = [TopicPartition("articles.ready", number) for number in range(8)]
        for ports in (one, other):
            consumer = ports.broker.assigned_consumer("index", places)
            consumer.commit(dict.fromkeys(places, 0))
            consumer.close()
            steps.run_index(ports, lambda _: False, once=True)
    world.check_nothing_lost()


def resident_kilobytes() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
