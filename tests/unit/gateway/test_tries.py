"""One try of a delivery: what a courier says, and what follows from it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.base import (
    Attempt,
    Delivered,
    Parcel,
    Postponed,
    Skipped,
    Undeliverable,
    Wish,
)
from core.delivery.outbox.model import Appearance, OutboxState, Outgoing, Spot
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.principal import TenantId
from core.kernel.reply import Reply
from gateway.tries import Enough, Late, Lost, Outcome, delay_of, hand_over
from tests.couriers import ScriptedCourier

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TRIED = Attempt(tried_at=NOW, status=500)


def outgoing(channel: str = "webhook", **changed: Any) -> Outgoing:
    waiting = Outgoing(
        id="D-1",
        key="k1",
        channel=channel,
        account="SB-1",
        place={"channel": "C1"},
        body=to_json(Reply(summary="Done")).decode(),
        lane=Lane.FINALS,
        subject="",
        appearance=Appearance.EDIT,
        state=OutboxState.WAITING,
        attempts=3,
        due_at=NOW,
        expires_at=NOW + timedelta(days=1),
        claimed_until=NOW,
        created_at=NOW,
        sent_at=None,
        error="",
        fix="",
        ref="",
    )
    return replace(waiting, **changed)


async def tried(*faults: Exception) -> tuple[Outcome, ScriptedCourier]:
    courier = ScriptedCourier(*faults)
    outcome = await hand_over(
        courier, outgoing(), tenant=TenantId("acme"), patience=5 * SECOND
    )
    return outcome, courier


async def test_a_parcel_says_whose_it_is_and_which_try_this_is() -> None:
    outcome, courier = await tried()

    (parcel,) = courier.delivered
    assert (parcel.tenant, parcel.attempt, parcel.posted_at) == ("acme", 3, NOW)
    assert outcome == Delivered(ref="ref-k1")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Skipped("enough"), Enough(reason="enough")),
        (
            Undeliverable("gone", fix="look", attempt=TRIED),
            Lost(reason="gone", fix="look", attempt=TRIED),
        ),
        (
            Postponed("busy", wish=Wish(due_in=5, attempt=TRIED)),
            Late(reason="busy", wish=Wish(due_in=5, attempt=TRIED)),
        ),
        (
            Postponed("busy", retry_after=3, is_lane_only=True),
            Late(reason="busy", retry_after=3, is_lane_only=True),
        ),
    ],
)
async def test_what_a_courier_says_is_kept(fault: Exception, outcome: Outcome) -> None:
    assert (await tried(fault))[0] == outcome


async def test_what_was_seen_is_kept_with_what_arrived() -> None:
    class Watchful:
        async def deliver(self, parcel: Parcel) -> Delivered:
            return Delivered(attempt=TRIED)

    told = await hand_over(
        Watchful(), outgoing(), tenant=TenantId("acme"), patience=SECOND
    )

    assert told.attempt == TRIED


# ── when the next is due ──────────────────────────────────────────────────────
def jitter() -> float:
    return 1.0


def test_a_wish_is_kept_to_the_letter() -> None:
    """The channel's own schedule: nothing of ours is added to it."""
    late = Late(reason="busy", wish=Wish(due_in=4.2))

    delay = delay_of(outgoing(), late, now=NOW, jitter=jitter)

    assert (delay.until, delay.spot) == (NOW + 4.2 * SECOND, None)


def test_a_wish_leaves_the_account_alone_for_its_own_while() -> None:
    late = Late(reason="busy", wish=Wish(due_in=300, account_rest=15))

    delay = delay_of(outgoing(), late, now=NOW, jitter=jitter)

    assert delay.until == NOW + 300 * SECOND
    assert delay.spot == Spot("webhook", "SB-1", "")
    assert delay.spot_until == NOW + 15 * SECOND


def test_what_is_loose_never_rests_as_a_line() -> None:
    """All of the account stands in it."""
    late = Late(reason="busy", retry_after=30)

    assert delay_of(outgoing(), late, now=NOW, jitter=jitter).spot is None
    kept = delay_of(outgoing("slack"), late, now=NOW, jitter=jitter)
    assert kept.spot == Spot("slack", "SB-1", "channel:C1")


def test_without_a_wish_pauses_grow_by_chance() -> None:
    delay = delay_of(outgoing(), Late(reason="x" * 900), now=NOW, jitter=lambda: 0.5)

    assert delay.until == NOW + 4 * SECOND
    assert len(delay.reason) == 500
