"""Lists of feeds: read with every fault reported by its line, written so that they are read back the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feed import Feed
from pipeline.identity import feed_id
from pipeline.opml import MAX_FEEDS, read_opml, write_opml


def opml(*outlines: str) -> bytes:
    lines = "\n".join(outlines)
    return f'<?xml version="1.0"?>\n<opml version="2.0"><head/><body>\n{lines}\n</body></opml>'.encode()


def test_a_feed_is_read_with_all_that_the_list_says_of_it() -> None:
    result = read_opml(
        opml(
            '<outline text="World"><outline text="x" title="The Stand" xmlUrl="https://stand.example/feed"'
            ' language="de" category="/News/Local,Sport" outlet="Stand AG" fullPage="true" intervalSeconds="60"'
            ' access="agency"/></outline>'
        )
    )

    assert result.problems == []
    assert result.feeds == [
        Feed(
            id=feed_id("https://stand.example/feed"), url="https://stand.example/feed", title="The Stand",
            outlet="Stand AG", language="de", tags=("News/Local", "Sport", "World"), full_page=True,
            interval_seconds=60, access="agency",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["a b", "../x", "x" * 65, "ü", "-"])
def test_the_name_of_an_access_that_cannot_be_one_is_left_out_and_reported(name: str) -> None:
    result = read_opml(opml(f'<outline xmlUrl="https://a.example/" access="{name}"/>'))

    assert result.feeds[0].access == ""
    assert result.problems == [f"line 3: access “{name[:30]}” is not the name of an entry in access.toml; left out"]


def test_the_attributes_of_other_programs_are_read_too() -> None:
    (feed,) = read_opml(opml('<outline TEXT="A" xmlurl=" http://a.example/f " full_page="true"/>')).feeds

    assert (feed.title, feed.url, feed.full_page) == ("A", "http://a.example/f", True)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "javascript:alert(1)", "feed", "http://", "https://a b.example/"]
)
def test_row_26_an_address_that_is_not_http_is_left_out_and_reported_with_its_line(url: str) -> None:
    result = read_opml(opml('<outline xmlUrl="https://good.example/"/>', f'<outline text="bad" xmlUrl="{url}"/>'))

    assert [feed.url for feed in result.feeds] == ["https://good.example/"]
    assert result.problems == [f"line 4: “{url}” is not an http(s) address; left out"]


def test_row_26_a_feed_listed_twice_is_taken_once() -> None:
    result = read_opml(opml('<outline xmlUrl="https://a.example/"/>', '<outline xmlUrl="http://A.example"/>'))

    assert len(result.feeds) == 1
    assert result.problems == ["line 4: this feed is already on line 3; taken once"]


def test_row_26_past_the_cap_feeds_are_left_out_and_counted() -> None:
    result = read_opml(opml(*(f'<outline xmlUrl="https://a.example/{n}"/>' for n in range(50_000))))

    assert len(result.feeds) == MAX_FEEDS
    assert result.problems == [f"more than {MAX_FEEDS} feeds: the last {50_000 - MAX_FEEDS} were left out"]


def test_problems_past_the_thousandth_are_only_counted() -> None:
    result = read_opml(opml(*('<outline xmlUrl="x"/>' for _ in range(1_500))))

    assert len(result.problems) == 1_001
    assert result.problems[-1] == "and 500 more problems"


def test_row_26_outlines_a_thousand_deep_are_read() -> None:
    result = read_opml(
        opml('<outline text="t">' * 1_000 + '<outline xmlUrl="https://a.example/"/>' + "</outline>" * 1_000)
    )

    assert result.problems == []
    assert result.feeds[0].tags == ("t",)


BOMB = '<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
)  # fmt: skip


@pytest.mark.parametrize(
    "declared",
    [BOMB, '<!ENTITY a SYSTEM "file:///etc/passwd">', '<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;'],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_row_26_a_list_that_declares_entities_is_refused_whole(declared: str, encoding: str) -> None:
    text = f'<!DOCTYPE opml [{declared}]><opml><body><outline text="&a;" xmlUrl="https://a.example/"/></body></opml>'

    result = read_opml(text.encode(encoding))

    assert result.feeds == []
    assert [problem.partition(": ")[2] for problem in result.problems] == [
        "the file declares entities, which no list of feeds needs; nothing was read"
    ]


def test_a_bare_ampersand_in_an_address_is_repaired() -> None:
    result = read_opml(opml('<outline text="Caf&eacute; & Co" xmlUrl="https://a.example/?a=1&b=2&amp;c=3"/>'))

    assert result.problems == []
    assert result.feeds[0].url == "https://a.example/?a=1&b=2&c=3"


def test_what_stands_before_a_fault_is_kept_and_the_fault_is_reported() -> None:
    result = read_opml(opml('<outline xmlUrl="https://a.example/"/>', '<outline text="unclosed>', "<outline/>"))

    assert len(result.feeds) == 1
    assert result.problems == [
        "line 5: not well-formed XML (not well-formed (invalid token)); what came before was read"
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"<html><body/></html>", "line 1: not OPML: its root element is <html>; nothing was read"),
        (b"{}", "line 1: not well-formed XML (not well-formed (invalid token)); what came before was read"),
        (b" " * (20 * 1024**2 + 1), "the file is larger than 20 MiB; nothing was read"),
    ],
)
def test_what_is_no_list_is_named(data: bytes, problem: str) -> None:
    assert read_opml(data).problems == [problem]


def test_settings_that_make_no_sense_are_reported_and_replaced() -> None:
    result = read_opml(opml('<outline xmlUrl="https://u:secret@a.example/" language="Klingon!" intervalSeconds="-5"/>'))

    (feed,) = result.feeds
    assert (feed.url, feed.language, feed.interval_seconds) == ("https://a.example/", "", 0)
    assert result.problems == [
        "line 3: user name and password were removed from the address",
        "line 3: “Klingon!” is not a language; left open",
        "line 3: intervalSeconds “-5” is not 10 to 604800; it is learned",
    ]


def test_direction_and_control_characters_do_not_reach_a_name() -> None:
    (feed,) = read_opml(opml('<outline text="a&#x202e;b&#10;c" xmlUrl="https://a.example/"/>')).feeds

    assert feed.title == "a b c"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Zs", "Zl", "Zp", "Cn"]), max_size=30)

TAG = TEXT.filter(lambda text: text and not set(",/") & set(text))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda url, **more: Feed(id=feed_id(url), url=url, **more),
            url=st.integers(0, 10**6).map("https://a.example/{}".format),
            title=TEXT,
            outlet=TEXT,
            language=st.sampled_from(["", "de", "pt-BR"]),
            tags=st.lists(TAG, unique=True, max_size=4).map(tuple),
            full_page=st.booleans(),
            interval_seconds=st.integers(10, 604_800),
        ),
        unique_by=lambda feed: feed.id,
        max_size=5,
    )
)  # fmt: skip
def test_what_was_written_is_read_back_the_same(feeds: list[Feed]) -> None:
    result = read_opml(write_opml(feeds))

    assert result.problems == []
    assert result.feeds == feeds


def test_a_list_in_folders_is_written_the_same_after_it_was_read_back() -> None:
    inner = '<outline text="A &amp; B" xmlUrl="https://a.example/?x=1&y=2" category="/c/d,e"/>'
    read = read_opml(opml(f'<outline text="World, all"><outline text="North">{inner}</outline></outline>'))

    written = write_opml(read.feeds)

    assert read.feeds[0].tags == ("c/d", "e", "World all", "North")
    assert read_opml(written).feeds == read.feeds
    assert write_opml(read_opml(written).feeds) == written


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text("<>opml/ outline=\"'&;xUr:[]!-", max_size=200).map(str.encode)))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    read_opml(data)


def test_the_shipped_list_is_read_without_a_problem() -> None:
    shipped = Path(__file__).parents[1] / "config" / "feeds.opml"

    result = read_opml(shipped.read_bytes())

    assert result.problems == []
    assert len(result.feeds) >= 30


MEASURE = """
import resource, sys, time
from pathlib import Path
from pipeline.opml import read_opml

data = Path(sys.argv[1]).read_bytes()
status = Path("/proc/self/status")  # where there is none, what started us may have had the higher peak
peak = lambda: (int(status.read_text().partition("VmHWM:")[2].split()[0]) if status.exists() else
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024
opened = []
sys.addaudithook(lambda event, _: opened.append(event) if event == "open" or event.startswith("socket.") else None)
before, started = peak(), time.process_time()
opened.clear()
result = read_opml(data)
spent, seen = time.process_time() - started, len(opened)
print(spent, peak() - before, len(result.feeds), seen)
"""
HOSTILE = {
    "entities": lambda: f"<!DOCTYPE opml [{BOMB}]>".encode() + opml('<outline text="&k;"/>')[21:],
    "50,000 outlines": lambda: opml(*(f'<outline text="t" xmlUrl="https://a.example/{n}"/>' for n in range(50_000))),
    "50,000 files": lambda: opml('<outline xmlUrl="file:///etc/passwd"/>' * 50_000),
    "50,000 duplicates": lambda: opml('<outline xmlUrl="https://a.example/"/>' * 50_000),
    "500,000 deep": lambda: opml('<outline text="t">' * 500_000),
    "300,000 attributes": lambda: opml("<outline " + " ".join(f"a{n}='b'" for n in range(300_000)) + "/>"),
    "a name of 15 MB": lambda: opml(f'<outline text="{"x" * 15_000_000}" xmlUrl="https://a.example/"/>'),
}


@pytest.mark.parametrize(
    ("name", "feeds", "cpu_seconds", "rise_mib"),
    [
        ("entities", 0, 0.1, 8),
        ("50,000 outlines", MAX_FEEDS, 10, 64),
        ("50,000 files", 0, 10, 64),
        ("50,000 duplicates", 1, 10, 64),
        ("500,000 deep", 0, 10, 150),
        ("300,000 attributes", 0, 10, 200),
        ("a name of 15 MB", 1, 10, 150),
    ],
)
def test_row_26_a_hostile_list_is_read_within_its_bounds_and_nothing_is_opened(
    name: str, feeds: int, cpu_seconds: float, rise_mib: int, tmp_path: Path
) -> None:
    (tmp_path / "list").write_bytes(HOSTILE[name]())

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "list"], capture_output=True, text=True, check=True, timeout=120
    )

    spent, rise, found, opened = map(float, done.stdout.split())
    assert (found, opened) == (feeds, 0)
    assert spent < cpu_seconds
    assert rise < rise_mib
