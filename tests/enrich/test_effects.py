"""What each stage changed, for a person to read."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.article import Article, Heading
from pipeline.enrich import run
from pipeline.enrich.effects import MAX_SHOWN_CHARACTERS, Change, explain, shown, stage_effects
from pipeline.enrich.run import enrich_article
from pipeline.enrich.tools import Tools

STAGES = tuple(run.STAGES)
TEXT = "The council met on Monday to discuss the new bridge over the river and will decide next week."
RAW = Article(
    id="a",
    title="A new bridge over the river | Example",
    outlet="Example",
    authors=("By JANE DOE",),
    html=f"<p>{TEXT}</p>",
)


def test_each_stage_is_told_in_its_order_with_what_it_changed(tools: Tools) -> None:
    effects = {effect.stage.partition("/")[0]: effect.changes for effect in stage_effects(RAW, tools, STAGES)}
    assert list(effects) == [*STAGES, "fitted"]
    assert Change("body", "", TEXT) in effects["text"]
    assert Change("title", RAW.title, "A new bridge over the river") in effects["metadata"]
    assert Change("authors", "By JANE DOE", "Jane Doe") in effects["metadata"]
    assert Change("language", "und", "en") in effects["language"]
    assert (effects["clean"], effects["fitted"]) == ((), ())


def test_the_effects_lead_to_the_enriched_article(tools: Tools) -> None:
    told = explain(RAW, tools, STAGES)
    found = enrich_article(RAW, tools, STAGES)
    last = {change.field: change.after for effect in told.effects for change in effect.changes}
    assert (told.title, told.dropped) == (found.title, "")
    assert all(last[name] == shown(getattr(found, name)) for name in last)


def test_what_is_left_out_says_why(tools: Tools) -> None:
    assert explain(Article(id="a", html="<p>Advertisement</p>"), tools, STAGES).dropped == "no_text"


def test_a_stage_that_failed_is_seen_by_its_flag(tools: Tools, monkeypatch) -> None:
    def broken(article: Article, tools: Tools) -> Article:
        raise ValueError("x")

    monkeypatch.setattr(run, "STAGES", {**run.STAGES, "text": run.Stage(broken, 7)})
    first = stage_effects(RAW, tools, STAGES)[0]
    assert (first.stage, first.changes) == ("text/7", (Change("flags", "", "failed:text"),))


def test_values_are_shown_short() -> None:
    assert shown("x" * 1_000) == "x" * MAX_SHOWN_CHARACTERS + "… (1,000 characters)"
    assert shown(("a", "b")) == "a; b"
    assert shown(tuple(["word"] * 500)).endswith("… (500 in all)")
    assert shown((Heading(3, "Two"),)) == '[{"offset":3,"text":"Two"}]'
    assert (shown(None), shown(()), shown(0.5)) == ("", "", "0.5")
    assert shown(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00+00:00"


@settings(max_examples=60, deadline=None)
@given(title=st.text(max_size=60), html=st.text(max_size=200))
def test_no_text_raises(tools: Tools, title: str, html: str) -> None:
    for effect in stage_effects(Article(id="a", title=title, html=html), tools, STAGES):
        assert all(len(change.after) <= MAX_SHOWN_CHARACTERS + 40 for change in effect.changes)
