"""Queries over triggers."""

from collections.abc import Sequence
from dataclasses import asdict

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.hooks.model import PayloadMap
from core.hooks.triggers.model import Trigger, TriggerState, When
from core.hooks.triggers.tables import triggers
from core.kernel.clock import from_micros
from core.kernel.ids import TriggerId, number_of
from core.kernel.jsons import canonical_json

_TABLE = triggers.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = triggers.select().with_only_columns(
    _TABLE.id,
    _TABLE.name,
    _TABLE.events,
    _TABLE.webhook,
    _TABLE.map,
    _TABLE.owner_id,
    _TABLE.scopes,
    _TABLE.state,
    _TABLE.reason,
    _TABLE.created_by,
    _TABLE.since_seq,
    _TABLE.created_at,
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_BY_NAME = Prepared(_ALL.where(_OWN, _TABLE.name == bindparam("of")))
_PAGE = Prepared(
    _ALL.where(_OWN, _TABLE.number > bindparam("after"))
    .order_by(_TABLE.number)
    .limit(bindparam("most"))
)
_SET = Prepared(
    triggers.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("why"),
        since_seq=bindparam("since"),
        version=_TABLE.version + 1,
    )
)
_DEFINE = Prepared(
    triggers.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        events=bindparam("looks_at"),
        webhook=bindparam("hook"),
        map=bindparam("rule"),
        owner_id=bindparam("whose"),
        scopes=bindparam("rights"),
        since_seq=bindparam("since"),
        version=_TABLE.version + 1,
    )
)
_DELETE = Prepared(triggers.delete().where(_OWN, _TABLE.id == bindparam("of")))


def add(tx: Tx, trigger: Trigger) -> None:
    """Store a new trigger; the index on the name lets no second one in."""
    when = trigger.when
    tx.insert(
        triggers,
        {
            "id": trigger.id,
            "number": number_of(trigger.id, "G"),
            "name": trigger.name,
            "events": _render_events(when),
            "webhook": when.webhook,
            "map": _render(asdict(trigger.rule)),
            "owner_id": trigger.owner_id,
            "scopes": _render(sorted(trigger.scopes)),
            "state": trigger.state.value,
            "reason": trigger.reason,
            "created_by": trigger.created_by,
            "since_seq": trigger.since_seq,
        },
    )


def find(tx: Tx, reference: str) -> Trigger | None:
    """Find a trigger by its id or its name; no name looks like an id."""
    rows = tx.run(_BY_ID, of=reference) or tx.run(_BY_NAME, of=reference)
    return _to_trigger(rows[0]) if rows else None


def list_after(tx: Tx, number: int, *, most: int) -> Sequence[Trigger]:
    """List triggers beyond a number, in the order they were made."""
    return [_to_trigger(row) for row in tx.run(_PAGE, after=number, most=most)]


def set_state(tx: Tx, trigger_id: str, state: TriggerState, *, reason: str) -> None:
    """Switch a trigger on or off; it looks at nothing that happened before."""
    tx.change(
        _SET, of=trigger_id, new_state=state.value, why=reason, since=tx.event_seq
    )


def define(tx: Tx, trigger: Trigger) -> None:
    """Store what a trigger is from now on; it looks at nothing that happened before."""
    tx.change(
        _DEFINE,
        of=trigger.id,
        looks_at=_render_events(trigger.when),
        hook=trigger.when.webhook,
        rule=_render(asdict(trigger.rule)),
        whose=trigger.owner_id,
        rights=_render(sorted(trigger.scopes)),
        since=tx.event_seq,
    )


def delete(tx: Tx, trigger_id: str) -> None:
    """Remove a trigger."""
    tx.change(_DELETE, of=trigger_id)


def _render_events(when: When) -> str:
    return _render({"types": sorted(when.events), "targets": sorted(when.targets)})


def _render(value: object) -> str:
    return canonical_json(value).decode()


def _to_trigger(row: Row) -> Trigger:
    (
        trigger_id,
        name,
        events,
        webhook,
        rule,
        owner_id,
        scopes,
        state,
        reason,
        created_by,
        since_seq,
        created_at,
    ) = row
    named = orjson.loads(events)
    return Trigger(
        id=TriggerId(trigger_id),
        name=name,
        when=When(
            events=frozenset(named["types"]),
            targets=frozenset(named["targets"]),
            webhook=webhook,
        ),
        rule=PayloadMap(**orjson.loads(rule)),
        owner_id=owner_id,
        scopes=frozenset(orjson.loads(scopes)),
        state=TriggerState(state),
        reason=reason,
        created_by=created_by,
        since_seq=since_seq,
        created_at=from_micros(created_at),
    )
