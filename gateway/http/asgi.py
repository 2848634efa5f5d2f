"""The few lines of ASGI that the hot routes share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.types import Message, Receive, Scope, Send

from core.kernel.problems import (
    InvalidHeader,
    TooLarge,
    Unauthenticated,
    Unavailable,
)

HeaderList = list[tuple[bytes, bytes]]

CREDENTIALS = frozenset({b"authorization", b"x-api-key"})

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", b"application/problem+json")

BASE_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


async def read_body(scope: Scope, receive: Receive, *, limit: int) -> bytes:
    """Read a request body of at most `limit` bytes.

    Raises: TooLarge before more than the limit is held, and before anything is when
            the client says how much will come; Unavailable when the client went away,
            for then nobody waits for the answer.
    """
    _require_small(_declared_size(scope), limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] != "http.request":
            raise Unavailable("the client went away")
        chunk = event.get("body", b"")
        size += len(chunk)
        _require_small(size, limit)
        if not event.get("more_body"):
            return chunk if not chunks else b"".join((*chunks, chunk))
        chunks.append(chunk)


async def respond(
    send: Send,
    status: int,
    body: bytes,
    *,
    headers: Iterable[tuple[bytes, bytes]] = (JSON,),
) -> None:
    """Send one complete response."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                *BASE_HEADERS,
                (b"content-length", b"%d" % len(body)),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


def secured(send: Send) -> Send:
    """Add the headers of every response, except those a response sets itself."""

    async def send_secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            extra = [each for each in BASE_HEADERS if each[0] not in given]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return send_secured


def _declared_size(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _require_small(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(
            f"the body has more than {limit} bytes", fix=["send less in one request"]
        )


@dataclass(frozen=True, slots=True)
class Headers:
    """Request headers by lower-case name; of repeated ones the last counts.

    Shape:  `repeated` are the names that came several times. A credential is never one
            of them: which of two is meant would depend on who reads them.
    """

    by_name: Mapping[bytes, bytes]
    repeated: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, scope: Scope) -> "Headers":
        """Take them from a connection's scope."""
        pairs = scope["headers"]
        by_name = dict(pairs)
        if len(by_name) == len(pairs):
            return cls(by_name)
        names = [name for name, _ in pairs]
        return cls(
            by_name, frozenset(each for each in by_name if names.count(each) > 1)
        )

    def get(self, name: bytes) -> str:
        """Read one header as text, "" when it is missing.

        Raises: InvalidHeader when it is not ASCII; Unauthenticated for a credential
                that came several times.
        """
        raw = self.by_name.get(name)
        if raw is None:
            return ""
        if name in CREDENTIALS and name in self.repeated:
            raise Unauthenticated(
                f"the header {name.decode('ascii')} came several times",
                fix=["send one credential"],
            )
        try:
            return raw.decode("ascii")
        except UnicodeDecodeError as fault:
            raise InvalidHeader(
                f"the header {name.decode('ascii')} is not ASCII",
                fix=["use ASCII only"],
            ) from fault
