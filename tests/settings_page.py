"""Writes docs/settings.md from the settings themselves: ``python tests/settings_page.py`` after a change to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.settings import NAMES, Settings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"

HEAD = """# Settings

<!-- Written by tests/settings_page.py from pipeline/settings.py; change it there. -->

Each setting can be given in three places; the first that has it wins:

1. the environment: `WIREWATCH_` and the name in capitals, as in `WIREWATCH_POLL_BATCH=20`; lists separated by commas.
   With `_FILE` at the end the variable names a file that holds the value, which is how to give a secret:
   `WIREWATCH_WEBHOOK_SECRET_FILE=/run/secrets/webhook`;
2. `wirewatch.toml` in the current folder or the nearest one above it;
3. the default.

`--data`, `--config` and `--log-level` on the command line win over all of these. Relative paths start at the folder of
`wirewatch.toml` (the current folder when there is none); on the command line, where it was typed. After `sqlite:///`
comes a relative path, after `sqlite:////` an absolute one. A name that is not listed here is an error.
`wirewatch doctor` says what it finds.

| setting | default | what it is |
|---|---|---|
"""

EXAMPLE = """
A `wirewatch.toml`:

```toml
contact = "mailto:desk@example.org"
poll_batch = 20
stages = ["text", "metadata", "origin", "clean", "language", "entities", "quotes"]
webhook_url = "https://alerts.example.org/wirewatch"
# webhook_secret: better as WIREWATCH_WEBHOOK_SECRET_FILE
```
"""


def settings_page() -> str:
    """Return the page as it should be."""
    return HEAD + "".join(_row(name, Settings.model_fields[name]) for name in NAMES) + EXAMPLE


def _row(name: str, field: FieldInfo) -> str:
    choices = [f"`{choice}`" for choice in get_args(field.annotation) if isinstance(choice, str)]
    limits = [f"{word} {value:g}" for word, value in _limits(field.metadata)]
    more = f" One of {', '.join(choices)}." if choices else f" ({', '.join(limits)})" if limits else ""
    return f"| `{name}` | {_shown(field.default)} | {field.description}{more} |\n"


def _limits(metadata: list[Any]) -> list[tuple[str, float]]:
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    return [(word, getattr(one, key)) for one in metadata for key, word in words.items() if hasattr(one, key)]


def _shown(default: object) -> str:
    if isinstance(default, tuple):
        return " ".join(f"`{one}`" for one in default) or "none"
    return f"`{default}`" if default != "" and not isinstance(default, SecretStr) else "none"


if __name__ == "__main__":
    PAGE.write_text(settings_page(), "utf-8")
