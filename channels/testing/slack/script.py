"""What goes wrong on request: one line of a script for each call that should fail."""

import asyncio
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web


class Fault(StrEnum):
    """How a call to the Web API fails."""

    LIMITED = "429"
    BROKEN = "500"
    RESET = "reset"
    HANG = "hang"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fault: for the next call, or the next to one method.

    Shape:  `detail` is the Retry-After of a 429, or the error of a refused call, which
            answers 200 with `ok: false`.
    """

    fault: Fault
    detail: str = ""
    method: str = ""


class Script:
    """Faults in the order in which they happen; after the last one all is well.

    Units:  `pace` is the least time between two messages to one channel, in seconds;
            0 does not limit. Sooner ones answer 429.
    """

    def __init__(self) -> None:
        self.pace = 0.0
        self.limited = 0
        self.early = 0
        self._lines: deque[Line] = deque()
        self._last: dict[str, float] = {}
        self._held_until: dict[str, float] = {}
        self._closing = asyncio.Event()

    def add(self, *words: str, method: str = "") -> None:
        """Append faults such as `429:2`, `500`, `reset`, `hang`, `refused:fatal_error`."""
        for word in words:
            fault, _, detail = word.partition(":")
            self._lines.append(Line(fault=Fault(fault), detail=detail, method=method))

    def clear(self) -> None:
        """Let all be well from now on."""
        self._lines.clear()

    @property
    def is_over(self) -> bool:
        """Tell whether every fault has happened."""
        return not self._lines

    def next_for(self, method: str) -> Line | None:
        """Take the fault that hits a call of this method, if one does."""
        for line in self._lines:
            if line.method in ("", method):
                self._lines.remove(line)
                return line
        return None

    def wait_for(self, channel: str, now: float) -> float:
        """Tell how long a message to a channel comes too soon; 0 when it may go out.

        A sender that does not keep a Retry-After it was given is counted in `early`.
        """
        if not self.pace:
            return 0.0
        if now < self._held_until.get(channel, 0.0):
            self.early += 1
        missing = self._last.get(channel, 0.0) + self.pace - now
        if missing > 0:
            self.limited += 1
            self._held_until[channel] = now + missing
            return missing
        self._last[channel] = now
        return 0.0

    async def play(self, line: Line, request: web.Request) -> web.Response:
        """Let a call fail."""
        if line.fault is Fault.LIMITED:
            return too_many(line.detail or "1")
        if line.fault is Fault.BROKEN:
            return web.Response(status=500, text="upstream failure")
        if line.fault is Fault.REFUSED:
            return web.json_response({"ok": False, "error": line.detail})
        if line.fault is Fault.HANG:
            await self._closing.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def close(self) -> None:
        """Let go of the calls that hang."""
        self._closing.set()


def too_many(seconds: str) -> web.Response:
    """Answer that the caller is too fast."""
    return web.json_response(
        {"ok": False, "error": "ratelimited"},
        status=429,
        headers={"Retry-After": seconds},
    )
