"""Queries over what was tried for subscriptions."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, select

from core.database import Prepared, Row, Tx
from core.hooks.subscriptions.model import Attempt
from core.hooks.subscriptions.tables import callback_attempts
from core.kernel.clock import from_micros, to_micros

_TRIED = callback_attempts.c
_OWN_TRIED = _TRIED.tenant_id == bindparam("tenant")
_LAST_NUMBER = Prepared(
    select(func.max(_TRIED.attempt)).where(_OWN_TRIED, _TRIED.key == bindparam("of"))
)
_OF_KEY = (
    callback_attempts.select()
    .with_only_columns(
        _TRIED.key,
        _TRIED.attempt,
        _TRIED.status,
        _TRIED.took_ms,
        _TRIED.answer,
        _TRIED.error,
        _TRIED.tried_at,
    )
    .where(_OWN_TRIED, _TRIED.key == bindparam("of"))
)
_TRIES = Prepared(_OF_KEY.order_by(_TRIED.attempt))
_LAST = Prepared(_OF_KEY.order_by(_TRIED.attempt.desc()).limit(literal_column("1")))
_KEYS = Prepared(
    select(_TRIED.key)
    .distinct()
    .where(
        _OWN_TRIED,
        func.substr(_TRIED.key, literal_column("1"), bindparam("length"))
        == bindparam("beginning"),
        _TRIED.tried_at >= bindparam("since"),
    )
    .limit(bindparam("most"))
)
_TRIED_BEFORE = Prepared(
    callback_attempts.select()
    .with_only_columns(_TRIED.key, _TRIED.attempt)
    .where(_OWN_TRIED, _TRIED.tried_at < bindparam("before"))
    .order_by(_TRIED.tried_at)
    .limit(bindparam("most"))
)
_FORGET = Prepared(
    callback_attempts.delete().where(
        _OWN_TRIED, _TRIED.key == bindparam("of"), _TRIED.attempt == bindparam("number")
    )
)


def add(tx: Tx, attempt: Attempt) -> None:
    """Store an attempt.

    Shape:  its number grows with every one of the delivery; one that is sent once more
            by hand is counted from 1 again by the outbox, and goes on counting here.
    """
    last = tx.run(_LAST_NUMBER, of=attempt.key)[0][0] or 0
    tx.insert(
        callback_attempts,
        {
            "key": attempt.key,
            "attempt": max(attempt.attempt, last + 1),
            "tried_at": to_micros(attempt.tried_at),
            "status": attempt.status,
            "took_ms": attempt.took_ms,
            "answer": attempt.answer,
            "error": attempt.error,
        },
    )


def list_of(tx: Tx, key: str) -> Sequence[Attempt]:
    """List the attempts to deliver something, in their order."""
    return [_to_attempt(row) for row in tx.run(_TRIES, of=key)]


def find_last(tx: Tx, key: str) -> Attempt | None:
    """Find the last attempt to deliver something."""
    rows = tx.run(_LAST, of=key)
    return _to_attempt(rows[0]) if rows else None


def count_deliveries(tx: Tx, of: str, *, since: datetime, most: int) -> int:
    """Count the deliveries of a subscription that were tried since a moment."""
    beginning = f"{of}:"
    found = tx.run(
        _KEYS,
        beginning=beginning,
        length=len(beginning),
        since=to_micros(since),
        most=most,
    )
    return len(found)


def list_before(tx: Tx, moment: datetime, *, most: int) -> Sequence[tuple[str, int]]:
    """List the keys and numbers of attempts from before a moment, the oldest first."""
    rows = tx.run(_TRIED_BEFORE, before=to_micros(moment), most=most)
    return [(row[0], row[1]) for row in rows]


def forget(tx: Tx, key: str, number: int) -> None:
    """Remove one attempt."""
    tx.change(_FORGET, of=key, number=number)


def _to_attempt(row: Row) -> Attempt:
    key, number, status, took_ms, answer, error, tried_at = row
    return Attempt(
        key=key,
        attempt=number,
        status=status,
        took_ms=took_ms,
        answer=answer,
        error=error,
        tried_at=from_micros(tried_at),
    )
