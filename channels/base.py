"""What every channel declares and offers; small on purpose, one Protocol per need."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Protocol

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can show; a block it cannot show has a written fallback.

    Units:  `max_text` counts characters, `max_blocks` blocks of one message, and
            `max_rate` messages a minute to one place; 0 is without limit.
    """

    threads: bool = False
    edit: bool = False
    ephemeral: bool = False
    buttons: bool = False
    modals: bool = False
    files: bool = False
    max_text: int = 0
    max_blocks: int = 0
    max_rate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel by its name, which is also the one in envelopes, audit and limits."""

    name: str
    capabilities: Capabilities


class Sender(Protocol):
    """Takes what a wire has rendered to whoever is at the other end."""

    async def send(self, payload: str) -> bool:
        """Send one payload after those before it; tell whether it was handed over."""


class PushChannel(Protocol):
    """A channel to which messages are brought: the gateway mounts it at a path."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection or request to its end."""


class PullChannel(Protocol):
    """A channel that fetches its messages itself."""

    async def run(self) -> None:
        """Fetch until cancelled; return or raise to be started again."""
