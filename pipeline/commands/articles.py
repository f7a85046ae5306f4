"""wirewatch search, show and delete."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from pipeline import topics, wiring
from pipeline.article import DELETION_HEADER, Article, Deletion, encode_deletion
from pipeline.commands.changes import changes_in_words
from pipeline.commands.context import EXIT_INTERRUPTED, Context, safe, stop_on_signals
from pipeline.commands.found_in import facts_found
from pipeline.commands.printing import Json, counted, pointing_into, print_json, print_json_lines
from pipeline.errors import EXIT_PARTLY, TryLater, UsageError, WirewatchError
from pipeline.identity import article_id, canonical_link
from pipeline.ports import ArticleRecord, Hit, Message, PageTrouble, Revision, Sort
from pipeline.query.dates import period
from pipeline.query.highlight import Snippet, snippets
from pipeline.query.tree import Query
from pipeline.search.run import Answer, Question, copies_of, same_text, search_articles, understand
from pipeline.telemetry import new_trace
from pipeline.unindexed import look_up_holdings
from pipeline.wiring import Ports, utc_now

app = typer.Typer()
ID = re.compile(r"[0-9a-f]{32}")
PAGE = 1_000
"""Articles that a query to delete looks up at once."""


@app.command()
def search(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(help='Words, "phrases", AND OR NOT, (…), field:word, published:>=2024-03-01, *.')
    ],
    json: Annotated[bool, typer.Option("--json", help="Print articles as JSON lines.")] = False,
    first: Annotated[str, typer.Option("--from", help="Published on this day or later (YYYY-MM-DD).")] = "",
    last: Annotated[str, typer.Option("--to", help="Published on this day or earlier (YYYY-MM-DD).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to print at most.")] = 20,
    sort: Annotated[str, typer.Option(help="relevance, newest or oldest.")] = "relevance",
) -> None:
    """Search the articles.

    Exit code 3 when the index lacks articles that are known, so that the answer is not whole.
    """
    context: Context = ctx.obj
    _check_days(first, last)
    question = Question(text=query, first_day=first, last_day=last, sort=_sort(sort), limit=limit)
    wiring.require_data(context.settings)
    with closing(wiring.open_index(context.settings, writer=False)) as index, pointing_into(query):
        answer = search_articles(index, question, utc_now())
        copies = {} if json else copies_of(index, [hit.article for hit in answer.hits])
    if json:
        print_json_lines(hit.article for hit in answer.hits)
    else:
        _print_hits(answer, copies)
    if not answer.hits:
        wiring.require_index(context.settings)  # a cluster that was never set up has nothing to find
    elif wiring.is_elasticsearch(context.settings):
        return  # there an index counts as lost only when it is empty
    if lacking := _lacking(context):
        typer.echo(f"This answer is not whole: {lacking}. Run `wirewatch index --rebuild`.", err=True)
        raise typer.Exit(EXIT_PARTLY)


@app.command()
def show(
    ctx: typer.Context,
    article: Annotated[str, typer.Argument(help="An article's id or address.")],
    json: Json = False,
) -> None:
    """Show one article: its text, what is known of it, and its revisions."""
    context: Context = ctx.obj
    ident = _id_of(article)
    if ident is None:
        raise UsageError(f"“{article}” is neither an article's id (32 hexadecimal digits) nor an http(s) address.")
    with context.open() as ports, closing(wiring.open_index(context.settings, writer=False)) as index:
        if ports.state.tombstoned([ident]):
            raise WirewatchError(f"{article} was deleted, and is kept out.")
        ident = ports.state.first_name(ident)
        record, revisions = ports.state.record(ident), ports.state.revisions(ident)
        searchable = index.get(ident) is not None
        copies = same_text(index, record.article) if record else ()
        troubles = ports.state.page_troubles(article_id=ident)
    if record is None:
        raise WirewatchError(f"There is no article {article}. `wirewatch dead list` shows what failed.")
    if json:
        print_json(
            {"article": record.article, "searchable": searchable, "seen_in": record.seen_in,
             "page_trouble": troubles[0] if troubles else None,
             "same_text": [{"id": c.id, "outlet": c.outlet, "url": c.url, "title": c.title} for c in copies],
             "revisions": [{"revision": r.article.revision, "version": r.article.version, "at": r.at,
                            "title": r.article.title, "content_hash": r.article.content_hash,
                            "changes": r.article.changes} for r in revisions]}
        )  # fmt: skip
    else:
        typer.echo("\n".join(_described(record, revisions, copies, troubles, searchable=searchable)))


@app.command()
def delete(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="An article's id or address, or a query.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the tombstone.")],
    yes: Annotated[bool, typer.Option("--yes", help="Delete what a query selects without asking.")] = False,
) -> None:
    """Remove articles from index, pages and revisions, and keep them out for good."""
    from pipeline import steps

    context: Context = ctx.obj
    with context.open() as ports, stop_on_signals() as stop:
        ident = _id_of(target)
        ids = [ports.state.first_name(ident)] if ident else list(_matching(context, target))
        if not ids:
            raise WirewatchError(f"Nothing matches “{target}”; nothing was deleted.")
        if not ident and not yes:
            _confirm(f"Delete {counted(len(ids), 'article')} for good?")
        known = sum(ports.state.record(each) is not None for each in ids)
        delete_articles(ports, ids, reason)
        steps.drain(ports, stop.wait, on_wait=lambda _: None)
    with closing(wiring.open_index(context.settings, writer=False)) as index:
        index.refresh()
    if stop.is_set():
        typer.echo("stopped: the articles are deleted, and leave the index with the next run", err=True)
        raise typer.Exit(EXIT_INTERRUPTED)
    if known:
        typer.echo(f"deleted {counted(known, 'article')}", err=True)
    else:
        typer.echo(f"{target} is not here; it is kept out from now on", err=True)


def _confirm(question: str) -> None:
    """Ask. Raises ``Abort`` for a no, and ``UsageError`` when nobody is there to answer."""
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError("Nobody answers, so nothing was deleted; say --yes to delete without being asked.") from None
    if not agreed:
        raise typer.Abort


def delete_articles(ports: Ports, ids: list[str], reason: str) -> None:
    """Put up tombstones first, so that nothing brings an article back, then send the deletions down the path."""
    now = ports.clock()
    pages = ports.state.bury(ids, reason, now)
    topic = topics.enriched("live")
    messages = [
        Message(
            topic=topic, key=ident, headers=DELETION_HEADER | new_trace(),
            value=encode_deletion(Deletion(id=ident, reason=reason, deleted_at=now)),
        )
        for ident in ids
    ]  # fmt: skip
    failed = [failure for failure in ports.broker.publish(messages) if failure is not None]
    if failed:
        raise WirewatchError(
            f"{len(failed)} deletions could not be published ({failed[0].cause}). The tombstones are up; "
            "run the same command again to take the articles out of the index."
        )
    try:
        for key in pages:
            ports.pages.delete(key)
    except TryLater as later:
        raise WirewatchError(
            f"The articles are deleted and leave the index, but not all of their pages could be removed "
            f"({later.cause}); those go with their retention."
        ) from None


def _lacking(context: Context) -> str:
    """Return what the index lacks, in words, or nothing; a state that cannot be asked keeps no answer back."""
    try:
        with context.open() as ports, closing(wiring.open_index(context.settings, writer=False)) as index:
            holdings = look_up_holdings(ports, index)
    except (WirewatchError, TryLater):
        return ""
    return str(holdings) if holdings.lacking else ""


def _matching(context: Context, text: str) -> Iterator[str]:
    """Yield the ids of all articles that a query selects; pages are read one at a time, since articles are large."""
    with closing(wiring.open_index(context.settings, writer=False)) as index:
        index.refresh()
        with pointing_into(text):
            tree = understand(text, utc_now())
        offset = 0
        while hits := index.search(tree, sort="oldest", limit=PAGE, offset=offset).hits:
            yield from (hit.article.id for hit in hits)
            offset += len(hits)


def _id_of(text: str) -> str | None:
    if ID.fullmatch(text):
        return text
    link = canonical_link(text) if "://" in text else ""
    return article_id(link=link, feed_url="", guid="", content="") if link else None


def _sort(text: str) -> Sort:
    match text:
        case "relevance" | "newest" | "oldest":
            return text
        case _:
            raise UsageError(f"--sort cannot be “{text}”: relevance, newest or oldest.")


def _check_days(first: str, last: str) -> None:
    periods = {}
    for option, text in (("--from", first), ("--to", last)):
        if text:
            try:
                periods[option] = period(text, utc_now())
            except ValueError as error:
                raise UsageError(f"{option} cannot be “{text}”: {error}.") from None
    if len(periods) == 2 and periods["--from"][0] >= periods["--to"][1]:
        raise UsageError(f"--from {first} is after --to {last}, so nothing can be found.")


def _described(
    record: ArticleRecord,
    revisions: Sequence[Revision],
    copies: Sequence[Article],
    troubles: Sequence[PageTrouble],
    *,
    searchable: bool,
) -> Iterator[str]:
    found = record.article
    yield safe(found.title) + "\n"
    rows = {
        "id": found.id, "url": found.url, "outlet": found.outlet, "authors": ", ".join(found.authors),
        "language": found.language, "published": found.published, "first seen": found.first_seen,
        "family": found.family if found.family != found.id else "", "lane": found.lane, "text from": found.text_from,
        "flags": ", ".join(found.flags), "searchable": "yes" if searchable else "not yet",
        "news": "no: it stood in its feed when that was first read" if found.first_poll else "",
        "seen in": ", ".join(record.seen_in), "file": found.source_path,
        "page": "; ".join(f"{t.status} after {counted(t.attempts, 'attempt')}: {t.cause}" for t in troubles),
    }  # fmt: skip
    yield from (f"{name:>11}  {safe(str(value))}" for name, value in (*rows.items(), *facts_found(found)) if value)
    for copy in copies:
        yield f"{'same text':>11}  {safe('  '.join(each for each in (copy.outlet, copy.id, copy.url) if each))}"
    told = 0
    for revision in revisions:
        form = revision.article
        number = f"{form.revision} (version {form.version})"
        yield f"{'revision':>11}  {number}  {revision.at:%Y-%m-%d %H:%M}  {safe(form.title)}"
        if form.changes and form.revision != told:
            yield from (f"{'':>11}  {safe(line)}" for line in changes_in_words(form.changes))
        told = form.revision
    yield "\n" + safe(found.body or found.summary)


def _print_hits(answer: Answer, copies: Mapping[str, int]) -> None:
    console = Console(highlight=False)
    console.soft_wrap = not console.is_terminal  # a pipe gets each snippet on one line
    if not answer.total:
        typer.echo("Nothing found.", err=True)
    for hit in answer.hits:
        _print_hit(console, hit, answer.query, copies.get(hit.article.family, 0))
    if answer.total > len(answer.hits):
        typer.echo(f"{len(answer.hits):,} of {answer.total:,} found; --limit shows more.", err=True)


def _print_hit(console: Console, hit: Hit, tree: Query, copies: int = 0) -> None:
    article = hit.article
    when = article.published or article.first_seen
    title = safe(article.title) or "(no title)"
    found = snippets(article, tree)
    in_title = next((each for each in found if each.text == article.title), None)
    console.print(_marked(in_title, "bold") if in_title else Text(title, "bold"))
    also = f"same text in {counted(copies, 'other article')}" if copies else ""
    facts = (f"{when:%Y-%m-%d %H:%M}" if when else "", article.outlet, article.language, article.id, also)
    console.print(Text(safe("  ".join(fact for fact in facts if fact)), "dim"))
    shown = {article.title}
    for snippet in found:  # a feed's summary is often the beginning of its text
        if snippet.text not in shown:
            console.print(Text("  ") + _marked(snippet))
        shown.add(snippet.text)
    console.print()


def _marked(snippet: Snippet, style: str = "") -> Text:
    text = Text(safe(snippet.text).replace("\n", " "), style)
    for start, end in snippet.marks:
        text.stylize("bold yellow", start, end)
    return text
