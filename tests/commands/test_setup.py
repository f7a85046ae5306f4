"""wirewatch setup and prune, on the embedded parts."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime

import pytest
from cli_parts import Cli
from msgspec import json as msgspec_json

from pipeline import housekeeping, steps, topics, wiring
from pipeline.article import Article, encode_article
from pipeline.index import run as index
from pipeline.index.retention import is_past, past_months
from pipeline.ports import Message
from pipeline.query.parse import parse
from pipeline.settings import Settings, load_settings

OLD = datetime(2001, 1, 15, tzinfo=UTC)
NOW = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)


def settings_of(cli: Cli) -> Settings:
    settings = load_settings(folder=cli.folder, environment=cli.environment, data=str(cli.data))
    wiring.create_data_folder(settings)
    wiring.open_state(settings).close()
    return settings


def written(cli: Cli, *months: str) -> Settings:
    settings = settings_of(cli)
    articles = [
        Article(id=month, title=f"news of {month}", first_seen=datetime.fromisoformat(f"{month}-28T12:00Z"), version=1)
        for month in months
    ]
    with closing(wiring.open_index(settings, writer=True)) as target:
        target.write(articles)
    return settings


def months_of(settings: Settings) -> list[str]:
    with closing(wiring.open_index(settings, writer=False)) as target:
        assert target.search(parse("*")).total == len(target.months())
        return list(target.months())


@pytest.mark.parametrize(
    ("month", "keep_days", "past"),
    [
        ("2026-03", 1, False),
        ("2026-02", 31, False),  # March has 31 days, less a second
        ("2026-02", 30, True),
        ("2025-12", 90, False),
        ("2025-12", 89, True),
        ("1999-01", 0, False),
    ],
)
def test_a_month_is_past_when_its_last_moment_is(month: str, keep_days: int, past: bool) -> None:
    assert is_past(month, NOW, keep_days) is past


def test_past_months_are_dropped_oldest_first() -> None:
    assert past_months(["2026-03", "2025-01", "2024-06"], NOW, 100) == ["2024-06", "2025-01"]


def test_setup_makes_everything_once_and_says_so(cli: Cli) -> None:
    first = cli("setup", "--json")
    again = cli("setup", "--json")
    assert first.code == again.code == 0
    assert [json.loads(line)["outcome"] for line in first.out.splitlines()] == ["made", "made", "made"]
    assert [json.loads(line)["outcome"] for line in again.out.splitlines()] == ["there", "there", "there"]


def test_setup_names_what_it_could_not_do_and_does_the_rest(cli: Cli) -> None:
    cli.environment = {"WIREWATCH_STATE": "postgresql://me:canary@127.0.0.1:9/none"}
    ended = cli("setup", "--json")
    parts = {part["what"]: part for part in map(json.loads, ended.out.splitlines())}
    assert ended.code == 1
    assert parts["topics"]["outcome"] == "made"
    assert parts["state"]["outcome"] == "failed"
    assert "127.0.0.1" in parts["state"]["cause"]
    assert "Not set up: state" in ended.err
    assert "canary" not in ended.out + ended.err


def test_prune_drops_months_of_an_index_that_nobody_holds(cli: Cli) -> None:
    settings = written(cli, "2001-01", "2001-02")
    assert cli("prune").code == 0
    assert months_of(settings) == ["2001-01", "2001-02"]  # kept for ever unless it is said otherwise
    cli.environment = {"WIREWATCH_INDEX_KEEP_DAYS": "365"}
    ended = cli("prune", "--json")
    assert msgspec_json.decode(ended.out)["months"] == ["2001-01", "2001-02"]
    assert months_of(settings) == []


def test_a_held_index_is_pruned_by_its_holder(cli: Cli) -> None:
    settings = written(cli, "2001-01").model_copy(update={"index_keep_days": 365})
    with wiring.open_ports(settings) as holder, wiring.open_ports(settings) as other:
        lease = holder.state.acquire_lease(index.LEASE, holder.holder, 60, holder.clock())
        assert lease is not None
        pruned = housekeeping.prune(other)
        assert (pruned.months, pruned.asked) == ((), ["2001-01"])
        assert months_of(settings) == ["2001-01"]
        with closing(wiring.open_index(settings, writer=True)) as target:
            housekeeping.AskedDrops(holder, target).look()
            housekeeping.AskedDrops(holder, target).look()  # done once, asked no more
        holder.state.release_lease(lease)
    assert months_of(settings) == []


def test_a_dropped_month_does_not_come_back_with_a_rebuild(cli: Cli) -> None:
    settings = settings_of(cli).model_copy(update={"index_keep_days": 365})
    article = Article(id="old", title="Storm", body="The storm took the pier.", first_seen=OLD)
    with wiring.open_ports(settings, clock=lambda: OLD) as then:
        then.broker.publish([Message(topic=topics.raw("live"), key="old", value=encode_article(article))])
        for step in ("enrich", "settle"):
            steps.STEPS[step](then, lambda _: False, once=True)
    with wiring.open_ports(settings, clock=lambda: OLD) as then:
        assert steps.rebuild_index(then, lambda _: False) == 1
    with wiring.open_ports(settings) as now:
        assert steps.rebuild_index(now, lambda _: False) == 0
