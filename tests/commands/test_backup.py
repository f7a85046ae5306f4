"""wirewatch backup, and the way back: index --rebuild."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from cli_parts import Cli

from pipeline import wiring
from pipeline.settings import load_settings


def test_a_backup_put_back_finds_everything_and_goes_on(filled: Cli) -> None:
    backup = filled.folder / "backup"
    ended = filled("backup", backup)
    assert (ended.code, ended.err) == (0, f"backed up to {backup}\n")
    assert {path.name for path in backup.iterdir()} >= {"state.db", "broker.db", "config"}
    assert (backup / "config" / "rules.yml").is_file()
    before = filled("search", "*", data=backup)
    assert (before.code, before.out, "`wirewatch index --rebuild`" in before.err) == (3, "", True)

    rebuilt = filled("index", "--rebuild", data=backup)
    assert (rebuilt.code, rebuilt.err) == (0, "3 articles written into the index\n")
    everything = filled("search", "*", "--json", "--sort", "oldest")
    assert filled("search", "*", "--json", "--sort", "oldest", data=backup).out == everything.out

    edited = filled.folder / "edit.jsonl"
    edit = {
        "url": "https://harbour.example/ferry",
        "title": "Ferry afloat again",
        "outlet": "Harbour Times",
        "body": "x",
    }
    edited.write_text(json.dumps(edit), "utf-8")
    assert filled("ingest", edited, data=backup).code == 0
    (found,) = filled("search", "title:ferry", "--json", data=backup).lines
    assert (found["title"], found["revision"]) == ("Ferry afloat again", 2)


def test_pages_are_part_of_a_backup(cli: Cli) -> None:
    text = "".join(
        f"<p>Paragraph {n}. The ferry ran aground off the breakwater on Monday morning.</p>" for n in range(5)
    )
    page = cli.folder / "page.html"
    page.write_text(f"<html><head><title>Ferry</title></head><body><article>{text}</article></body></html>", "utf-8")
    assert cli("ingest", page).code == 0
    assert cli("backup", cli.folder / "backup").code == 0
    kept = [path.relative_to(cli.data) for path in (cli.data / "pages").rglob("*") if path.is_file()]
    assert kept
    for path in kept:
        assert (cli.folder / "backup" / path).read_bytes() == (cli.data / path).read_bytes()


def test_a_rebuild_leaves_deleted_articles_out(filled: Cli) -> None:
    filled("delete", "https://harbour.example/ferry", "--reason", "asked to")
    assert filled("index", "--rebuild").err == "2 articles written into the index\n"


def test_only_one_process_rebuilds_an_index(filled: Cli) -> None:
    settings = load_settings(folder=filled.folder, environment={})
    with wiring.open_ports(settings) as ports, closing(wiring.open_index(settings, writer=True)):
        assert ports.state.acquire_lease("index", ports.holder, 60, ports.clock())
        ended = filled("index", "--rebuild")
    assert ended.code == 1
    assert ended.err == f"wirewatch: index is being done by {ports.holder}\n"


def test_a_folder_with_something_in_it_is_left_alone(filled: Cli) -> None:
    (filled.folder / "full").mkdir()
    (filled.folder / "full" / "mine").write_text("mine", "utf-8")
    (filled.folder / "file").write_text("mine", "utf-8")
    for name in ("full", "file"):
        ended = filled("backup", filled.folder / name)
        assert ended.code == 2
        assert "is there already and not empty; name a new folder." in ended.err
    assert [path.name for path in (filled.folder / "full").iterdir()] == ["mine"]


def test_an_empty_folder_will_do_and_a_half_backup_never_looks_whole(filled: Cli) -> None:
    (filled.folder / "new").mkdir()
    assert filled("backup", filled.folder / "new").code == 0
    assert (filled.folder / "new" / "state.db").is_file()
    ended = filled("backup", Path("/proc/nowhere"))
    assert ended.code == 1
    assert ended.err.startswith("wirewatch: The backup to /proc/nowhere failed: ")


def test_the_settings_file_is_part_of_a_backup(filled: Cli) -> None:
    (filled.folder / "wirewatch.toml").write_text('contact = "mailto:desk@example.org"\n', "utf-8")
    assert filled("backup", filled.folder / "copy").code == 0
    assert (filled.folder / "copy" / "wirewatch.toml").read_text("utf-8") == 'contact = "mailto:desk@example.org"\n'


def test_a_backup_into_the_data_folder_is_refused(filled: Cli) -> None:
    ended = filled("backup", filled.data / "inner")
    assert (ended.code, "is in the data folder, and would go with it" in ended.err) == (2, True)
    assert not [path for path in filled.data.iterdir() if path.name.startswith("inner")]
