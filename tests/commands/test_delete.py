"""wirewatch delete."""

from __future__ import annotations

from cli_parts import Cli


def titles(cli: Cli) -> set[str]:
    return {article["title"] for article in cli("search", "*", "--json").lines}


def test_an_article_is_deleted_by_its_address(filled: Cli) -> None:
    ended = filled("delete", "https://harbour.example/ferry", "--reason", "asked to")
    assert (ended.code, ended.err) == (0, "deleted 1 article\n")
    assert "Ferry aground" not in titles(filled)
    shown = filled("show", "https://harbour.example/ferry")
    assert (shown.code, shown.err) == (1, "wirewatch: https://harbour.example/ferry was deleted, and is kept out.\n")


def test_what_a_query_selects_is_deleted_when_a_person_says_yes(filled: Cli) -> None:
    asked = filled("delete", "ferry OR title:talks", "--reason", "clean up", typed="n\n")
    assert asked.code == 1
    assert "Delete 2 articles for good?" in asked.err
    assert len(titles(filled)) == 3
    assert filled("delete", "ferry OR title:talks", "--reason", "clean up", typed="y\n").err.endswith(
        "deleted 2 articles\n"
    )
    assert len(titles(filled)) == 1


def test_nobody_to_ask_is_no_yes(filled: Cli) -> None:
    unanswered = filled("delete", "*", "--reason", "clean up", typed="")
    assert (unanswered.code, "Nobody answers, so nothing was deleted; say --yes to delete" in unanswered.err) == (
        2,
        True,
    )
    assert len(titles(filled)) == 3
    assert filled("delete", "*", "--reason", "clean up", "--yes").code == 0
    assert titles(filled) == set()


def test_a_query_that_selects_nothing_deletes_nothing(filled: Cli) -> None:
    ended = filled("delete", "nosuchword", "--reason", "x", "--yes")
    assert (ended.code, ended.err) == (1, "wirewatch: Nothing matches “nosuchword”; nothing was deleted.\n")


def test_a_bad_query_is_shown_with_its_fault(filled: Cli) -> None:
    ended = filled("delete", "title:(ferry", "--reason", "x", "--yes")
    assert ended.code == 2
    assert ended.err.endswith("  title:(ferry\n        ^\n")


def test_an_address_that_is_not_here_yet_is_kept_out(filled: Cli) -> None:
    ended = filled("delete", "https://later.example/x", "--reason", "asked to")
    assert (ended.code, ended.err) == (0, "https://later.example/x is not here; it is kept out from now on\n")


def test_a_reason_is_asked_for(filled: Cli) -> None:
    assert filled("delete", "https://harbour.example/ferry").code == 2
