"""What is asked of places outside, and what they answer; without the client for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol, cast

from core.kernel.addresses import Allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long one exchange may take, and how much of an answer is read.

    Units:  `connect_seconds` for the name and the connection, and for the handshake
            once more; `connections` to all receivers together.
    """

    connect_seconds: float = 10.0
    total_seconds: float = 30.0
    answer_bytes: int = 65_536
    connections: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered.

    Shape:  header names in lower case, the last of a name; `body` is its beginning, as
            it came and not unpacked, and `is_cut` tells that there was more.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False


class Caller(Protocol):
    """Sends requests to URLs that users gave."""

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one request, and read the beginning of its answer.

        Raises: InvalidArgument for what is no URL; AddressRefused when it leads inside;
                OSError when it was not reached, or did not answer in time.
        """
        ...


class LateCaller:
    """The guarded client, loaded with the first request: most processes make none."""

    def __init__(self, allowed: Allowed, bounds: Bounds) -> None:
        self._allowed = allowed
        self._bounds = bounds
        self._caller: Caller | None = None

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one request; as `Caller.send`."""
        if self._caller is None:
            outside = import_module("gateway.adapters.outside")
            opened = outside.Outside(self._allowed, bounds=self._bounds)
            self._caller = cast(Caller, opened)
        return await self._caller.send(method, url, headers=headers, body=body)
