"""Queries over the outbox."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Update,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)

from core.database import Prepared, Row, Tx
from core.delivery.outbox.model import (
    Appearance,
    Of,
    OutboxDraft,
    OutboxState,
    Outgoing,
    Spot,
    spot_of,
)
from core.delivery.outbox.tables import outbox
from core.kernel.clock import from_micros
from core.kernel.ids import numbered
from core.kernel.jsons import canonical_json
from core.kernel.outgoing import Lane

_OWN = outbox.c.tenant_id == bindparam("tenant")
# Written out, for only so can SQLite tell that its partial index fits.
_WAITS = outbox.c.state == literal_column("'waiting'")
_IS_DEAD = outbox.c.state == literal_column("'dead'")
_IS_PROGRESS = outbox.c.lane == literal_column(str(Lane.PROGRESS.value))
_THIS = (_OWN, outbox.c.key == bindparam("of"))
_SUBJECT = (
    _OWN,
    outbox.c.channel == bindparam("of_channel"),
    outbox.c.account == bindparam("of_account"),
    outbox.c.subject == bindparam("of_subject"),
    outbox.c.line == bindparam("of_line"),
)
_COLUMNS = (
    outbox.c.key,
    outbox.c.number,
    outbox.c.channel,
    outbox.c.account,
    outbox.c.place,
    outbox.c.lane,
    outbox.c.subject,
    outbox.c.appearance,
    outbox.c.body,
    outbox.c.kept,
    outbox.c.state,
    outbox.c.attempts,
    outbox.c.due_at,
    outbox.c.expires_at,
    outbox.c.claimed_until,
    outbox.c.created_at,
    outbox.c.sent_at,
    outbox.c.error,
    outbox.c.fix,
    outbox.c.ref,
)
_ALL = outbox.select().with_only_columns(*_COLUMNS)
_NUMBER = outbox.select().with_only_columns(outbox.c.number)

_FIND = Prepared(_ALL.where(*_THIS))
_BY_NUMBER = Prepared(_ALL.where(_OWN, outbox.c.number == bindparam("number")))
_HAS = Prepared(_NUMBER.where(*_THIS))


# ── what is known of a subject ───────────────────────────────────────────────
_NEWER = Prepared(
    _NUMBER.where(*_SUBJECT, outbox.c.number > bindparam("number")).limit(
        literal_column("1")
    )
)
_OLDER_WAITING = Prepared(
    _NUMBER.where(
        *_SUBJECT, _WAITS, ~_IS_PROGRESS, outbox.c.number < bindparam("number")
    ).limit(literal_column("1"))
)
_LAST_SENT = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.ref, outbox.c.sent_at)
    .where(*_SUBJECT, outbox.c.state == OutboxState.SENT.value)
    .order_by(outbox.c.sent_at.desc(), outbox.c.number.desc())
    .limit(literal_column("1"))
)


def has_newer(tx: Tx, spot: Spot, subject: str, number: int) -> bool:
    """Tell whether anything newer is known of a subject in a line, sent or not."""
    return bool(tx.run(_NEWER, number=number, **_about(spot, subject)))


def waits_for_older(tx: Tx, spot: Spot, subject: str, number: int) -> bool:
    """Tell whether something older of a subject, and no progress, has yet to leave."""
    return bool(tx.run(_OLDER_WAITING, number=number, **_about(spot, subject)))


def find_last_sent(tx: Tx, spot: Spot, subject: str) -> tuple[str, int]:
    """Find the ref of what was sent last of a subject, and when; ("", 0) if nothing."""
    rows = tx.run(_LAST_SENT, **_about(spot, subject))
    return (str(rows[0][0]), int(rows[0][1])) if rows else ("", 0)


# ── what becomes of it ────────────────────────────────────────────────────────
def _setting(*names: str, where: Sequence[ColumnElement[bool]] = ()) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    this = outbox.c.key == bindparam("of")
    return outbox.update().where(_OWN, this, _WAITS, *where).values(values)


_CLAIM = Prepared(
    _setting(
        "claimed_until", "attempts", where=[outbox.c.claimed_until <= bindparam("now")]
    )
)
# What tells a secret is not kept any longer than it takes to tell it.
_KEPT = case((outbox.c.kept != "", outbox.c.kept), else_=outbox.c.body)
_SENT = Prepared(_setting("state", "sent_at", "ref", "error", "fix").values(body=_KEPT))
_RETRY = Prepared(_setting("due_at", "claimed_until", "error"))
_BURY = Prepared(_setting("state", "claimed_until", "error", "fix").values(body=_KEPT))
_RETURN = Prepared(
    outbox.update()
    .where(*_THIS, outbox.c.state == literal_column("'sent'"))
    .values(
        state=OutboxState.DEAD.value,
        error=bindparam("new_error"),
        fix=bindparam("new_fix"),
    )
)
_REVIVE = Prepared(
    outbox.update()
    .where(*_THIS)
    .values(
        state=OutboxState.WAITING.value,
        attempts=0,
        claimed_until=0,
        due_at=bindparam("now"),
        expires_at=bindparam("expires_at"),
    )
)
_DELETE = Prepared(outbox.delete().where(*_THIS))
_DROP_PROGRESS = Prepared(
    outbox.delete().where(
        *_SUBJECT, _WAITS, _IS_PROGRESS, outbox.c.claimed_until <= bindparam("now")
    )
)


def claim(tx: Tx, key: str, *, until: int, attempts: int) -> bool:
    """Have one caller deliver something; guaranteed to be True for one of them only."""
    changed = tx.change(
        _CLAIM, of=key, now=tx.micros, new_claimed_until=until, new_attempts=attempts
    )
    return changed == 1


def set_sent(tx: Tx, key: str, *, ref: str) -> bool:
    """Note that something has left; False when that was noted before."""
    changed = tx.change(
        _SENT,
        of=key,
        new_state=OutboxState.SENT.value,
        new_sent_at=tx.micros,
        new_ref=ref,
        new_error="",
        new_fix="",
    )
    return changed == 1


def set_due(tx: Tx, key: str, *, due_at: int, error: str) -> None:
    """Give something back, to be tried again at a moment."""
    tx.change(_RETRY, of=key, new_due_at=due_at, new_claimed_until=0, new_error=error)


def set_dead(tx: Tx, key: str, *, error: str, fix: str) -> bool:
    """Note that something will not be tried any more; False when it does not wait."""
    changed = tx.change(
        _BURY,
        of=key,
        new_state=OutboxState.DEAD.value,
        new_claimed_until=0,
        new_error=error,
        new_fix=fix,
    )
    return changed == 1


def set_skipped(tx: Tx, key: str, *, reason: str) -> None:
    """Note that something was not worth a message, and why."""
    tx.change(
        _BURY,
        of=key,
        new_state=OutboxState.SKIPPED.value,
        new_claimed_until=0,
        new_error=reason,
        new_fix="",
    )


def set_returned(tx: Tx, key: str, *, error: str, fix: str) -> bool:
    """Note that what had left never arrived; False when it had not left."""
    return tx.change(_RETURN, of=key, new_error=error, new_fix=fix) == 1


def revive(tx: Tx, key: str, *, expires_at: int) -> None:
    """Have something tried again from the start."""
    tx.change(_REVIVE, of=key, now=tx.micros, expires_at=expires_at)


def delete(tx: Tx, key: str) -> None:
    """Remove one delivery."""
    tx.change(_DELETE, of=key)


def drop_progress(tx: Tx, draft: OutboxDraft) -> int:
    """Delete progress about a subject that nobody is delivering just now."""
    spot = spot_of(draft.channel, draft.account, draft.place)
    return tx.change(_DROP_PROGRESS, now=tx.micros, **_about(spot, draft.subject))


# ── storing and looking ───────────────────────────────────────────────────────
def has(tx: Tx, key: str) -> bool:
    """Tell whether something was posted under this key before."""
    return bool(tx.run(_HAS, of=key))


def add(tx: Tx, draft: OutboxDraft, *, expires_at: int) -> None:
    """Store a new delivery, due now."""
    tx.insert(
        outbox,
        {
            "key": draft.key,
            "number": tx.head.next_number("D"),
            "channel": draft.channel,
            "account": draft.account,
            "place": canonical_json(dict(draft.place)).decode(),
            "line": spot_of(draft.channel, draft.account, draft.place).line,
            "lane": int(draft.lane),
            "subject": draft.subject,
            "appearance": draft.appearance.value,
            "body": draft.body,
            "kept": draft.kept,
            "state": OutboxState.WAITING.value,
            "attempts": 0,
            "due_at": tx.micros,
            "expires_at": expires_at,
            "claimed_until": 0,
            "sent_at": 0,
            "error": "",
            "fix": "",
            "ref": "",
        },
    )


def find(tx: Tx, key: str) -> Outgoing | None:
    """Find a delivery by its key."""
    rows = tx.run(_FIND, of=key)
    return to_outgoing(rows[0]) if rows else None


def find_numbered(tx: Tx, number: int) -> Outgoing | None:
    """Find a delivery by its number."""
    rows = tx.run(_BY_NUMBER, number=number)
    return to_outgoing(rows[0]) if rows else None


_BEFORE = (
    _ALL.where(
        _OWN,
        outbox.c.number < bindparam("before"),
        or_(
            bindparam("any_channel") == literal_column("1"),
            outbox.c.channel == bindparam("of_channel"),
        ),
        or_(
            bindparam("any_account") == literal_column("1"),
            outbox.c.account == bindparam("of_account"),
        ),
    )
    .order_by(outbox.c.number.desc())
    .limit(bindparam("most"))
)
_LISTS = {
    state: Prepared(
        _BEFORE.where(outbox.c.state == literal_column(f"'{state.value}'"))
        if state
        else _BEFORE
    )
    for state in (None, *OutboxState)
}
_COUNT = Prepared(
    select(outbox.c.channel, outbox.c.state, func.count())
    .where(_OWN, or_(_WAITS, _IS_DEAD))
    .group_by(outbox.c.channel, outbox.c.state)
)


def list_before(
    tx: Tx, number: int, *, state: OutboxState | None, of: Of, most: int
) -> Sequence[Outgoing]:
    """List deliveries below a number, the newest first."""
    rows = tx.run(
        _LISTS[state],
        before=number,
        of_channel=of.channel,
        any_channel=int(not of.channel),
        of_account=of.account,
        any_account=int(not of.account),
        most=most,
    )
    return [to_outgoing(row) for row in rows]


def count_open(tx: Tx) -> Mapping[tuple[str, OutboxState], int]:
    """Count what waits and what is dead, by channel."""
    return {(row[0], OutboxState(row[1])): row[2] for row in tx.run(_COUNT)}


def to_outgoing(row: Row) -> Outgoing:
    """Read a whole row."""
    (
        key,
        number,
        channel,
        account,
        place,
        lane,
        subject,
        appearance,
        body,
        kept,
        state,
        attempts,
        due_at,
        expires_at,
        claimed_until,
        created_at,
        sent_at,
        error,
        fix,
        ref,
    ) = row
    return Outgoing(
        id=numbered("D", number),
        key=key,
        channel=channel,
        account=account,
        place=orjson.loads(place),
        body=body,
        kept=kept,
        lane=Lane(lane),
        subject=subject,
        appearance=Appearance(appearance),
        state=OutboxState(state),
        attempts=attempts,
        due_at=from_micros(due_at),
        expires_at=from_micros(expires_at),
        claimed_until=from_micros(claimed_until),
        created_at=from_micros(created_at),
        sent_at=from_micros(sent_at) if sent_at else None,
        error=error,
        fix=fix,
        ref=ref,
    )


def _about(spot: Spot, subject: str) -> dict[str, str]:
    return {
        "of_channel": spot.channel,
        "of_account": spot.account,
        "of_line": spot.line,
        "of_subject": subject,
    }
