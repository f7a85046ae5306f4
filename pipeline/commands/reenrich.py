"""wirewatch replay: what is known, through newer enrichment stages."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer

from pipeline import steps, topics
from pipeline.article import Article
from pipeline.commands.context import EXIT_INTERRUPTED, Context, Stop, stop_on_signals
from pipeline.commands.printing import Json, counted, pointing_into, print_json
from pipeline.commands.sending import Progress
from pipeline.enrich.run import check_stages
from pipeline.errors import EXIT_PARTLY
from pipeline.ingest.reenrich import Selected, select, send_again
from pipeline.ingest.throttle import Throttle, look_at_lag
from pipeline.query.parse import parse
from pipeline.settle.reenriched import REASON
from pipeline.wiring import Ports, utc_now

app = typer.Typer()

OUTCOMES = {("updated", REASON): "changed", ("duplicate", REASON): "unchanged", ("dropped", "superseded"): "moved on"}
NAMES = (*OUTCOMES.values(), "failed")


@app.command()
def replay(
    ctx: typer.Context,
    where: Annotated[
        str, typer.Option(help="Which articles: a query, such as 'outlet:x AND stages.text:<7'; * is every one.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is sent.")] = False,
    json: Json = False,
) -> None:
    """Go through the enrichment stages again, with the pages that are still stored.

    Never raises an alert. What an outlet published is untouched: no new revision, the same story; only what Wirewatch
    reads in it is new, and times that were not known. Articles whose page is gone, or that never had one, keep their
    text. May be stopped and started again.

    Exit code 3 when some could not be enriched.
    """
    context: Context = ctx.obj
    check_stages(context.settings.stages)
    with pointing_into(where):
        query = parse(where, utc_now())
    with context.open() as ports, stop_on_signals() as stop:
        found = select(ports.state.all_articles(), query)
        replaying = Replaying(ports, stop)
        if dry_run:
            replaying.count(found)
        else:
            replaying.send(found)
    selected, outcomes = replaying.selected, replaying.outcomes
    if json:
        print_json({"selected": selected, "dry_run": dry_run, "outcomes": outcomes})
    else:
        typer.echo("\n".join(_words(selected, outcomes, dry_run=dry_run)))
    if stop.is_set():
        typer.echo("stopped; run the same command again for the rest: nothing is doubled", err=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    if outcomes.get("failed"):
        raise typer.Exit(EXIT_PARTLY)


class Replaying:
    """One command's articles on their way; the news goes first, as with a backfill."""

    def __init__(self, ports: Ports, stop: Stop) -> None:
        self.selected = Selected()
        self.outcomes: dict[str, int] = {}
        self._ports, self._stop = ports, stop
        self._progress = Progress(time.monotonic, lambda line: typer.echo(line, err=True))
        self._throttle = Throttle(
            look=lambda: look_at_lag(ports.broker), work=self._work, clock=time.monotonic, wait=stop.wait,
            on_wait=lambda lag: self._progress.say(self.selected.articles, "waiting", lag),
        )  # fmt: skip

    def count(self, articles: Iterator[Article]) -> None:
        """Only count what would be sent."""
        for article in articles:
            if self._stop.is_set():
                return
            self.selected.count(article, self._ports.pages)

    def send(self, articles: Iterator[Article]) -> None:
        """Send them and wait until all are at the end of the path."""
        before = self._counts()
        while (number := self._throttle.next_batch()) and (some := list(islice(articles, number))):
            for article in some:
                self.selected.count(article, self._ports.pages)
            send_again(self._ports, some)
            self._ports.reach("replay:published")
            self._progress.say_line(f"{counted(self.selected.articles, 'article')} sent")
        self._work()
        after = self._counts()
        self.outcomes = {name: after[name] - before[name] for name in NAMES if after[name] > before[name]}

    def _work(self) -> bool:
        met: list[str] = []
        steps.drain(self._ports, self._stop.wait, on_wait=met.append)
        return bool(met)

    def _counts(self) -> Counter[str]:
        """Return the outcomes so far, of everything that was ever enriched again."""
        found: Counter[str] = Counter()
        counts = self._ports.state.counts()
        for key, number in counts.get("settle", {}).items():
            if key in OUTCOMES:
                found[OUTCOMES[key]] += number
        # Of the lane that these go down alone; others may fail meanwhile.
        letters = [topics.dead(name("backfill")) for name in (topics.raw, topics.enriched)]
        found["failed"] = sum(self._ports.broker.end_offsets(letters).values())
        return found


def _words(selected: Selected, outcomes: dict[str, int], *, dry_run: bool) -> Sequence[str]:
    lines = [f"{counted(selected.articles, 'article')} selected"]
    if selected.with_page:
        lines.append(f"{selected.with_page:,} with their stored page")
    others = "the other stages are gone through"
    if selected.pages_gone:
        gone = "whose page is gone (pages_keep_days, pages_keep_gb)"
        lines.append(f"{selected.pages_gone:,} {gone}: their text stays, {others}")
    if selected.without_page:
        lines.append(f"{selected.without_page:,} without a page: the text of the feed or file stays, {others}")
    if dry_run:
        return [*lines, "dry run: nothing was sent"]
    done = ", ".join(f"{number:,} {name}" for name, number in outcomes.items())
    return [*lines, f"enriched again: {done}" if done else "nothing to do"]
