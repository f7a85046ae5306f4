"""Who only reads makes nothing, wherever it is pointed; and half a Wirewatch is never completed in silence."""

from __future__ import annotations

import pytest
from cli_parts import Cli, said

READS = [
    ["status"], ["search", "x"], ["show", "0" * 32], ["alerts", "list"], ["dead", "list"], ["feeds", "list"],
    ["backup", "copy"], ["poll", "--once"], ["enrich", "--once"], ["prune"], ["delete", "0" * 32, "--reason", "x"],
]  # fmt: skip


@pytest.mark.parametrize("words", READS)
def test_an_empty_folder_stays_empty(cli: Cli, words: list[str]) -> None:
    cli.data.mkdir()
    ended = cli(*words)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"wirewatch: There is no Wirewatch in {cli.data}: it has no state.db. Start with")
    assert list(cli.data.iterdir()) == []


def test_the_doctor_leaves_an_empty_folder_empty_too(cli: Cli) -> None:
    cli.data.mkdir()
    assert cli("doctor").code == 0
    assert list(cli.data.iterdir()) == []


def test_checking_a_feed_makes_nothing(cli: Cli) -> None:
    cli.data.mkdir()
    assert cli("feeds", "check", "http://127.0.0.1:9/feed").code == 1
    assert list(cli.data.iterdir()) == []


def test_no_folder_at_all_is_a_usage_error(cli: Cli) -> None:
    for words, environment in ((["--data", "", "status"], {}), (["status"], {"WIREWATCH_DATA": ""})):
        ended = said(*words, environment=environment)
        assert (ended.code, "data: is empty; name a folder, or leave it out for “data”" in ended.err) == (2, True)
    assert list(cli.folder.iterdir()) == []


@pytest.mark.parametrize("words", [*READS, ["ingest", "x.txt"], ["run", "--seconds", "0"]])
def test_a_state_that_is_gone_is_missed_and_not_made_again(filled: Cli, words: list[str]) -> None:
    for path in filled.data.glob("state.db*"):
        path.unlink()
    (filled.folder / "x.txt").write_text("A headline\n\nA text.", "utf-8")
    ended = filled(*words)
    assert (ended.code, ended.out) == (1, "")
    assert f"The state {filled.data / 'state.db'} is gone, but not {filled.data / 'broker.db'} and" in ended.err
    assert "Put the state back from a backup" in ended.err
    assert not (filled.data / "state.db").exists()


def test_the_doctor_misses_a_state_that_is_gone_and_setup_makes_an_empty_one(filled: Cli) -> None:
    for path in filled.data.glob("state.db*"):
        path.unlink()
    examined = filled("doctor")
    assert (examined.code, examined.err) == (1, "wirewatch: Not well: state.\n")
    assert filled("setup").code == 0
    assert filled("status").code == 0


def test_an_index_alone_is_no_wirewatch_either(filled: Cli) -> None:
    for path in [*filled.data.glob("state.db*"), *filled.data.glob("broker.db*")]:
        path.unlink()
    ended = filled("status")
    assert (ended.code, f"is gone, but not {filled.data / 'index'}. Put" in ended.err) == (1, True)
