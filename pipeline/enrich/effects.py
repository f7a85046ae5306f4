"""What each stage does to an article, field by field: for a person who asks why it reads as it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import Struct

from pipeline.article import Article
from pipeline.enrich.run import enrichment
from pipeline.enrich.tools import Tools
from pipeline.errors import DropArticle
from pipeline.outcomes import DropReason

MAX_SHOWN_CHARACTERS: Final = 200
_UNTOLD: Final = frozenset({"stages"})
"""Fields that only say that the stages ran."""


class Change(Struct, frozen=True):
    """A field before and after a stage, as text: the beginning of a long one, then how long it is."""

    field: str
    before: str
    after: str


class StageEffect(Struct, frozen=True, kw_only=True):
    """What one stage changed; nothing, when ``changes`` is empty."""

    stage: str
    """``name/version``; ``fitted`` is the cleaning and cutting after the last stage."""
    changes: tuple[Change, ...] = ()


class Explanation(Struct, frozen=True, kw_only=True):
    """An article and what each stage in turn did to it."""

    id: str
    title: str
    """As it is in the end."""
    effects: tuple[StageEffect, ...] = ()
    dropped: str = ""
    """Why the article is left out in the end; empty for one that is not."""


def explain(article: Article, tools: Tools, stages: Sequence[str]) -> Explanation:
    """Return what the stages do to an article, which is not changed, and whether anything is left of it."""
    effects, dropped, title = [], "", article.title
    try:
        for effect, made in _effects(article, tools, stages):
            effects.append(effect)
            title = made.title
            dropped = "" if made.title or made.body else DropReason.NO_TEXT.value
    except DropArticle as drop:
        dropped = drop.reason.value
    return Explanation(id=article.id, title=shown(title), effects=tuple(effects), dropped=dropped)


def stage_effects(article: Article, tools: Tools, stages: Sequence[str]) -> tuple[StageEffect, ...]:
    """Return the effect of each stage in turn, and of the fitting at the end; up to where the article is dropped."""
    return explain(article, tools, stages).effects


def _effects(article: Article, tools: Tools, stages: Sequence[str]) -> Iterator[tuple[StageEffect, Article]]:
    for (_, before), (stage, after) in pairwise(enrichment(article, tools, stages)):
        yield StageEffect(stage=stage, changes=_changes(before, after)), after


def _changes(before: Article, after: Article) -> tuple[Change, ...]:
    return tuple(
        Change(name, shown(old), shown(new))
        for name in Article.__struct_fields__
        if name not in _UNTOLD and (old := getattr(before, name)) != (new := getattr(after, name))
    )


def shown(value: Any) -> str:
    """Return a value of an article's field as text of about 200 characters at most."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple) and all(isinstance(one, str) for one in value):
        text = "; ".join(value[:MAX_SHOWN_CHARACTERS])
    else:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return text
    whole = f"{len(text):,} characters" if isinstance(value, str) else f"{len(value):,} in all"
    return f"{text[:MAX_SHOWN_CHARACTERS]}… ({whole})"
