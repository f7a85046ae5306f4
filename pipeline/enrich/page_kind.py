"""What a page without an article is, so that it can be counted and mended: a wall, a list of articles, or a film."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

from lxml.html import HtmlElement

from pipeline.enrich.page_json import read_page_json

PageKind = Literal["", "index", "login", "consent", "video"]
KINDS: Final = tuple(kind for kind in get_args(PageKind) if kind)

MAX_WALL_CHARACTERS: Final = 3_000
"""Of the text of a page that is a wall; a news page with a form to log in has more in its menus alone."""
MIN_HEADLINES: Final = 15
"""Links of a headline's length that make a page a list of articles."""
MIN_HEADLINE_CHARACTERS: Final = 25

# "Accept all" and the like, on buttons and links: what IAB Europe's TCF asks of a first layer is named by all banners.
_CONSENT = re.compile(
    r"\b(?:accept all|accept cookies|accept and (?:continue|close)|i accept|agree and (?:continue|close)|reject all"
    r"|alle akzeptieren|akzeptieren und|zustimmen und|einverstanden|tout accepter|accepter et continuer|accepter tout"
    r"|aceptar todo|aceptar y continuar|aceptar cookies|aceitar tudo|aceitar todos|aceitar e|accetta tutt[oi]"
    r"|accetta e|alles accepteren|akkoord|zaakceptuj|akceptuj|przejdź do serwisu|acceptera alla|godkänn alla"
    r"|принять все|согласиться|прийняти все|tümünü kabul|kabul et)\b|قبول الكل|موافق|پذیرش"
    r"|同意する|すべて同意|全部接受|接受所有",
    re.IGNORECASE,
)
_CONSENT_WORD = re.compile(r"cookie|consent|gdpr|privacy|datenschutz|confidentialité|privacidad|çerez|الارتباط", re.I)


def page_kind(tree: HtmlElement) -> PageKind:
    """Return what kind of page this is, given that no article was found in it; empty where nothing tells."""
    short = _text(tree, MAX_WALL_CHARACTERS)
    if short is not None:
        # WHATWG HTML 4.10.5.1.6
        if any((field.get("type") or "").lower() == "password" for field in tree.iter("input")):
            return "login"
        if _CONSENT_WORD.search(short) and _CONSENT.search(short):
            return "consent"
    types = read_page_json(tree).types
    says_article = any(name.endswith(("Article", "Posting")) for name in types) or _is_of_type(tree, "article")
    if _is_of_type(tree, "video") or ("VideoObject" in types and not says_article):
        return "video"
    return "index" if not says_article and _has_headlines(tree) else ""


def _text(tree: HtmlElement, limit: int) -> str | None:
    """Return what a reader sees of a page, or None when it is more than ``limit``."""
    pieces: list[str] = []
    total = 0
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        unread = element.tag in ("script", "style", "noscript", "template", "head", "title", "meta")
        for piece in ("" if unread else element.text, element.tail):
            if piece and not piece.isspace():
                pieces.append(piece.strip())
                total += len(pieces[-1])
                if total > limit:
                    return None
    return " ".join(" ".join(pieces).split())


def _is_of_type(tree: HtmlElement, name: str) -> bool:
    """Whether the page says so in ``og:type`` (https://ogp.me/#types)."""
    metas = (meta for meta in tree.iter("meta") if meta.get("property") == "og:type")
    return any((meta.get("content") or "").lower().startswith(name) for meta in metas)


def _has_headlines(tree: HtmlElement) -> bool:
    headlines = set()
    for link in tree.iter("a"):
        words = " ".join("".join(link.itertext()).split()) if link.get("href") else ""
        if len(words) >= MIN_HEADLINE_CHARACTERS:
            headlines.add(link.get("href"))
            if len(headlines) >= MIN_HEADLINES:
                return True
    return False
