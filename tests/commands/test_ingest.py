"""wirewatch ingest and preview."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_parts import Cli
from unprivileged import needs_permissions, said_with_permissions

from pipeline.article import Article
from pipeline.commands import sending
from pipeline.enrich.run import STAGES
from pipeline.ingest.read import FileProblem

SEED = Path(__file__).parent.parent / "data" / "seed-article.txt"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "feeds"
TALKS = "Officials said a delegation of Hezbollah would not attend the talks that resume in the capital this week."


def lines(path: Path, *articles: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(article) + "\n" for article in articles), "utf-8")
    return path


def test_the_seed_article_is_one_clean_article_that_is_found_and_raises_an_alert(cli: Cli) -> None:
    ended = cli("ingest", SEED)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "1 article read, 1 searchable, 1 alert raised (`wirewatch alerts list`)\n"
    (found,) = cli("search", "qaani AND nasrallah", "--json").lines
    assert cli("search", '"limited rocket barrage"', "--json").lines == [found]
    assert (found["published"], found["language"]) == ("2024-03-15T00:00:00Z", "en")
    assert "advertis" not in found["body"].casefold()
    assert [heading["text"] for heading in found["headings"]] == [
        "Fears of Escalation and Strategic Calculations",
        "Hezbollah's Stance and Regional Implications",
        "International Concerns and the Quest for Diplomacy",
    ]
    for heading in found["headings"]:
        assert found["body"][heading["offset"] :].startswith(heading["text"] + "\n\n")
    (alert,) = cli("alerts", "list", "--json").lines
    assert (alert["rule"], alert["article_id"]) == ("hezbollah", found["id"])


def test_the_same_file_again_changes_nothing(filled: Cli) -> None:
    before = filled("search", "*", "--json", "--sort", "oldest").out
    ended = filled("ingest", SEED)
    assert (ended.code, ended.err) == (0, "1 article read, 1 searchable\n")
    assert filled("search", "*", "--json", "--sort", "oldest").out == before


def test_backfill_is_searchable_and_never_an_alert(cli: Cli) -> None:
    ended = cli("ingest", "--backfill", SEED)
    assert (ended.code, ended.err) == (0, "1 article read, 1 searchable\n")
    (found,) = cli("search", "qaani", "--json").lines
    assert found["lane"] == "backfill"
    assert cli("alerts", "list").err == "No alerts yet.\n"


def test_what_is_wrong_with_some_files_does_not_keep_out_the_others(cli: Cli) -> None:
    folder = cli.folder / "in"
    folder.mkdir()
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (folder / "empty.xml").touch()
    (folder / "feed.xml").write_text("<html><head><title>Sorry</title></head><body>Gone</body></html>", "utf-8")
    lines(folder / "good.jsonl", {"title": "Talks", "body": TALKS}, {"foo": 1})
    ended = cli("ingest", folder, "nowhere.xml")
    assert ended.code == 3
    *problems, total = ended.err.splitlines()
    assert total == "1 article read, 1 searchable, 5 problems, 1 alert raised (`wirewatch alerts list`)"
    assert [problem.partition(": ")[0] for problem in problems] == [
        str(folder / "binary.txt"), str(folder / "empty.xml"), str(folder / "feed.xml"),
        f"{folder / 'good.jsonl'}:2", "nowhere.xml",
    ]  # fmt: skip


def test_when_nothing_comes_of_it_ingest_has_failed(cli: Cli) -> None:
    (cli.folder / "empty.xml").touch()
    ended = cli("ingest", "empty.xml")
    assert (ended.code, ended.err.splitlines()[-1]) == (1, "0 articles read, 0 searchable, 1 problem")


def test_an_article_of_five_mebibytes_is_cut_flagged_and_found(cli: Cli) -> None:
    lines(cli.folder / "big.jsonl", {"title": "A very long one", "body": "A long sentence of some words. " * 170_000})
    assert cli("ingest", "big.jsonl").code == 0
    (found,) = cli("search", "title:long", "--json").lines
    assert "body_truncated" in found["flags"]
    assert len(found["body"]) < 1_000_000


def test_an_article_without_text_is_left_out_and_said_to_be(cli: Cli) -> None:
    lines(cli.folder / "one.jsonl", {"html": "<p> </p>", "url": "https://a.example/x", "title": "\u200b"})
    ended = cli("ingest", "one.jsonl")
    assert ended.code == 1
    assert "problem" in ended.err or "not searchable: left out: it has no text" in ended.err


def test_what_was_deleted_stays_deleted_and_is_no_failure(filled: Cli) -> None:
    (found,) = filled("search", "qaani", "--json").lines
    assert filled("delete", found["id"], "--reason", "asked to").code == 0
    ended = filled("ingest", SEED)
    assert (ended.code, ended.err) == (0, "1 article read, 0 searchable, 1 deleted earlier, kept out\n")
    assert filled("search", "qaani", "--json").lines == []


def test_what_cannot_end_well_is_refused_before_anything_is_sent(cli: Cli) -> None:
    cli.environment = {"WIREWATCH_STAGES": "text,claen"}
    ended = cli("ingest", SEED)
    assert (ended.code, "did you mean “clean”?" in ended.err) == (2, True)
    cli.environment = {"WIREWATCH_WEBHOOK_URL": "https://hook.example/", "WIREWATCH_WEBHOOK_SECRET": "guess"}
    ended = cli("ingest", SEED)
    assert (ended.code, "A webhook's secret must be whsec_" in ended.err) == (2, True)
    assert not cli.data.exists()


def test_an_interrupted_ingest_says_so_and_goes_on_when_called_again(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = lines(cli.folder / "many.jsonl", *({"title": f"Number {n}", "body": f"{n} {TALKS}"} for n in range(5)))
    read_path = sending.read_path

    def interrupted(*args: object, **kwargs: object) -> Iterator[Article | FileProblem]:
        for number, item in enumerate(read_path(*args, **kwargs)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGINT)
            yield item

    with monkeypatch.context() as patched:
        patched.setattr(sending, "read_path", interrupted)
        ended = cli("ingest", path)
    assert ended.code == 130
    assert ended.err.startswith(
        "stopped: 2 articles had been sent and become searchable with the next `wirewatch run` or"
    )
    assert cli("ingest", path).code == 0
    assert len(cli("search", "*", "--json").lines) == 5


def test_all_shared_feeds_are_ingested_but_the_invalid_ones(cli: Cli) -> None:
    if not SHARED.is_dir():
        pytest.skip("The folder ../shared/data/feeds is not beside this checkout.")
    ended = cli("ingest", SHARED)
    assert ended.code == 3
    *problems, total = ended.err.splitlines()
    assert len(problems) == 3
    assert any("unrecognized.rss: not a feed: an HTML page" in problem for problem in problems)
    read, searchable = (int(part.split()[0]) for part in total.split(", ")[:2])
    assert read == searchable > 300
    assert len(cli("search", "*", "--json", "--limit", "1000").lines) == searchable


def test_preview_prints_what_ingest_would_make_and_stores_nothing(cli: Cli) -> None:
    ended = cli("preview", SEED)
    (shown,) = ended.lines
    assert (ended.code, ended.err, shown["published"], shown["language"]) == (0, "", "2024-03-15T00:00:00Z", "en")
    assert not cli.data.exists()
    cli("ingest", SEED)
    (found,) = cli("search", "qaani", "--json").lines
    assert (found["id"], found["body"], found["headings"]) == (shown["id"], shown["body"], shown["headings"])


def test_preview_tells_what_each_stage_changes(cli: Cli) -> None:
    ended = cli("preview", "--stages", SEED)
    assert (ended.code, ended.err) == (0, "")
    told = ended.out.splitlines()
    stages = [line.split()[0].partition("/")[0] for line in told if line.startswith("  ") and line[2] != " "]
    assert stages == [*STAGES, "fitted"]
    assert "    language: und → en" in told
    assert "    published: (empty) → 2024-03-15T00:00:00+00:00" in told
    assert max(map(len, told)) < 500
    assert not cli.data.exists()


def test_preview_tells_the_stages_as_json_lines_too(cli: Cli) -> None:
    ended = cli("preview", "--stages", "--json", SEED)
    (article,) = cli("preview", "--json", SEED).lines
    assert [line["stage"] for line in ended.lines] == [*article["stages"], "fitted"]
    language = next(line for line in ended.lines if line["stage"].startswith("language/"))
    assert {"field": "language", "before": "und", "after": "en"} in language["changes"]


def test_preview_by_stage_says_what_is_left_out_and_what_cannot_be_read(cli: Cli) -> None:
    lines(cli.folder / "some.jsonl", {"body": "Advertisement"})
    ended = cli("preview", "--stages", "nowhere.txt", "some.jsonl")
    assert (ended.code, "left out: no_text" in ended.out) == (3, True)
    assert ended.err.startswith("nowhere.txt: cannot be read")


def test_preview_counts_what_it_cannot_read(cli: Cli) -> None:
    ended = cli("preview", "nowhere.txt", SEED)
    assert (ended.code, len(ended.lines)) == (3, 1)
    assert ended.err.startswith("nowhere.txt: cannot be read: No such file")
    assert cli("preview", "nowhere.txt").code == 1


@needs_permissions
def test_one_file_that_cannot_be_read_does_not_keep_out_the_others(cli: Cli) -> None:
    (cli.folder / "good.txt").write_text("A headline\n\nA text that stands on its own.", "utf-8")
    (cli.folder / "secret.txt").write_text("Not for you", "utf-8")
    (cli.folder / "secret.txt").chmod(0o000)
    ended = said_with_permissions("ingest", "secret.txt", "good.txt", folder=cli.folder)
    assert (ended.code, ended.err.splitlines()) == (
        3, ["secret.txt: cannot be read: Permission denied", "1 article read, 1 searchable, 1 problem"],
    )  # fmt: skip


def test_an_empty_path_is_a_usage_error_and_not_the_current_folder(cli: Cli) -> None:
    for command in ("ingest", "preview"):
        ended = cli(command, "")
        assert (ended.code, "An empty path names nothing; the current folder is “.”." in ended.err) == (2, True)
    assert not cli.data.exists()


def test_the_data_folder_is_no_food(filled: Cli) -> None:
    ended = filled("ingest", ".")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        "no files there; hidden ones, and Wirewatch's own data folder, are passed over",
        "0 articles read, 0 searchable",
    ]
    (filled.folder / "good.txt").write_text("A headline\n\nA text that stands on its own.", "utf-8")
    assert filled("ingest", ".").err == "1 article read, 1 searchable\n"


def test_lines_whose_text_has_another_name_are_told(cli: Cli) -> None:
    strange = [{"title": f"Number {n}", "text": TALKS, "byline": "x"} for n in range(3)]
    lines(cli.folder / "some.jsonl", *strange, {"title": "Whole", "body": TALKS})
    said = "3 articles without text (it is read from body, html or summary)"
    said += "; unknown names in their lines: text (3), byline (3)"
    ended = cli("preview", "some.jsonl")
    assert (ended.code, ended.err) == (0, f"{said}\n")
    ended = cli("ingest", "some.jsonl")
    assert (ended.code, ended.err.splitlines()[0]) == (0, said)


def test_broken_rules_are_found_before_anything_is_sent(cli: Cli) -> None:
    config = cli.folder / "config"
    config.mkdir()
    (config / "rules.yml").write_text("- id: x\n  query: '('\n", "utf-8")
    cli.environment = {"WIREWATCH_CONFIG": str(config)}
    ended = cli("ingest", SEED)
    assert (ended.code, ended.err.startswith(f"wirewatch: the rules in {config / 'rules.yml'} cannot be used:\n")) == (
        2, True,
    )  # fmt: skip
    assert not cli.data.exists()
