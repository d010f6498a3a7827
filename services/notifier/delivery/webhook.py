"""A signed POST to a unit's own system, in the form of standardwebhooks.com (回调)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

import httpx
import msgspec
from standardwebhooks.webhooks import Webhook as Signer

from schemas.notice import AttemptDelivery, Outcome
from services.notifier.delivery.reachable import Unreachable, resolved

GONE: Final = 410
PASSING: Final = frozenset({408, 425, 429})
"""Answers below 500 after which another try makes sense."""

_LONGEST_WAIT: Final = 86_400


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """`private_allowed` lets plain HTTP and private addresses pass: for networks that are all one's own."""

    timeout_seconds: float = 8.0
    private_allowed: bool = False


class Webhook:
    """Posts each notice, signed with the address's secret; `webhook-id` is the key, the same every time."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        secret_of: Callable[[str], str],
        clock: Callable[[], datetime],
        settings: WebhookSettings | None = None,
    ) -> None:
        self._client = client
        self._secret_of = secret_of
        self._clock = clock
        self._settings = settings or WebhookSettings()

    async def deliver(self, request: AttemptDelivery, key: str) -> Outcome:
        target = self._target(request.address)
        if isinstance(target, Outcome):
            return target
        secret = self._secret_of(request.address)
        if not secret:
            return _refused(f"expected a secret for {request.address}, found none")
        try:
            return await self._post(target, secret, request, key)
        except (Unreachable, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return _trouble(error)

    def _target(self, address: str) -> SplitResult | Outcome:
        """The parsed address, or why it is none that may be called."""
        try:
            target = urlsplit(address)
            found = target.hostname and (target.port or True)
        except ValueError:
            return _refused(f"expected https://host/path, found {address!r}")
        schemes = {"https", "http"} if self._settings.private_allowed else {"https"}
        if target.scheme not in schemes or not found or target.username:
            return _refused(f"expected {' or '.join(sorted(schemes))}://host/path, found {address!r}")
        return target

    async def _post(self, target: SplitResult, secret: str, request: AttemptDelivery, key: str) -> Outcome:
        host = target.hostname or ""
        port = target.port or {"https": 443, "http": 80}[target.scheme]
        address = await resolved(host, port, private_allowed=self._settings.private_allowed)
        body = _body(request, self._clock())
        headers = self._headers(secret, key, body) | {"host": target.netloc}
        call = self._client.stream(
            "POST",
            httpx.URL(target.geturl()).copy_with(host=str(address)),
            content=body,
            headers=headers,
            follow_redirects=False,
            timeout=self._settings.timeout_seconds,
            extensions={"sni_hostname": host},
        )
        async with call as response:
            return _outcome(response.status_code, response.headers)

    def _headers(self, secret: str, key: str, body: bytes) -> dict[str, str]:
        now = self._clock().astimezone(UTC)
        return {
            "content-type": "application/json",
            "user-agent": "gridcase",
            "webhook-id": webhook_id(key),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signer(secret).sign(webhook_id(key), now, body.decode()),
        }


def webhook_id(key: str) -> str:
    """The key as a header may carry it: percent-encoded where it is not ASCII."""
    return quote(key, safe="-_.:/")


def _body(request: AttemptDelivery, now: datetime) -> bytes:
    said = {
        "type": "gridcase.notice",
        "timestamp": now.astimezone(UTC),
        "data": {"recipient": request.recipient, "notice": request.notice, "text": request.text},
    }
    return msgspec.json.encode(said)


def _outcome(status: int, headers: Mapping[str, str]) -> Outcome:
    detail = f"HTTP {status}"
    if 200 <= status < 300:
        return Outcome(result="delivered", detail=detail)
    if status == GONE:
        return Outcome(result="gone", detail=detail)
    if status >= 500 or status in PASSING:
        return Outcome(result="failed", detail=detail, after=_seconds(headers.get("retry-after", "")))
    return _refused(detail)


def _seconds(text: str) -> int:
    """`Retry-After` in seconds; its date form is left to our own ladder."""
    return min(int(text), _LONGEST_WAIT) if text.isascii() and text.isdigit() and len(text) < 8 else 0


def _refused(detail: str) -> Outcome:
    return Outcome(result="refused", detail=detail[:400])


def _trouble(error: Exception) -> Outcome:
    """No connection means not delivered; a connection that broke off means that nobody can say."""
    detail = f"{type(error).__name__}: {error}"[:400]
    match error:
        case Unreachable():
            return Outcome(result="refused" if error.final else "failed", detail=detail)
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Outcome(result="failed", detail=detail)
        case httpx.HTTPError():
            return Outcome(result="unknown", detail=detail)
        case _:
            return Outcome(result="refused", detail=detail)
