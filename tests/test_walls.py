from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ports import Response
from pipeline.walls import ERRORS, wall_of

HTML = {"content-type": "text/html"}
HOME_PAGE = b'<html><title>The Stand</title><div class="g-recaptcha"></div><form><input type="password"></form></html>'


def answer(
    status: int = 403, headers: dict[str, str] | None = None, body: bytes | str = b"", url: str = "https://h/feed"
) -> Response:
    return Response(
        status=status, url=url, headers=headers or {}, body=body.encode() if isinstance(body, str) else body
    )


def page(title: str = "", inner: str = "") -> str:
    return f"<!DOCTYPE html><HTML><head><title>{title}</title></head><body>{inner}</body></HTML>"


@pytest.mark.parametrize(
    ("response", "wall"),
    [
        (answer(403, {"server": "cloudflare", "cf-mitigated": "challenge"}), "Cloudflare's challenge"),
        (answer(429, {"cf-mitigated": "challenge"}), "Cloudflare's challenge"),
        (
            answer(503, body=page("Just a moment...", "<script>window._cf_chl_opt={}</script>")),
            "Cloudflare's challenge",
        ),
        (answer(403, body=page("Attention Required! | Cloudflare")), "Cloudflare's block"),
        (answer(403, body=page("Access denied | h used Cloudflare to restrict access")), "Cloudflare's block"),
        (answer(202, {"x-amzn-waf-action": "challenge"}), "AWS WAF's challenge"),
        (answer(405, {"x-amzn-waf-action": "captcha"}), "AWS WAF's captcha"),
        (answer(403, {"server": "DataDome", "x-datadome": "protected"}), "DataDome"),
        (answer(401, body=page("h", '<script src="https://ct.captcha-delivery.com/c.js"></script>')), "DataDome"),
        (answer(403, body=page("Access denied", '<div id="px-captcha"></div>')), "HUMAN (PerimeterX)"),
        (
            answer(200, body=page("", '<iframe src="/_Incapsula_Resource?SWUDNSAI=31"></iframe>')),
            "Imperva (Incapsula)",
        ),
        (answer(403, body=page("Pardon Our Interruption")), "Imperva (Incapsula)"),
        (answer(403, {"x-sucuri-block": "BAD-01"}), "Sucuri"),
        (answer(403, body=page("Sucuri WebSite Firewall - Access Denied")), "Sucuri"),
        (answer(403, {"server": "AkamaiGHost"}), "Akamai"),
        (answer(503, body=page("Access Denied", "https://errors.edgesuite.net/18.c6a5")), "Akamai"),
        (answer(200, body=page("Making sure", '<script id="anubis_challenge" type="x">')), "Anubis"),
        (answer(403, body=page("Hm", '<div class="h-captcha"></div>')), "a captcha"),
        (answer(200, body=page("Are you a robot?", '<div class="g-recaptcha"></div>')), "a captcha"),
        (
            answer(200, body=page("Before you continue"), url="https://consent.youtube.com/m?continue=x"),
            "a consent page",
        ),
        (answer(401, {"www-authenticate": 'Basic realm="x"'}), "a login"),
        (answer(200, body=page("Hello", "<input type='password'>"), url="https://h/login?next=/feed"), "a login"),
        (answer(200, body=page("Hello", "<input type=password>"), url="https://login.h.example/"), "a login"),
    ],
)
def test_a_wall_is_named(response: Response, wall: str) -> None:
    assert wall_of(response) == wall


@pytest.mark.parametrize(
    "response",
    [
        answer(403),
        answer(403, HTML, page("403 Forbidden", "nginx")),
        answer(403, {"server": "cloudflare", "cf-ray": "1-FRA"}, page("Forbidden")),  # the site's own, passed on
        answer(403, {"x-datadome": "protected", "x-iinfo": "1", "set-cookie": "visid_incap_1=x, datadome=y"}),
        answer(503, {"x-sucuri-id": "11005", "x-sucuri-cache": "MISS"}, page("Maintenance")),
        answer(401),
        answer(404, {"server": "AkamaiGHost"}, page("Attention Required! | Cloudflare")),
        answer(500, body=page("", '<div id="px-captcha"></div>')),
        answer(200, HTML, HOME_PAGE),
        answer(200, {"server": "AkamaiGHost"}, HOME_PAGE),
        answer(
            200, {"content-type": "application/rss+xml"}, b"<rss><title>errors.edgesuite.net g-recaptcha</title></rss>"
        ),
        answer(200, body=b""),
        answer(304, {"cf-mitigated": "challenge"}),
        answer(200, body=page("x", "a" * 70_000 + '<div id="px-captcha"></div>')),  # beyond what is looked at
        answer(403, url="http://[bad/"),
    ],
)
def test_what_is_no_wall_gets_no_name(response: Response) -> None:
    assert wall_of(response) == ""


@given(
    st.sampled_from([*sorted(ERRORS), 200, 202, 304, 404]),
    st.dictionaries(st.sampled_from(["server", "cf-mitigated", "www-authenticate", "x-amzn-waf-action"]), st.text()),
    st.binary(max_size=300),
    st.text(max_size=60),
)
def test_whatever_comes_is_judged_without_an_error(status: int, headers: dict[str, str], body: bytes, url: str) -> None:
    assert isinstance(wall_of(answer(status, headers, b"<html><title" + body, url)), str)


def test_a_hostile_page_costs_little_time() -> None:
    bodies = (b"<title" * 1_000_000, b"<html>" + b"type=" * 1_000_000, b"<html>" + b"type " + b" " * 5_000_000)
    began = time.process_time()
    for body in bodies:
        wall_of(answer(403, HTML, body, "https://h" + "/login" * 1_000))
    assert time.process_time() - began < 2
