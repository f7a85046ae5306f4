"""What a revision changed, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.article import Changes


def changes_in_words(changes: Changes) -> Iterator[str]:
    """Yield a line for each kind of change: title, length, figures, headings."""
    if changes.title_before or changes.title_after:
        yield f"title was “{changes.title_before}”"
    if changes.page_replaced_feed:
        yield f"the page's text: {changes.characters_before:,} → {changes.characters_after:,} characters"
    elif changes.share:
        length = f"{changes.characters_before:,} → {changes.characters_after:,} characters"
        yield f"text: {changes.share:.0%} other, {length}"
    for figure in changes.figures:
        yield f"{figure.before} → {figure.after}: {figure.sentence}"
    for heading in changes.headings_added:
        yield f"heading added: {heading}"
    for heading in changes.headings_removed:
        yield f"heading removed: {heading}"
