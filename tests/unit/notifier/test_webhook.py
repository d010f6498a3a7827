"""The webhook against a real HTTP server on loopback."""

import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from schemas.notice import AttemptDelivery, Outcome
from services.notifier.delivery.reachable import public
from services.notifier.delivery.webhook import Webhook, WebhookSettings, webhook_id

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TRUST = httpx.create_ssl_context(trust_env=False)
"""Reading the machine's certificates takes longer than any of these tests."""
OPEN = WebhookSettings(timeout_seconds=0.5, private_allowed=True)


class Receiver(ThreadingHTTPServer):
    """Answers each POST with the next status of `answers`, and keeps what it got."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int | str] = []
        self.retry_after = ""
        self.released = threading.Event()

    @property
    def port(self) -> int:
        return self.server_address[1]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.append((self.path, {name.lower(): text for name, text in self.headers.items()}, body))
        answer = self.server.answers.pop(0) if self.server.answers else 204
        if answer == "silence":
            self.server.released.wait(10)
            return
        if answer == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(int(answer))
        if self.server.retry_after:
            self.send_header("retry-after", self.server.retry_after)
        if answer == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing goes to the terminal."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=TRUST) as client:
        yield client


def hook(client: httpx.AsyncClient, settings: WebhookSettings | None = None, secret: str = SECRET) -> Webhook:
    return Webhook(client, lambda _: secret, lambda: datetime.now(UTC), settings)


def attempt(address: str, text: str = "案件派给贵单位") -> AttemptDelivery:
    return AttemptDelivery(
        key="unit:市政/7", recipient="unit:市政", notice=7, attempt=2, channel="webhook", address=address,
        text=text,
    )  # fmt: skip


async def sent(webhook: Webhook, address: str) -> Outcome:
    request = attempt(address)
    return await webhook.deliver(request, request.key)


async def test_a_notice_arrives_signed_under_its_key(client: httpx.AsyncClient, receiver: Receiver) -> None:
    outcome = await sent(hook(client, OPEN), f"http://localhost:{receiver.port}/hook?a=1")
    assert outcome == Outcome(result="delivered", detail="HTTP 204")
    [(path, headers, body)] = receiver.got
    assert path == "/hook?a=1"
    assert headers["host"] == f"localhost:{receiver.port}"
    assert headers["webhook-id"] == webhook_id("unit:市政/7") == "unit:%E5%B8%82%E6%94%BF/7"
    said = Verifier(SECRET).verify(body, headers)
    assert said["type"] == "gridcase.notice"
    assert said["data"] == {"recipient": "unit:市政", "notice": 7, "text": "案件派给贵单位"}
    assert json.loads(body) == said


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, "delivered"), (202, "delivered"), (410, "gone"), (500, "failed"), (503, "failed"),
        (429, "failed"), (408, "failed"), (400, "refused"), (404, "refused"), (302, "refused"),
    ],
)  # fmt: skip
async def test_the_answer_decides_what_comes_next(
    client: httpx.AsyncClient, receiver: Receiver, status: int, result: str
) -> None:
    receiver.answers.append(status)
    outcome = await sent(hook(client, OPEN), f"http://127.0.0.1:{receiver.port}/")
    assert outcome == Outcome(result=result, detail=f"HTTP {status}")
    assert len(receiver.got) == 1, "a redirect is not followed"


@pytest.mark.parametrize(
    ("said", "after"), [("30", 30), ("99999999", 0), ("9999999", 86_400), ("soon", 0), ("-5", 0)]
)
async def test_a_busy_receiver_may_ask_for_time(
    client: httpx.AsyncClient, receiver: Receiver, said: str, after: int
) -> None:
    receiver.answers.append(503)
    receiver.retry_after = said
    outcome = await sent(hook(client, OPEN), f"http://127.0.0.1:{receiver.port}/")
    assert outcome == Outcome(result="failed", detail="HTTP 503", after=after)


@pytest.mark.parametrize("answer", ["silence", "hang up"])
async def test_nobody_can_say_whether_it_arrived_if_no_answer_came(
    client: httpx.AsyncClient, receiver: Receiver, answer: str
) -> None:
    receiver.answers.append(answer)
    outcome = await sent(hook(client, OPEN), f"http://127.0.0.1:{receiver.port}/")
    assert outcome.result == "unknown"
    assert len(receiver.got) == 1


async def test_without_a_connection_it_was_not_delivered(client: httpx.AsyncClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    outcome = await sent(hook(client, OPEN), f"http://127.0.0.1:{port}/")
    assert outcome.result == "failed"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "https://localhost/", "https://[::1]/", "https://10.0.0.1/"]
)  # fmt: skip
async def test_private_addresses_and_plain_http_are_refused_unless_allowed(
    client: httpx.AsyncClient, address: str
) -> None:
    outcome = await sent(hook(client), address)
    assert outcome.result == "refused"
    assert outcome.detail.partition("expected ")[2]


@pytest.mark.parametrize(
    "address", ["", "ftp://x/", "https://", "https://user@host/", "https://host:99999/", "https://[::1/"]
)  # fmt: skip
async def test_what_is_no_address_is_refused_and_says_what_one_looks_like(
    client: httpx.AsyncClient, address: str
) -> None:
    outcome = await sent(hook(client), address)
    assert outcome == Outcome(result="refused", detail=f"expected https://host/path, found {address!r}")


async def test_an_unknown_name_may_be_known_later(client: httpx.AsyncClient) -> None:
    assert (await sent(hook(client), "https://nowhere.invalid/")).result == "failed"


async def test_without_a_secret_nothing_is_sent(client: httpx.AsyncClient, receiver: Receiver) -> None:
    outcome = await sent(hook(client, OPEN, secret=""), f"http://127.0.0.1:{receiver.port}/")
    assert outcome.result == "refused"
    assert receiver.got == []


@pytest.mark.parametrize(
    ("address", "open_to_all"),
    [
        ("93.184.215.14", True),
        ("2606:4700::6810:84e5", True),
        *(
            (address, False)
            for address in (
                "10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1", "2002:7f00:0001::", "fe80::1", "224.0.0.1",
                "0.0.0.0", "100.64.0.1",
            )
        ),
    ],
)  # fmt: skip
def test_wrapped_and_special_addresses_are_not_public(address: str, open_to_all: bool) -> None:
    assert public(ip_address(address)) is open_to_all
