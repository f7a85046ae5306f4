"""The rule file: what it may say, and that every mistake in it is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.query.parse import parse
from pipeline.rule import Rule
from pipeline.rules_file import MAX_BYTES, check_rules, load_rules

SHIPPED = Path(__file__).parents[1] / "config" / "rules.yml"


@pytest.fixture
def rule_file(tmp_path: Path):
    def write(text: str | bytes) -> Path:
        path = tmp_path / "rules.yml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_rule_is_read_with_its_defaults(rule_file):
    path = rule_file("- id: ports\n  query: port AND strike\n")

    assert load_rules(path) == [Rule(id="ports", query="port AND strike")]


def test_every_setting_of_a_rule_is_read(rule_file):
    path = rule_file(
        "- {id: ports, name: Strikes at ports, query: '\"port strike\"', channels: [log, desk, log], enabled: no}\n"
    )

    (rule,) = load_rules(path)

    assert rule.name == "Strikes at ports"
    assert rule.query == '"port strike"'
    assert rule.channels == ("log", "desk")
    assert rule.enabled is False


def test_the_shipped_rules_are_right_and_find_hezbollah_in_four_spellings():
    rules = {rule.id: rule for rule in load_rules(SHIPPED)}

    assert len(rules) >= 4
    assert parse(rules["hezbollah"].query) == parse('hezbollah OR hizbollah OR hizbullah OR hisbollah OR "حزب الله"')
    assert all(rule.name and rule.channels == ("log",) for rule in rules.values())


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "\ufeff", "[]"], ids=repr)
def test_a_file_without_rules_holds_none(rule_file, text):
    assert load_rules(rule_file(text)) == []


def test_all_problems_of_a_file_are_told_at_once_each_with_its_line(rule_file):
    path = rule_file(
        "- id: hezbollah\n"
        "  querry: hezbollah\n"
        "- id: Ports\n"
        "  query: port\n"
        "- query: quake\n"
        "  chanels: [log]\n"
        "- id: hezbollah\n"
        "  query: (quake\n"
    )

    with pytest.raises(UsageError) as caught:
        load_rules(path)

    first, *lines = [line.strip() for line in str(caught.value).splitlines()]
    assert first == f"the rules in {path} cannot be used:"
    assert lines == check_rules(path)
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3", "5", "6", "7", "8"]
    assert lines[0] == "rules.yml:1: rule hezbollah: has no query"
    assert "unknown key 'querry'; did you mean query?" in lines[1]
    assert lines[2] == "rules.yml:3: rule number 2: id 'Ports' must be 1 to 64 of a-z, 0-9 and -"
    assert lines[3] == "rules.yml:5: rule number 3: has no id"
    assert "did you mean channels?" in lines[4]
    assert lines[5] == "rules.yml:7: rule hezbollah: the id is taken by line 1"
    assert lines[6].startswith("rules.yml:8: rule hezbollah: query, at character ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id: a\nquery: b\n", "1: expected a list of rules"),
        ("just words", "1: expected a list of rules"),
        ("- hezbollah\n", "1: rule number 1: expected 'id: …' and 'query: …', not 'hezbollah'"),
        ("- id: a\n  query: b\n  id: c\n", "3: rule a: id is given twice"),
        ("- id: 7\n  query: b\n", "1: rule 7: expected text, not '7'; put it in quotes"),
        ("- id: a\n  query: 2024\n", "2: rule a: expected text, not '2024'; put it in quotes"),
        ("- id: a\n  query: 2024-03-15\n", "2: rule a: expected text, not '2024-03-15'; put it in quotes"),
        ("- id: a\n  query: [b]\n", "2: rule a: expected text, not a list"),
        ("- id: a\n  query:\n", "2: rule a: expected text, not ''; put it in quotes"),
        ("- id: a\n  query: '  '\n", "2: rule a: expected text, not nothing"),
        ("- id: a\n  query: b\n  channels: log\n", "3: rule a: channels must be a list such as [log], not 'log'"),
        ("- id: a\n  query: b\n  channels: []\n", "3: rule a: channels is empty"),
        ("- id: a\n  query: b\n  channels: [{}]\n", "3: rule a: expected text, not a mapping"),
        ("- id: a\n  query: b\n  enabled: maybe\n", "3: rule a: enabled must be true or false, not 'maybe'"),
        ("- id: a\n  query: b\n  [x]: c\n", "3: rule a: unknown key a list"),
        ("- id: a\n  query: b\n  colour: c\n", "3: rule a: unknown key 'colour'; known: id, query, name,"),
        ("- id: a\n query: b\n", "2: "),
        ("- id: a\n  query: 'b\n", "3: "),
        ("- id: a\n---\n- id: b\n", "2: "),
    ],
)
def test_a_mistake_is_named_with_its_line(rule_file, text, said):
    problems = check_rules(rule_file(text))

    assert len(problems) == 1
    assert problems[0].startswith(f"rules.yml:{said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- &a {id: a, query: b}\n- *a\n", "anchors and aliases"),
        ("- id: a\n  query: *b\n", "anchors and aliases"),
        ("- id: a\n  query: !!python/object/apply:os.system [x]\n", "tags (!)"),
        ("- !!str a\n", "tags (!)"),
        ("[" * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
    ],
    ids=["alias", "unknown alias", "object", "tag", "flow", "block"],
)
def test_what_yaml_can_do_beyond_a_list_of_rules_is_refused(rule_file, text, said):
    problems = check_rules(rule_file(text))

    assert len(problems) == 1
    assert said in problems[0]


def test_aliases_that_would_expand_to_gigabytes_are_refused_unexpanded(rule_file):
    levels = "".join(f"- &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))

    assert check_rules(rule_file("- &l0 [x]\n" + levels)) == [
        "rules.yml:1: anchors and aliases (& and *) are not allowed here; put text that starts with * or & in quotes"
    ]


def test_a_file_that_is_too_large_or_not_text_is_refused(rule_file, tmp_path):
    assert check_rules(rule_file(b"#" * MAX_BYTES)) == []
    assert "larger than 1024 KiB" in check_rules(rule_file(b"#" * (MAX_BYTES + 1)))[0]
    assert "is not UTF-8 text (byte 2)" in check_rules(rule_file(b"- \xff\xfe"))[0]
    assert "does not allow (U+0000)" in check_rules(rule_file("- id: a\0"))[0]
    assert "cannot be read: Is a directory" in check_rules(tmp_path)[0]
    assert check_rules(tmp_path / "none.yml") == ["none.yml: cannot be read: No such file or directory"]


def test_a_problem_stays_on_one_short_line_whatever_the_file_says(rule_file):
    path = rule_file(yaml.safe_dump([{"id": "x\n\u202e" * 500, "query": "a", "k\n" * 50_000: 1}], allow_unicode=True))

    problems = check_rules(path)

    assert len(problems) == 2
    assert all(len(problem) < 200 and problem.isprintable() for problem in problems)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["id", "query", "name", "channels", "enabled", "x"]), inner, max_size=6)
        ),
        max_leaves=20,
    ).map(lambda value: yaml.safe_dump(value, allow_unicode=True))
)
def test_no_file_can_do_more_than_be_wrong(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    problems = check_rules(path)

    if problems:
        with pytest.raises(UsageError):
            load_rules(path)
        assert all(problem.startswith("rules.yml:") and "\n" not in problem for problem in problems)
    else:
        assert all(isinstance(rule, Rule) for rule in load_rules(path))
