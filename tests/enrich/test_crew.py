"""Several processes that enrich one worker's batches: the same outcomes in the same order, whoever dies."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from crew_parts import no_tools, tools_of
from msgspec.structs import replace

from pipeline.adapters.pages import FolderPages
from pipeline.article import Article, decode_article, encode_article
from pipeline.enrich.crew import PIECE, Crew, CrewFailed
from pipeline.enrich.meter import MetricsMeter
from pipeline.enrich.run import enrich_records
from pipeline.errors import TryLater
from pipeline.outcomes import Status
from pipeline.ports import Record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STAGES = ("text", "clean")
TEXT = "The council met on Monday to discuss the new bridge over the river and will decide next week. "
PAGE = f"<html><body><article><p>{TEXT * 3}</p><p>{TEXT * 3}</p></article></body></html>"


class KnownProfiles:
    """Knows one outlet, and keeps what it is told."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str]] = []

    def repeated_lines(self, outlet: str) -> frozenset[int]:
        return frozenset()

    def broken(self, outlet: str) -> str:
        return "nothing but menus" if outlet == "Broken" else ""

    def note(self, article_id: str, outlet: str, keys: tuple[int, ...], characters: int, page_bytes: int) -> None:
        self.noted.append((article_id, outlet))


@pytest.fixture
def profiles() -> KnownProfiles:
    return KnownProfiles()


@pytest.fixture
def crew(tmp_path: Path, profiles: KnownProfiles) -> Iterator[Crew]:
    folder = str(tmp_path / "pages")
    crew = Crew(2, open_tools=partial(tools_of, folder), stages=STAGES, profiles=profiles, meter=MetricsMeter())
    yield crew
    crew.close()


def records(articles: Sequence[Article]) -> list[Record]:
    return [
        Record(
            topic="articles.raw", partition=0, offset=n, key=a.id, value=encode_article(a), headers={}, timestamp=NOW
        )
        for n, a in enumerate(articles)
    ]


def articles(number: int) -> list[Article]:
    return [Article(id=f"a{n}", title=f"Title {n}", html=f"<p>{TEXT} {n}</p>", feed="f") for n in range(number)]


def test_the_outcomes_are_those_of_one_process_in_the_same_order(crew: Crew, tmp_path: Path) -> None:
    given = records(articles(5 * PIECE + 3))
    given[7] = replace(given[7], value=b"junk")
    alone = enrich_records(given, tools_of(str(tmp_path / "pages")), STAGES)
    assert crew.enrich(given) == alone
    assert crew.enrich(given[:1]) == alone[:1]
    assert crew.enrich([]) == []


def test_a_record_that_kills_its_process_is_a_dead_letter_and_the_others_go_on(crew: Crew) -> None:
    some = articles(2 * PIECE)
    some[3] = replace(some[3], page="kill")
    handled = crew.enrich(records(some))
    assert [each.status for each in handled] == [
        Status.DEAD if n == 3 else Status.PUBLISHED for n in range(2 * PIECE)
    ]  # fmt: skip
    assert (handled[3].reason, handled[3].detail) == ("killed its worker", "enriching it ended 2 processes")
    assert [each.record.offset for each in handled] == list(range(2 * PIECE))


def test_a_process_that_was_ended_from_outside_costs_nothing(crew: Crew) -> None:
    given = records(articles(4 * PIECE))
    crew.enrich(given)
    for member in crew._members:
        os.kill(member.process.pid or 0, signal.SIGKILL)
    assert [each.status for each in crew.enrich(given)] == [Status.PUBLISHED] * len(given)


def test_what_is_out_of_reach_holds_the_batch_and_a_bug_stops_the_worker(crew: Crew) -> None:
    some = articles(2 * PIECE)
    with pytest.raises(TryLater, match="the page store is away"):
        crew.enrich(records([*some, Article(id="x", title="T", page="later")]))
    with pytest.raises(CrewFailed, match="TypeError: our bug"):
        crew.enrich(records([*some, Article(id="x", title="T", page="bug")]))
    assert len(crew.enrich(records(some))) == len(some)


def test_processes_that_do_not_start_are_no_records_fault(profiles: KnownProfiles, tmp_path: Path) -> None:
    crew = Crew(1, open_tools=partial(no_tools, str(tmp_path)), stages=STAGES, profiles=profiles, meter=MetricsMeter())
    with pytest.raises(CrewFailed, match="did not start"):
        crew.enrich(records(articles(1)))


def test_what_is_known_of_outlets_goes_along_and_what_pages_tell_comes_back(
    crew: Crew, profiles: KnownProfiles, tmp_path: Path
) -> None:
    key = FolderPages(str(tmp_path / "pages")).put(PAGE.encode(), NOW.date())
    some = [
        Article(id=f"{outlet}{n}", title="T", outlet=outlet, page=key, html="<p>Teaser.</p>", feed="f")
        for outlet in ("Broken", "Sound")
        for n in range(PIECE)
    ]
    handled = crew.enrich(records(some))
    found = [decode_article(message.value) for each in handled for message in each.messages]
    assert {(a.outlet, a.text_from, a.flags) for a in found} == {
        ("Broken", "feed", ("extraction_broken",)), ("Sound", "page", ()),
    }  # fmt: skip
    assert sorted(profiles.noted) == sorted((a.id, a.outlet) for a in some)


class AwayProfiles(KnownProfiles):
    """Cannot be reached at the second look."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def broken(self, outlet: str) -> str:
        self.looks += 1
        if self.looks == 2:
            raise TryLater("the state is away")
        return ""


def test_a_state_that_is_away_for_a_moment_mixes_nothing_up(tmp_path: Path) -> None:
    folder = str(tmp_path / "pages")
    crew = Crew(
        2, open_tools=partial(tools_of, folder), stages=STAGES, profiles=AwayProfiles(), meter=MetricsMeter()
    )  # fmt: skip
    page = "2026-03-01/" + "0" * 32
    some = [replace(a, outlet=f"Outlet {n // PIECE}", page=page) for n, a in enumerate(articles(4 * PIECE))]
    given = records(some)
    with pytest.raises(TryLater, match="the state is away"):
        crew.enrich(given)
    for _ in range(2):
        assert [each.record.offset for each in crew.enrich(given)] == list(range(len(given)))
    crew.close()
    crew.close()


def test_a_process_that_dies_with_its_answer_half_sent_costs_nothing(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = records(articles(PIECE))
    crew.enrich(given)
    member = crew._members[0]
    real = member.connection.recv

    def cut_off() -> object:
        real()
        os.kill(member.process.pid or 0, signal.SIGKILL)
        raise OSError("got end of file during message")

    monkeypatch.setattr(member.connection, "recv", cut_off, raising=False)
    assert len(crew.enrich(given)) == PIECE
