"""Where alerts and the watch's notices go: the log, and webhooks signed by the Standard Webhooks specification."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
import structlog

from pipeline.errors import CannotSend, ChannelGone, RequestFailed, RequestRefused, TryLater, UsageError
from pipeline.notice import Notice
from pipeline.ports import Clock, Http
from pipeline.rule import Alert, Delivery
from pipeline.telemetry import counted
from pipeline.text import headers

WEBHOOK_DEADLINE_SECONDS = 10.0
LONGEST_RETRY_AFTER_SECONDS = 24 * 3600.0

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the public marker that the specification gives secrets
_SECRET_BYTES = range(24, 65)  # Standard Webhooks 1.0.0, "Signature scheme"
_LARGEST_ANSWER = 1024 * 1024  # bytes; receivers answer with a few words, which nobody reads
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class LogChannel:
    """Writes each alert as one line of the log, ``event=alert`` and its fields, and each notice as ``event=notice``."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("wirewatch.alerts")

    async def send(self, delivery: Delivery) -> None:
        """Write the line. Never fails."""
        alert = delivery.alert
        self._log.info(
            "alert",
            id=alert.id,
            rule=alert.rule,
            title=inert(alert.title),
            url=inert(alert.url),
            outlet=inert(alert.outlet),
            published=_iso(alert.published),
            first_seen=_iso(alert.first_seen),
        )

    async def tell(self, notice: Notice) -> None:
        """Write the line, at a level that is shown unless somebody wants only errors. Never fails."""
        problem = notice.problem
        write = self._log.warning if notice.change == "ended" else self._log.error
        write(
            "notice", id=notice.id, problem=problem.kind, change=notice.change, subject=problem.subject,
            detail=inert(problem.detail), began=_iso(notice.began),
        )  # fmt: skip


class WebhookChannel:
    """Posts each alert and notice as JSON to one URL, signed as https://www.standardwebhooks.com (1.0.0) says.

    The body is ``{"type": "alert.raised", "timestamp": …, "data": {"id", "rule", "rule_name", "family", "raised_at",
    "article": {"id", "title", "url", "outlet", "published", "first_seen"}}}``; that of a notice has the type
    ``problem.began``, ``problem.continues`` or ``problem.ended`` and the data ``{"id", "kind", "subject", "detail",
    "began"}``. The receiver drops repeats by ``webhook-id`` (the id in the data, the same at every attempt) and old
    messages by ``webhook-timestamp`` (of the attempt, in Unix seconds), and verifies with any Standard Webhooks library
    or with::

        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw_body
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
        genuine = any(hmac.compare_digest(expected, sent) for sent in headers["webhook-signature"].split())
        fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    """

    def __init__(self, url: str, secret: str, http: Http, clock: Clock) -> None:
        """Prepare a channel. ``secret`` is ``whsec_`` and 24 to 64 random bytes in base64, shared with the receiver.

        Raises:
            UsageError: the secret has another form.
        """
        self._url = url
        self._key = _signing_key(secret)
        self._http = http
        self._clock = clock
        self._host = _host_of(url) or "the webhook"

    def __repr__(self) -> str:
        """Name the host only: path, query and secret let anyone post."""
        return f"WebhookChannel({self._host})"

    async def send(self, delivery: Delivery) -> None:
        """Deliver one alert within ``WEBHOOK_DEADLINE_SECONDS``, at least once.

        A 2xx answer is delivery. Every other one is a failure to be tried again, a redirect and a 404 among them: a
        receiver that is being set up or restarted answers so, and the alert must not be lost for it. Redirects are
        not followed; the cause says so.

        Raises:
            TryLater: any answer but 2xx and 410, or none at all; with the seconds of Retry-After (at most a day).
            CannotSend: our own rules refuse the address; nothing was sent, and the settings are to be mended.
            ChannelGone: 410; nothing sent again can arrive.
        """
        await self._post(delivery.alert.id, alert_payload(delivery.alert))

    async def tell(self, notice: Notice) -> None:
        """Deliver one notice as ``send`` does an alert, and raise the same."""
        await self._post(notice.id, notice_payload(notice))

    async def _post(self, ident: str, body: bytes) -> None:
        now = self._clock()
        try:
            request = self._http.request(
                "POST",
                self._url,
                headers=self._headers(ident, int(now.timestamp()), body),
                body=body,
                timeout_seconds=WEBHOOK_DEADLINE_SECONDS,
                max_bytes=_LARGEST_ANSWER,
            )
            answer = await counted("webhook", request)
        except RequestFailed as error:
            raise TryLater(f"webhook: {error}") from error
        except RequestRefused as error:
            raise CannotSend(f"webhook: {error}") from error
        if 200 <= answer.status < 300:
            return
        if answer.status == 410:
            raise ChannelGone(f"webhook: {self._host} answers 410, it wants no more")
        retry_seconds = retry_after_seconds(answer.headers.get("retry-after", ""), now)
        raise TryLater(f"webhook: {self._host} answers {_explained(answer.status)}", retry_seconds)

    def _headers(self, ident: str, timestamp: int, body: bytes) -> dict[str, str]:
        signed = f"{ident}.{timestamp}.".encode() + body
        signature = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        return {
            "content-type": "application/json",
            "webhook-id": ident,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": f"v1,{signature}",
        }


def alert_payload(alert: Alert) -> bytes:
    """Return the JSON of one alert, as ``WebhookChannel`` describes it; the same bytes for the same alert."""
    article = {
        "id": alert.article_id,
        "title": inert(alert.title),
        "url": inert(alert.url),
        "outlet": inert(alert.outlet),
        "published": alert.published,
        "first_seen": alert.first_seen,
    }
    data = {
        "id": alert.id,
        "rule": alert.rule,
        "rule_name": inert(alert.rule_name),
        "family": alert.family,
        "raised_at": alert.raised_at,
        "article": article,
    }
    return msgspec.json.encode({"type": "alert.raised", "timestamp": alert.raised_at, "data": data})


def notice_payload(notice: Notice) -> bytes:
    """Return the body of a webhook's message about a problem; its type tells it from an alert."""
    problem = notice.problem
    data = {
        "id": notice.id,
        "kind": problem.kind,
        "subject": inert(problem.subject),
        "detail": inert(problem.detail),
        "began": notice.began,
    }
    return msgspec.json.encode({"type": f"problem.{notice.change}", "timestamp": notice.at, "data": data})


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """Return how long a Retry-After header asks to wait, from 0 to a day; None if unclear."""
    asked = headers.retry_after_seconds(value, now)
    return None if asked is None else min(asked, LONGEST_RETRY_AFTER_SECONDS)


def inert(text: str) -> str:
    """Return ``text`` on one line, without characters that end a line, reorder it or cannot be sent."""
    return "".join(" " if _is_unsafe(character) else character for character in text).strip()


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _BIDI_CONTROLS


def _signing_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_SECRET_PREFIX) or len(key) not in _SECRET_BYTES:
        raise UsageError(
            "A webhook's secret must be whsec_ and 24 to 64 random bytes in base64; make one with: "
            """python3 -c "import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())" """.strip()
        )
    return key


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # no address at all; sending to it says so
        return ""


def _explained(status: int) -> str:
    if 300 <= status < 400:
        return f"{status}, a redirect, which webhooks do not follow; set the final address"
    hints = {
        401: ", it does not accept the signature",
        403: ", it does not accept the signature",
        404: ", no such path",
    }
    return f"{status}{hints.get(status, '')}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
