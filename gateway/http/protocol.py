"""uvicorn's HTTP, which also waits for nobody and takes no request in two ways."""

from asyncio import AbstractEventLoop, TimerHandle, Transport
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from core.kernel.ids import random_id
from core.kernel.jsons import to_json
from gateway.http.asgi import BASE_HEADERS
from gateway.http.http_protocol import BoundedHttp
from gateway.http.whole_answers import WholeAnswer
from gateway.problems import ERROR_BASE

_VERSIONS = ("1.1", "1.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What one connection may take.

    Units:  seconds and bytes. `head_seconds` is the time for a whole request head,
            `idle_seconds` the time between two pieces of a body. `head_bytes` covers
            the head and, once more, the trailers. `waste_bytes` may come beside a body
            as chunk sizes and extensions, or after it was refused. `pipelined`
            requests may wait for their turn.
    """

    head_seconds: float = 10.0
    idle_seconds: float = 30.0
    linger_seconds: float = 1.0
    head_bytes: int = 65_536
    waste_bytes: int = 16_777_216
    pipelined: int = 32


class Malformed(Exception):
    """A request that is refused while it is read; httptools hands it on."""


class StrictHttp(BoundedHttp):
    """One connection that gets one refusal for what is malformed, and is closed.

    The parser refuses what two servers could read differently; here the rest of that
    is refused, and whatever never ends: heads, bodies, trailers, pipelines.
    """

    limits = HttpLimits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._is_in_head = True
        self._is_new_head = False
        self._is_over = False
        self._hosts = 0
        self._coding = b""
        self._size = 0  # of the headers read, later of the trailers
        self._pending = 0  # bytes that came since the piece in which the head began
        self._wasted = 0
        self._refusal = (HTTPStatus.BAD_REQUEST, "")
        self._deadline: TimerHandle | None = None

    # ── bytes and time ────────────────────────────────────────────────────────
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Give a client some seconds for its first head."""
        super().connection_made(transport)
        self._await(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._unset_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless this connection was refused."""
        if self._is_over:
            return
        self._unset_keepalive_if_required()
        self._pending += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
        except httptools.HttpParserError:
            self._refuse(*self._refusal)
        else:
            self._watch(len(data))

    def _watch(self, size: int) -> None:
        """See to it that what is still missing comes in time, and in bounds."""
        if self._is_in_head:
            self._watch_head()
        elif self.cycle.more_body:
            self._watch_body(size)
        elif self.cycle.response_complete:  # what came was nothing, between requests
            self._await(self.limits.head_seconds)
        else:
            self._unset_deadline()

    def _watch_head(self) -> None:
        if self._is_new_head:
            self._is_new_head = False
            self._await(self.limits.head_seconds)
        elif self._pending > self.limits.head_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "")

    def _watch_body(self, size: int) -> None:
        self._wasted += size
        if self._wasted > self.limits.waste_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body never ends")
        else:
            self._await(self.limits.idle_seconds)

    def _await(self, seconds: float) -> None:
        self._unset_deadline()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _unset_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Refuse a client that is too slow, unless it is us who do not read."""
        if not self._is_in_head and self.flow.read_paused:
            self._await(self.limits.idle_seconds)
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "")

    # ── what the parser finds ─────────────────────────────────────────────────
    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._is_in_head = self._is_new_head = True
        self._hosts = self._size = self._pending = self._wasted = 0
        self._coding = b""

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is dropped, for it must not pass for a header."""
        self._count(len(name) + len(value))
        if not self._is_in_head:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"transfer-encoding":
            self._coding = value.lower()
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Refuse what is valid to the parser alone, then answer the request."""
        self._count(len(self.url))
        self._require_sound(self.parser.get_http_version())
        self._is_in_head = False
        self._size = 0
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Let a request be answered, in one piece."""
        cycle.transport = WholeAnswer(self.transport, self.loop)
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; only what is beside it counts as waste."""
        if not self.cycle.response_complete:
            self._wasted -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that the body is whole, even if the answer was given before."""
        if self.cycle is not None:
            self.cycle.more_body = False
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self.limits.head_bytes:
            raise self._malformed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _require_sound(self, version: str) -> None:
        if version not in _VERSIONS:
            raise self._malformed(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if self._hosts > 1 or (not self._hosts and version == "1.1"):
            raise self._malformed(detail="send one Host header")
        if self._coding and (self._coding != b"chunked" or version == "1.0"):
            raise self._malformed(detail="the only transfer coding is chunked")
        if len(self.pipeline) >= self.limits.pipelined:
            raise self._malformed(HTTPStatus.TOO_MANY_REQUESTS)

    def _malformed(
        self, status: HTTPStatus = HTTPStatus.BAD_REQUEST, *, detail: str = ""
    ) -> Malformed:
        self._refusal = (status, detail)
        return Malformed(detail)

    # ── the end of it ─────────────────────────────────────────────────────────
    def _upgrade(self) -> None:
        """Hand over to WebSocket; any other protocol is none of ours."""
        self._unset_deadline()
        if self._should_upgrade():
            self.handle_websocket_upgrade()
            return
        self._is_over = True
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer once and hang up; requests that came before this one go first."""
        self._unset_deadline()
        self._is_over = True
        cycle = self.cycle
        is_busy = cycle is not None and not cycle.response_complete
        if is_busy and not cycle.more_body:
            cycle.keep_alive = False
            return
        if is_busy:
            cycle.disconnected = True
            cycle.message_event.set()
        if not (is_busy and cycle.response_started) and not self.transport.is_closing():
            self.transport.write(refusal(status, detail))
        self._close_softly()

    def _close_softly(self) -> None:
        """Close, but let the client read the answer before it learns of that.

        A socket closed with unread bytes is reset, and the answer lost on its way.
        """
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(self.limits.linger_seconds, self.transport.abort)


def refusal(status: HTTPStatus, detail: str) -> bytes:
    """Write a whole response that refuses a request nobody could read."""
    body = to_json(
        {
            "type": f"{ERROR_BASE}/malformed-request",
            "title": status.phrase,
            "status": status.value,
            "detail": detail or status.description or "this is not valid HTTP/1.1",
            "code": "malformed_request",
            "fix": ["send a complete HTTP/1.1 request"],
            "request_id": random_id("rq"),
        }
    )
    headers = (
        *BASE_HEADERS,
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    )
    lines = [b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode())]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join([*lines, b"", body])
