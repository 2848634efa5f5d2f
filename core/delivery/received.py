"""Messages acknowledged before they are run: wait, claim, finish, look back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Row, Tx
from core.delivery.model import InboxKey, InboxState
from core.delivery.tables import inbox
from core.kernel.clock import from_micros, to_micros
from core.kernel.pages import PAGE_LIMIT

CLAIM = timedelta(seconds=30)

_FOREVER = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One stored message with its payload; `done_at` is None while it waits.

    Shape:  `payload` and `reply` are JSON, the latter "" while it waits. `replayed_as`
            is the request that it was put into the inbox again as, "" for none.
            `waits_for` is why it waits longer than it takes to run it, if it does.
    """

    key: InboxKey
    seq: int
    request_id: str
    reply_id: str
    request_hash: str
    state: InboxState
    payload: str
    reply: str
    received_at: datetime
    done_at: datetime | None
    replayed_as: str = ""
    waits_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages are looked for; without anything, all of them.

    Shape:  `outcome` is how they ended, or `waiting`. `since` is included, `until` is
            not. `before` is the number below which theirs are; `limit` how many.
    """

    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int = _FOREVER
    limit: int = PAGE_LIMIT


_COLUMNS = (
    inbox.c.channel,
    inbox.c.account,
    inbox.c.sender,
    inbox.c.key,
    inbox.c.seq,
    inbox.c.request_id,
    inbox.c.reply_id,
    inbox.c.request_hash,
    inbox.c.state,
    inbox.c.payload,
    inbox.c.reply,
    inbox.c.created_at,
    inbox.c.done_at,
    inbox.c.replayed_as,
    inbox.c.outcome,
)
_OWN = inbox.c.tenant_id == bindparam("tenant")
# Written out, for only so can SQLite tell that its partial index fits.
_WAITS = inbox.c.state == literal_column("'received'")
_THIS = (
    _OWN,
    inbox.c.channel == bindparam("of_channel"),
    inbox.c.account == bindparam("of_account"),
    inbox.c.sender == bindparam("of_sender"),
    inbox.c.key == bindparam("of_key"),
    _WAITS,
)
_ALL = inbox.select().with_only_columns(*_COLUMNS)
_WAITING = Prepared(
    _ALL.where(_OWN, _WAITS, inbox.c.claimed_until <= bindparam("until"))
    .order_by(inbox.c.seq)
    .limit(bindparam("most"))
)
_OF_ACCOUNT = _ALL.where(
    _OWN,
    inbox.c.channel == bindparam("of_channel"),
    inbox.c.account == bindparam("of_account"),
    inbox.c.payload != literal_column("''"),
    inbox.c.seq < bindparam("before"),
    inbox.c.created_at >= bindparam("since"),
    inbox.c.created_at < bindparam("until"),
)
_ENDED = {
    "": (),
    "waiting": (_WAITS,),
    **{
        each: (inbox.c.outcome == literal_column(f"'{each}'"),)
        for each in ("done", "skipped", "failed")
    },
}
_BEFORE: Mapping[str, Prepared] = {
    outcome: Prepared(
        _OF_ACCOUNT.where(*ended).order_by(inbox.c.seq.desc()).limit(bindparam("most"))
    )
    for outcome, ended in _ENDED.items()
}
_OPEN: Mapping[str, Prepared] = {
    outcome: Prepared(
        _OF_ACCOUNT.where(*ended, inbox.c.replayed_as == literal_column("''"))
        .order_by(inbox.c.seq.desc())
        .limit(bindparam("most"))
    )
    for outcome, ended in _ENDED.items()
}
_BY_REPLY = Prepared(_ALL.where(_OWN, inbox.c.reply_id == bindparam("of_reply")))
_REPLAYED = Prepared(
    inbox.update()
    .where(*_THIS[:-1], inbox.c.replayed_as == literal_column("''"))
    .values(replayed_as=bindparam("new_request"))
)
_CLAIM = Prepared(inbox.update().where(*_THIS).values(claimed_until=bindparam("until")))
_HOLD = Prepared(inbox.update().where(*_THIS).values(outcome=bindparam("new_outcome")))
_HELD = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.seq)
    .where(
        _OWN,
        _WAITS,
        inbox.c.channel == bindparam("of_channel"),
        inbox.c.account == bindparam("of_account"),
        inbox.c.outcome != literal_column("''"),
    )
    .limit(1)
)
_FINISH = Prepared(
    inbox.update()
    .where(*_THIS)
    .values(
        state=InboxState.DONE.value,
        reply=bindparam("new_reply"),
        done_at=bindparam("now"),
        outcome=bindparam("new_outcome"),
    )
)
_FORGET = Prepared(
    inbox.update().where(*_THIS[:-1]).values(payload=literal_column("'{}'"))
)


def list_waiting(
    tx: Tx, *, limit: int, is_free_only: bool = True
) -> Sequence[Received]:
    """List messages that nobody has run, the oldest first.

    Shape:  only those whose claim has ended, unless claims are to be disregarded.
    """
    until = tx.micros if is_free_only else _FOREVER
    return [_to_received(tx, row) for row in tx.run(_WAITING, until=until, most=limit)]


def claim(tx: Tx, messages: Sequence[Received]) -> Sequence[Received]:
    """Keep others from running these for 30 s; give those that still wait.

    A claim only saves work: that a message is run once is what `finish` guarantees.
    """
    until = to_micros(tx.now + CLAIM)
    return [
        each for each in messages if tx.change(_CLAIM, until=until, **_of(each.key))
    ]


def note_held(tx: Tx, key: InboxKey, *, reason: str) -> bool:
    """Note why a message waits; False when it waits no longer.

    The reason stands where its outcome will, which takes its place.
    """
    return tx.change(_HOLD, new_outcome=reason, **_of(key)) == 1


def has_held(tx: Tx, channel: str, account: str) -> bool:
    """Tell whether an account still has messages that wait for a reason."""
    return bool(tx.run(_HELD, of_channel=channel, of_account=account))


def finish(tx: Tx, key: InboxKey, *, reply: str, outcome: str) -> bool:
    """Store a message's answer; guaranteed to be True for one unit only.

    Shape:  `outcome` is `done`, `skipped` or `failed`.
    """
    told = {"new_reply": reply, "new_outcome": outcome, "now": tx.micros}
    return tx.change(_FINISH, **told, **_of(key)) == 1


def note_replayed(tx: Tx, key: InboxKey, *, as_: str) -> bool:
    """Name the request that a message was put into the inbox again as.

    Guaranteed to be True for one unit only, those of the same batch included.
    """
    return tx.change(_REPLAYED, new_request=as_, **_of(key)) == 1


def forget(tx: Tx, key: InboxKey) -> None:
    """Keep no longer what a message said; that it came stays known."""
    tx.change(_FORGET, **_of(key))


def find(tx: Tx, request_id: str) -> Received | None:
    """Find a message by its request's id, or by its reply's; both share one token."""
    rows = tx.run(_BY_REPLY, of_reply=f"rp_{request_id[3:]}")
    return _to_received(tx, rows[0]) if rows else None


def list_of(tx: Tx, channel: str, account: str, wanted: Wanted) -> Sequence[Received]:
    """List what one account of a channel received, the newest first."""
    rows = tx.run(_BEFORE[wanted.outcome], **_asked(channel, account, wanted))
    return [_to_received(tx, row) for row in rows]


def list_open(tx: Tx, channel: str, account: str, wanted: Wanted) -> Sequence[Received]:
    """List what ended in one way and was not put into the inbox again, newest first."""
    rows = tx.run(_OPEN[wanted.outcome], **_asked(channel, account, wanted))
    return [_to_received(tx, row) for row in rows]


def _asked(channel: str, account: str, wanted: Wanted) -> dict[str, object]:
    return {
        "of_channel": channel,
        "of_account": account,
        "before": wanted.before,
        "since": to_micros(wanted.since) if wanted.since else 0,
        "until": to_micros(wanted.until) if wanted.until else _FOREVER,
        "most": wanted.limit,
    }


def _of(key: InboxKey) -> dict[str, str]:
    return {
        "of_channel": key.channel,
        "of_account": key.account,
        "of_sender": key.sender,
        "of_key": key.key,
    }


def _to_received(tx: Tx, row: Row) -> Received:
    (
        channel,
        account,
        sender,
        key,
        seq,
        request_id,
        reply_id,
        request_hash,
        state,
        payload,
        reply,
        received_at,
        done_at,
        replayed_as,
        outcome,
    ) = row
    return Received(
        key=InboxKey(tx.tenant, channel, account, sender, key),
        seq=seq,
        request_id=request_id,
        reply_id=reply_id,
        request_hash=request_hash,
        state=InboxState(state),
        payload=payload,
        reply=reply,
        received_at=from_micros(received_at),
        done_at=from_micros(done_at) if done_at else None,
        replayed_as=replayed_as,
        waits_for="" if done_at else outcome,
    )
