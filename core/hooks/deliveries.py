"""What an endpoint has received, and what became of it, read off the inbox."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from core.database import Tx
from core.delivery import received
from core.delivery.received import Received, Wanted
from core.hooks.model import CHANNEL, Endpoint
from core.hooks.payloads import parse_payload, with_surroundings
from core.kernel.jsons import Json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import NotFound

# Whoever delivers from outside is nobody or has an id, so no key of theirs is one of
# these.
REPLAYER = "replay"
SENT_BY, REPLAY_OF, REPLAYED_BY = "sent_by", "replay_of", "replayed_by"
DONE_BEFORE = "done_before"

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

    Shape:  `commands` are the lines that were run, none while it waits and for a
            skipped one. `summary` says what came of it, or why it still waits. `code`
            names the problem of a failed one. `url` is where its answer is read, ""
            while it waits. `proof` says how it was let in: `signature`, `key`, `sent`
            from inside, or `replay`, and `by` whom if that is known. `replay_of` is the
            delivery that this one repeats, `replayed_as` the one that repeats this.
    Units:  `took_ms` is from its receipt to its answer; None while it waits.
    """

    id: str
    reply_id: str
    received_at: datetime
    outcome: Outcome
    took_ms: int | None
    size_bytes: int
    commands: tuple[str, ...] = ()
    summary: str = ""
    code: str = ""
    url: str = ""
    proof: str = ""
    by: str = ""
    replay_of: str = ""
    replayed_as: str = ""

    @property
    def command(self) -> str:
        """The line that was run, "" when there was not exactly one."""
        return self.commands[0] if len(self.commands) == 1 else ""


def list_(
    tx: Tx,
    endpoint_id: str,
    wanted: Wanted | None = None,
    *,
    limit: int = PAGE_LIMIT,
    cursor: str = "",
) -> Page[Delivery]:
    """List an endpoint's deliveries that are wanted, the newest first.

    Raises: InvalidQuery.
    """
    before = parse_cursor(cursor) if cursor else _NEWEST
    asked = replace(wanted or Wanted(), before=before, limit=page_size(limit) + 1)
    found = received.list_of(tx, CHANNEL, endpoint_id, asked)
    last = found[limit - 1].seq if len(found) > limit else None
    return Page(
        [to_delivery(each) for each in found[:limit]],
        render_cursor(last) if last else None,
    )


def find_stored(tx: Tx, endpoint: Endpoint, reference: str) -> Received:
    """Find one delivery of an endpoint by its id, or by its answer's.

    Raises: NotFound when it never came, is no longer kept, or came to another endpoint.
    """
    found = received.find(tx, reference)
    if found is None or found.key.channel != CHANNEL:
        raise NotFound(
            f"the delivery {reference[:40]}",
            fix=[
                f"webhook deliveries {endpoint.id}",
                "old deliveries are forgotten after OPSWIRE_KEEP__INBOX_DAYS",
            ],
        )
    if found.key.account != endpoint.id:
        raise NotFound(
            f"the delivery {reference[:40]} to {endpoint.id}",
            fix=[f"webhook inspect {found.key.account} {found.request_id}"],
        )
    return found


def payload_of(stored: Received) -> Json:
    """Read what a delivery said, as the expressions of a map look at it.

    Shape:  an object has the headers and the query of the request beside its own keys,
            as `_headers` and `_query`.
    """
    delivery = orjson.loads(stored.payload)
    headers = delivery.get("headers", {})
    return with_surroundings(
        parse_payload(delivery["body"], headers.get("content-type", "")),
        headers=headers,
        query=delivery.get("query", {}),
    )


def outcome_of(reply: Mapping[str, Any]) -> Outcome:
    """Tell how a delivery ended by the answer that is stored for it."""
    if not reply:
        return Outcome.WAITING
    if reply["error"]:
        return Outcome.FAILED
    return Outcome.SKIPPED if "skipped" in reply["data"] else Outcome.DONE


def done_before(stored: Received) -> tuple[str, ...]:
    """List the lines that an earlier run of this delivery did; they are not run again."""
    lines = said_of(stored).get(DONE_BEFORE)
    return tuple(map(str, lines)) if isinstance(lines, list) else ()


def done_of(stored: Received) -> tuple[str, ...]:
    """List the lines of a failed delivery that took effect all the same."""
    items = reply_of(stored).get("data", {}).get("items", ())
    return tuple(str(each["command"]) for each in items if each.get("status") == "ok")


def commands_of(reply: Mapping[str, Any]) -> tuple[str, ...]:
    """List the lines that an answer tells of."""
    if reply.get("command"):
        return (str(reply["command"]),)
    items = reply.get("data", {}).get("items", ())
    return tuple(str(each["command"]) for each in items if each.get("command"))


def to_delivery(stored: Received) -> Delivery:
    """Read a delivery off its message."""
    reply, said = reply_of(stored), said_of(stored)
    error, done_at = reply.get("error") or {}, stored.done_at
    return Delivery(
        id=stored.request_id,
        reply_id=stored.reply_id,
        received_at=stored.received_at,
        outcome=outcome_of(reply),
        took_ms=took_ms(stored, done_at=done_at) if done_at else None,
        size_bytes=len(str(said.get("body", "")).encode()),
        commands=commands_of(reply),
        summary=reply.get("summary", stored.waits_for),
        code=error.get("code", ""),
        url=reply.get("url", ""),
        proof=_proof(stored, said),
        by=str(said.get(REPLAYED_BY) or said.get(SENT_BY) or ""),
        replay_of=str(said.get(REPLAY_OF, "")),
        replayed_as=stored.replayed_as,
    )


def reply_of(stored: Received) -> dict[str, Any]:
    """Read the answer that is stored for a delivery; empty while it waits."""
    reply: dict[str, Any] = orjson.loads(stored.reply) if stored.reply else {}
    return reply


def said_of(stored: Received) -> dict[str, Json]:
    """Read what is stored of a delivery itself."""
    said = orjson.loads(stored.payload)
    return said if isinstance(said, dict) else {}


def took_ms(stored: Received, *, done_at: datetime) -> int:
    """Tell how long a delivery took from its receipt to its answer."""
    return round((done_at - stored.received_at).total_seconds() * 1000)


def _proof(stored: Received, said: Mapping[str, Json]) -> str:
    if stored.key.sender == REPLAYER:
        return "replay"
    if SENT_BY in said:
        return "sent"
    return "key" if stored.key.sender else "signature"
