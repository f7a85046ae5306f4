"""Which wall stands in place of what was asked for: a page that keeps programs out, named so that a person can act.

A wall is named only on evidence of its own doing. That a site sits behind a service is none: Cloudflare, Imperva and
DataDome put their headers on every answer that they let through, so those count with their marks of refusal alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec import Struct

from pipeline.ports import Response

ERRORS = frozenset((401, 403, 405, 406, 429, 503))
"""Statuses under which walls are known to stand. 405: AWS WAF's captcha."""
EVIDENCE_BYTES = 64 * 1024


class _Answer(Struct, frozen=True):
    """What evidence is looked for in: the headers, and the beginning of a page in small letters."""

    headers: dict[str, str]
    page: str
    title: str
    is_error: bool
    place: str
    """Host and path that the page came from, after redirects."""


def wall_of(response: Response) -> str:
    """Return the name of the wall that ``response`` is, as in "Cloudflare's challenge", or "" when it is none.

    For answers that are not what was asked for: an error, or HTML where a feed was wanted. A plain 403 has no name.
    Pure and bounded: the first 64 KiB of the body are looked at, once for each mark.
    """
    answer = _answer(response)
    if answer is None:
        return ""
    return next((name for name, is_sign in _WALLS if is_sign(answer)), "")


def _answer(response: Response) -> _Answer | None:
    is_error = response.status in ERRORS
    # 202 with a page is what AWS WAF answers in place of the real one.
    if not is_error and not 200 <= response.status < 300:
        return None
    page = response.body[:EVIDENCE_BYTES].decode("latin-1").lower()
    if not is_error and "<html" not in page and "x-amzn-waf-action" not in response.headers:
        return None
    start = page.find("<title")
    title = page[start : start + 300].partition(">")[2].partition("<")[0] if start >= 0 else ""
    return _Answer(headers=response.headers, page=page, title=title, is_error=is_error, place=_place(response.url))


def _place(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or ''}{parts.path}".lower()
    except ValueError:
        return ""


def _header(name: str, word: str = "") -> Callable[[_Answer], bool]:
    return lambda answer: name in answer.headers and word in answer.headers[name].lower()


def _error_header(name: str, word: str) -> Callable[[_Answer], bool]:
    return lambda answer: answer.is_error and word in answer.headers.get(name, "").lower()


def _page(*marks: str) -> Callable[[_Answer], bool]:
    return lambda answer: any(mark in answer.page for mark in marks)


def _title(*words: str) -> Callable[[_Answer], bool]:
    return lambda answer: any(word in answer.title for word in words)


def _is_captcha(answer: _Answer) -> bool:
    """A widget on an error page is the wall; on another it may belong to some form, so the title must say so too."""
    has_widget = any(mark in answer.page for mark in _CAPTCHA_WIDGETS)
    return has_widget and (answer.is_error or any(word in answer.title for word in ("captcha", "robot", "human")))


def _is_login(answer: _Answer) -> bool:
    if answer.is_error and "www-authenticate" in answer.headers:  # RFC 9110 section 11.6.1
        return True
    # WHATWG HTML 4.10.5.1.6. A news page may carry a form to log in, so there the address must say so too.
    has_password = re.search(r"type\s*=\s*[\"']?password", answer.page) is not None
    return has_password and (answer.is_error or _LOGIN_PLACE.search(answer.place) is not None)


# The widgets' documented classes: developers.google.com/recaptcha/docs/display, docs.hcaptcha.com,
# developers.cloudflare.com/turnstile/get-started/client-side-rendering.
_CAPTCHA_WIDGETS = ("g-recaptcha", "h-captcha", "cf-turnstile")
_LOGIN_PLACE = re.compile(r"[/.](log-?in|sign-?in|sso|auth|account)([/.]|$)|^(login|signin|sso|auth|accounts?)\.")

_WALLS: tuple[tuple[str, Callable[[_Answer], bool]], ...] = (
    # developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response
    ("Cloudflare's challenge", _header("cf-mitigated", "challenge")),
    # The script that the challenge page loads, and its settings, as pages without that header show it.
    ("Cloudflare's challenge", _page("/cdn-cgi/challenge-platform/h/", "_cf_chl_opt")),
    # Titles of the block pages "waf_block" and "ip_block" (developers.cloudflare.com/rules/custom-errors), and of 10xx.
    ("Cloudflare's block", _title("attention required! | cloudflare", "used cloudflare to restrict access")),
    # docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-actions.html: "captcha" or "challenge"
    ("AWS WAF's captcha", _header("x-amzn-waf-action", "captcha")),
    ("AWS WAF's challenge", _header("x-amzn-waf-action", "challenge")),
    # `x-datadome: protected` is on answers that were let through, too; the server's name and the script are not.
    ("DataDome", _error_header("server", "datadome")),
    ("DataDome", _page("captcha-delivery.com/c.js", "geo.captcha-delivery.com/captcha")),
    # The element that PerimeterX's plugins demand of a block page (github.com/PerimeterX/perimeterx-nginx-plugin,
    # examples); the other one is wafw00f's mark.
    ("HUMAN (PerimeterX)", _page('id="px-captcha"', "id='px-captcha'", "perimeterx.com/whywasiblocked")),
    # wafw00f's plugins incapsula and distil, which is Imperva's by now and whose page has that title.
    ("Imperva (Incapsula)", _page("/_incapsula_resource?", "incapsula incident id", "distilcaptchaform")),
    ("Imperva (Incapsula)", _title("pardon our interruption")),
    # wafw00f's plugin sucuri; the header names the rule that refused.
    ("Sucuri", _header("x-sucuri-block")),
    ("Sucuri", _title("sucuri website firewall")),
    ("Sucuri", _page("cdn.sucuri.net/sucuri-firewall-block.css", "access denied - sucuri website firewall")),
    # Akamai's own server answers only with what it made itself (wafw00f's plugin kona); its page links the reference.
    ("Akamai", _error_header("server", "akamaighost")),
    ("Akamai", _page("errors.edgesuite.net", "errors&#46;edgesuite&#46;net")),
    # wafw00f's plugin anubis; the page comes with status 200.
    ("Anubis", _page('<script id="anubis_challenge"', "/.within.website/x/cmd/anubis/")),
    ("a captcha", _is_captcha),
    # Where Google and Yahoo send visitors first (selfoss issue 1468, rssguard issue 2142: consent.youtube.com).
    ("a consent page", lambda answer: answer.place.startswith(("consent.", "guce."))),
    ("a login", _is_login),
)
