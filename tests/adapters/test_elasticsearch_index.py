"""What the Elasticsearch index does with every kind of answer: against a stub that gives them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stub_server import Answer, Request, StubServer

from pipeline.adapters.elasticsearch_index import Access, ElasticsearchIndex
from pipeline.adapters.elasticsearch_index.bulk import ATTEMPTS
from pipeline.adapters.elasticsearch_index.judge import HOLD_SECONDS, Fault, Verdict, judge
from pipeline.article import Article
from pipeline.errors import TryLater, UsageError, WirewatchError

NOON = datetime(2024, 3, 15, 12, tzinfo=UTC)
PRODUCT = {"X-Elastic-Product": "Elasticsearch", "Content-Type": "application/vnd.elasticsearch+json;compatible-with=9"}
NGINX = Answer(413, "<html><title>413 Request Entity Too Large</title></html>", {"Content-Type": "text/html"})
UNAVAILABLE = Answer(503, "<html>no upstream</html>", {"Content-Type": "text/html"})
CANARY = "canary-7f3a"

Item = dict[str, Any]
Reply = Answer | Callable[[Sequence[str]], Answer]
"""An answer to one bulk request, or what makes it from the ids in that request."""


def error(status: int, kind: str, reason: str = "because") -> Item:
    return {"status": status, "error": {"type": kind, "reason": reason}}


def refused(status: int, kind: str, reason: str = "because") -> Answer:
    body = {"error": {"type": kind, "reason": reason, "root_cause": []}, "status": status}
    return Answer(status, json.dumps(body), PRODUCT)


def each(**by_id: Item) -> Reply:
    """Answer that all was created, but for the ids named here."""

    def reply(ids: Sequence[str]) -> Answer:
        items = [{"index": by_id.get(name, {"status": 201, "result": "created"})} for name in ids]
        return Answer(200, json.dumps({"items": items}), PRODUCT)

    return reply


class StubElasticsearch:
    """Answers bulk requests with ``replies`` in turn, then with the last one for ever; it has no index yet."""

    def __init__(self, server: StubServer) -> None:
        self.server = server
        self.replies: list[Reply] = [each()]
        self.asked: list[list[str]] = []
        """The ids of every bulk request."""
        server.on("*", self._answer)

    def _answer(self, request: Request) -> Answer:
        if request.path != "/_bulk":
            return Answer(200, "{}", PRODUCT)
        heads = [json.loads(line) for line in request.body.splitlines()[::2]]
        ids = [head["index"]["_id"] for head in heads]
        self.asked.append(ids)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Answer) else reply(ids)


@pytest.fixture
def stub() -> Iterator[StubElasticsearch]:
    with StubServer() as server:
        yield StubElasticsearch(server)


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def index(stub: StubElasticsearch, waits: list[float]) -> Iterator[ElasticsearchIndex]:
    opened = ElasticsearchIndex(stub.server.url(), templates=Path(), request_seconds=5, sleep=waits.append)
    yield opened
    opened.close()


def articles(number: int) -> list[Article]:
    return [Article(id=f"a{at}", first_seen=NOON, version=1, title="t") for at in range(number)]


def statuses(index: ElasticsearchIndex, number: int) -> list[str]:
    return [outcome.status for outcome in index.write(articles(number))]


@pytest.mark.parametrize(
    ("status", "kind", "reason", "verdict"),
    [
        (409, "version_conflict_engine_exception", "", Verdict.OLDER),
        (400, "document_parsing_exception", "", Verdict.REJECT),
        (400, "mapper_parsing_exception", "", Verdict.REJECT),
        (400, "illegal_argument_exception", "Document contains at least one immense term in field", Verdict.REJECT),
        (429, "cluster_block_exception", "disk usage exceeded flood-stage watermark", Verdict.HOLD),
        (403, "cluster_block_exception", "index read-only", Verdict.HOLD),
        (503, "cluster_block_exception", "no master", Verdict.HOLD),
        (400, "validation_exception", "this action would add [1] shards", Verdict.HOLD),
        (400, "illegal_argument_exception", "something else", Verdict.HOLD),
        (400, "nobody_knows_exception", "", Verdict.HOLD),
        (400, "", "", Verdict.HOLD),
        (429, "es_rejected_execution_exception", "", Verdict.RETRY),
        (429, "circuit_breaking_exception", "", Verdict.RETRY),
        (429, "", "", Verdict.RETRY),
        (500, "", "", Verdict.RETRY),
        (502, "", "", Verdict.RETRY),
        (503, "unavailable_shards_exception", "", Verdict.RETRY),
        (504, "", "", Verdict.RETRY),
        (413, "", "", Verdict.TOO_LARGE),
        (401, "security_exception", "", Verdict.STOP),
        (403, "security_exception", "", Verdict.STOP),
        (404, "", "", Verdict.STOP),
        (404, "index_not_found_exception", "", Verdict.NO_MONTH),
        (400, "media_type_header_exception", "", Verdict.STOP),
    ],
)
def test_an_answer_is_judged_by_its_type_and_then_by_its_status(
    status: int, kind: str, reason: str, verdict: Verdict
) -> None:
    assert judge(Fault(status, kind, reason)) is verdict


# --- some items -------------------------------------------------------------------------------------------------------


def test_only_the_one_of_500_that_was_put_off_is_sent_again(
    index: ElasticsearchIndex, stub: StubElasticsearch, waits: list[float]
) -> None:
    stub.replies = [each(a250=error(429, "es_rejected_execution_exception")), each()]
    assert statuses(index, 500) == ["written"] * 500
    assert [len(ids) for ids in stub.asked] == [500, 1]
    assert stub.asked[1] == ["a250"]
    assert len(waits) == 1


def test_what_remains_goes_in_the_order_it_came(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    busy = error(503, "unavailable_shards_exception")
    stub.replies = [each(a1=busy, a3=busy, a4=busy), each(a3=busy), each()]
    assert statuses(index, 6) == ["written"] * 6
    assert stub.asked[1:] == [["a1", "a3", "a4"], ["a3"]]


def test_a_document_that_cannot_be_parsed_is_rejected_alone(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    stub.replies = [each(a1=error(400, "document_parsing_exception", "failed to parse field [body]"))]
    outcomes = index.write(articles(3))
    assert [outcome.status for outcome in outcomes] == ["written", "rejected", "written"]
    assert "failed to parse field [body]" in outcomes[1].reason
    assert len(stub.asked) == 1


def test_the_cause_behind_a_rejection_is_told_and_is_short(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    item = error(400, "document_parsing_exception", "failed to parse")
    item["error"]["caused_by"] = {"reason": "x" * 100_000}
    stub.replies = [each(a0=item)]
    (outcome,) = index.write(articles(1))
    assert "xxx" in outcome.reason
    assert len(outcome.reason) < 1_000


@pytest.mark.parametrize(
    "item",
    [
        error(429, "cluster_block_exception", "disk usage exceeded flood-stage watermark"),
        error(403, "cluster_block_exception", "FORBIDDEN/12/index read-only"),
        error(400, "nobody_knows_exception", "an answer of a later release"),
    ],
    ids=["full disk", "read-only", "unknown 400"],
)
def test_what_somebody_must_mend_holds_the_batch_and_says_why(
    index: ElasticsearchIndex, stub: StubElasticsearch, waits: list[float], item: Item
) -> None:
    stub.replies = [each(a1=item)]
    with pytest.raises(TryLater) as held:
        index.write(articles(3))
    assert item["error"]["type"] in held.value.cause
    assert item["error"]["reason"] in held.value.cause
    assert held.value.retry_seconds == HOLD_SECONDS
    assert len(stub.asked) == 1
    assert waits == []


def test_an_answer_for_fewer_items_than_were_sent_is_not_believed(
    index: ElasticsearchIndex, stub: StubElasticsearch
) -> None:
    stub.replies = [Answer(200, '{"items": []}', PRODUCT)]
    with pytest.raises(TryLater, match="0 of 3"):
        index.write(articles(3))


# --- whole requests ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        each(**{f"a{at}": error(429, "es_rejected_execution_exception") for at in range(5)}),
        refused(429, "circuit_breaking_exception"),
        UNAVAILABLE,
        Answer(502, "bad gateway", {"Content-Type": "text/plain"}),
        Answer(reset=True),
    ],
    ids=["429 for all", "429", "503", "502", "reset"],
)
def test_a_server_that_stays_busy_or_away_is_asked_some_times_and_then_later(
    index: ElasticsearchIndex, stub: StubElasticsearch, waits: list[float], reply: Reply
) -> None:
    stub.replies = [reply]
    with pytest.raises(TryLater) as later:
        index.write(articles(5))
    assert "5 of 5" in later.value.cause
    assert later.value.retry_seconds is None
    assert [len(ids) for ids in stub.asked] == [5] * ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
    stub.replies = [each()]
    assert statuses(index, 5) == ["written"] * 5


@pytest.mark.parametrize("reply", [refused(429, "x"), UNAVAILABLE, Answer(reset=True)], ids=["429", "503", "reset"])
def test_a_server_that_comes_back_at_once_is_not_noticed(
    index: ElasticsearchIndex, stub: StubElasticsearch, reply: Reply
) -> None:
    stub.replies = [reply, each()]
    assert statuses(index, 3) == ["written"] * 3


def test_a_request_that_is_too_large_goes_in_halves(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    def takes_three(ids: Sequence[str]) -> Answer:
        if len(ids) > 3:
            return NGINX
        made = each()
        assert not isinstance(made, Answer)
        return made(ids)

    stub.replies = [takes_three]
    assert statuses(index, 10) == ["written"] * 10
    assert [name for ids in stub.asked if len(ids) <= 3 for name in ids] == [f"a{at}" for at in range(10)]


def test_an_article_too_large_for_the_server_is_rejected_alone(
    index: ElasticsearchIndex, stub: StubElasticsearch
) -> None:
    def not_a2(ids: Sequence[str]) -> Answer:
        made = each()
        assert not isinstance(made, Answer)
        return NGINX if "a2" in ids else made(ids)

    stub.replies = [not_a2]
    outcomes = index.write(articles(4))
    assert [outcome.status for outcome in outcomes] == ["written", "written", "rejected", "written"]
    assert "too many" in outcomes[2].reason


def test_silence_is_given_up_and_the_batch_comes_later(stub: StubElasticsearch) -> None:
    stub.replies = [Answer(hang=True)]
    index = ElasticsearchIndex(stub.server.url(), templates=Path(), request_seconds=0.2)
    with pytest.raises(TryLater, match="did not answer"):
        index.write(articles(1))
    index.close()
    assert len(stub.asked) == 1


def test_a_server_that_is_not_there_is_named(waits: list[float]) -> None:
    with StubServer() as gone:
        url = gone.url("")
    index = ElasticsearchIndex(url, templates=Path(), sleep=waits.append)
    with pytest.raises(TryLater, match=f"Elasticsearch at {url} cannot be reached"):
        index.write(articles(1))
    index.close()


def test_large_batches_go_in_several_requests(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    big = [Article(id=f"b{at}", first_seen=NOON, version=1, body="x" * 1_500_000) for at in range(8)]
    assert {outcome.status for outcome in index.write(big)} == {"written"}
    assert len(stub.asked) > 1
    assert max(len(request.body) for request in stub.server.requests) <= 10_000_000


# --- no way on --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_worker_and_is_not_shown(stub: StubElasticsearch, status: int) -> None:
    stub.replies = [refused(status, "security_exception", "unable to authenticate")]
    host = stub.server.address
    given: list[tuple[str, Access]] = [
        (f"http://{host}", Access(api_key=CANARY)),
        (f"http://{CANARY}:{CANARY}@{host}", Access()),
        (f"http://{host}", Access(user=CANARY, password=CANARY)),
    ]
    for url, access in given:
        index = ElasticsearchIndex(url, templates=Path(), access=access)
        with pytest.raises(WirewatchError, match="does not let us in") as stopped:
            index.write(articles(1))
        index.close()
        assert CANARY not in f"{stopped.value} {access!r}"
        assert host in str(stopped.value)
    assert all("authorization" in request.headers for request in stub.server.requests)


def test_an_older_release_says_so(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    stub.replies = [refused(400, "media_type_header_exception", "Invalid media-type value on headers [Accept]")]
    with pytest.raises(WirewatchError, match="not of release 9"):
        index.write(articles(1))


def test_another_product_says_so(waits: list[float]) -> None:
    with StubServer() as server:
        server.on("*", Answer(200, "{}", {"Content-Type": "application/json"}))
        index = ElasticsearchIndex(server.url(), templates=Path(), sleep=waits.append)
        with pytest.raises(WirewatchError, match="not Elasticsearch"):
            index.write(articles(1))
        index.close()


def test_an_answer_that_is_no_json_is_a_matter_of_later(index: ElasticsearchIndex, stub: StubElasticsearch) -> None:
    stub.replies = [Answer(200, "<html>", PRODUCT)]
    with pytest.raises(TryLater, match="not JSON"):
        index.write(articles(1))


@pytest.mark.parametrize("url", ["http://", "http://host:port", f"http://u:{CANARY}@:9200", "https://[::1"])
def test_a_url_that_names_no_server_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError) as refusal:
        ElasticsearchIndex(url, templates=Path())
    assert CANARY not in str(refusal.value)


def test_a_key_and_a_user_at_once_are_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not both") as refusal:
        ElasticsearchIndex(f"http://{CANARY}:{CANARY}@host:9200", templates=Path(), access=Access(api_key=CANARY))
    assert CANARY not in str(refusal.value)
