"""The least of RFC 6455 that a benchmark needs: upgrade, text frames, no extension."""

import asyncio
import struct
from typing import NamedTuple

import orjson

from benchmarks.connection import (
    NUMBER,
    Connection,
    LoadFailed,
    Requests,
    Tally,
    numbered,
)

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_SHORT, _WORD, _LONG = 125, 126, 127
_ZERO_MASK = b"\0\0\0\0"


class Frame(NamedTuple):
    """A frame from the server and the bytes that it took."""

    opcode: int
    payload: bytes
    size_bytes: int


def parse_frame(buffer: bytes) -> Frame | None:
    """Read one unmasked, unfragmented frame; None while it is not complete."""
    if len(buffer) < 2:
        return None
    length, at = buffer[1] & 0x7F, 2
    if length > _SHORT:
        layout, at = (">H", 4) if length == _WORD else (">Q", 10)
        if len(buffer) < at:
            return None
        (length,) = struct.unpack_from(layout, buffer, 2)
    if len(buffer) < at + length:
        return None
    return Frame(buffer[0] & 0x0F, buffer[at : at + length], at + length)


def frame_head(opcode: int, length: int) -> bytes:
    """Write the head of a client's frame; a mask of zero keeps the payload plain."""
    if length <= _SHORT:
        size = bytes([0x80 | length])
    elif length < 1 << 16:
        size = struct.pack(">BH", 0x80 | _WORD, length)
    else:
        size = struct.pack(">BQ", 0x80 | _LONG, length)
    return bytes([0x80 | opcode]) + size + _ZERO_MASK


def exec_line(line: str) -> Requests:
    """Yield `exec` frames of one command line, each with an id of its own."""
    frame = orjson.dumps({"t": "exec", "id": NUMBER, "line": line})
    return numbered(frame_head(_TEXT, len(frame)) + frame)


class WebSocketConnection(Connection):
    """One session; it is open after `welcome`, and every reply must be ok."""

    def __init__(self, requests: Requests, tally: Tally, *, key: str) -> None:
        super().__init__(requests, tally)
        self._key = key

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade, with the key as a client that is no browser does."""
        super().connection_made(transport)
        self.write(_upgrade(self._key))

    def data_received(self, data: bytes) -> None:
        """Take off the upgrade's answer, then frame by frame."""
        self._buffer = self._buffer + data if self._buffer else data
        if self._buffer.startswith(b"HTTP/") and not self._take_upgrade():
            return
        while self._buffer and (frame := parse_frame(self._buffer)):
            self._buffer = self._buffer[frame.size_bytes :]
            self._take(frame)

    def close(self) -> None:
        """Take leave as the protocol demands."""
        if self.is_open.done():
            self.write(frame_head(_CLOSE, 0))
        super().close()

    def _take_upgrade(self) -> bool:
        """Take the upgrade's answer off; False while it is not there or a refusal."""
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if end and not head.startswith(b"HTTP/1.1 101"):
            self._fail(self._buffer)
            self.close()
        elif end:
            self._buffer = rest
        return not self._buffer.startswith(b"HTTP/")

    def _take(self, frame: Frame) -> None:
        if frame.opcode == _PING:
            self.write(frame_head(_PONG, len(frame.payload)) + frame.payload)
        elif frame.opcode == _CLOSE or b'"t":"error"' in frame.payload:
            self._fail(frame.payload)
        elif b'"t":"reply"' in frame.payload:
            self.answered(frame.payload, is_good=b'"status":"ok"' in frame.payload)
        elif b'"t":"welcome"' in frame.payload and not self.is_open.done():
            self.is_open.set_result(None)

    def _fail(self, words: bytes) -> None:
        if not self.is_open.done():
            self.is_open.set_exception(LoadFailed(f"no welcome: {words[:300]!r}"))
        elif self._is_waiting:
            self.answered(words, is_good=False)


def _upgrade(key: str) -> bytes:
    return (
        "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    ).encode()
