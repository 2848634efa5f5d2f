"""Subscriptions as they are made, found, rotated, given up and enabled again."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from core.database import Database
from core.events import service as events
from core.events.model import Event, EventFilter
from core.hooks.model import key_of
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions import store
from core.hooks.subscriptions.model import Receiver, State, Wanted
from core.identity.users import service as users
from core.kernel.principal import Principal, Role, system
from core.kernel.problems import (
    AlreadyExists,
    Forbidden,
    IllegalMove,
    InvalidArgument,
    NotFound,
    Unavailable,
)
from core.secrets.vault import Vault
from tests.conftest import FakeClock
from tests.subscribers import ACME, URL, a_tenant, a_user, found, subscribed, tried

WANTED = Wanted(
    types=frozenset({"task_created"}), targets=frozenset({"T-1"}), filter="details.a"
)
HOUR = timedelta(hours=1)


def happened(db: Database, by: Principal, *types: str) -> list[Event]:
    of = EventFilter(types=frozenset(types))
    return [*db.look(lambda tx: events.list_last(tx, of), by=by)]


def receiver(db: Database, by: Principal, vault: Vault) -> Receiver:
    return db.look(lambda tx: subscriptions.receiver_of(tx, "SB-1", vault=vault), by=by)


def test_subscription_is_kept_as_it_was_made(
    db: Database, ann: Principal, vault: Vault
) -> None:
    new = subscribed(db, ann, vault, wanted=WANTED).subscription

    assert found(db, ann) == found(db, ann, "audit-log") == new
    assert (new.url, new.wanted, new.state) == (URL, WANTED, State.ENABLED)
    assert (new.creator_id, new.creator_scopes) == (ann.id, ann.scopes)


def test_it_begins_with_what_happens_from_then_on(
    db: Database, ann: Principal, vault: Vault
) -> None:
    before = db.look(events.last_seq, by=ann)
    new = subscribed(db, ann, vault).subscription

    (created,) = happened(db, ann, "subscription_created")

    assert before == new.since_seq < created.seq


def test_secret_is_shown_once_and_stored_sealed(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-69."""
    new = subscribed(db, ann, vault)

    assert new.secret.startswith("whsec_")
    assert new.secret not in repr(new.subscription)
    assert receiver(db, ann, vault).keys == (key_of(new.secret),)
    assert new.secret not in repr(receiver(db, ann, vault))


def test_sealed_secret_opens_in_its_own_place_alone(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-59, R-69."""
    a_tenant(db)
    bob = a_user(db, "bob", tenant=ACME)
    subscribed(db, bob, vault)
    stolen = subscribed(db, ann, vault).subscription.secret

    db.run(
        lambda tx: store.rotate(tx, "SB-1", new=stolen, old=stolen, until=tx.now),
        by=bob,
    )

    with pytest.raises(Unavailable):
        receiver(db, bob, vault)


def test_a_name_is_given_once_in_each_tenant(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-59."""
    a_tenant(db)
    bob = a_user(db, "bob", tenant=ACME)
    subscribed(db, ann, vault)

    assert subscribed(db, bob, vault).subscription.id == "SB-1"
    with pytest.raises(AlreadyExists):
        subscribed(db, ann, vault)


def test_what_is_not_ours_does_not_exist(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-59."""
    a_tenant(db)
    bob = a_user(db, "bob", tenant=ACME)
    subscribed(db, ann, vault)

    for act in (
        subscriptions.get_,
        subscriptions.enable,
        subscriptions.delete,
        partial(subscriptions.disable, reason="no"),
        partial(subscriptions.receiver_of, vault=vault),
    ):
        with pytest.raises(NotFound) as refusal:
            db.run(lambda tx, act=act: act(tx, "SB-1"), by=bob)  # type: ignore[misc]
        assert refusal.value.fix == ("subscription list",)
    assert found(db, ann).is_enabled


@pytest.mark.parametrize(
    ("name", "url", "wanted"),
    [
        ("A", URL, Wanted()),
        ("a", "ftp://x", Wanted()),
        ("a", URL, Wanted(types=frozenset({"delivery_failed"}))),
        ("a", URL, Wanted(targets=frozenset({""}))),
        ("a", URL, Wanted(filter="details.")),
        ("a", URL, Wanted(filter="a" * 301)),
        ("a", URL, Wanted(filter="a", answers_only=True)),
    ],
)
def test_what_could_never_work_is_refused(
    db: Database, ann: Principal, vault: Vault, name: str, url: str, wanted: Wanted
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        subscribed(db, ann, vault, name=name, url=url, wanted=wanted)

    assert refusal.value.fix
    assert happened(db, ann, "subscription_created") == []


def test_nobody_subscribes_who_is_no_user(db: Database, vault: Vault) -> None:
    with pytest.raises(NotFound):
        subscribed(db, system(), vault)


def test_subscriptions_are_listed_in_pages(
    db: Database, ann: Principal, vault: Vault
) -> None:
    for name in ("a", "b", "c"):
        subscribed(db, ann, vault, name=name)

    first = db.look(lambda tx: subscriptions.list_(tx, limit=2), by=ann)
    rest = db.look(lambda tx: subscriptions.list_(tx, cursor=first.next or ""), by=ann)

    assert [each.name for each in first.items] == ["a", "b"]
    assert [each.name for each in rest.items] == ["c"]
    assert rest.next is None


# ── secrets ───────────────────────────────────────────────────────────────────
def test_both_secrets_sign_during_a_rotation(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    old = subscribed(db, ann, vault)
    new = db.run(
        lambda tx: subscriptions.rotate(tx, "SB-1", vault=vault, overlap=HOUR), by=ann
    )

    during = receiver(db, ann, vault).keys
    clock.advance(HOUR)
    after = receiver(db, ann, vault).keys

    assert during == (key_of(new.secret), key_of(old.secret))
    assert after == (key_of(new.secret),)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
def test_an_impossible_overlap_is_refused(
    db: Database, ann: Principal, vault: Vault, overlap: timedelta
) -> None:
    subscribed(db, ann, vault)

    with pytest.raises(InvalidArgument):
        db.run(
            lambda tx: subscriptions.rotate(tx, "SB-1", vault=vault, overlap=overlap),
            by=ann,
        )


# ── whose eyes ────────────────────────────────────────────────────────────────
def test_it_sees_what_is_left_of_its_creators_rights(
    db: Database, ann: Principal, vault: Vault
) -> None:
    new = subscribed(db, ann, vault).subscription
    db.run(lambda tx: users.set_roles(tx, ann.id, [Role.VIEWER]), by=system())

    owner = db.look(lambda tx: subscriptions.owner_of(tx, new), by=ann)

    assert owner.may("tasks:read")
    assert not owner.may("tasks:write")


def test_a_key_with_few_rights_subscribes_to_few(
    db: Database, ann: Principal, vault: Vault
) -> None:
    narrow = replace(ann, scopes=frozenset({"events:read", "subscriptions:write"}))
    new = subscribed(db, narrow, vault).subscription

    owner = db.look(lambda tx: subscriptions.owner_of(tx, new), by=ann)

    assert owner.may("events:read")
    assert not owner.may("tasks:read")


def test_nothing_is_sent_in_the_name_of_somebody_disabled(
    db: Database, ann: Principal, vault: Vault
) -> None:
    subscribed(db, ann, vault)
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    with pytest.raises(IllegalMove, match="ann, who made this subscription, is dis"):
        receiver(db, ann, vault)
    with pytest.raises(Forbidden):
        db.run(lambda tx: subscriptions.enable(tx, "SB-1"), by=system())


# ── health ────────────────────────────────────────────────────────────────────
def test_attempts_are_kept_in_order_and_go_on_counting(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    for status, answer in ((500, "no"), (0, ""), (204, "x\0" + "y" * 5_000)):
        tried(db, ann, status, at=clock.now(), answer=answer, error=answer[:2])

    kept = db.look(lambda tx: subscriptions.list_attempts(tx, "SB-1:ev:7"), by=ann)

    assert [(each.attempt, each.status) for each in kept] == [
        (1, 500),
        (2, 0),
        (3, 204),
    ]
    assert len(kept[2].answer.encode()) == 2_048
    assert kept[2].error == "x�"


def test_failures_are_counted_until_one_arrives(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    begun = clock.now()
    for _ in range(3):
        tried(db, ann, 500, at=clock.now())
        clock.advance(HOUR)
    failing = found(db, ann)
    tried(db, ann, 200, at=clock.now())

    assert (failing.failures, failing.failing_since) == (3, begun)
    assert found(db, ann).failures == 0
    assert found(db, ann).failing_since is None
    assert found(db, ann).last_ok_at == clock.now()


def test_what_is_gone_is_disabled_and_told_once(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    """R-17."""
    subscribed(db, ann, vault)
    for _ in range(2):
        tried(db, ann, 410, at=clock.now())

    (told,) = happened(db, ann, "subscription_disabled")

    assert found(db, ann).state is State.DISABLED
    assert "410" in found(db, ann).reason
    assert told.target == "SB-1"
    assert told.details == {
        "name": "audit-log",
        "reason": found(db, ann).reason,
        "fix": "subscription enable SB-1",
    }
    with pytest.raises(IllegalMove):
        receiver(db, ann, vault)


def test_one_bad_event_never_disables(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    for _ in range(60):
        tried(db, ann, 400, at=clock.now())
        clock.advance(HOUR)

    assert found(db, ann).is_enabled


def test_a_day_of_failures_disables(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    """R-17."""
    subscribed(db, ann, vault)
    states = []
    for number in range(26):
        tried(db, ann, 503, key=f"SB-1:ev:{number}", at=clock.now())
        states.append(found(db, ann).is_enabled)
        clock.advance(HOUR)

    assert states == [True] * 24 + [False] * 2


def test_failures_of_others_do_not_count(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    """R-59."""
    a_tenant(db)
    bob = a_user(db, "bob", tenant=ACME)
    subscribed(db, bob, vault)
    for name in ("a", "b"):
        subscribed(db, ann, vault, name=name)
    for _ in range(26):
        tried(db, ann, 503, key="SB-1:ev:1", at=clock.now())
        tried(db, ann, 503, key="SB-2:ev:1", at=clock.now())
        tried(db, bob, 503, key="SB-1:ev:2", at=clock.now())
        clock.advance(HOUR)

    assert found(db, ann, "SB-1").is_enabled
    assert found(db, ann, "SB-2").is_enabled
    assert found(db, bob, "SB-1").is_enabled


def test_a_success_among_failures_keeps_it_enabled(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    for number in range(60):
        status = 200 if number % 20 == 0 else 503
        tried(db, ann, status, key=f"SB-1:ev:{number}", at=clock.now())
        clock.advance(HOUR)

    assert found(db, ann).is_enabled


def test_enabled_again_it_begins_anew(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    tried(db, ann, 410, at=clock.now())

    on = db.run(lambda tx: subscriptions.enable(tx, "SB-1"), by=ann)
    again = db.run(lambda tx: subscriptions.enable(tx, "audit-log"), by=ann)

    (told,) = happened(db, ann, "subscription_enabled")
    assert on == again
    assert (on.state, on.reason, on.failures) == (State.ENABLED, "", 0)
    assert on.failing_since is None
    assert on.since_seq == told.seq - 1
    assert receiver(db, ann, vault).url == URL


def test_what_was_tried_for_a_deleted_one_is_noted(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    db.run(lambda tx: subscriptions.delete(tx, "SB-1"), by=ann)

    tried(db, ann, 410, at=clock.now())

    kept = db.look(lambda tx: subscriptions.list_attempts(tx, "SB-1:ev:7"), by=ann)
    assert [each.status for each in kept] == [410]
    assert happened(db, ann, "subscription_disabled") == []


def test_old_attempts_are_forgotten(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    subscribed(db, ann, vault)
    tried(db, ann, 500, at=clock.now())
    clock.advance(HOUR)
    tried(db, ann, 200, at=clock.now())

    old = db.look(lambda tx: subscriptions.find_old_attempts(tx, HOUR / 2), by=ann)
    db.run(lambda tx: subscriptions.forget_attempts(tx, old), by=ann)

    kept = db.look(lambda tx: subscriptions.list_attempts(tx, "SB-1:ev:7"), by=ann)
    assert [*old] == [("SB-1:ev:7", 1)]
    assert [each.status for each in kept] == [200]
