"""HTTP from a worker to its gateway: bounded, tried again, and quiet about the token."""

import asyncio
import random
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpcore2
import orjson

from core.kernel.problems import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidArgument,
    LeaseLost,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

_CONNECT_SECONDS = 5.0
_IDLE_SECONDS = 2.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_ANSWER_BYTES = 16 * 1024 * 1024
_SHOWN = 200

_FAULTS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ConnectionNotAvailable,
)
# What may be different in a moment; whatever else is refused stays refused.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_BY_STATUS: Mapping[int, type[Problem]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: Forbidden,
    409: Conflict,
    413: TooLarge,
    422: InvalidArgument,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request. Units: `within` is how many seconds it is tried for in all.

    Shape:  under the same `key` it takes effect once, however often it is sent.
    """

    method: str
    target: str
    body: bytes
    content_type: str = "application/json"
    key: str = ""
    within: float = 30.0
    is_signed: bool = True


class Link:
    """One gateway, as a worker reaches it.

    Shape:  redirects are not followed, so the token goes to no other host; it is in no
            message of any problem.
    Units:  `try_seconds` bounds one try.
    """

    def __init__(self, url: str, token: str, *, try_seconds: float = 10.0) -> None:
        base = httpcore2.URL(url.rstrip("/"))
        if base.scheme not in (b"http", b"https") or not base.host:
            raise InvalidArgument(
                f"{url[:_SHOWN]} is no address of a gateway",
                fix=["ops worker --url https://ops.example.com"],
                field="url",
            )
        self.url = url.rstrip("/")
        self._base = base
        self._token = token
        self._try_seconds = try_seconds
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=32,
            max_keepalive_connections=8,
            keepalive_expiry=_IDLE_SECONDS,
        )

    async def call(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        key: str = "",
        within: float = 30.0,
    ) -> Mapping[str, Any]:
        """Send JSON, and read the JSON that is answered.

        Raises: LeaseLost, Unauthenticated, Forbidden or what else was refused;
                Unavailable when nobody answered `within` that many seconds.
        """
        sent = Sent(
            method="POST", target=path, body=orjson.dumps(body), key=key, within=within
        )
        return _parse(await self.send(sent))

    async def send(self, sent: Sent) -> bytes:
        """Send a request until it is answered, with growing pauses.

        Raises: as `call`.
        """
        ends_at = time.monotonic() + sent.within
        tries = 0
        while True:
            try:
                return await self._try(sent, ends_at - time.monotonic())
            except Unavailable as outage:
                pause = _pause_before(tries, outage)
                if time.monotonic() + pause >= ends_at:
                    raise
            tries += 1
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._pool.aclose()

    async def _try(self, sent: Sent, left: float) -> bytes:
        seconds = max(min(self._try_seconds, left), 0.1)
        try:
            async with asyncio.timeout(seconds):
                response = await self._pool.handle_async_request(self._request(sent))
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError as fault:
            raise Unavailable(f"{self.url} has not answered in time") from fault
        except (*_FAULTS, OSError) as fault:
            raise Unavailable(f"no gateway answers on {self.url}") from fault
        if 200 <= response.status < 300:
            return body
        raise _problem(response, body)

    def _request(self, sent: Sent) -> httpcore2.Request:
        base = self._base
        headers = [
            ("Host", _authority(base)),
            ("Accept", "application/json"),
            ("Content-Type", sent.content_type),
            ("Content-Length", str(len(sent.body))),
            ("X-Opswire-Client", "worker"),
        ]
        if sent.is_signed:
            headers.append(("Authorization", f"Bearer {self._token}"))
        if sent.key:
            headers.append(("Idempotency-Key", sent.key))
        return httpcore2.Request(
            sent.method,
            httpcore2.URL(
                scheme=base.scheme,
                host=base.host,
                port=base.port,
                target=base.target.rstrip(b"/") + sent.target.encode(),
            ),
            headers=headers,
            content=sent.body,
            extensions={"timeout": {"connect": _CONNECT_SECONDS}},
        )


def _authority(url: httpcore2.URL) -> str:
    host = url.host.decode()
    return f"{host}:{url.port}" if url.port else host


async def _read(response: httpcore2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > _ANSWER_BYTES:
            raise Unavailable("the gateway answered more than 16 MiB")
    return bytes(body)


def _problem(response: httpcore2.Response, body: bytes) -> Problem:
    """Make of a refusal the problem that it names; what may pass is Unavailable."""
    told = _told(body)
    code, detail = str(told.get("code", "")), str(told.get("detail", ""))[:_SHOWN]
    fix = [str(each)[:_SHOWN] for each in told.get("fix", ())]
    if code == LeaseLost.code:
        return LeaseLost(detail, fix=fix)
    if response.status in _PASSING:
        headers = {name.lower(): value for name, value in response.headers}
        wanted = headers.get(b"retry-after", b"").decode("latin-1")
        return Unavailable(
            detail or f"the gateway answered {response.status}",
            retry_after=float(wanted) if wanted.isdigit() else 0.0,
        )
    if response.status == 404:
        return NotFound(detail.removesuffix(" does not exist") or "this address")
    kind = _BY_STATUS.get(response.status, BadRequest)
    return kind(detail or f"the gateway answered {response.status}", fix=fix)


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise Unavailable("what answered is no gateway") from fault
    if not isinstance(found, dict):
        raise Unavailable("what answered is no gateway")
    return found


def _pause_before(tries: int, outage: Unavailable) -> float:
    """Draw a pause with full jitter; at least what the gateway asked for."""
    most = min(_FIRST_PAUSE_SECONDS * 2 ** min(tries, 10), _LONGEST_PAUSE_SECONDS)
    return (outage.retry_after or 0.0) + random.uniform(0, most)  # noqa: S311 - no secret
