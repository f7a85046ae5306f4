"""wirewatch search and show."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from cli_parts import Cli
from rich.console import Console

from pipeline.article import Article
from pipeline.commands import articles
from pipeline.ports import Hit
from pipeline.query.parse import parse


def titles(cli: Cli, *words: str) -> list[str]:
    return [article["title"] for article in cli("search", *words, "--json").lines]


def test_json_is_one_article_a_line(filled: Cli) -> None:
    (found,) = filled("search", "breakwater", "--json").lines
    assert (found["title"], found["outlet"], found["language"]) == ("Ferry aground", "Harbour Times", "en")
    assert found["first_seen"]


def test_for_people_a_hit_is_its_title_its_facts_and_where_it_matched(filled: Cli) -> None:
    ended = filled("search", "breakwater")
    first, second, third, empty = ended.out.splitlines()
    assert first == "Ferry aground"
    assert second.startswith("2024-03-01 10:00  Harbour Times  en  ")
    assert third.strip().startswith("The ferry Northern Star ran aground off the breakwater")
    assert (empty, ended.err) == ("", "")


def test_a_title_that_matched_is_marked_and_not_said_twice(filled: Cli) -> None:
    assert filled("search", "title:ferry").out.count("Ferry aground") == 1


def test_the_found_words_are_marked_on_a_terminal() -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, color_system="standard", highlight=False, width=80)
    article = Article(
        id="0" * 32, title="Ferry \x1b[2Jaground", body="A ferry ran aground.", outlet="Harbour \x9bTimes"
    )
    articles._print_hit(console, Hit(article), parse("ferry"))
    assert "\x1b[1;33mFerry" in screen.getvalue()
    assert "\x1b[1;33mferry" in screen.getvalue()
    assert "\x1b[2J" not in screen.getvalue()
    assert "\x9b" not in screen.getvalue()


def test_days_of_publication_narrow_a_search_at_both_ends(filled: Cli) -> None:
    assert titles(filled, "*", "--from", "2024-03-02", "--to", "2024-03-10") == ["Talks resume"]
    assert titles(filled, "*", "--to", "2024-03-01") == ["Ferry aground"]
    assert len(titles(filled, "*", "--from", "2024-03-10")) == 2


def test_limit_and_sort_choose_what_comes_first(filled: Cli) -> None:
    every = titles(filled, "*", "--sort", "oldest")
    assert titles(filled, "*", "--sort", "newest") == every[::-1]
    one = filled("search", "*", "--sort", "oldest", "--limit", "1")
    assert one.out.startswith(every[0])
    assert one.err == "1 of 3 found; --limit shows more.\n"


def test_finding_nothing_is_no_failure(filled: Cli) -> None:
    ended = filled("search", "nosuchword")
    assert (ended.code, ended.out, ended.err) == (0, "", "Nothing found.\n")
    ended = filled("search", "nosuchword", "--json")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


@pytest.mark.parametrize(
    ("query", "line", "caret"),
    [
        ("title:(war", "  title:(war", "        ^"),
        ("地震 AND foo:x", "  地震 AND foo:x", "           ^"),
        ("ferry\nAND", "  ferry AND", "           ^"),
        ("word " * 40 + "foo:x", "  …word word word word word word foo:x", " " * 33 + "^"),
    ],
)
def test_a_bad_query_is_shown_with_a_caret_under_its_fault(cli: Cli, query: str, line: str, caret: str) -> None:
    cli("setup")
    ended = cli("search", query)
    said, *pointed = ended.err.splitlines()
    assert (ended.code, ended.out) == (2, "")
    assert said.startswith("wirewatch: cannot read the query: at character ")
    assert pointed == [line, caret]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "yesterday"], "--from cannot be “yesterday”: not a date; write 2024"),
        (["--to", "2024-02-30"], "--to cannot be “2024-02-30”: there is no such date."),
        (["--from", "2024-03-02", "--to", "2024-03-01"], "--from 2024-03-02 is after --to 2024-03-01"),
        (["--sort", "best"], "--sort cannot be “best”: relevance, newest or oldest."),
    ],
)
def test_a_bad_option_is_named(cli: Cli, words: list[str], said: str) -> None:
    cli("setup")
    ended = cli("search", "x", *words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"wirewatch: {said}")


def test_a_search_makes_no_data_folder(cli: Cli) -> None:
    ended = cli("search", "x")
    assert ended.code == 1
    assert ended.err.startswith(f"wirewatch: There is no data folder at {cli.data}. Start with `wirewatch run`")
    assert not cli.data.exists()


def test_show_takes_an_id_or_an_address_however_it_is_written(filled: Cli) -> None:
    (found,) = filled("search", "breakwater", "--json").lines
    by_id = filled("show", found["id"])
    assert by_id.out.startswith("Ferry aground\n\n")
    assert " searchable  yes\n" in by_id.out
    assert "   revision  1 (version 1)  20" in by_id.out
    assert by_id.out.rstrip().endswith(found["body"])
    assert filled("show", "http://HARBOUR.example/ferry?utm_source=x").out == by_id.out


def test_show_as_json_has_the_article_and_its_revisions(filled: Cli) -> None:
    (found,) = filled("search", "breakwater", "--json").lines
    shown = json.loads(filled("show", found["id"], "--json").out)
    assert shown["article"] == found
    assert (shown["searchable"], [one["revision"] for one in shown["revisions"]]) == (True, [1])


def test_show_says_who_and_what_the_article_is_about(filled: Cli) -> None:
    (found,) = filled("search", "title:qaani", "--json").lines
    shown = [line.strip() for line in filled("show", found["id"]).out.splitlines()]
    assert "quotes  Hassan Nasrallah: “This is our battle,”" in shown
    (people,) = (line for line in shown if line.startswith("people  "))
    for name in ("Esmail Qaani (4, ofac:13107)", "Hassan Nasrallah (4, ofac:2686)", "Yoav Gallant (wikidata:Q723506)"):
        assert name in people
    assert any(line.startswith("places  ") and "Beirut" in line for line in shown)
    assert any(line.startswith("orgs  ") and "Hezbollah (8, " in line and "Hamas (2, " in line for line in shown)


def test_names_are_searched_by_what_the_text_has_and_by_the_usual_name(filled: Cli) -> None:
    for query in ("person:qaani", 'person:"esmail qaani"', "person:ismail place:beirut", 'org:"quds force" country:LB'):
        assert [one["title"][:4] for one in filled("search", query, "--json").lines] == ["Amid"], query


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("ferry", 2, "“ferry” is neither an article's id"),
        ("0" * 32, 1, "There is no article 000000"),
        ("https://nowhere.example/x", 1, "There is no article https://nowhere.example/x."),
    ],
)
def test_show_says_what_it_cannot_find(filled: Cli, what: str, code: int, said: str) -> None:
    ended = filled("show", what)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_one_text_of_several_outlets_is_marked_and_they_are_listed(cli: Cli) -> None:
    text = "The ferry Northern Star ran aground off the breakwater on Monday morning, the harbour office said. " * 3
    outlets = ("Harbour Times", "Mirror", "Courier")
    rows = [
        {"url": f"https://{n.split()[0].lower()}.example/ferry", "title": "Ferry", "outlet": n, "body": text}
        for n in outlets
    ]
    rows.append({"url": "https://other.example/", "title": "Ferry", "outlet": "Other", "body": "Another ferry text."})
    (cli.folder / "four.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert cli("ingest", "four.jsonl").code == 0
    facts = [line for line in cli("search", "ferry").out.splitlines() if line.startswith("20")]
    marked = [line for line in facts if line.endswith("  same text in 2 other articles")]
    assert (len(facts), len(marked), any("Other" in line for line in marked)) == (4, 3, False)

    one, *_ = cli("search", "outlet:mirror", "--json").lines
    shown = cli("show", one["id"]).out
    assert [line.split()[2] for line in shown.splitlines() if line.strip().startswith("same text")] == [
        "Harbour", "Courier",
    ]  # fmt: skip
    told = json.loads(cli("show", one["id"], "--json").out)["same_text"]
    assert {each["outlet"] for each in told} == {"Harbour Times", "Courier"}
