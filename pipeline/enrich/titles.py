"""A title without the name of the site that many pages and feeds write around it.

Nothing is cut without evidence: the part that goes is a name of the outlet, or what is left is the title as the page
shows it. A dash alone says nothing, as titles have dashes of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.text.characters import one_line
from pipeline.text.limits import MAX_TITLE_CHARACTERS

MIN_TITLE_WIDTH: Final = 15
"""What is shorter than this is more likely a site's or a column's name than a title; a character of an unspaced script
counts as three."""
MAX_NAME_CHARACTERS: Final = 80
MAX_PARTS: Final = 8

_SEPARATOR: Final = re.compile(
    r"\s+(?:[|｜\-–—―·•»«/~]|::?|<|>)\s+|\s*[|｜]\s*|_|(?<=[\u0e00-\uffef])[-–—－](?=[\u0e00-\uffef])"
)
_PREFIX: Final = re.compile(r"\s*[:：]\s+|\s*：")
_LABELS: Final = frozenset({"www", "com", "co", "org", "net", "gov", "edu", "ac", "info", "news", "m", "en", "amp"})
"""Parts of a host that are no name of anybody."""
_TAILS: Final = ("", "com", "news", "online")
_BY: Final = re.compile(r"(?:by|von|par|por|di|от|oleh)\s+", re.IGNORECASE)


def title_key(text: str) -> str:
    """Return a text as titles and names are compared: its letters and digits, case folded."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def site_keys(names: Iterable[str]) -> frozenset[str]:
    """Return what a title may have for a site of one of these names; a host (``news.example.co.uk``) is a name too."""
    keys: set[str] = set()
    for name in names:
        bare = one_line(name[:MAX_NAME_CHARACTERS])
        if " " not in bare and "." in bare:
            keys.update(title_key(label) for label in bare.split(".")[:-1] if label.lower() not in _LABELS)
        keys.add(title_key(bare))
    keys |= {key.removeprefix("the") for key in keys}
    keys |= {f"the{key}" for key in keys}
    return frozenset(key + tail for key in keys if len(key.removeprefix("the")) > 1 for tail in _TAILS)


def without_site(title: str, sites: frozenset[str], *, shown: Sequence[str] = (), besides: Iterable[str] = ()) -> str:
    """Return ``title`` without the site's name, and without what stands between the two (a section, an author).

    ``sites`` comes from ``site_keys``; ``shown`` are the titles that the page shows or claims elsewhere; ``besides``
    are the section and the authors, which go only together with a name. The result of a result is itself.
    """
    title = one_line(title)
    sides, wholes = frozenset(map(title_key, besides)), frozenset(map(title_key, shown))
    while len(title) < MAX_TITLE_CHARACTERS - 1:  # one that is cut off there has no end to speak of
        shorter = one_line(_without_prefix(_without_end(title, sites, sides, wholes), sites))
        if shorter == title:
            break
        title = shorter
    return title


def _without_end(title: str, sites: frozenset[str], sides: frozenset[str], wholes: frozenset[str]) -> str:
    """Cut at the separator that leaves a title as it is shown, else before the last parts that are known names."""
    separators = [found.span() for found in _SEPARATOR.finditer(title)][: -MAX_PARTS - 1 : -1]
    for start, end in separators:
        if title_key(title[:start]) in wholes and len(title) - end <= MAX_NAME_CHARACTERS:
            return title[:start] if is_long_enough(title[:start]) else title
    behind, kept, is_named = len(title), title, False
    for start, end in separators:
        part = title_key(title[end:behind])
        is_site = part in sites
        if not (is_site or part in sides or title_key(_BY.sub("", title[end:behind], count=1)) in sides):
            break
        behind, is_named = start, is_named or is_site
        if is_named and is_long_enough(title[:start]):
            kept = title[:start]
    return kept


def _without_prefix(title: str, sites: frozenset[str]) -> str:
    for separator in (_SEPARATOR, _PREFIX):
        found = separator.search(title)
        if found and title_key(title[: found.start()]) in sites and is_long_enough(title[found.end() :]):
            return title[found.end() :]
    return title


def is_long_enough(title: str) -> bool:
    """Whether a title may be this short, when the rest of it was cut off."""
    return len(title) + 2 * sum(unicodedata.east_asian_width(one) in "WF" for one in title) >= MIN_TITLE_WIDTH
