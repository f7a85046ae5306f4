"""robots.txt for pages (RFC 9309): whether an address may be asked for, and how long to leave its host alone after.

    known answer ─▶ expired? ask the origin ─▶ keep for a day ─▶ judge the page's address

It binds the fetching of pages, which nobody asked for one by one, and not polls: a feed is there to be polled by
programs, and a person has named each. Practice differs: Media Cloud's rss-fetcher reads no robots.txt, the
maintainers of selfoss hold it to be for crawlers (its issue 1496), while news-crawl asks for feeds under it as well.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace
from protego import Protego
from yarl import URL

from pipeline import telemetry
from pipeline.errors import RequestFailed, RequestRefused
from pipeline.ports import Http, Response, RobotsAnswer, RobotsCache

PRODUCT_TOKEN = "Wirewatch"  # noqa: S105 - the name by which robots.txt speaks of us (RFC 9309 section 2.2.1)
KEPT = timedelta(hours=24)  # RFC 9309 section 2.4
CLOSED_FOR = timedelta(minutes=15)  # until an origin is asked again that could not say
OPEN_AFTER = timedelta(days=30)  # RFC 9309 section 2.3.1.4
PARSED_BYTES = 500 * 1024  # RFC 9309 section 2.5
LARGEST_BYTES = 4 * 1024 * 1024  # read; what is larger is no robots.txt
DEADLINE_SECONDS = 15.0
REDIRECTS = 5  # RFC 9309 section 2.3.1.2
LONGEST_DELAY_SECONDS = 60.0

_AGENT_LINE = re.compile(r"user[- ]?agent(?:\s*:\s*|\s+)(.*)", re.IGNORECASE)
_RULE_LINE = re.compile(r"(?:allow|di[a-z]{3,8}w|crawl[- ]delay)\s*[:\s]", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z_-]*")


class Verdict(Struct, frozen=True):
    """Whether a page may be asked for."""

    cause: str = ""
    """Why not, for a person; "" when it may."""
    is_final: bool = False
    """Whether asking again later is of no use."""
    delay_seconds: float = 0.0
    """How long its host wants to be left alone afterwards."""


async def judge(url: str, *, http: Http, cache: RobotsCache, now: datetime) -> Verdict:
    """Return whether a page may be fetched, asking its origin for robots.txt when that is not known or a day old.

    Raises:
        TryLater: the cache cannot be reached.
    """
    rules = rules_url(url)
    if not rules:
        return Verdict()  # no address at all: the door refuses it and says why
    origin = rules.removesuffix("/robots.txt")
    known = cache.robots(origin)
    # What is said to hold for longer than a day was kept before the clock was set back.
    if known is None or not now < known.expires <= now + KEPT:
        known = answer_of(await _ask(rules, http), origin, known, now)
        cache.save_robots(known)
    return verdict(known, url, now)


async def _ask(rules: str, http: Http) -> Response | None:
    """Return what the origin answers; None when it does not."""
    request = http.request(
        "GET", rules, timeout_seconds=DEADLINE_SECONDS, max_bytes=LARGEST_BYTES, max_redirects=REDIRECTS
    )
    try:
        return await telemetry.counted("robots", request)
    except RequestFailed:
        return None
    except RequestRefused:
        # Too many hops, which section 2.3.1.2 lets count as none; or a bomb, or hops to where the door does not go.
        return Response(status=404, url=rules, headers={}, body=b"")


def rules_url(url: str) -> str:
    """Return where the rules for ``url`` are (RFC 9309 section 2.3), or "" when that is no address of a page."""
    try:
        origin = URL(url).origin()
        is_whole = origin.scheme in {"http", "https"} and bool(origin.raw_host) and bool(origin.port)
    except ValueError:  # a bad port is only found when it is read
        return ""
    return f"{origin}/robots.txt" if is_whole else ""


def answer_of(response: Response | None, origin: str, before: RobotsAnswer | None, now: datetime) -> RobotsAnswer:
    """Return what to keep of an origin's answer, or of None (RFC 9309 section 2.3.1).

    One that cannot say (no answer, 5xx, and 429 as Google has it) keeps its former rules, however old; without any it
    is closed.
    """
    if response is None or response.status >= 500 or response.status == 429:
        if before is not None:
            return replace(before, expires=now + CLOSED_FOR)
        return RobotsAnswer(origin=origin, answer="closed", fetched=now, expires=now + CLOSED_FOR)
    text = our_rules(response.body) if 200 <= response.status < 300 else ""
    return RobotsAnswer(origin=origin, answer="rules" if text else "none", text=text, fetched=now, expires=now + KEPT)


def verdict(known: RobotsAnswer, url: str, now: datetime) -> Verdict:
    """Return what an origin's answer means for one page of it."""
    host = URL(known.origin).raw_host
    if known.answer == "closed" and now - known.fetched < OPEN_AFTER:
        return Verdict(f"robots.txt of {host} cannot be read now, so nothing of it may be asked for")
    if known.answer != "rules":
        return Verdict()
    if not may_fetch(known.text, PRODUCT_TOKEN, url):
        return Verdict(f"robots.txt of {host} forbids it", is_final=True)
    return Verdict(delay_seconds=delay_seconds(known.text, PRODUCT_TOKEN))


def may_fetch(text: str, user_agent: str, url: str) -> bool:
    """Whether the rules let ``user_agent`` fetch ``url``: the longest that matches decides, allow before disallow."""
    return bool(Protego.parse(text).can_fetch(str(URL(url)), user_agent))


def delay_seconds(text: str, user_agent: str) -> float:
    """Return the Crawl-delay, which is no part of the RFC and common all the same, up to a minute; 0 without one."""
    return min(Protego.parse(text).crawl_delay(user_agent) or 0.0, LONGEST_DELAY_SECONDS)


def our_rules(body: bytes) -> str:
    """Return the groups that speak of us or of everybody, from the first 500 KiB.

    The rest is left out before the parser sees it: it copies each rule to every name of its group, so that 500 KiB of
    names and rules would become a hundred million of them.
    """
    kept: list[str] = []
    is_ours = in_names = False
    for written in body[:PARSED_BYTES].decode("utf-8-sig", "replace").splitlines():
        line = written.partition("#")[0].strip()
        if named := _AGENT_LINE.match(line):
            token = _token(named[1].strip())
            is_ours = (is_ours and in_names) or bool(token)
            in_names = True
            if token:
                kept.append(f"User-agent: {token}")
        elif _RULE_LINE.match(line):
            in_names = False
            if is_ours:
                kept.append(line)
    return "\n".join(kept)


def _token(name: str) -> str:
    """Return the name when it is ours or everybody's, without a version; else ""."""
    found = _TOKEN.match(name)
    token = "*" if name == "*" else found[0].lower() if found else ""
    return token if token in {"*", PRODUCT_TOKEN.lower()} else ""
