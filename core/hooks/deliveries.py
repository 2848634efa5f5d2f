"""What an endpoint has received, and what became of it, read off the inbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from core.database import Tx
from core.delivery import received
from core.delivery.received import Received
from core.hooks.model import CHANNEL
from core.kernel.jsons import Json, parse_json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor

_NEWEST = 2**62


class Outcome(StrEnum):
    """How a delivery ended, or that it has not."""

    WAITING = "waiting"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery that was let in.

    Shape:  `command` is the line that was run; "" while it waits, and for a skipped
            delivery or one that became several commands. `code` names the problem of a
            failed one.
    Units:  `took_ms` is from its receipt to its answer; None while it waits.
    """

    id: str
    reply_id: str
    received_at: datetime
    outcome: Outcome
    took_ms: int | None
    size_bytes: int
    command: str = ""
    summary: str = ""
    code: str = ""


def list_(
    tx: Tx, endpoint_id: str, *, limit: int = PAGE_LIMIT, cursor: str = ""
) -> Page[Delivery]:
    """List an endpoint's deliveries, the newest first.

    Raises: InvalidQuery.
    """
    before = parse_cursor(cursor) if cursor else _NEWEST
    most = page_size(limit) + 1
    found = received.list_of(tx, CHANNEL, endpoint_id, before=before, limit=most)
    last = found[limit - 1].seq if len(found) > limit else None
    return Page(
        [_to_delivery(each) for each in found[:limit]],
        render_cursor(last) if last else None,
    )


def payload_of(stored: Received) -> Json:
    """Read what a delivery said, as the expressions of a map look at it."""
    delivery = parse_json(stored.payload)
    assert isinstance(delivery, dict)
    return parse_json(str(delivery["body"]))


def outcome_of(reply: Mapping[str, Any]) -> Outcome:
    """Tell how a delivery ended by the answer that is stored for it."""
    if not reply:
        return Outcome.WAITING
    if reply["error"]:
        return Outcome.FAILED
    return Outcome.SKIPPED if "skipped" in reply["data"] else Outcome.DONE


def _to_delivery(stored: Received) -> Delivery:
    reply: dict[str, Any] = orjson.loads(stored.reply) if stored.reply else {}
    error = reply.get("error") or {}
    return Delivery(
        id=stored.request_id,
        reply_id=stored.reply_id,
        received_at=stored.received_at,
        outcome=outcome_of(reply),
        took_ms=_took_ms(stored),
        size_bytes=len(stored.payload.encode()),
        command=reply.get("command", ""),
        summary=reply.get("summary", ""),
        code=error.get("code", ""),
    )


def _took_ms(stored: Received) -> int | None:
    if stored.done_at is None:
        return None
    return round((stored.done_at - stored.received_at).total_seconds() * 1000)
