"""Reads ``rules.yml``: a list of alert rules, written by a person and therefore judged line by line.

The file is YAML, which can do far more than a list of rules needs; what it can do beyond that (aliases, which expand
to gigabytes, and tags, which name types) is refused before anything is built from it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from pipeline.errors import QueryError, UsageError
from pipeline.query.parse import parse
from pipeline.rule import Rule

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 4
"""List, rule, channels: a rule file has three levels, and one more can still be named in a message. PyYAML recurses."""

_ID: Final = re.compile(r"[a-z0-9-]{1,64}")
_SHOWN_CHARACTERS: Final = 40
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEYS: Final = Rule.__struct_fields__
_TEXT: Final = "tag:yaml.org,2002:str"
_BOOLEAN: Final = "tag:yaml.org,2002:bool"
_NULL: Final = "tag:yaml.org,2002:null"
_TRUE: Final = frozenset({"true", "yes", "on"})


class Problem(Struct, frozen=True):
    """What is wrong, and the line (from 1) of the file where."""

    line: int
    message: str


class _Wrong(Exception):
    """Something in the file cannot be used; carries where it stands."""

    def __init__(self, place: Node | yaml.Event, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(_line(place), message)


def load_rules(path: Path) -> list[Rule]:
    """Return the rules of ``path`` in file order, disabled ones among them. An empty file holds none.

    Raises:
        UsageError: the file cannot be read, or something in it is wrong; its path, and one line for each problem,
            ``rules.yml:12: rule hezbollah: …``.
    """
    rules, problems = read_rules(path)
    if problems:
        raise UsageError("\n  ".join([f"the rules in {path} cannot be used:", *problems]))
    return rules


def check_rules(path: Path) -> list[str]:
    """Return all that is wrong with ``path``, one line each, top to bottom; nothing when ``load_rules`` works."""
    return read_rules(path)[1]


def channels_not_set_up(rules: Sequence[Rule], known: Collection[str]) -> list[str]:
    """Return a line for each channel that an enabled rule names and that is not set up."""
    return [
        f"rule {rule.id}: the channel {_clipped(channel)} is not set up; there are: {', '.join(known)}"
        for rule in rules
        if rule.enabled
        for channel in rule.channels
        if channel not in known
    ]


def read_rules(path: Path) -> tuple[list[Rule], list[str]]:
    """Return the rules of ``path`` that are well, and a line for each thing that is wrong with the others."""
    name = path.name or str(path)
    try:
        text = _read_text(path)
        _refuse_beyond_a_list(text)
        rules, problems = _rules_of(yaml.compose(text, Loader=_LOADER))
    except UsageError as error:
        return [], [f"{name}: {error}"]
    except _Wrong as wrong:
        rules, problems = [], [wrong.problem]
    except yaml.reader.ReaderError as error:
        return [], [f"{name}: holds a character that YAML does not allow (U+{int(error.character):04X})"]
    except yaml.MarkedYAMLError as error:
        rules, problems = [], [_syntax_problem(error)]
    return rules, [f"{name}:{problem.line}: {problem.message}" for problem in problems]


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"is larger than {MAX_BYTES // 1024} KiB; a rule file is a short list of queries")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"is not UTF-8 text (byte {error.start})") from error


def _refuse_beyond_a_list(text: str) -> None:
    """Raise ``_Wrong`` at the first alias, anchor, tag or level that no rule file needs.

    Works on the stream of events, of which an alias is one, so that nothing is expanded and nothing recurses.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        refused = ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            refused = "anchors and aliases (& and *) are not allowed here; put text that starts with * or & in quotes"
        elif getattr(event, "tag", None):
            refused = "tags (!) are not allowed here; put text that starts with ! in quotes"
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                refused = "nested too deeply; expected a list of rules"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if refused:
            raise _Wrong(event, refused)


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    reason = error.problem or error.context or "cannot be read as YAML"
    return Problem(mark.line + 1, f"{reason} (column {mark.column + 1})") if mark else Problem(1, reason)


def _rules_of(root: Node | None) -> tuple[list[Rule], list[Problem]]:
    if root is None or root.tag == _NULL:
        return [], []
    if not isinstance(root, SequenceNode):
        return [], [Problem(_line(root), "expected a list of rules: each begins with '- id: …'")]
    rules: list[Rule] = []
    problems: list[Problem] = []
    first_line: dict[str, int] = {}
    for number, node in enumerate(root.value, start=1):
        fields, found = _fields_of(node, number)
        rule_id = fields.get("id") or ""
        if rule_id in first_line:
            found.append(Problem(_line(node), f"rule {rule_id}: the id is taken by line {first_line[rule_id]}"))
        elif rule_id:
            first_line[rule_id] = _line(node)
        problems += found
        if not found:
            rules.append(Rule(**fields))
    return rules, sorted(problems, key=lambda problem: problem.line)


def _fields_of(node: Node, number: int) -> tuple[dict[str, Any], list[Problem]]:
    """Return what can be used of the rule written at ``node`` (None for a wrong value), and what is wrong there."""
    if not isinstance(node, MappingNode):
        said = f"rule number {number}: expected 'id: …' and 'query: …', not {_shown(node)}"
        return {}, [Problem(_line(node), said)]
    problems: list[Problem] = []
    fields: dict[str, Any] = {}
    label = _label(node, number)
    for key, value in node.value:
        try:
            name = _key(key, fields)
            fields[name] = None  # it is there, so a wrong value is not reported as a missing one too
            fields[name] = _READERS[name](value)
        except _Wrong as wrong:
            problems.append(Problem(wrong.problem.line, f"{label}: {wrong.problem.message}"))
    missing = [required for required in ("id", "query") if required not in fields]
    problems += [Problem(_line(node), f"{label}: has no {required}") for required in missing]
    return fields, problems


def _label(node: MappingNode, number: int) -> str:
    for key, value in node.value:
        if isinstance(key, ScalarNode) and key.value == "id" and isinstance(value, ScalarNode):
            return f"rule {value.value}" if _ID.fullmatch(value.value) else f"rule number {number}"
    return f"rule number {number}"


def _key(node: Node, seen: dict[str, Any]) -> str:
    if not isinstance(node, ScalarNode) or node.value not in _KEYS:
        word = node.value[:_SHOWN_CHARACTERS] if isinstance(node, ScalarNode) else ""
        nearest = get_close_matches(word, _KEYS, n=1, cutoff=0.5)
        hint = f"did you mean {nearest[0]}? (known: {', '.join(_KEYS)})" if nearest else f"known: {', '.join(_KEYS)}"
        raise _Wrong(node, f"unknown key {_shown(node)}; {hint}")
    name = str(node.value)
    if name in seen:
        raise _Wrong(node, f"{name} is given twice")
    return name


def _text(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise _Wrong(node, f"expected text, not {_shown(node)}")
    if node.tag != _TEXT:
        raise _Wrong(node, f"expected text, not {_shown(node)}; put it in quotes")
    if not node.value.strip():
        raise _Wrong(node, "expected text, not nothing")
    return str(node.value)


def _id(node: Node) -> str:
    text = _text(node)
    if not _ID.fullmatch(text):
        raise _Wrong(node, f"id {_shown(node)} must be 1 to 64 of a-z, 0-9 and -")
    return text


def _query(node: Node) -> str:
    text = _text(node)
    try:
        parse(text)
    except QueryError as error:
        raise _Wrong(node, f"query, {error}") from error
    return text


def _channels(node: Node) -> tuple[str, ...]:
    if not isinstance(node, SequenceNode):
        raise _Wrong(node, f"channels must be a list such as [log], not {_shown(node)}")
    if not node.value:
        raise _Wrong(node, "channels is empty; leave it out for [log], or set 'enabled: false' to silence the rule")
    return tuple(dict.fromkeys(_text(item) for item in node.value))


def _enabled(node: Node) -> bool:
    if node.tag != _BOOLEAN:
        raise _Wrong(node, f"enabled must be true or false, not {_shown(node)}")
    return str(node.value).lower() in _TRUE


_READERS: Final = {"id": _id, "query": _query, "name": _text, "channels": _channels, "enabled": _enabled}


def _line(place: Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark else 1


def _shown(node: Node) -> str:
    """Return what stands at ``node`` for a message: one short line, whatever it holds."""
    if isinstance(node, ScalarNode):
        return _clipped(node.value)
    return "a list" if isinstance(node, SequenceNode) else "a mapping"


def _clipped(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…")
