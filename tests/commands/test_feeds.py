"""wirewatch feeds, and polling them by hand."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_parts import Cli
from journey_parts import Item, rss
from stub_server import Answer, StubServer

from pipeline.adapters.sql_state import SqlState
from pipeline.ports import OutletBreak, OutletPage, PageNorm

URL = "https://harbour.example/feed.xml"
FEED = rss([Item(link="http://harbour.example/ferry", title="Ferry aground", text="A ferry ran aground on Monday.")])
OPML = f"""<opml version="2.0"><body><outline text="Ports">
<outline type="rss" text="Harbour Times" xmlUrl="{URL}" language="en"/>
<outline type="rss" text="No address" xmlUrl="file:///etc/passwd"/>
</outline></body></opml>"""


def feeds(cli: Cli) -> list[dict[str, object]]:
    return [known["feed"] for known in cli("feeds", "list", "--json").lines]


def test_a_feed_is_added_listed_paused_and_removed(cli: Cli) -> None:
    ended = cli("feeds", "add", URL, "--title", "Harbour Times", "--tag", "ports", "--tag", "north", "--full-page")
    (feed,) = feeds(cli)
    said = "What its first poll shows is searchable and raises no alert; what comes after does."
    assert (ended.code, ended.err) == (0, f"added {feed['id']} {URL}\n{said}\n")
    assert (feed["title"], feed["tags"], feed["full_page"]) == ("Harbour Times", ["ports", "north"], True)
    assert cli("feeds", "list").out == f"{feed['id']}\tnew\t0\t-\t-\tHarbour Times\t{URL}\t\n"
    assert cli("feeds", "pause", URL).err == f"paused {feed['id']} {URL}\n"
    assert "\tpaused\t" in cli("feeds", "list").out
    assert cli("feeds", "pause", "--resume", str(feed["id"])).err == f"resumed {feed['id']} {URL}\n"
    assert cli("feeds", "remove", URL).err == f"removed {feed['id']} {URL}\n"
    assert feeds(cli) == []
    assert cli("feeds", "list").err.startswith("No feeds yet. Add one with `wirewatch feeds add URL`")


def test_adding_a_known_feed_changes_what_is_given_and_keeps_the_rest(cli: Cli) -> None:
    cli("feeds", "add", URL, "--title", "Harbour Times", "--full-page")
    ended = cli("feeds", "add", URL, "--no-full-page", "--interval", "60")
    (feed,) = feeds(cli)
    assert ended.err.startswith("changed ")
    assert (feed["title"], feed["full_page"], feed["interval_seconds"]) == ("Harbour Times", False, 60)


@pytest.fixture
def with_access(cli: Cli) -> Cli:
    """A command line whose configuration folder has an access file with two entries."""
    config = cli.folder / "config"
    config.mkdir()
    (config / "access.toml").write_text(
        '[agency]\nhosts = ["harbour.example"]\nuser = "desk"\npassword = "canary"\n[wire]\nproxy = "http://p.example:1"\n'
    )
    (config / "access.toml").chmod(0o600)
    cli.environment["WIREWATCH_CONFIG"] = str(config)
    return cli


def test_a_feed_refers_to_an_entry_of_the_access_file_and_lists_carry_its_name(with_access: Cli) -> None:
    assert with_access("feeds", "add", URL, "--access", "agency").code == 0
    assert feeds(with_access)[0]["access"] == "agency"
    exported = with_access("feeds", "export").out
    assert 'access="agency"' in exported
    assert "canary" not in exported
    assert with_access("feeds", "add", URL, "--access", "").code == 0
    assert feeds(with_access)[0]["access"] == ""


def test_an_access_that_is_not_there_is_refused_with_those_that_are(with_access: Cli) -> None:
    ended = with_access("feeds", "add", URL, "--access", "agncy")
    assert ended.code == 2
    assert f"There is no entry “agncy” in {with_access.folder}/config/access.toml; it has agency, wire." in ended.err


def test_a_list_that_names_an_access_which_is_not_there_is_taken_and_says_so(with_access: Cli) -> None:
    path = with_access.folder / "list.opml"
    path.write_text(f'<opml><body><outline xmlUrl="{URL}" access="later"/></body></opml>', "utf-8")
    ended = with_access("feeds", "import", path)
    assert (ended.code, "no entry [later] in" in ended.err) == (0, True)
    assert feeds(with_access)[0]["access"] == "later"


def test_an_access_file_that_everybody_may_read_is_warned_of(with_access: Cli) -> None:
    (with_access.folder / "config" / "access.toml").chmod(0o644)
    ended = with_access("feeds", "add", URL, "--access", "agency")
    assert (ended.code, "access file open to others" in ended.err) == (0, True)
    assert "canary" not in ended.err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://harbour.example/feed", "is not an address that can be polled"),
        ("harbour", "is not an address that can be polled"),
        ("https://me:canary@harbour.example/feed", "An address with a user name or password is not polled"),
    ],
)
def test_what_cannot_be_polled_is_not_added(cli: Cli, url: str, said: str) -> None:
    ended = cli("feeds", "add", url)
    assert (ended.code, said in ended.err) == (2, True)
    assert not cli.data.exists()


@pytest.mark.parametrize("words", [["pause", "nope"], ["remove", "nope"], ["check", "nope"]])
def test_a_feed_that_is_not_known_is_a_usage_error(cli: Cli, words: list[str]) -> None:
    cli("feeds", "add", URL)
    ended = cli("feeds", *words)
    assert (ended.code, "“nope”" in ended.err) == (2, True)


def test_a_list_is_imported_with_its_problems_and_exported_again(cli: Cli) -> None:
    (cli.folder / "list.opml").write_text(OPML, "utf-8")
    ended = cli("feeds", "import", "list.opml")
    assert ended.code == 3
    problem, total = ended.err.splitlines()
    assert problem.startswith("list.opml: line 3: “file:///etc/passwd” is not an http(s) address")
    assert total == "1 feed read: 1 new, 0 changed, 0 as they were"
    exported = cli("feeds", "export").out
    (cli.folder / "again.opml").write_text(exported, "utf-8")
    again = cli("feeds", "import", "again.opml")
    assert (again.code, again.err) == (0, "1 feed read: 0 new, 0 changed, 1 as they were\n")
    assert feeds(cli)[0]["tags"] == ["Ports"]
    assert cli("feeds", "export").out == exported
    cli("feeds", "add", URL, "--title", "Other")
    assert cli("feeds", "import", "again.opml").err == "1 feed read: 0 new, 1 changed, 0 as they were\n"


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", b"<html/>", b"<opml><body>", b"{}"])
def test_a_file_that_is_no_list_brings_nothing(cli: Cli, content: bytes) -> None:
    (cli.folder / "list.opml").write_bytes(content)
    ended = cli("feeds", "import", "list.opml")
    assert ended.code == 1
    assert ended.err.endswith("0 feeds read: 0 new, 0 changed, 0 as they were\n")
    assert not cli.data.exists()


@pytest.mark.parametrize("name", ["nowhere.opml", "."])
def test_a_list_that_cannot_be_read_is_a_usage_error(cli: Cli, name: str) -> None:
    ended = cli("feeds", "import", name)
    assert (ended.code, "cannot be read: " in ended.err) == (2, True)


def labelled(text: str) -> dict[str, str]:
    """Return the facts of a check by their labels."""
    return {line[:13].strip(): line[14:] for line in text.splitlines()}


def test_check_says_what_a_feed_is_like_and_stores_nothing(cli: Cli) -> None:
    html = {"Content-Type": "text/html"}
    with StubServer() as server:
        cli.environment = {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        tagged = Answer(body=FEED, headers={"ETag": "1"})
        server.on("/good", lambda request: Answer(status=304) if "if-none-match" in request.headers else tagged)
        server.on("/moved", Answer(status=301, headers={"Location": "/new"}))
        server.on("/new", Answer(body=FEED))
        server.on("/walled", Answer(status=403, body="<html>", headers={**html, "cf-mitigated": "challenge"}))
        server.on("/empty", Answer(body=rss([])))
        server.on("/broken", Answer(body="<html><body>Sorry</body></html>", headers=html))
        ended = {name: cli("feeds", "check", server.url(f"/{name}")) for name in CHECKED}
        found = {name: json.loads(cli("feeds", "check", "--json", server.url(f"/{name}")).out) for name in CHECKED}
        good, moved, walled, empty, broken = (labelled(ended[name].out) for name in CHECKED)
        assert moved["redirect"] == f"for good, to {server.url('/new')}; polls would adopt it after 7 days"
        assert ended["broken"].out.splitlines()[-2].endswith(f"try `wirewatch feeds discover {server.url('/broken')}`.")
    assert [(ended[name].code, ended[name].err) for name in CHECKED] == [(0, ""), (0, ""), (1, ""), (0, ""), (1, "")]
    assert (good["feed"], good["known"], good["requests"]) == ("Harbour Times", "no", "2, the last one conditional")
    assert good["first poll"] == "its item would be indexed and raise no alert"
    assert walled["problem"] == "HTTP 403 Forbidden: Cloudflare's challenge"
    assert (empty["items"], broken["problem"]) == ("none", "not a feed: an HTML page")
    assert [found[name]["items"]["number"] for name in CHECKED] == [1, 1, 0, 0, 0]
    assert [found[name]["trouble"] for name in CHECKED] == ["", "", "wall", "", "not_a_feed"]
    assert not cli.data.exists()


CHECKED = ("good", "moved", "walled", "empty", "broken")


def test_a_check_of_a_known_feed_says_how_it_is_and_how_many_of_its_items_are_new(cli: Cli) -> None:
    more = [Item(link=f"http://harbour.example/{n}", title=f"Story {n}", text="x") for n in range(3)]
    with StubServer() as server:
        cli.environment = {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/feed", Answer(body=FEED), Answer(body=rss([*more, Item(link="http://harbour.example/ferry",
                  title="Ferry aground", text="A ferry ran aground on Monday.")])))  # fmt: skip
        cli("feeds", "add", server.url("/feed"))
        assert labelled(cli("feeds", "check", server.url("/gone")).out)["known"] == "no"
        cli("poll", "--once")
        before = feeds(cli)
        (known,) = before
        facts = labelled(cli("feeds", "check", str(known["id"])).out)
    assert facts["known"].startswith(f"{known['id']}, ok; last polled ")
    assert facts["a poll now"] == "would find 3 new of its 4 items"
    assert feeds(cli) == before


def test_a_check_and_the_status_tell_of_pages_that_are_read_badly(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment = {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/feed", Answer(body=FEED))
        cli("feeds", "add", server.url("/feed"))
        cli("poll", "--once")
        with closing(SqlState.open(f"sqlite:///{cli.data}/state.db", migrate=False)) as state:
            seen = datetime(2026, 3, 1, tzinfo=UTC)
            texts = (0, 0, 1_000, 2_000)
            state.note_outlet_pages(
                [OutletPage(outlet="harbour.example", article=str(n), read_at=seen, characters=c, page_bytes=50_000)
                 for n, c in enumerate(texts)]
            )  # fmt: skip
            facts = labelled(cli("feeds", "check", server.url("/feed")).out)
            assert facts["pages"] == "4 read lately, texts of 1,500 characters, 3.0% of the page; 50% gave no text"
            assert "read badly" not in str(facts)
            norm = PageNorm(pages=50, empty=0.0, characters=2_000, text_share=0.04, repeated=0.0)
            cause = "62% of the last 8 pages gave no text; 0% of those before"
            state.begin_outlet_break(OutletBreak(outlet="harbour.example", since=seen, cause=cause, norm=norm))
        facts = labelled(cli("feeds", "check", server.url("/feed")).out)
    assert facts["problem"] == f"the pages of harbour.example are read badly since 2026-03-01 00:00: {cause}"
    assert f"badly read\tharbour.example\t{cause}\n" in cli("status").out
    assert json.loads(cli("status", "--json").out)["badly_read"] == {"harbour.example": cause}


def test_a_known_feed_is_checked_with_its_access(with_access: Cli) -> None:
    with StubServer() as server:
        with_access.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        access = with_access.folder / "config" / "access.toml"
        access.write_text('[agency]\nhosts = ["127.0.0.1"]\nuser = "desk"\npassword = "canary"\n')
        server.on("/feed", Answer(body=FEED))
        with_access("feeds", "add", server.url("/feed"), "--access", "agency")
        ended = with_access("feeds", "check", server.url("/feed"))
        assert (ended.code, "authorization" in server.requests[0].headers) == (0, True)
        assert "canary" not in ended.out + ended.err


def test_feeds_are_polled_by_hand_one_or_all(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment = {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/good", Answer(body=FEED))
        server.on("/bad", Answer(status=500))
        cli("feeds", "add", server.url("/good"), "--title", "Good")
        assert cli("poll", "--once").err == "Good: 1 new, 0 changed of 1\n"
        cli("feeds", "add", server.url("/bad"), "--title", "Bad")
        good, bad = (str(known["id"]) for known in sorted(feeds(cli), key=lambda it: str(it["title"]), reverse=True))
        one = cli("poll", "--feed", bad)
        assert (one.code, one.err.splitlines()[-1]) == (1, "wirewatch: 1 feed could not be polled.")
        assert cli("poll", "--feed", good, "--feed", bad).code == 3
        cli("feeds", "pause", good)
        assert "1 feed left out: paused" in cli("poll", "--feed", good).err
        assert cli("poll", "--feed", "nope").code == 2
        assert cli("poll", "--feed", server.url("/nothing")).code == 2
    for step in ("enrich", "settle", "index", "alert", "fetch"):
        ended = cli(step, "--once")
        assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert [article["title"] for article in cli("search", "ferry", "--json").lines] == ["Ferry aground"]


def test_polling_without_feeds_says_how_to_add_one(cli: Cli, tmp_path: Path) -> None:
    cli("setup")
    ended = cli("poll", "--once")
    assert (ended.code, ended.err) == (0, "No feeds yet. Add one with `wirewatch feeds add URL`.\n")


def test_a_feed_without_a_title_is_listed_under_its_outlet(cli: Cli) -> None:
    cli("feeds", "add", URL, "--outlet", "The Harbour")
    assert "\tThe Harbour\t" in cli("feeds", "list").out


def test_the_list_and_the_report_say_who_is_not_well_and_why(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/good", Answer(body=FEED))
        server.on("/gone", Answer(status=410))
        server.on("/empty", Answer(body=rss([])))
        for name in ("good", "gone", "empty"):
            cli("feeds", "add", server.url(f"/{name}"), "--title", name.title())
        cli("poll", "--once")

    listed = {line.split("\t")[5]: line.split("\t") for line in cli("feeds", "list").out.splitlines()}
    assert {name: cells[1] for name, cells in listed.items()} == {"Good": "ok", "Gone": "gone", "Empty": "empty"}
    assert listed["Gone"][7].startswith("HTTP 410 Gone; not polled any more")
    said = cli("feeds", "report").out.splitlines()
    assert said[:4] == [
        "feeds: 1 empty, 1 gone, 1 ok",
        "polls: 3, 1 of them failed",
        "items: 1 seen, 1 new, 0 changed, 0 known",
        "gaps: none seen",
    ]
    assert [line.split("\t")[1:3] for line in said[4:]] == [["gone", "Gone"], ["empty", "Empty"]]
    assert json.loads(cli("feeds", "report", "--json", "--days", "7").out)["by_health"]["gone"] == 1
    assert "gone 1" in cli("status").out
    cli("feeds", "pause", "--resume", listed["Gone"][0])
    assert json.loads(cli("feeds", "report", "--json").out)["by_health"] == {"ok": 1, "empty": 1, "new": 1}


PAGE = """<link rel="alternate" type="application/rss+xml" href="/feed">
<link rel="alternate" type="application/rss+xml" href="/gone"><link rel="alternate" type="application/rss+xml"
href="http://10.0.0.1/feed">"""


def test_feeds_of_a_site_are_found_and_added(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/", Answer(body=PAGE))
        server.on("/feed", Answer(body=FEED))
        seen = cli("feeds", "discover", server.url("/"))
        assert (seen.code, seen.out) == (0, f"{server.url('/feed')}\tdeclared\t1\t-\tHarbour Times\t\n")
        gone, private = seen.err.splitlines()
        assert gone == f"declared, but of no use: {server.url('/gone')}: HTTP 404 Not Found"
        assert private.startswith("declared, but of no use: http://10.0.0.1/feed: ")
        assert not cli.data.exists()
        added = cli("feeds", "discover", server.url("/"), "--add").err.splitlines()[2:]
        assert added[0].startswith("added ")
        assert added[1:] == ["What its first poll shows is searchable and raises no alert; what comes after does."]
        assert cli("feeds", "discover", server.url("/"), "--add").err.splitlines()[-1].startswith("known ")
        assert [feed["title"] for feed in feeds(cli)] == ["Harbour Times"]


def test_an_address_that_is_a_feed_itself_is_said_to_be_one(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/feed", Answer(body=FEED))
        assert cli("feeds", "discover", server.url("/feed")).err == "This address is a feed itself.\n"
        itself = json.loads(cli("feeds", "discover", "--json", server.url("/feed")).out)
        assert (itself["is_feed"], itself["feeds"][0]["url"]) == (True, server.url("/feed"))


def test_only_what_a_site_declares_is_added(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        server.on("/", Answer(body="<html>"))
        server.on("/rss.xml", Answer(body=FEED))
        ended = cli("feeds", "discover", server.url("/"), "--add")
        assert (ended.code, "\tusual place\t" in ended.out) == (1, True)
        assert "The site declares none of these, so none was added" in ended.err
        assert not cli.data.exists()


def test_a_site_without_feeds_says_how_hard_was_looked(cli: Cli) -> None:
    with StubServer() as server:
        cli.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        nothing = cli("feeds", "discover", server.url("/nowhere"))
    assert (nothing.code, nothing.out) == (1, "")
    assert "requests made; the page itself: HTTP 404 Not Found" in nothing.err
    assert cli("feeds", "discover", "file:///etc/passwd").code == 2


def test_a_list_changes_what_it_mentions_and_nothing_else(cli: Cli) -> None:
    cli("feeds", "add", URL, "--outlet", "The Harbour", "--full-page", "--interval", "600", "--tag", "ports")
    (before,) = feeds(cli)
    (cli.folder / "list.opml").write_text(
        f'<opml version="2.0"><body><outline type="rss" text="New name" xmlUrl="{URL}"/></body></opml>', "utf-8"
    )

    assert "0 new, 1 changed" in cli("feeds", "import", "list.opml").err

    assert feeds(cli) == [{**before, "title": "New name"}]


def test_an_access_file_that_cannot_be_read_fails_the_feeds_that_need_it_alone(cli: Cli) -> None:
    config = cli.folder / "config"
    config.mkdir()
    (config / "feeds.opml").write_text("<opml version='2.0'><body/></opml>", "utf-8")
    (config / "rules.yml").write_text("[]\n", "utf-8")
    (config / "access.toml").write_text("[agency]\nhosts = ['127.0.0.1']\nuser = 'desk'\npassword = 'x'\n", "utf-8")
    with StubServer() as server:
        cli.environment |= {"WIREWATCH_ALLOW_ADDRESSES": server.address}
        for name in ("open", "locked"):
            server.on(f"/{name}", Answer(body=FEED))
            cli("feeds", "add", server.url(f"/{name}"), "--title", name, *(["--access", "agency"] * (name == "locked")))
        (config / "access.toml").write_text("[agency]\nhosts = ['127.0.0.1']\npassword_file = '/nowhere'\n", "utf-8")

        said = cli("poll", "--once").err

    assert "open: 1 new" in said
    assert "locked: failed: " in said
    assert [request.path for request in server.requests] == ["/open"]


def test_adding_a_known_feed_again_says_that_nothing_changed(cli: Cli) -> None:
    cli("feeds", "add", URL, "--title", "T")

    assert cli("feeds", "add", URL, "--title", "T").err.startswith("unchanged: ")
