"""What a page without an article is."""

from __future__ import annotations

import pytest

from pipeline.enrich.page import parse_page
from pipeline.enrich.page_kind import PageKind, page_kind

LINKS = "".join(f'<li><a href="/{number}">The headline of an article about bridges</a></li>' for number in range(20))
MENU = "".join(f'<li><a href="/{number}">Section</a></li>' for number in range(40))
BANNER = "<p>We and our partners use cookies.</p><button>Accept all</button>"


@pytest.mark.parametrize(
    ("markup", "kind"),
    [
        ("<form><input type=email><input type=Password></form>", "login"),
        (BANNER, "consent"),
        ("<p>Wir verwenden Cookies</p><button>Alle akzeptieren</button>", "consent"),
        ("<p>Privacy</p><button>全部接受</button>", "consent"),
        (f"<form><input type=password></form>{BANNER}", "login"),
        ('<meta property="og:type" content="video.other"><p>x</p>', "video"),
        ('<script type="application/ld+json">{"@type": "VideoObject"}</script><p>x</p>', "video"),
        (f"<ul>{LINKS}</ul>", "index"),
        ("<p>Nothing here.</p>", ""),
        (f"<ul>{MENU}</ul>", ""),
        (f'<meta property="og:type" content="article"><ul>{LINKS}</ul>', ""),
        ('<script type="application/ld+json">[{"@type": "VideoObject"}, {"@type": "NewsArticle"}]</script>', ""),
        (f"<p>{'A long text about this and that. ' * 200}</p><form><input type=password></form>{BANNER}", ""),
    ],
)  # fmt: skip
def test_the_kind_of_a_page(markup: str, kind: PageKind) -> None:
    assert page_kind(parse_page(f"<html><body>{markup}</body></html>".encode())) == kind
