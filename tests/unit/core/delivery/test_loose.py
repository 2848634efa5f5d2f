"""What needs no order: many at once, none behind another, and cheap however many wait."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core.database import Database, Tx
from core.delivery.outbox import dispatch, queue
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import (
    Budget,
    Delay,
    OutboxDraft,
    OutboxState,
    Outgoing,
    Spot,
)
from core.kernel.principal import Principal
from tests.conftest import FakeClock

SECOND = timedelta(seconds=1)
TERMS = Terms(
    budgets={"webhook": Budget(), "slack": Budget()}, claim=timedelta(seconds=40)
)
ALL_OF_ONE = Spot("webhook", "SB-1", "")


class Loose:
    """An outbox of webhooks, and a postman's view of it."""

    def __init__(self, db: Database, by: Principal) -> None:
        self.db = db
        self.by = by

    def post(self, *keys: str, account: str = "SB-1", **draft: Any) -> None:
        given: dict[str, Any] = {"channel": "webhook", "body": "{}", **draft}
        place = {"subscription": account, "kind": "event"}

        def work(tx: Tx) -> None:
            for key in keys:
                outbox.post(
                    tx, OutboxDraft(key=key, account=account, place=place, **given)
                )

        self.db.run(work, by=self.by)

    def claim(self) -> Sequence[Outgoing]:
        return self.db.run(partial(dispatch.claim, terms=TERMS), by=self.by)

    def keys(self) -> list[str]:
        return [each.key for each in self.claim()]

    def sent(self, *outgoing: Outgoing) -> None:
        for each in outgoing:
            note = partial(dispatch.note_sent, outgoing=each, ref="")
            self.db.run(note, by=self.by)

    def delayed(
        self, outgoing: Outgoing, by: timedelta, rest: timedelta | None = None
    ) -> None:
        """Try one later, and leave the account alone for a while."""

        def work(tx: Tx) -> None:
            delay = Delay(
                reason="busy",
                until=tx.now + by,
                spot=ALL_OF_ONE if rest else None,
                spot_until=tx.now + rest if rest else None,
            )
            dispatch.note_delayed(tx, outgoing, delay)

        self.db.run(work, by=self.by)

    def looked_at(self) -> int:
        """Count the rows that a look reads."""
        traffic = self.db.look(queue.read_traffic, by=self.by)
        return len(traffic.firsts)


@pytest.fixture
def loose(db: Database, ann: Principal) -> Loose:
    return Loose(db, ann)


def test_as_many_leave_at_once_as_the_account_bears(loose: Loose) -> None:
    loose.post(*(f"k{number}" for number in range(20)))

    first, more = loose.keys(), loose.keys()

    assert first == [f"k{number}" for number in range(8)]
    assert more == []


def test_whoever_has_left_makes_room_for_the_next(loose: Loose) -> None:
    loose.post(*(f"k{number}" for number in range(20)))

    loose.sent(*loose.claim()[:3])

    assert loose.keys() == ["k8", "k9", "k10"]


def test_one_that_is_tried_later_holds_nothing_back(
    loose: Loose, clock: FakeClock
) -> None:
    """An event that its receiver refuses is in nobody's way."""
    loose.post("refused")
    loose.delayed(loose.claim()[0], timedelta(minutes=5))
    loose.post("fine")

    (fine,) = loose.claim()
    loose.sent(fine)
    clock.advance(timedelta(minutes=5))
    assert fine.key == "fine"
    assert loose.keys() == ["refused"]


def test_an_account_that_rests_holds_back_its_own(
    loose: Loose, clock: FakeClock
) -> None:
    loose.post("k1", "k2")
    loose.post("other", account="SB-2")
    first = loose.claim()[0]

    loose.delayed(first, timedelta(hours=2), rest=15 * SECOND)
    loose.post("k3")

    assert first.key == "k1"
    assert loose.keys() == []
    clock.advance(15 * SECOND)
    assert loose.keys() == ["k3"]


def test_what_is_sent_again_by_hand_ends_the_rest_of_its_account(loose: Loose) -> None:
    """Whoever asks for it knows that the receiver is back."""
    loose.post("k1", "k2")
    first, second = loose.claim()
    loose.delayed(second, timedelta(hours=2), rest=300 * SECOND)
    dead = partial(dispatch.note_dead, outgoing=first, error="no", fix="mend it")
    loose.db.run(dead, by=loose.by)

    loose.db.run(partial(outbox.replay, delivery_id="D-1"), by=loose.by)

    assert loose.keys() == ["k1"]


def test_accounts_do_not_wait_for_one_another(loose: Loose) -> None:
    loose.post(*(f"a{number}" for number in range(100)), account="SB-1")
    loose.post("b", account="SB-2")
    loose.post("c", account="SB-3")

    assert {"b", "c"} < set(loose.keys())


def test_what_keeps_an_order_still_does_beside_it(loose: Loose) -> None:
    """R-09."""
    loose.post("w1", "w2")
    for key in ("s1", "s2"):
        draft = OutboxDraft(
            key=key, channel="slack", account="acme", place={"channel": "C"}, body="{}"
        )
        loose.db.run(partial(outbox.post, draft=draft), by=loose.by)

    assert loose.keys() == ["w1", "w2", "s1"]


def test_a_claim_that_ran_out_is_taken_up_again(loose: Loose, clock: FakeClock) -> None:
    """R-01: after a crash."""
    loose.post("k1")

    assert loose.keys() == ["k1"]
    clock.advance(timedelta(seconds=41))
    assert loose.keys() == ["k1"]


def test_a_look_reads_no_more_when_more_waits(loose: Loose) -> None:
    """100,000 deliveries to a receiver that is down cost what ten cost."""
    loose.post(*(f"k{number}" for number in range(1_000)))
    assert loose.looked_at() == 8

    for each in loose.claim():
        loose.delayed(each, timedelta(minutes=5), rest=300 * SECOND)

    assert loose.looked_at() == 1


def test_ended_by_time_it_is_dead_like_everything_else(
    loose: Loose, clock: FakeClock
) -> None:
    loose.post("k1")
    outgoing = loose.claim()[0]

    clock.advance(timedelta(hours=23))
    loose.delayed(outgoing, timedelta(hours=10))

    found = loose.db.look(lambda tx: outbox.get_(tx, "D-1"), by=loose.by)
    assert (found.state, found.fix) == (OutboxState.DEAD, "outbox replay D-1")
