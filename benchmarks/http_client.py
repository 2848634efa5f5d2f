"""The least of HTTP/1.1 that a benchmark needs: built requests, status and length."""

import itertools
from typing import NamedTuple

import orjson

from benchmarks.connection import NUMBER, Connection, Requests, Tally, numbered

_OK = 200


class Head(NamedTuple):
    """The status of an answer and the bytes that it has with its body."""

    status: int
    size_bytes: int


def parse_head(buffer: bytes) -> Head | None:
    """Read status line and content-length; None while the head is not complete.

    Raises: ValueError for an answer without a content-length.
    """
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[: end + 2].lower()
    _, name, rest = head.partition(b"\r\ncontent-length:")
    if not name:
        raise ValueError(f"an answer without content-length: {head[:80]!r}")
    return Head(int(head[9:12]), end + 4 + int(rest[: rest.find(b"\r\n")]))


class HttpConnection(Connection):
    """One keep-alive connection; every answer must be a 200."""

    def __init__(self, requests: Requests, tally: Tally) -> None:
        super().__init__(requests, tally)
        self.is_open.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Collect until an answer is complete."""
        self._buffer = self._buffer + data if self._buffer else data
        head = parse_head(self._buffer)
        if head is None or len(self._buffer) < head.size_bytes:
            return
        answer, self._buffer = self._buffer, b""
        if head.status == _OK:
            self.answered(answer, is_good=True)
        else:
            self.answered(_in_short(answer), is_good=False)


def post_line(path: str, line: str, *, key: str) -> Requests:
    """Yield POSTs of one command line, each with an Idempotency-Key of its own."""
    body = orjson.dumps({"line": line})
    own = f"Idempotency-Key: bench-{NUMBER}\r\n\r\n".encode()
    return numbered(_head(path, body, key) + own + body)


def post_same_line(path: str, line: str, *, key: str) -> Requests:
    """Yield one and the same POST of a command line, for reads."""
    body = orjson.dumps({"line": line})
    return itertools.repeat(_head(path, body, key) + b"\r\n" + body)


def _in_short(answer: bytes) -> bytes:
    """Keep the status line and the body of a refusal."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0] + b" " + body


def _head(path: str, body: bytes, key: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nAuthorization: Bearer {key}\r\n"
    ).encode()
