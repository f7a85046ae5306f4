"""What a revision changed, as `wirewatch show` prints it."""

from __future__ import annotations

import json
from pathlib import Path

from cli_parts import Cli

from pipeline.article import Changes, Figure
from pipeline.commands.changes import changes_in_words

BEFORE = '{"url": "https://harbour.example/1", "title": "12 dead", "body": "It rained. At least 12 people died."}'
AFTER = '{"url": "https://harbour.example/1", "title": "17 dead", "body": "It rained. At least 17 people died."}'


def test_each_kind_of_change_is_a_line() -> None:
    changes = Changes(
        title_before="Old", title_after="New", figures=(Figure(before="12", after="17", sentence="17 died."),),
        characters_before=1_000, characters_after=1_200, share=0.254, headings_added=("Aid",),
        headings_removed=("Rescue",),
    )  # fmt: skip
    assert list(changes_in_words(changes)) == [
        "title was “Old”", "text: 25% other, 1,000 → 1,200 characters", "12 → 17: 17 died.", "heading added: Aid",
        "heading removed: Rescue",
    ]  # fmt: skip


def test_a_page_that_took_the_place_of_a_teaser_is_told_as_such() -> None:
    changes = Changes(characters_before=90, characters_after=4_000, share=1.0, page_replaced_feed=True)
    assert list(changes_in_words(changes)) == ["the page's text: 90 → 4,000 characters"]


def test_a_change_of_the_summary_alone_has_nothing_to_say() -> None:
    assert list(changes_in_words(Changes(characters_before=9, characters_after=9))) == []


def test_show_prints_what_each_revision_changed(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for line in (BEFORE, AFTER):
        path.write_text(line, "utf-8")
        assert cli("ingest", path).code == 0
    shown = cli("show", "https://harbour.example/1").out
    assert "title was “12 dead”" in shown
    assert "12 → 17: At least 17 people died." in shown
    first, second = json.loads(cli("show", "https://harbour.example/1", "--json").out)["revisions"]
    assert first["changes"] is None
    assert [figure["after"] for figure in second["changes"]["figures"]] == ["17", "17"]
