"""What has been kept long enough is forgotten; what still waits never is."""

from datetime import timedelta
from functools import partial

from core.database import Database, Tx
from core.delivery import inbox, retention
from core.delivery.model import InboxDraft, InboxKey, InboxState, StoredMessage
from core.delivery.outbox import dispatch
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import Budget, OutboxDraft, OutboxState
from core.delivery.retention import Expired, Keep
from core.kernel.principal import Principal
from tests.conftest import FakeClock

KEEP = Keep(inbox=timedelta(days=30), sent=timedelta(days=7), dead=timedelta(days=30))
DAY = timedelta(days=1)


def receive(
    db: Database, by: Principal, key: str, state: InboxState, channel: str = "rest"
) -> None:
    draft = InboxDraft(
        key=InboxKey(by.tenant, channel, "", by.id, key),
        conversation="",
        reply_id=f"rp_{key}",
        request_id=f"rq_{key}",
        request_hash="",
        reply="{}",
        state=state,
    )
    db.run(lambda tx: tx.record(draft), by=by)


def deliver(db: Database, by: Principal, key: str, state: OutboxState) -> None:
    def bring(tx: Tx) -> None:
        draft = OutboxDraft(
            key=key, channel="slack", account="", place={"channel": key}, body="{}"
        )
        outbox.post(tx, draft)
        if state is OutboxState.WAITING:
            return
        terms = Terms(budgets={"slack": Budget()}, claim=DAY)
        (claimed,) = [each for each in dispatch.claim(tx, terms) if each.key == key]
        if state is OutboxState.SENT:
            dispatch.note_sent(tx, claimed, ref="")
        elif state is OutboxState.SKIPPED:
            dispatch.note_skipped(tx, claimed, reason="enough")
        else:
            dispatch.note_dead(tx, claimed, error="gone", fix="")

    db.run(bring, by=by)


def forget(db: Database, by: Principal) -> Expired:
    expired = db.look(partial(retention.find_expired, keep=KEEP), by=by)
    db.run(partial(retention.forget, expired=expired), by=by)
    return expired


def left(db: Database, by: Principal) -> list[str]:
    page = db.look(outbox.list_, by=by)
    return sorted(each.key for each in page.items)


def test_messages_are_kept_for_thirty_days_once_they_are_done(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    receive(db, ann, "old", InboxState.DONE)
    receive(db, ann, "waits", InboxState.RECEIVED)
    clock.advance(30 * DAY)
    early = forget(db, ann)
    receive(db, ann, "new", InboxState.DONE)
    clock.advance(timedelta(seconds=1))

    forget(db, ann)

    found = {
        key: db.look(partial(inbox.find_reply, reply_id=f"rp_{key}"), by=ann)
        for key in ("old", "waits", "new")
    }
    assert early.is_empty
    assert found == {"old": None, "waits": "{}", "new": "{}"}


def test_a_mail_is_emptied_and_never_taken_for_a_new_one(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """R-14: a mailbox that is read anew hands in what is years old."""
    receive(db, ann, "mail", InboxState.DONE, "email")
    clock.advance(31 * DAY)

    first, second = forget(db, ann), forget(db, ann)

    found = db.run(
        lambda tx: tx.prior,
        by=ann,
        key=InboxKey(ann.tenant, "email", "", ann.id, "mail"),
    )
    assert (len(first.messages), second.is_empty) == (1, True)
    assert isinstance(found, StoredMessage)
    assert (found.state, found.reply) == (InboxState.DONE, "")


def test_deliveries_are_kept_by_how_they_ended(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    for state in OutboxState:
        deliver(db, ann, state.value, state)

    clock.advance(8 * DAY)
    forget(db, ann)
    after_a_week = left(db, ann)
    clock.advance(23 * DAY)
    forget(db, ann)

    assert after_a_week == ["dead", "waiting"]
    assert left(db, ann) == ["waiting"]


def test_what_came_alive_again_meanwhile_is_left(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    deliver(db, ann, "dead", OutboxState.DEAD)
    clock.advance(31 * DAY)
    expired = db.look(partial(retention.find_expired, keep=KEEP), by=ann)

    db.run(partial(outbox.replay, delivery_id="D-1"), by=ann)
    db.run(partial(retention.forget, expired=expired), by=ann)

    assert left(db, ann) == ["dead"]
