"""How the outlets of the demo write: feeds in RSS 2.0, RSS 1.0 (RDF) and Atom, and pages of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape

from msgspec import Struct

from pipeline.demo.timetable import Outlet
from pipeline.demo.world import Item, OutletView

_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
_CONTENT = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
_RDF = 'xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
_ATOM = "http://www.w3.org/2005/Atom"


class Place(Struct, frozen=True):
    """Where and when the demo runs: its address without a slash at the end, and its start in seconds of Unix time."""

    url: str
    started: int

    def time(self, second: int) -> datetime:
        """Return the UTC time of a second of the demo."""
        return datetime.fromtimestamp(self.started + second, UTC)


def feed_xml(view: OutletView, place: Place) -> bytes:
    """Return the feed document of an outlet, in the outlet's format; the same view gives the same bytes."""
    write = {"rss": _rss, "atom": _atom, "rdf": _rdf}[view.outlet.format]
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + write(view, place)).encode()


def feed_text(item: Item, outlet: Outlet) -> str:
    """Return the text that the feed carries of an item, paragraphs separated by an empty line."""
    if outlet.gives == "full text":
        return "\n\n".join(item.paragraphs)
    return item.paragraphs[0] if outlet.gives == "summary" else _first_sentence(item)


def page_html(item: Item, outlet: Outlet, place: Place) -> bytes:
    """Return an article's page: the text, and around it what every site has around it."""
    title, site = escape(item.title), escape(outlet.title)
    direction = "rtl" if outlet.language in _RIGHT_TO_LEFT else "ltr"
    published = place.time(item.published)
    return f"""<!DOCTYPE html>
<html lang="{outlet.language}" dir="{direction}">
<head>
<meta charset="utf-8">
<title>{title} | {site}</title>
<link rel="canonical" href="{place.url}{item.path}">
<meta name="author" content="{escape(item.author)}">
<meta property="og:type" content="article">
<meta property="og:title" content="{title}">
<meta property="og:site_name" content="{site}">
<meta property="article:published_time" content="{published.isoformat()}">
<meta property="article:modified_time" content="{place.time(item.updated).isoformat()}">
</head>
<body>
<header><a href="{place.url}/">{site}</a></header>
<nav><ul><li><a href="{place.url}/{outlet.slug}/feed.xml">RSS</a></li></ul></nav>
<main>
<article>
<h1>{title}</h1>
<p class="byline">{escape(item.author)}, <time datetime="{published.isoformat()}">{published:%Y-%m-%d %H:%M}</time></p>
{_paragraphs(item)}
</article>
</main>
<footer><p>© {site}</p></footer>
</body>
</html>
""".encode()


def plain_page(title: str, lines: Sequence[str]) -> bytes:
    """Return a simple page; ``lines`` are markup."""
    body = "\n".join(f"<p>{line}</p>" for line in lines)
    head = f'<head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    page = f'<!DOCTYPE html>\n<html lang="en">{head}\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n'
    return page.encode()


def _rss(view: OutletView, place: Place) -> str:
    outlet = view.outlet
    items = "\n".join(
        f"""<item>
<title>{escape(item.title)}</title>
<link>{place.url}{item.path}</link>
<guid isPermaLink="false">{outlet.slug}:{item.slug}</guid>
<pubDate>{format_datetime(place.time(item.published))}</pubDate>
<atom:updated>{place.time(item.updated).isoformat()}</atom:updated>
{_rss_text(item, outlet)}{_tags("category", item)}
</item>"""
        for item in view.items
    )
    return f"""<rss version="2.0" {_CONTENT} xmlns:atom="{_ATOM}">
<channel>
<title>{escape(outlet.title)}</title>
<link>{place.url}/</link>
<description>{escape(outlet.title)}</description>
<language>{outlet.language}</language>
<lastBuildDate>{format_datetime(place.time(view.changed))}</lastBuildDate>
{items}
</channel>
</rss>
"""


def _rdf(view: OutletView, place: Place) -> str:
    outlet = view.outlet
    entries = "\n".join(f'<rdf:li rdf:resource="{place.url}{item.path}"/>' for item in view.items)
    items = "\n".join(
        f"""<item rdf:about="{place.url}{item.path}">
<title>{escape(item.title)}</title>
<link>{place.url}{item.path}</link>
<dc:date>{place.time(item.published).isoformat()}</dc:date>
{_rss_text(item, outlet)}{_tags("dc:subject", item)}
</item>"""
        for item in view.items
    )
    return f"""<rdf:RDF {_RDF} {_CONTENT}>
<channel rdf:about="{place.url}/{outlet.slug}/feed.xml">
<title>{escape(outlet.title)}</title>
<link>{place.url}/</link>
<description>{escape(outlet.title)}</description>
<dc:language>{outlet.language}</dc:language>
<items><rdf:Seq>
{entries}
</rdf:Seq></items>
</channel>
{items}
</rdf:RDF>
"""


def _atom(view: OutletView, place: Place) -> str:
    outlet = view.outlet
    entries = "\n".join(
        f"""<entry>
<title>{escape(item.title)}</title>
<id>{place.url}{item.path}</id>
<link rel="alternate" type="text/html" href="{place.url}{item.path}"/>
<published>{place.time(item.published).isoformat()}</published>
<updated>{place.time(item.updated).isoformat()}</updated>
<author><name>{escape(item.author)}</name></author>
{"".join(f'<category term="{escape(tag)}"/>' for tag in item.tags)}
<summary>{escape(item.paragraphs[0])}</summary>
{f'<content type="html">{escape(_paragraphs(item))}</content>' if outlet.gives == "full text" else ""}
</entry>"""
        for item in view.items
    )
    return f"""<feed xmlns="{_ATOM}" xml:lang="{outlet.language}">
<title>{escape(outlet.title)}</title>
<id>{place.url}/{outlet.slug}/feed.xml</id>
<link rel="self" href="{place.url}/{outlet.slug}/feed.xml"/>
<link rel="alternate" href="{place.url}/"/>
<updated>{place.time(view.changed).isoformat()}</updated>
{entries}
</feed>
"""


def _rss_text(item: Item, outlet: Outlet) -> str:
    """Return author, summary and, where the outlet gives it, the whole text, as RSS 2.0 and 1.0 write them."""
    summary = _first_sentence(item) if outlet.gives == "teaser" else item.paragraphs[0]
    lines = [f"<dc:creator>{escape(item.author)}</dc:creator>", f"<description>{escape(summary)}</description>"]
    if outlet.gives == "full text":
        lines.append(f"<content:encoded>{escape(_paragraphs(item))}</content:encoded>")
    return "\n".join(lines)


def _tags(element: str, item: Item) -> str:
    return "".join(f"\n<{element}>{escape(tag)}</{element}>" for tag in item.tags)


def _paragraphs(item: Item) -> str:
    return "\n".join(f"<p>{escape(paragraph)}</p>" for paragraph in item.paragraphs)


def _first_sentence(item: Item) -> str:
    return item.paragraphs[0].partition(". ")[0].removesuffix(".") + "."
