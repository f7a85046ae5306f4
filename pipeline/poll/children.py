"""A sitemap index as a feed: what its newest sitemaps name, read as if it stood in one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import chain

from msgspec.structs import replace

from pipeline.errors import RequestFailed, RequestRefused
from pipeline.poll.bounds import MAX_ITEMS, NotAFeed
from pipeline.poll.entry import ParsedFeed
from pipeline.poll.parsing import Parse
from pipeline.ports import Response

_NEVER = datetime.min.replace(tzinfo=UTC)


async def with_children(
    parsed: ParsedFeed, fetch: Callable[[str], Awaitable[Response]], parse: Parse, *, all_of_them: bool = False
) -> ParsedFeed:
    """Return a feed with the entries of the sitemaps that it names, the newest first; any other as it is.

    ``fetch`` is the door, with its pauses. A child that cannot be read is passed over as long as another can be. An
    index within an index is not followed. With ``all_of_them`` one that cannot be read fails all: what a first poll
    lacks would be news to the second.

    Raises:
        NotAFeed: no child could be read, or not all; the reason is that of the last.
    """
    if not parsed.children:
        return parsed
    read: list[ParsedFeed] = []
    fault = ""
    for link in parsed.children:
        try:
            child = await fetch(link)
            if child.status != 200:
                raise NotAFeed(f"HTTP {child.status}")
            content_type = child.headers.get("content-type", "")
            found = await parse(child.body, content_type=content_type, url=child.url)
            if found.children:
                raise NotAFeed("an index within an index")
            read.append(found)
        except (RequestFailed, RequestRefused) as error:
            fault = str(error)
        except NotAFeed as error:
            fault = error.reason
    if not read:
        raise NotAFeed(f"a sitemap index of whose sitemaps none can be read, the last for: {fault}")
    if fault and all_of_them:
        raise NotAFeed(f"a sitemap index of whose sitemaps one cannot be read: {fault}")
    entries = sorted(chain.from_iterable(one.entries for one in read), key=lambda it: it.published or _NEVER)[::-1]
    kept = tuple(replace(entry, place=place) for place, entry in enumerate(entries[:MAX_ITEMS]))
    return replace(read[0], entries=kept, total=len(kept), cut=len(entries) > MAX_ITEMS, children=())


def as_polled(index: Response) -> Response:
    """Return the answer of an index as polls take it: read anew each time, and by the feed's rhythm alone.

    Neither its ETag nor its body says whether its sitemaps have changed.
    """
    return replace(index, headers={}, body=b"")
