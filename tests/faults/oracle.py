"""The judge of every delivery test: what the world served and received, against a full scan of what Wirewatch holds.

Never Wirewatch's own counters. Nothing lost: each item served is in the index under its link, or in the dead letters.
Nothing twice: one document a link, one revision for each form served, one alert for each rule and family. What is left
open (leases, claims, offsets, deliveries) is read from broker and state by themselves.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from faults.kill.world import RULES, Served, World
from msgspec import Struct, field

from pipeline import topics, wiring
from pipeline.article import Article
from pipeline.dead import DeadLetter, read_dead_letter
from pipeline.identity import article_id
from pipeline.ports import TopicPartition, batched_records
from pipeline.query.parse import parse


class Form(NamedTuple):
    """What an article says."""

    title: str
    body: str


class Ledger(Struct):
    """The sums of one run, and what is wrong with it."""

    served_items: int = 0
    served_pages: int = 0
    articles: int = 0
    revisions: int = 0
    indexed: int = 0
    indexed_revisions: int = 0
    poison: int = 0
    dead: int = 0
    killed_their_worker: int = 0
    alerts: int = 0
    webhook_messages: int = 0
    webhook_alerts: int = 0
    problems: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the ledger for a person."""
        return [
            f"served            {self.served_items} items in feeds, {self.served_pages} pages",
            f"  distinct        {self.articles} articles in {self.revisions} revisions",
            f"indexed           {self.indexed} articles in {self.indexed_revisions} revisions",
            f"poison records    {self.poison}",
            f"dead letters      {self.dead} ({self.killed_their_worker} killed their worker)",
            f"alerts expected   {self.alerts}",
            f"webhook           {self.webhook_messages} messages of {self.webhook_alerts} alerts",
            *(f"WRONG             {problem}" for problem in self.problems),
        ]


def forms_served(log: Sequence[Served]) -> dict[str, list[Form]]:
    """Return each link's forms, in the order in which they were first to be known.

    A page's text stays when the feed shows its teaser again: the page is fetched anew and comes on its own.
    """
    forms: dict[str, list[Form]] = defaultdict(list)
    pages: dict[str, str] = {}
    titles: dict[str, str] = {}
    for kind, link, title, text in log:
        if kind == "page":
            pages[link] = text
        else:
            titles[link] = title
        form = Form(titles[link], pages.get(link, text))
        if not forms[link] or forms[link][-1] != form:
            forms[link].append(form)
    return forms


def groups_of_copies(log: Sequence[Served]) -> dict[str, str]:
    """Return for each link the one that first brought its text; later texts of a link belong to its group."""
    first: dict[str, str] = {}
    by_text: dict[str, str] = {}
    for kind, link, _, text in log:
        if kind == "item":
            group = first.setdefault(link, by_text.get(text, link))
            by_text.setdefault(text, group)
    return first


def rules_for(form: Form) -> set[str]:
    """Return the rules that select a form, told by eye and not by the matcher."""
    everywhere, title = f"{form.title} {form.body}".lower(), form.title.lower()
    return {
        name for name, query in RULES.items() if query.removeprefix("title:") in (title if ":" in query else everywhere)
    }


def judge(world: World) -> Ledger:
    """Compare everything; the ledger's ``problems`` is empty when all is well."""
    ledger = Ledger()
    with world.lock:
        log, hooks = list(world.served), list(world.hooks)
    forms = forms_served(log)
    world.parts.show_all()
    with closing(wiring.open_index(world.settings, writer=False)) as index:
        found = index.search(parse("*"), sort="oldest", limit=1_000_000)
    documents = [hit.article for hit in found.hits]
    letters = dead_letters(world)
    ledger.served_items = sum(served.kind == "item" for served in log)
    ledger.served_pages = len(log) - ledger.served_items
    ledger.articles, ledger.revisions = len(forms), sum(map(len, forms.values()))
    ledger.indexed, ledger.indexed_revisions = len(documents), sum(document.revision for document in documents)
    if found.total != len(documents):
        ledger.problems.append(f"the index counts {found.total} articles and shows {len(documents)}")
    _judge_letters(world, letters, ledger)
    excused = {letter.key for letter in letters if letter.reason == "killed its worker"}
    _judge_documents(forms, documents, excused, ledger)
    _judge_alerts(log, forms, documents, [json.loads(hook.body)["data"] for hook in hooks], ledger)
    ledger.problems += world.holdings.left_open()
    return ledger


def _judge_documents(
    forms: dict[str, list[Form]], documents: Sequence[Article], excused: set[str | None], ledger: Ledger
) -> None:
    times = Counter(document.url for document in documents)
    ledger.problems += [f"{n} documents for {link}" for link, n in times.items() if n > 1]
    ledger.problems += [f"never served: {link}" for link in times if link not in forms]
    by_link = {document.url: document for document in documents}
    for link, said in forms.items():
        ident = article_id(link=link, feed_url="", guid="", content="")
        document = by_link.get(link)
        if document is None:
            if ident not in excused:
                ledger.problems.append(f"lost: {link}, “{said[-1].title}”")
            continue
        if document.id != ident:
            ledger.problems.append(f"{link} is indexed as {document.id}, not {ident}")
        if Form(document.title, document.body) != said[-1]:
            ledger.problems.append(f"{link} reads “{document.title}: {document.body[:60]}…”, last served {said[-1]}")
        if document.revision != len(said) and ident not in excused:
            ledger.problems.append(f"{link} has revision {document.revision}; {len(said)} forms were served")


def _judge_letters(world: World, letters: Sequence[DeadLetter], ledger: Ledger) -> None:
    """Each poison record is buried, at least once; nothing else is, but what killed its worker."""
    ledger.poison = len(world.poison)
    ledger.dead = len({(letter.topic, letter.partition, letter.offset) for letter in letters})
    killers = {(let.topic, let.partition, let.offset) for let in letters if let.reason == "killed its worker"}
    ledger.killed_their_worker = len(killers)
    buried = {(letter.value or b"").decode("utf-8", "replace") for letter in letters}
    ledger.problems += [f"poison not buried: {value}" for value in world.poison if value not in buried]
    strange = [let for let in letters if let.reason != "killed its worker" and (let.value or b"")[:6] != b"poison"]
    ledger.problems += [f"dead letter: {letter.reason}: {letter.detail[:200]}" for letter in strange]


def _judge_alerts(
    log: Sequence[Served],
    forms: dict[str, list[Form]],
    documents: Sequence[Article],
    messages: Sequence[dict[str, str]],
    ledger: Ledger,
) -> None:
    group_of = groups_of_copies(log)
    families: dict[str, set[str]] = defaultdict(set)
    members: dict[str, set[str]] = defaultdict(set)
    for document in documents:
        group = group_of.get(document.url, document.url)
        families[group].add(document.family)
        members[group].add(document.id)
    for group, some in families.items():
        if len(some) != 1 or not some <= members[group]:
            ledger.problems.append(f"the copies of {group} are in the families {sorted(some)}")
    expected = {
        (rule, min(families[group_of[link]], default="lost"))
        for link, said in forms.items() for form in said for rule in rules_for(form)
    }  # fmt: skip
    received = {(message["rule"], message["family"]) for message in messages}
    ids = {message["id"] for message in messages}
    ledger.alerts, ledger.webhook_messages, ledger.webhook_alerts = len(expected), len(messages), len(ids)
    ledger.problems += [f"alert never received: {pair}" for pair in sorted(expected - received)]
    ledger.problems += [f"alert for nothing: {pair}" for pair in sorted(received - expected)]
    if len(ids) != len(received):
        ledger.problems.append(f"{len(ids)} webhook ids for {len(received)} alerts")


def dead_letters(world: World) -> list[DeadLetter]:
    """Return every dead letter of every topic."""
    with closing(wiring.open_broker(world.settings, world.clock)) as broker:
        places = [TopicPartition(topics.dead(name), 0) for name in topics.LIVE_FIRST]
        return [read_dead_letter(record.value) for place in places for record in batched_records(broker, place)]
