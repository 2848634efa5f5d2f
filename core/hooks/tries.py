"""One delivery in full: what it said, what it was answered, and each time it was run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.database import Tx
from core.delivery import received
from core.delivery.received import Received
from core.hooks.deliveries import (
    REPLAY_OF,
    Delivery,
    find_stored,
    reply_of,
    said_of,
    to_delivery,
)
from core.hooks.model import Endpoint

_MOST_TRIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A delivery with what it said and what it was answered.

    Shape:  `headers` are those that were kept, none of which lets anybody in. `reply`
            is the stored answer, empty while it waits. `tries` are this delivery and
            those that repeat it or that it repeats, the oldest first.
    """

    delivery: Delivery
    headers: Mapping[str, str]
    body: str
    reply: Mapping[str, Any] = field(default_factory=dict)
    tries: tuple[Delivery, ...] = ()


def get_whole(tx: Tx, endpoint: Endpoint, reference: str) -> Whole:
    """Get one delivery with everything that is kept of it.

    Raises: NotFound.
    """
    stored = find_stored(tx, endpoint, reference)
    said = said_of(stored)
    headers = said.get("headers")
    named = headers if isinstance(headers, dict) else {}
    return Whole(
        delivery=to_delivery(stored),
        headers={name: str(text) for name, text in named.items()},
        body=str(said.get("body", "")),
        reply=reply_of(stored),
        tries=tuple(to_delivery(each) for each in _tries(tx, stored)),
    )


def _tries(tx: Tx, stored: Received) -> list[Received]:
    """Follow a delivery to what it repeats and to what repeats it, oldest first."""
    before = list(_followed(tx, stored, _repeated))
    after = list(_followed(tx, stored, lambda each: each.replayed_as))
    return [*reversed(before), stored, *after]


def _followed(
    tx: Tx, stored: Received, next_of: Callable[[Received], str]
) -> Iterator[Received]:
    at: Received | None = stored
    for _ in range(_MOST_TRIES):
        if at is None or not (request_id := next_of(at)):
            return
        at = received.find(tx, request_id)
        if at is not None:
            yield at


def _repeated(stored: Received) -> str:
    return str(said_of(stored).get(REPLAY_OF, ""))
