"""A user's own names: what a file may hold, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.gazetteer_files import MAX_BYTES, MAX_PROBLEMS, load_own_rows, read_own_rows, shipped_rows
from pipeline.errors import UsageError
from pipeline.settings import shipped_config

CSV = """kind,name,aliases,country,latitude,longitude,weight,context
person,Ada Example,Adda Example|Example A.,,,,,
place,Sampleton,,gb,51.5,-0.25,1200,"ferry|harbour"
"""
YAML = """
- kind: organisation
  name: Sample Works
  aliases: [Sample Co, "S|W"]
- kind: person
  name: "No"
  context: Bond
"""


def problems_of(folder: Path, name: str, content: str | bytes) -> list[str]:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_own_rows(folder)[1]


def test_both_kinds_of_file_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text(CSV)
    (tmp_path / "a.yml").write_text(YAML)
    (tmp_path / "notes.txt").write_text("kind")
    rows = load_own_rows(tmp_path)
    assert [row.name for row in rows] == ["Sample Works", "No", "Ada Example", "Sampleton"]
    assert [row.id for row in rows][:2] == ["own:sample-works", "own:no"]
    assert rows[0].aliases == ("Sample Co", "S W")
    place = rows[3]
    assert (place.country, place.latitude, place.longitude, place.weight) == ("GB", 51.5, -0.25, 1200)
    assert place.context == ("ferry", "harbour")


def test_without_a_folder_there_are_no_names(tmp_path: Path) -> None:
    assert read_own_rows(tmp_path / "entities") == ([], [])


def test_a_file_of_a_spreadsheet_with_a_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_bytes(b"\xef\xbb\xbfKind,Name\r\nperson,Ada\r\n\r\n,\r\n")
    assert [row.name for row in load_own_rows(tmp_path)] == ["Ada"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "own.csv:1: is empty"),
        ("kind;name\n", "own.csv:1: its columns are parted by semicolons"),
        ("kind,name\nperson,The\n", "own.csv:2: 'The' is an ordinary word; give it a context"),
        ("kind,nme\n", "own.csv:1: unknown column 'nme'; there are: id, kind"),
        ("kind,kind,name\n", "own.csv:1: the column kind is there twice"),
        ("name\n", "own.csv:1: has no column kind"),
        ("kind,name\npersn,Ada\n", "own.csv:2: kind must be person, organisation or place, not 'persn'"),
        ("kind,name\nperson,\n", "own.csv:2: name is empty"),
        ("kind,name\nperson,--\n", "own.csv:2: '--' has no letter or digit"),
        ("kind,name\nperson,Ada,more\n", "own.csv:2: 3 cells under 2 columns"),
        (f"kind,name\nperson,{'x' * 201}\n", "own.csv:2: 'xxxx"),
        ('kind,name\nperson,"a\nb"\nplce,c\n', "own.csv:4: kind must be"),
        ('kind,name\nperson,"never ends\n', "own.csv:2: is no CSV"),
        ("kind,name,latitude\nplace,Sampleton,51\n", "own.csv:2: latitude and longitude: give both or neither"),
        ("kind,name,latitude,longitude\nplace,S,nan,1\n", "own.csv:2: latitude must be degrees from -90 to 90"),
        ("kind,name,latitude,longitude\nplace,S,1,181\n", "own.csv:2: longitude must be degrees"),
        ("kind,name,weight\nplace,S,-1\n", "own.csv:2: weight must be a whole number"),
        ("kind,name,country\nplace,S,UKR\n", "own.csv:2: country must be two letters"),
        (b"kind,name\nperson,Jos\xe9\n", "own.csv:2: is not UTF-8 text"),
        (b"\0" * 100, "own.csv:1: "),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(tmp_path: Path, content: str | bytes, said: str) -> None:
    (problem,) = problems_of(tmp_path, "own.csv", content)
    assert problem.startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("kind: person", "own.yml:1: expected a list"),
        ("- kind: person\n  name: [a]\n", "own.yml:1: name: expected one value"),
        ("\n- kind: person\n  nam: a\n", "own.yml:2: unknown key 'nam'"),
        ("- kind: person\n  name: a\n  name: b\n", "own.yml:1: name is given twice"),
        ("- a\n", "own.yml:1: expected 'kind: …'"),
        ("- &a {kind: person}\n- *a\n", "own.yml:1: anchors, aliases and tags"),
        ("- kind: !!python/object person\n", "own.yml:1: anchors, aliases and tags"),
        ("[" * 5000, "own.yml:1: nested too deeply"),
        ("- kind: person\n   name: a\n", "own.yml:2: "),
        ("- \x07", "own.yml: holds a character that YAML does not allow (U+0007)"),
        ("- kind: person\n  name: {b: c}\n", "own.yml:1: name: expected one value"),
        ("- kind: person\n  name: a\n  aliases: [[b]]\n", "own.yml:3: nested too deeply"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_line(tmp_path: Path, content: str, said: str) -> None:
    (problem,) = problems_of(tmp_path, "own.yml", content)
    assert problem.startswith(said)


def test_all_that_is_wrong_is_said_at_once_but_not_without_end(tmp_path: Path) -> None:
    problems = problems_of(tmp_path, "own.csv", "kind,name\n" + "x,y\n" * 1000)
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1] == "own.csv: and 980 more"
    with pytest.raises(UsageError, match=r"cannot be used:\n  own.csv:2: kind"):
        load_own_rows(tmp_path)


def test_a_file_too_large_is_not_read(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "own.csv", b"x" * (MAX_BYTES + 1)) == ["own.csv: is larger than 16 MiB"]


@given(content=st.binary(max_size=300) | st.text(st.sampled_from("kindamepros,:-[]{}&*!|'\"\n \t"), max_size=200))
def test_no_file_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes | str) -> None:
    folder = tmp_path_factory.mktemp("own")
    for name in ("own.csv", "own.yml"):
        rows, problems = read_own_rows(folder) if not problems_of(folder, name, content) else ([], [])
        assert not problems
        assert all(row.name for row in rows)


def test_the_shipped_names_are_there() -> None:
    rows = shipped_rows(shipped_config() / "gazetteer")
    assert {row.kind for row in rows} == {"person", "organisation", "place"}
