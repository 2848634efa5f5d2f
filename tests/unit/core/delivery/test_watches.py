"""Watches and cards as they are kept."""

from functools import partial

import pytest

from core.database import Database
from core.delivery import cursors
from core.delivery.watches import service as watches
from core.delivery.watches.model import WATCH_LIMIT, Card
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Conflict, NotFound
from tests.conftest import FakeClock

SLACK = {"channel": "slack", "account": "acme", "place": {"channel": "C1"}}
MAIL = {"channel": "email", "account": "ops", "place": {"to": "ann@example.org"}}


def watch(db: Database, by: Principal, target: str, where: object = None) -> None:
    db.run(partial(watches.watch, target=target, **(where or SLACK)), by=by)  # type: ignore[arg-type]


def test_a_watch_is_one_persons_and_one_places(
    db: Database, ann: Principal, bob: Principal
) -> None:
    for where in (SLACK, MAIL, SLACK):
        watch(db, ann, "T-1", where)
    watch(db, bob, "T-1")

    mine = db.look(watches.list_, by=ann)
    all_of_it = db.look(partial(watches.list_of, target="T-1"), by=ann)

    assert [each.channel for each in mine] == ["email", "slack"]
    assert {each.user_id for each in all_of_it} == {"ann", "bob"}
    assert db.look(watches.watched, by=ann) == {"T-1"}


def test_unwatching_ends_one_way_or_all(db: Database, ann: Principal) -> None:
    for where in (SLACK, MAIL):
        watch(db, ann, "T-1", where)

    db.run(partial(watches.unwatch, target="T-1", channel="email"), by=ann)
    left = db.look(watches.list_, by=ann)
    db.run(partial(watches.unwatch, target="T-1"), by=ann)

    assert [each.channel for each in left] == ["slack"]
    with pytest.raises(NotFound):
        db.run(partial(watches.unwatch, target="T-1"), by=ann)


def test_a_person_watches_fifty_things_at_most(db: Database, ann: Principal) -> None:
    for number in range(WATCH_LIMIT):
        watch(db, ann, f"T-{number + 1}")
    watch(db, ann, "T-1")

    with pytest.raises(Conflict):
        watch(db, ann, "T-99")


def test_another_tenant_sees_no_watch_and_no_card(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """R-59."""
    watch(db, ann, "T-1")
    db.run(partial(watches.keep_card, card=_card(clock)), by=ann)
    stranger = system(TenantId("globex"), name="ann")

    assert db.look(watches.list_, by=stranger) == []
    assert db.look(watches.watched, by=stranger) == frozenset()
    assert db.look(watches.carded, by=stranger) == frozenset()


def test_a_conversation_has_one_card_of_an_object(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    for thread in ("1", "2"):
        card = _card(clock, place={"channel": "C1", "thread_ts": thread})
        db.run(partial(watches.keep_card, card=card), by=ann)

    (kept,) = db.look(partial(watches.list_cards, target="T-1"), by=ann)
    db.run(partial(watches.end_card, card=kept), by=ann)

    assert kept.place == {"channel": "C1", "thread_ts": "2"}
    assert (kept.by, kept.asked_at) == ("ann", clock.now())
    assert db.look(watches.carded, by=ann) == frozenset()


def test_a_cursor_moves_once_from_where_it_was(db: Database, ann: Principal) -> None:
    """R-30: of two that saw it in one place, one moves it."""
    db.run(partial(cursors.begin, consumer="c"), by=ann)
    move = partial(cursors.advance, consumer="c", after=0, to=7)

    assert [db.run(move, by=ann) for _ in range(2)] == [True, False]
    assert db.run(partial(cursors.begin, consumer="c"), by=ann) == 7
    assert db.look(partial(cursors.find, consumer="other"), by=ann) is None


def _card(clock: FakeClock, **fields: object) -> Card:
    given = {
        "channel": "slack",
        "account": "acme",
        "conversation": "C1",
        "target": "T-1",
        "place": {"channel": "C1"},
        **fields,
    }
    return Card(by="ann", asked_at=clock.now(), **given)  # type: ignore[arg-type]
