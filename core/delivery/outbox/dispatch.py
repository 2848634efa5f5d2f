"""Claim what may leave now, and note what became of it; for whoever delivers."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.database import Tx
from core.delivery.outbox import queue, store
from core.delivery.outbox.model import (
    LAST_TRY,
    PROGRESS_PAUSE,
    Appearance,
    Budget,
    Delay,
    Outgoing,
)
from core.delivery.outbox.turns import First, Turns, take_turns
from core.events import service as events
from core.kernel.clock import to_micros
from core.kernel.outgoing import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What whoever delivers can take on.

    Shape:  `budgets` names the channels it knows; those in `switched_off` send only
            what was promised. A claim lasts for `claim`, and then somebody else may.
    """

    budgets: Mapping[str, Budget]
    claim: timedelta
    switched_off: Container[str] = ()
    most: int = 32


def look(tx: Tx, terms: Terms) -> Turns:
    """See whose turn it is, without claiming; an empty outbox costs one look-up."""
    if not queue.has_waiting(tx):
        return Turns()
    return take_turns(
        queue.read_traffic(tx),
        terms.budgets,
        now=tx.micros,
        switched_off=terms.switched_off,
        most=terms.most,
    )


def claim(tx: Tx, terms: Terms) -> Sequence[Outgoing]:
    """Claim what may leave now; nobody else is given it while the claim lasts.

    Shape:  progress that something newer has overtaken is dropped. A line is paused
            by the claim, so that its pace is kept by whichever process comes next.
    """
    claimed = []
    for first in look(tx, terms).now:
        if _is_in_turn(tx, first):
            outgoing = _claim_one(tx, first, terms)
            if outgoing is not None:
                claimed.append(outgoing)
    return claimed


def note_sent(tx: Tx, outgoing: Outgoing, *, ref: str) -> None:
    """Note that something has left, and what the channel calls it."""
    store.set_sent(tx, outgoing.key, ref=ref)


def note_delayed(tx: Tx, outgoing: Outgoing, delay: Delay) -> None:
    """Have something tried later, as long as that is still worth something.

    Shape:  it is tried for 24 hours, the last time an hour before they are over if it
            was to wait for longer; progress only while it is the newest about its
            subject, so that after an outage the newest state is told.
    """
    due_at = _due_at(outgoing, delay.until, now=tx.now)
    if delay.spot is not None:
        queue.pause(tx, delay.spot, until=to_micros(delay.spot_until or due_at))
    if _is_overtaken(tx, outgoing):
        store.delete(tx, outgoing.key)
    elif due_at >= outgoing.expires_at:
        note_dead(
            tx,
            outgoing,
            error=f"not delivered within a day: {delay.reason}",
            fix=f"outbox replay {outgoing.id}",
        )
    else:
        store.set_due(tx, outgoing.key, due_at=to_micros(due_at), error=delay.reason)


def note_skipped(tx: Tx, outgoing: Outgoing, *, reason: str) -> None:
    """Note that the channel has told enough of something, and that this did not leave."""
    store.set_skipped(tx, outgoing.key, reason=reason)


def note_dead(tx: Tx, outgoing: Outgoing, *, error: str, fix: str) -> None:
    """Give something up, and say so."""
    if store.set_dead(tx, outgoing.key, error=error, fix=fix):
        _tell(tx, outgoing, error=error, fix=fix)


def note_returned(tx: Tx, key: str, *, error: str, fix: str) -> bool:
    """Note that what had left came back, and say so; False when it had not left."""
    outgoing = store.find(tx, key)
    if outgoing is None or not store.set_returned(tx, key, error=error, fix=fix):
        return False
    _tell(tx, outgoing, error=error, fix=fix)
    return True


def _tell(tx: Tx, outgoing: Outgoing, *, error: str, fix: str) -> None:
    events.append(
        tx,
        "delivery_failed",
        target=outgoing.id,
        channel=outgoing.channel,
        account=outgoing.account,
        error=error,
        fix=fix,
    )


def _is_in_turn(tx: Tx, first: First) -> bool:
    """Keep what is about one thing in its order; drop progress that was overtaken."""
    if not first.subject:
        return True
    spot, subject = first.spot, first.subject
    is_progress = first.lane == Lane.PROGRESS
    if is_progress and store.has_newer(tx, spot, subject, first.number):
        store.delete(tx, first.key)
        return False
    if store.waits_for_older(tx, spot, subject, first.number):
        return False
    return not is_progress or _has_rested(tx, first)


def _has_rested(tx: Tx, first: First) -> bool:
    """Let progress of one thing leave every two seconds; sooner, it waits till then."""
    _, sent_at = store.find_last_sent(tx, first.spot, first.subject)
    due_at = sent_at + PROGRESS_PAUSE // timedelta(microseconds=1)
    if due_at > tx.micros:
        store.set_due(tx, first.key, due_at=due_at, error="")
    return due_at <= tx.micros


def _claim_one(tx: Tx, first: First, terms: Terms) -> Outgoing | None:
    outgoing = store.find(tx, first.key)
    if outgoing is None:
        return None
    if outgoing.attempts and outgoing.expires_at <= tx.now:
        note_dead(
            tx,
            outgoing,
            error=f"no result after {outgoing.attempts} attempts",
            fix=f"outbox replay {outgoing.id}",
        )
        return None
    edits = _edited(tx, first, outgoing.appearance)
    if outgoing.appearance is Appearance.EDIT_ONLY and not edits:
        store.delete(tx, first.key)
        return None
    until = tx.now + terms.claim
    attempts = outgoing.attempts + 1
    if not store.claim(tx, first.key, until=to_micros(until), attempts=attempts):
        return None
    pause = terms.budgets[first.spot.channel].pause
    if pause and not first.spot.is_loose:
        queue.pause(tx, first.spot, until=to_micros(tx.now + pause))
    return replace(outgoing, attempts=attempts, claimed_until=until, edits=edits)


def _edited(tx: Tx, first: First, appearance: Appearance) -> str:
    """Find what something takes the place of, "" for a message of its own."""
    if not first.subject or appearance is Appearance.NEW:
        return ""
    return store.find_last_sent(tx, first.spot, first.subject)[0]


def _due_at(outgoing: Outgoing, until: datetime, *, now: datetime) -> datetime:
    """Have what was to wait beyond its day tried once more before that is over."""
    last = outgoing.expires_at - LAST_TRY
    return last if until >= outgoing.expires_at and now < last else until


def _is_overtaken(tx: Tx, outgoing: Outgoing) -> bool:
    if outgoing.lane is not Lane.PROGRESS or not outgoing.subject:
        return False
    number = int(outgoing.id.partition("-")[2])
    return store.has_newer(tx, outgoing.spot, outgoing.subject, number)
