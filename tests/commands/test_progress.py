"""What a run shows: on a terminal, and as plain lines elsewhere."""

from __future__ import annotations

import re
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO

import pytest
import structlog
from cli_parts import Cli
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console

from pipeline import wiring
from pipeline.article import Article
from pipeline.commands.live import LiveProgress
from pipeline.commands.log_lines import configure_logging
from pipeline.commands.progress import Arrival, PlainProgress, Snapshot, Watcher
from pipeline.errors import TryLater
from pipeline.ports import Hit, Hits
from pipeline.rule import Alert
from pipeline.settings import load_settings

CONTROL = re.compile(r"\x1b\[[0-9?]*[A-Za-z]")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARABIC = "زلزال بقوة 5.8 درجات يهز خليج كالدر ولا أنباء عن وفيات حتى الآن كما قالت السلطات المحلية"


def snapshot(
    seconds: float, *, settled: int = 0, articles: tuple[Arrival, ...] = (), alerts: tuple[Alert, ...] = ()
) -> Snapshot:
    return Snapshot(
        at=NOW + timedelta(seconds=seconds), feeds={"ok": 2, "failed": 1}, counts={"settle": {"published": settled}},
        waiting={"enrich": 3}, articles=articles, alerts=alerts,
    )  # fmt: skip


def article(number: int = 1, **fields: object) -> Article:
    given = {"id": f"{number:032x}", "family": f"{number:032x}", "title": f"Number {number}", "revision": 1, **fields}
    return Article(**given)


def alert(number: int = 1, title: str = "Ferry aground") -> Alert:
    return Alert(
        id=f"{number:032x}", rule="ferry", rule_name="Ferries", family="0", article_id="0", title=title, url="",
        outlet="", published=None, first_seen=NOW, raised_at=NOW,
    )  # fmt: skip


def test_plain_lines_name_each_article_and_alert() -> None:
    screen = StringIO()
    with redirect_stderr(screen), PlainProgress() as progress:
        found = article(outlet="Harbour\x1b[2J Times", language="en", title="Ferry\naground")
        progress.update(snapshot(0, settled=1, articles=(Arrival("article", found),), alerts=(alert(),)))
    assert screen.getvalue().splitlines() == [
        "12:00:00  article   Harbour [2J Times  [en]  Ferry aground",
        "12:00:00  ALERT     Ferries: Ferry aground",
        "12:00:00  totals    feeds: failed=1 ok=2 (`wirewatch feeds list` says why); "
        "articles=1 updated=0 dropped=0 dead=0 waiting=3",
    ]


def test_plain_totals_come_at_most_every_five_seconds_and_only_when_they_changed() -> None:
    screen = StringIO()
    with redirect_stderr(screen), PlainProgress() as progress:
        for seconds in (0, 1, 4.5, 5, 6, 12, 13):
            progress.update(snapshot(seconds, settled=int(min(seconds, 6))))
    totals = [(line[:8], line.split("articles=")[1].split()[0]) for line in screen.getvalue().splitlines()]
    assert totals == [("12:00:00", "0"), ("12:00:05", "5"), ("12:00:12", "6")]


def test_the_last_totals_are_said_at_the_end() -> None:
    screen = StringIO()
    with redirect_stderr(screen), PlainProgress() as progress:
        progress.update(snapshot(0))
        progress.update(snapshot(1, settled=7))
    assert "articles=7" in screen.getvalue().splitlines()[-1]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (40, 12)])
def test_the_live_display_keeps_within_the_terminal(width: int, height: int) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=width, height=height, color_system=None)
    arrivals = tuple(Arrival("article", article(n, title=f"{ARABIC} {n}", outlet="صحيفة المرسى")) for n in range(30))
    with LiveProgress("Wirewatch", console, partial(configure_logging, "warning")) as progress:
        start = len(screen.getvalue())
        progress.update(snapshot(0, articles=arrivals, alerts=tuple(alert(n, ARABIC) for n in range(9))))
        drawn = screen.getvalue()[start:]
        structlog.get_logger().warning("holding", cause="[bold]the index\x1b[2J is busy " * 20)
    lines = drawn.replace("\r", "\n").splitlines()
    boxed = [line for line in lines if line.startswith(("│", "╭", "╰"))]
    assert 10 <= len(boxed) <= height
    assert {cell_len(CONTROL.sub("", line)) for line in boxed} == {width}
    assert "\x1b[2J" not in screen.getvalue()
    assert r"[bold]theindex\x1b[2Jisbusy" in "".join(screen.getvalue().split())


@pytest.mark.parametrize(("failed", "says"), [(1, True), (0, False)])
def test_the_live_display_says_where_to_read_why_feeds_fail(failed: int, says: bool) -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=80, height=24, color_system=None)
    with LiveProgress("Wirewatch", console, partial(configure_logging, "warning")) as progress:
        progress.update(replace(snapshot(0), feeds={"ok": 2, "failed": failed}))
    assert ("“wirewatch feeds list” says why feeds fail" in screen.getvalue()) is says


class ShownIndex:
    """An index that holds what the test says."""

    def __init__(self, *articles: Article) -> None:
        self.articles = list(articles)

    def search(self, *_: object, **__: object) -> Hits:
        return Hits(len(self.articles), tuple(Hit(each) for each in reversed(self.articles)))


def test_only_what_came_since_the_last_look_is_news_and_is_called_what_it_is(cli: Cli) -> None:
    cli.data.mkdir()
    index = ShownIndex(article(1))
    with wiring.open_ports(load_settings(folder=cli.folder, environment={})) as ports:
        watcher = Watcher(ports, index)
        assert watcher.look().articles == []
        copy, late = article(3, family=f"{1:032x}"), article(4, revision=2)
        index.articles += [article(2), copy, late]
        assert [(one.kind, one.article) for one in watcher.look().articles] == [
            ("article", article(2)), ("copy", copy), ("article", late),
        ]  # fmt: skip
        edited = replace(article(1), revision=2, title="Edited")
        index.articles[0] = edited
        assert watcher.look().articles == [Arrival("update 2", edited)]
        ports.state.save_alerts([(alert(), [])], NOW)
        assert watcher.look().alerts == [alert()]
        assert watcher.look().alerts == []
        assert watcher.summary().startswith("stopped after 0 s: 0 articles, 0 updated, 1 alert")


def test_a_busy_state_costs_one_look_and_not_the_run(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def look(self: Watcher) -> Snapshot:
        looks.append(1)
        if len(looks) == 2:
            raise TryLater("the state is locked")
        return real(self)

    real = Watcher.look
    monkeypatch.setattr(Watcher, "look", look)
    config = cli.folder / "config"
    config.mkdir()
    (config / "rules.yml").touch()
    cli.environment = {"WIREWATCH_CONFIG": str(config)}
    ended = cli("run", "--seconds", "0.1")
    assert ended.code == 0
    assert "stopped after " in ended.err
    assert len(looks) >= 3
