"""What was sent, and what is sent once more: the ids stay, and nothing goes out twice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from core.database import Database, Tx
from core.delivery.outbox import dispatch
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import Budget, Outgoing
from core.events import service as events
from core.hooks.subscriptions import deliveries
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.deliveries import Again
from core.hooks.subscriptions.drafts import callback_of, event_draft
from core.hooks.subscriptions.model import Subscription, Wanted
from core.identity.users import service as users
from core.kernel.jsons import Json, parse_json
from core.kernel.principal import Principal, system
from core.kernel.problems import Conflict, Forbidden, IllegalMove, NotFound
from core.kernel.reply import Reply, reply_from_json
from core.secrets.vault import Vault
from tests.conftest import FakeClock
from tests.subscribers import (
    ACME,
    a_tenant,
    a_user,
    posted,
    subscribed,
    told,
    tried,
)

MINUTE = timedelta(minutes=1)
TERMS = Terms(
    budgets={"webhook": Budget(most=10**6)}, claim=timedelta(seconds=30), most=10**6
)


@pytest.fixture
def subscription(db: Database, ann: Principal, vault: Vault) -> Subscription:
    """All that happens, for ann."""
    return subscribed(db, ann, vault).subscription


def post_all(db: Database, by: Principal, of: Subscription) -> None:
    """Post every event there is, as the consumer would."""

    def post(tx: Tx) -> None:
        for event in events.list_after(tx, of.since_seq):
            outbox.post(tx, event_draft(of.id, event))

    db.run(post, by=by)


def settle(
    db: Database, by: Principal, note: Callable[[Tx, Outgoing], None]
) -> list[str]:
    """Have everything that may leave end the same way; give the keys in their order."""
    keys: list[str] = []
    while claimed := db.run(lambda tx: dispatch.claim(tx, TERMS), by=by):
        for each in claimed:
            db.run(partial(_end, note=note, outgoing=each), by=by)
        keys += [each.key for each in claimed]
    return keys


def _end(tx: Tx, *, note: Callable[[Tx, Outgoing], None], outgoing: Outgoing) -> None:
    note(tx, outgoing)


def sent(tx: Tx, outgoing: Outgoing) -> None:
    dispatch.note_sent(tx, outgoing, ref="")


def dead(tx: Tx, outgoing: Outgoing) -> None:
    dispatch.note_dead(tx, outgoing, error="it is gone", fix="mend it")


def said(outgoing: Outgoing) -> Mapping[str, Json]:
    """What the receiver is sent."""
    body = parse_json(outgoing.body)
    assert isinstance(body, dict)
    return reply_from_json(body).data


def again(
    db: Database, by: Principal, *, since: datetime, until: datetime | None = None
) -> Again:
    def send(tx: Tx) -> Again:
        of = subscriptions.get_(tx, "SB-1")
        return deliveries.send_range(tx, of, since=since, until=until)

    return db.run(send, by=by)


# ── what is put into the outbox ───────────────────────────────────────────────
def test_an_event_is_addressed_as_it_is_shown(
    db: Database, ann: Principal, subscription: Subscription
) -> None:
    told(db, ann, "task_created", target="T-1", details={"lane": "A"})
    (event,) = db.look(lambda tx: events.list_last(tx, limit=1), by=ann)

    draft = event_draft("SB-1", event)

    body = parse_json(draft.body)
    assert isinstance(body, dict)
    assert draft.key == f"SB-1:ev:{event.seq}"
    assert (draft.channel, draft.account) == ("webhook", "SB-1")
    assert draft.place == {"subscription": "SB-1", "kind": "event"}
    assert reply_from_json(body).data == {
        "seq": event.seq,
        "ts": "2026-11-04T09:00:00.000000Z",
        "event": "task_created",
        "actor": "ann",
        "channel": "",
        "target": "T-1",
        "details": {"lane": "A"},
    }


def test_a_reply_is_addressed_whole() -> None:
    reply = Reply(
        id="rp_1", command="task create x", summary="s" * 150, data={"id": "T-1"}
    )

    draft = callback_of("SB-1", reply)

    body = parse_json(draft.body)
    assert isinstance(body, dict)
    said = reply_from_json(body).data
    assert draft.key == "SB-1:rp:rp_1"
    assert draft.place == {"subscription": "SB-1", "kind": "reply"}
    assert said["command"] == "task create x"
    assert said["data"] == {"id": "T-1"}


def test_a_test_is_an_event_of_its_own_each_time(
    db: Database, ann: Principal, subscription: Subscription
) -> None:
    for _ in range(2):
        db.run(lambda tx: deliveries.send_trial(tx, subscription), by=ann)

    one, other = posted(db, ann, "SB-1")
    assert one.key != other.key
    assert one.key.startswith("SB-1:test_")
    assert said(one)["event"] == "subscription_test"
    assert said(one)["target"] == "SB-1"


# ── looking ───────────────────────────────────────────────────────────────────
def test_deliveries_are_listed_with_their_last_try(
    db: Database, ann: Principal, subscription: Subscription, clock: FakeClock
) -> None:
    told(db, ann, "task_created", target="T-1")
    post_all(db, ann, subscription)
    key = posted(db, ann)[-1].key
    for status in (500, 204):
        tried(db, ann, status, key=key, at=clock.now())

    page = db.look(lambda tx: deliveries.list_(tx, subscription, limit=1), by=ann)
    rest = db.look(
        lambda tx: deliveries.list_(tx, subscription, cursor=page.next or ""), by=ann
    )

    (first,) = page.items
    assert first.outgoing.key == key
    assert first.last is not None
    assert (first.last.attempt, first.last.status) == (2, 204)
    assert [each.last for each in rest.items] == [None] * len(rest.items)


def test_only_what_is_its_own_is_shown(
    db: Database, ann: Principal, vault: Vault, subscription: Subscription
) -> None:
    """R-59."""
    a_tenant(db)
    bob = a_user(db, "bob", tenant=ACME)
    other = subscribed(db, ann, vault, name="other").subscription
    theirs = subscribed(db, bob, vault).subscription
    told(db, ann, "task_created")
    post_all(db, ann, subscription)

    mine = posted(db, ann, "SB-1")[0].id

    assert posted(db, bob) == []
    assert db.look(lambda tx: deliveries.list_(tx, other), by=ann).items == []
    assert db.look(lambda tx: deliveries.get_(tx, subscription, mine), by=ann).id
    for by, of in ((ann, other), (bob, theirs)):
        with pytest.raises(NotFound) as refusal:
            db.look(lambda tx, of=of: deliveries.get_(tx, of, mine), by=by)  # type: ignore[misc]
        assert refusal.value.fix == (f"subscription deliveries {of.id}",)


# ── once more ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("end", [sent, dead])
def test_one_that_is_asked_for_is_sent_again_under_its_id(
    db: Database,
    ann: Principal,
    subscription: Subscription,
    end: Callable[[Tx, Outgoing], None],
) -> None:
    told(db, ann, "task_created")
    post_all(db, ann, subscription)
    first = settle(db, ann, end)

    delivery = posted(db, ann)[0].id
    done = db.run(lambda tx: deliveries.send_again(tx, subscription, delivery), by=ann)

    assert [each.id for each in done.sent] == [delivery]
    assert settle(db, ann, sent) == first[:1]


def test_what_is_being_sent_is_left_alone(
    db: Database, ann: Principal, subscription: Subscription
) -> None:
    told(db, ann, "task_created")
    post_all(db, ann, subscription)
    (claimed, *_) = db.run(lambda tx: dispatch.claim(tx, TERMS), by=ann)

    with pytest.raises(Conflict):
        db.run(lambda tx: deliveries.send_again(tx, subscription, claimed.id), by=ann)


def test_all_that_failed_is_sent_again(
    db: Database, ann: Principal, vault: Vault, subscription: Subscription
) -> None:
    other = subscribed(db, ann, vault, name="other").subscription
    told(db, ann, "task_created")
    post_all(db, ann, subscription)
    post_all(db, ann, other)
    failed = [key for key in settle(db, ann, dead) if key.startswith("SB-1:")]
    told(db, ann, "task_created")

    done = db.run(lambda tx: deliveries.send_failed(tx, subscription), by=ann)

    assert [each.key for each in done.sent] == failed
    assert settle(db, ann, sent) == failed


def test_of_a_time_only_what_did_not_arrive_is_sent(
    db: Database, ann: Principal, subscription: Subscription, clock: FakeClock
) -> None:
    marks = []
    for number, end in enumerate((sent, dead, None, None)):
        clock.advance(MINUTE)
        told(db, ann, "task_created", target=f"T-{number}")
        marks.append(db.look(events.last_seq, by=ann))
        if end is not None:
            post_all(db, ann, subscription)
            settle(db, ann, end)
    begun = clock.now() - 3 * MINUTE

    done = again(db, ann, since=begun, until=clock.now() - MINUTE / 2)

    assert [each.key for each in done.sent] == [
        f"SB-1:ev:{marks[1]}",
        f"SB-1:ev:{marks[2]}",
    ]
    assert again(db, ann, since=begun, until=clock.now() - MINUTE / 2).sent == []
    assert done.more_from is None


def test_what_was_missed_while_disabled_can_be_asked_for(
    db: Database, ann: Principal, subscription: Subscription, clock: FakeClock
) -> None:
    db.run(lambda tx: subscriptions.disable(tx, "SB-1", reason="a move"), by=ann)
    clock.advance(MINUTE)
    told(db, ann, "task_created", target="T-1")
    missed = db.look(events.last_seq, by=ann)
    with pytest.raises(IllegalMove, match="a move"):
        again(db, ann, since=clock.now())
    db.run(lambda tx: subscriptions.enable(tx, "SB-1"), by=ann)

    done = again(db, ann, since=clock.now())

    assert [each.key for each in done.sent] == [f"SB-1:ev:{missed}"]


def test_of_a_time_only_what_is_wanted_and_may_be_seen_is_sent(
    db: Database, vault: Vault, clock: FakeClock
) -> None:
    ann = replace(a_user(db, "ann"), scopes=frozenset({"events:read", "tasks:read"}))
    subscribed(db, ann, vault, wanted=Wanted(filter="details.a"))
    for target in ("T-1", "K-1", "web-1"):
        told(db, ann, "a_thing_happened", target=target, details={"a": 1})
    told(db, ann, "a_thing_happened", target="T-2")

    done = again(db, ann, since=clock.now() - MINUTE)

    assert [said(each)["target"] for each in done.sent] == ["T-1", "web-1"]


def test_a_range_that_is_too_long_says_where_to_go_on(
    db: Database, ann: Principal, subscription: Subscription, clock: FakeClock
) -> None:
    def many(tx: Tx) -> None:
        for _ in range(deliveries.MOST_AGAIN):
            events.append(tx, "task_created", target="T-1")

    begun = clock.now()
    db.run(many, by=ann)
    clock.advance(MINUTE)
    db.run(many, by=ann)
    clock.advance(MINUTE)

    first = again(db, ann, since=begun)
    assert first.more_from is not None
    second = again(db, ann, since=first.more_from)
    third = again(db, ann, since=second.more_from or clock.now())

    keys = [each.key for part in (first, second, third) for each in part.sent]
    assert len(first.sent) == len(second.sent) == deliveries.MOST_AGAIN
    assert third.more_from is None
    assert len(set(keys)) == len(keys)
    assert f"SB-1:ev:{db.look(events.last_seq, by=ann)}" in keys


def test_only_so_many_events_are_looked_at_in_one_go(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault, wanted=Wanted(filter="details.a"))
    begun = clock.now()

    def many(tx: Tx) -> None:
        for _ in range(deliveries.MOST_LOOKED_AT):
            events.append(tx, "task_created")

    db.run(many, by=ann)
    clock.advance(MINUTE)
    told(db, ann, "task_created", details={"a": 1})

    first = again(db, ann, since=begun)
    assert first.more_from is not None
    second = again(db, ann, since=clock.now())

    assert first.sent == []
    assert len(second.sent) == 1


def test_nothing_of_a_time_is_sent_in_the_name_of_somebody_without_rights(
    db: Database, ann: Principal, subscription: Subscription, clock: FakeClock
) -> None:
    told(db, ann, "task_created")
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    with pytest.raises(Forbidden):
        again(db, ann, since=clock.now())
