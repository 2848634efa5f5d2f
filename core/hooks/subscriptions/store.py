"""Queries over subscriptions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.hooks.subscriptions.model import Health, State, Subscription, Wanted
from core.hooks.subscriptions.tables import subscriptions
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import SubscriptionId, number_of
from core.kernel.jsons import canonical_json

_TABLE = subscriptions.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_THIS = (_OWN, _TABLE.id == bindparam("of"))
_ALL = subscriptions.select().with_only_columns(
    _TABLE.id,
    _TABLE.name,
    _TABLE.url,
    _TABLE.wanted,
    _TABLE.creator_id,
    _TABLE.creator_scopes,
    _TABLE.created_at,
    _TABLE.secret,
    _TABLE.previous_secret,
    _TABLE.previous_until,
    _TABLE.state,
    _TABLE.reason,
    _TABLE.since_seq,
    _TABLE.last_ok_at,
    _TABLE.failing_since,
    _TABLE.failures,
)
_BY_ID = Prepared(_ALL.where(*_THIS))
_BY_NAME = Prepared(_ALL.where(_OWN, _TABLE.name == bindparam("of")))
_PAGE = Prepared(
    _ALL.where(_OWN, _TABLE.number > bindparam("after"))
    .order_by(_TABLE.number)
    .limit(bindparam("most"))
)
_ENABLED = Prepared(
    _ALL.where(_OWN, _TABLE.state == State.ENABLED.value).order_by(_TABLE.number)
)
_ROTATE = Prepared(
    subscriptions.update()
    .where(*_THIS)
    .values(
        secret=bindparam("new"),
        previous_secret=bindparam("old"),
        previous_until=bindparam("until"),
        version=_TABLE.version + 1,
    )
)
_DISABLE = Prepared(
    subscriptions.update()
    .where(*_THIS, _TABLE.state == State.ENABLED.value)
    .values(
        state=State.DISABLED.value,
        reason=bindparam("new_reason"),
        version=_TABLE.version + 1,
    )
)
_ENABLE = Prepared(
    subscriptions.update()
    .where(*_THIS, _TABLE.state == State.DISABLED.value)
    .values(
        state=State.ENABLED.value,
        reason="",
        since_seq=bindparam("new_since_seq"),
        failing_since=0,
        failures=0,
        version=_TABLE.version + 1,
    )
)
_NOTE = Prepared(
    subscriptions.update()
    .where(*_THIS)
    .values(
        last_ok_at=bindparam("new_last_ok_at"),
        failing_since=bindparam("new_failing_since"),
        failures=bindparam("new_failures"),
    )
)
_DELETE = Prepared(subscriptions.delete().where(*_THIS))


def add(tx: Tx, new: Subscription) -> None:
    """Store a new subscription; the index on the name lets no second one in."""
    wanted = {
        "types": sorted(new.wanted.types),
        "targets": sorted(new.wanted.targets),
        "filter": new.wanted.filter,
        "answers_only": new.wanted.answers_only,
    }
    tx.insert(
        subscriptions,
        {
            "id": new.id,
            "number": number_of(new.id, "SB"),
            "name": new.name,
            "url": new.url,
            "wanted": canonical_json(wanted).decode(),
            "creator_id": new.creator_id,
            "creator_scopes": canonical_json(sorted(new.creator_scopes)).decode(),
            "secret": new.secret,
            "previous_secret": "",
            "previous_until": 0,
            "state": new.state.value,
            "reason": new.reason,
            "since_seq": new.since_seq,
            "last_ok_at": 0,
            "failing_since": 0,
            "failures": 0,
        },
    )


def find(tx: Tx, reference: str) -> Subscription | None:
    """Find a subscription by its id or its name; no name looks like an id."""
    rows = tx.run(_BY_ID, of=reference) or tx.run(_BY_NAME, of=reference)
    return _to_subscription(rows[0]) if rows else None


def list_after(tx: Tx, number: int, *, most: int) -> Sequence[Subscription]:
    """List subscriptions beyond a number, in the order they were made."""
    return [_to_subscription(row) for row in tx.run(_PAGE, after=number, most=most)]


def list_enabled(tx: Tx) -> Sequence[Subscription]:
    """List all that are sent anything, in the order they were made."""
    return [_to_subscription(row) for row in tx.run(_ENABLED)]


def rotate(tx: Tx, of: str, *, new: str, old: str, until: datetime) -> None:
    """Put a new sealed secret in place; the old one counts until a moment."""
    tx.change(_ROTATE, of=of, new=new, old=old, until=to_micros(until))


def disable(tx: Tx, of: str, *, reason: str) -> bool:
    """Have nothing more sent; guaranteed to be True for one caller only."""
    return tx.change(_DISABLE, of=of, new_reason=reason) == 1


def enable(tx: Tx, of: str, *, since_seq: int) -> bool:
    """Have events after a number sent; guaranteed to be True for one caller only."""
    return tx.change(_ENABLE, of=of, new_since_seq=since_seq) == 1


def note_health(tx: Tx, of: str, health: Health) -> None:
    """Store how deliveries went lately."""
    tx.change(
        _NOTE,
        of=of,
        new_last_ok_at=_micros(health.last_ok_at),
        new_failing_since=_micros(health.failing_since),
        new_failures=health.failures,
    )


def delete(tx: Tx, of: str) -> None:
    """Remove a subscription."""
    tx.change(_DELETE, of=of)


def _micros(moment: datetime | None) -> int:
    return to_micros(moment) if moment else 0


def _moment(micros: int) -> datetime | None:
    return from_micros(micros) if micros else None


def _to_subscription(row: Row) -> Subscription:
    (
        subscription_id,
        name,
        url,
        wanted,
        creator_id,
        scopes,
        created,
        secret,
        previous_secret,
        previous_until,
        state,
        reason,
        since_seq,
        last_ok_at,
        failing_since,
        failures,
    ) = row
    return Subscription(
        id=SubscriptionId(subscription_id),
        name=name,
        url=url,
        wanted=_to_wanted(wanted),
        creator_id=creator_id,
        creator_scopes=frozenset(orjson.loads(scopes)),
        created_at=from_micros(created),
        secret=secret,
        previous_secret=previous_secret,
        previous_until=_moment(previous_until),
        state=State(state),
        reason=reason,
        since_seq=since_seq,
        last_ok_at=_moment(last_ok_at),
        failing_since=_moment(failing_since),
        failures=failures,
    )


def _to_wanted(stored: str) -> Wanted:
    raw: dict[str, Any] = orjson.loads(stored)
    return Wanted(
        types=frozenset(raw["types"]),
        targets=frozenset(raw["targets"]),
        filter=raw["filter"],
        answers_only=raw["answers_only"],
    )
