"""The AMP and mobile variants of an article's address, folded to the address they are variants of.

Rules alone, without the network. Each of them merges two addresses only where it is practically impossible that they
are two articles; where that is not certain, two copies stay apart until their page names its canonical address.

Safe, and done:

- AMP caches and viewers, whose addresses hold the publisher's whole (``…cdn.ampproject.org/c/s/host/path``,
  ``www.google.com/amp/s/host/path``; https://developers.google.com/amp/cache/overview);
- ``?amp``, ``?amp=1``, ``?outputType=amp``, and ``/amp`` or ``/amp/`` behind a segment that looks like an article's
  (it has a digit or a hyphen): ``/dictionary/amp`` is an entry of a dictionary; ``.amp.html``;
- the hosts ``m.``, ``mobile.`` and ``amp.`` directly before a domain that somebody registered, as ``www.`` of it: the
  sites that have such a host have it for the same articles under the same paths.

Not safe, and not done: ``www.`` and the bare host stay two (nearly all links in use have one or the other, their ids
would all change, and a page's canonical address joins them); ``/amp/`` or ``/m/`` in front of or within a path;
``-amp`` at its end; ``m.`` before a subdomain (``m.blog.example.com``), before a public suffix (``m.co.uk`` and
``m.it`` are sites of their own) or where everybody has a subdomain (``mobile.substack.com`` is somebody's letter);
``?m=1``, ``?mobile=1``, which can be any site's own.
"""

from __future__ import annotations

import re

HOST_PREFIXES = ("m.", "mobile.", "amp.")
_VIEWER = re.compile(
    # host and path; the inner host must have a dot, so that "s" is never one
    r"(?:(?:[a-z0-9-]+\.)?cdn\.ampproject\.org/[cv]|www\.google\.[a-z.]{2,6}/amp)"
    r"/(?:s/)?([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/.*)?)",
    re.DOTALL,
)
_LOOKS_LIKE_AN_ARTICLE = re.compile(r"[0-9-]")
_AMP_QUERIES = frozenset(("amp", "amp=", "amp=1", "amp=true", "outputtype=amp", "output=amp"))
_SECOND_LEVEL = frozenset(
    ("ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "govt", "mil", "ne", "net", "nom", "or", "org", "sch")
)
"""What stands between a name and a country's two letters: ``co.uk``, ``com.au``, ``or.jp``."""
_EVERYBODYS = frozenset(
    (
        "blogspot.com", "github.io", "gitlab.io", "ghost.io", "herokuapp.com", "livejournal.com", "medium.com",
        "netlify.app", "over-blog.com", "pages.dev", "substack.com", "tumblr.com", "typepad.com", "vercel.app",
        "web.app", "weebly.com", "wixsite.com", "wordpress.com",
    )
)  # fmt: skip


def viewed(host: str, path: str) -> str:
    """Return host and path of the address that an AMP cache or viewer shows; empty when it is none."""
    found = _VIEWER.fullmatch(host + path) if ".amp" in host or path.startswith("/amp/") else None
    return found[1] if found else ""


def main_host(host: str) -> str:
    """Return the ``www.`` host of a mobile one, or the host itself."""
    if not host.startswith(HOST_PREFIXES):
        return host
    rest = host.partition(".")[2]
    labels = rest.split(".")
    if not 2 <= len(labels) <= 3 or rest in _EVERYBODYS or not labels[-1].isalpha():
        return host
    return f"www.{rest}" if len(labels) == 2 + is_second_level(labels[-2], labels[-1]) else host


def is_second_level(label: str, country: str) -> bool:
    """Whether nobody registers what these two labels end, but only names below it (``co.uk``)."""
    return len(country) == 2 and label in _SECOND_LEVEL


def main_path(path: str) -> str:
    """Return the path without what makes it the AMP variant."""
    while path.endswith(".amp.html"):
        path = path.removesuffix(".amp.html") + ".html"
    end = path[-1:] if path.endswith("/") else ""
    if not path.endswith("/amp" + end):
        return path
    main = path[: -len("/amp" + end)]
    return main + end if _LOOKS_LIKE_AN_ARTICLE.search(main, main.rfind("/") + 1) else path


def is_amp(piece: str) -> bool:
    """Whether a piece of a query asks for the AMP variant."""
    return piece.lower() in _AMP_QUERIES
