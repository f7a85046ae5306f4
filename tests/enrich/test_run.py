"""The enrich step: records in, outcomes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from pipeline.article import DELETION_HEADER, Article, Deletion, decode_article, encode_article, encode_deletion
from pipeline.enrich import run
from pipeline.enrich.run import check_stages, enrich_article, enrich_records
from pipeline.enrich.tools import Tools
from pipeline.errors import DropArticle, TryLater, UsageError
from pipeline.outcomes import DropReason, Status
from pipeline.ports import Record
from pipeline.settings import Settings
from pipeline.topics import MAX_RECORD_BYTES
from pipeline.worker import Handled

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAGES = tuple(run.STAGES)
TEXT = "The council met on Monday to discuss the new bridge over the river and will decide next week."


def record(value: bytes | None, *, topic: str = "articles.raw", offset: int = 0, kind: str = "") -> Record:
    headers = {"kind": kind} if kind else {}
    return Record(topic=topic, partition=3, offset=offset, key="k", value=value, headers=headers, timestamp=NOW)


def outcome(tools: Tools, value: bytes | None, **fields: str) -> Handled:
    (handled,) = enrich_records([record(value, **fields)], tools, STAGES)
    return handled


def failing(failure: BaseException) -> dict[str, run.Stage]:
    def enrich(article: Article, tools: Tools) -> Article:
        raise failure

    return {**run.STAGES, "text": run.Stage(enrich, 1)}


def test_an_article_is_published_enriched_under_its_id(tools: Tools) -> None:
    raw = Article(id="id-1", title=" A  bridge ", html=f"<p>{TEXT}</p>", first_seen=NOW, feed="f")
    handled = outcome(tools, encode_article(raw))
    (message,) = handled.messages
    assert (handled.status, message.topic, message.key) == (Status.PUBLISHED, "articles.enriched", "id-1")
    found = decode_article(message.value)
    assert (found.title, found.body, found.html, found.language) == ("A bridge", TEXT, "", "en")
    assert found.stages == tuple(f"{name}/{stage.version}" for name, stage in run.STAGES.items())
    assert found.flags == ()


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ({}, "articles.raw/3/7"),
        ({"source": "articles.raw/5/2"}, "articles.raw/5/2"),  # a replayed one says where it first stood
        *(({"source": text}, "articles.raw/3/7") for text in ("", "x", "a/b/c", "articles.raw/0/" + "9" * 19, "//1")),
    ],
)
def test_an_enriched_article_says_where_its_raw_record_first_stood(
    tools: Tools, said: dict[str, str], source: str
) -> None:
    raw = msgspec.structs.replace(record(encode_article(Article(id="a", title="T")), offset=7), headers=said)
    (handled,) = enrich_records([raw], tools, STAGES)
    assert handled.messages[0].headers == {"source": source}


def test_all_stages_run_by_default_in_the_order_in_which_they_are_told() -> None:
    assert Settings().stages == tuple(run.STAGES)


def test_each_lane_has_its_own_topic(tools: Tools) -> None:
    raw = Article(id="a", lane="backfill", title="T")
    (message,) = outcome(tools, encode_article(raw), topic="backfill.raw").messages
    assert message.topic == "backfill.enriched"


def test_outcomes_come_in_the_order_of_the_records(tools: Tools) -> None:
    values = [encode_article(Article(id="a", title="T")), b"junk", encode_article(Article(id="b"))]
    handled = enrich_records([record(value, offset=n) for n, value in enumerate(values)], tools, STAGES)
    assert [h.record.offset for h in handled] == [0, 1, 2]
    assert [h.status for h in handled] == [Status.PUBLISHED, Status.DEAD, Status.DROPPED]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "null value"),
        (b"", "not an article"),
        (b"\xff\xfe", "not an article"),
        (b'{"id": 7}', "not an article"),
        (b'{"id": "a", "schema_version": "2.0"}', "unknown schema version"),
    ],
)
def test_what_is_no_article_is_dead(tools: Tools, value: bytes | None, reason: str) -> None:
    handled = outcome(tools, value)
    assert (handled.status, handled.reason, handled.messages) == (Status.DEAD, reason, ())
    assert handled.detail


@pytest.mark.parametrize("topic", ["articles.raw", "backfill.raw"])
def test_a_deletion_passes_through_unchanged_in_its_lane(tools: Tools, topic: str) -> None:
    value = encode_deletion(Deletion(id="gone", reason="asked for", deleted_at=NOW))
    handled = outcome(tools, value, topic=topic, kind="deletion")
    (message,) = handled.messages
    assert handled.status is Status.PUBLISHED
    assert (message.topic, message.key, message.value) == (topic.replace("raw", "enriched"), "gone", value)
    assert message.headers == DELETION_HEADER


def test_a_deletion_that_is_none_is_dead(tools: Tools) -> None:
    handled = outcome(tools, b"{}", kind="deletion")
    assert (handled.status, handled.reason) == (Status.DEAD, "not a deletion")


@pytest.mark.parametrize("html", ["", "<p> </p>", "<script>x</script>", "<p>Advertisement</p>"])
def test_an_article_without_title_and_text_is_dropped_and_counted(tools: Tools, html: str) -> None:
    handled = outcome(tools, encode_article(Article(id="a", url="https://e.example/1", html=html)))
    assert (handled.status, handled.reason) == (Status.DROPPED, DropReason.NO_TEXT.value)
    assert "https://e.example/1" in handled.detail


@pytest.mark.parametrize(
    "failure", [ValueError("x"), KeyError("x"), RecursionError(), UnicodeEncodeError("u", "", 0, 1, "x")]
)
def test_a_stage_that_a_library_fails_in_is_flagged_and_the_others_go_on(
    tools: Tools, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(run, "STAGES", failing(failure))
    found = enrich_article(Article(id="a", title=TEXT, html="<p>lost</p>"), tools, STAGES)
    assert found.flags == ("failed:text",)
    assert found.stages == tuple(f"{name}/{stage.version}" for name, stage in run.STAGES.items() if name != "text")
    assert (found.language, found.html) == ("en", "")


@pytest.mark.parametrize("failure", [TypeError("our bug"), TryLater("pages"), DropArticle(DropReason.NO_TEXT)])
def test_bugs_and_signals_pass_up(tools: Tools, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    monkeypatch.setattr(run, "STAGES", failing(failure))
    with pytest.raises(type(failure)):
        enrich_article(Article(id="a", title="T"), tools, STAGES)


def test_a_stage_that_no_article_may_do_without_makes_a_dead_letter_when_it_fails(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    def enrich(article: Article, tools: Tools) -> Article:
        raise ValueError("strange text")

    monkeypatch.setattr(run, "STAGES", {**run.STAGES, "text": run.Stage(enrich, 1, may_fail=False)})
    handled = outcome(tools, encode_article(Article(id="a", title="T")))
    assert (handled.status, handled.reason, handled.detail) == (
        Status.DEAD, "stage text failed", "ValueError: strange text",
    )  # fmt: skip


def test_a_failure_is_counted_by_stage(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    def failures() -> float:
        return REGISTRY.get_sample_value("wirewatch_stage_failures_total", {"stage": "text"}) or 0.0

    monkeypatch.setattr(run, "STAGES", failing(ValueError("strange text")))
    before = failures()
    enrich_article(Article(id="a", title="T"), tools, ("text", "language"))
    assert failures() == before + 1


def test_what_a_stage_said_of_an_article_before_is_taken_back_when_it_looks_again(tools: Tools) -> None:
    said = ("language_unsure", "page_missing", "failed:clean", "published_clamped")
    found = enrich_article(Article(id="a", title=TEXT, body=TEXT, flags=said), tools, STAGES)
    assert found.flags == ("published_clamped",)


def again(tools: Tools, article: Article, stages: Sequence[str] = STAGES) -> Article:
    raw = msgspec.structs.replace(record(encode_article(article), topic="backfill.raw"), headers={"kind": "reenrich"})
    (handled,) = enrich_records([raw], tools, stages)
    (message,) = handled.messages
    assert (message.topic, message.headers["kind"]) == ("backfill.enriched", "reenrich")
    return decode_article(message.value)


PAGE = f"<html><head><title>T</title></head><body><article><h1>T</h1><p>{TEXT * 3}</p></article></body></html>"


def test_an_article_is_read_again_from_its_page(tools: Tools) -> None:
    key = tools.pages.put(PAGE.encode(), NOW.date())
    said = ("lines_removed", "encoding_repaired", "published_clamped")
    old = Article(
        id="a", title="T", body="Old text.", text_from="page", page=key, stages=("text/1",), version=3, flags=said
    )
    found = again(tools, old)
    assert found.flags == ("published_clamped",)
    assert (found.body, found.version) == ((TEXT * 3).strip(), 3)
    assert found.stages == tuple(f"{name}/{stage.version}" for name, stage in run.STAGES.items())
    assert again(tools, found) == found


@pytest.mark.parametrize("markup", [None, "<html><body><nav>Menu</nav></body></html>", "\x00"])
def test_where_the_page_gives_no_text_any_more_the_text_and_its_edition_stay(tools: Tools, markup: str | None) -> None:
    key = "2026-01-01/" + "0" * 32 if markup is None else tools.pages.put(markup.encode(), NOW.date())
    old = Article(id="a", title="T", body=TEXT, text_from="page", page=key, stages=("text/1", "gone/4"))
    found = again(tools, old, ("text", "language"))
    assert (found.body, found.text_from, found.flags) == (TEXT, "page", ())
    assert found.stages == ("text/1", f"language/{run.STAGES['language'].version}")


def test_only_the_configured_stages_run_and_in_their_order(tools: Tools) -> None:
    found = enrich_article(Article(id="a", title=TEXT, body="Advertisement"), tools, ("language", "text"))
    assert found.stages == tuple(f"{name}/{run.STAGES[name].version}" for name in ("language", "text"))
    assert found.body == "Advertisement"


def test_an_unknown_stage_is_named_with_the_nearest_known() -> None:
    check_stages(STAGES)
    with pytest.raises(UsageError, match="no stage “langage”; did you mean “language”"):
        check_stages(["text", "langage"])


def test_times_from_elsewhere_become_utc(tools: Tools) -> None:
    value = b"""{"id": "a", "title": "T", "body": "date 2024-03-15 x", "first_seen": "2026-03-01T12:00:00",
                "updated": "2026-03-01T12:00:00+14:00", "fetched": "0001-01-01T00:00:00+14:00"}"""
    (message,) = outcome(tools, value).messages
    found = decode_article(message.value)
    assert (found.first_seen, found.updated) == (NOW, datetime(2026, 2, 28, 22, tzinfo=UTC))
    assert found.published == datetime(2024, 3, 15, tzinfo=UTC)
    assert found.fetched is None


def test_an_article_of_5_mib_is_cut_flagged_and_published(tools: Tools) -> None:
    raw = Article(id="a", title="t" * 10_000_000, html=f"<p>{TEXT} {TEXT}</p>" * 28_000)
    found = enrich_article(raw, tools, STAGES)
    assert {"body_truncated", "title_truncated"} <= set(found.flags)
    assert len(found.body) > 300_000
    assert len(encode_article(found)) <= MAX_RECORD_BYTES


article_values = st.dictionaries(st.sampled_from(["id", "title", "html", "body", "page"]), st.text(max_size=50)).map(
    lambda fields: msgspec.json.encode({"id": "a", **fields})
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=80) | article_values, max_size=4))
def test_every_record_has_one_outcome(tools: Tools, values: Sequence[bytes]) -> None:
    records = [record(value, offset=n) for n, value in enumerate(values)]
    handled = enrich_records(records, tools, STAGES)
    assert [h.record for h in handled] == records
    assert all(bool(h.messages) == (h.status is Status.PUBLISHED) for h in handled)
