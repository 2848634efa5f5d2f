"""Which events a subscription wants, and which its creator may see."""

from datetime import UTC, datetime

import pytest

from core.events.model import Event
from core.expressions import Budget
from core.hooks.subscriptions.matching import may_see, scope_to_see, wants
from core.hooks.subscriptions.model import Wanted
from core.kernel.jsons import Json
from core.kernel.principal import Principal, TenantId

LANE_A = Wanted(filter="details.lane=='A'")


def an_event(
    event: str = "task_created", target: str = "T-12", **details: Json
) -> Event:
    return Event(
        seq=7,
        ts=datetime(2026, 11, 4, tzinfo=UTC),
        type=event,
        actor="ann",
        channel="rest",
        target=target,
        details=details,
    )


def holding(*scopes: str) -> Principal:
    return Principal(
        id="U-1", name="ann", tenant=TenantId("default"), scopes=frozenset(scopes)
    )


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        (Wanted(), True),
        (Wanted(types=frozenset({"task_created", "note_added"})), True),
        (Wanted(types=frozenset({"note_added"})), False),
        (Wanted(targets=frozenset({"T-12"})), True),
        (Wanted(targets=frozenset({"T-1"})), False),
        (Wanted(answers_only=True), False),
        (LANE_A, True),
        (Wanted(filter="details.lane=='B'"), False),
        (Wanted(filter="target"), True),
        (Wanted(filter="details.nothing"), False),
        (Wanted(filter="`[]`"), False),
        (Wanted(filter="`0`"), True),
        (Wanted(types=frozenset({"task_created"}), filter="event=='x'"), False),
    ],
)
def test_all_that_is_named_must_fit(wanted: Wanted, is_wanted: bool) -> None:
    assert wants(wanted, an_event(lane="A")) is is_wanted


@pytest.mark.parametrize("expression", ["length(seq)", "sum(target)", "abs(details)"])
def test_a_filter_that_cannot_be_applied_does_not_match(expression: str) -> None:
    assert not wants(Wanted(filter=expression), an_event())


def test_a_filter_that_asks_for_too_much_does_not_match() -> None:
    doubling = "|".join(["[@,@][]"] * 30)

    assert not wants(Wanted(filter=doubling), an_event())


@pytest.mark.parametrize(
    "event", ["subscription_created", "delivery_failed", "trigger_cut"]
)
def test_events_of_sending_are_wanted_by_nobody(event: str) -> None:
    assert not wants(Wanted(), an_event(event))


@pytest.mark.parametrize(
    ("target", "scope"),
    [
        ("T-12", "tasks:read"),
        ("K-1", "keys:read"),
        ("D-9", "outbox:read"),
        ("SB-3", "subscriptions:read"),
        ("AP-1", "approvals:read"),
        ("web-1", ""),
        ("slack:acme", ""),
        ("", ""),
    ],
)
def test_it_takes_the_right_to_read_of_what_an_event_is_about(
    target: str, scope: str
) -> None:
    assert scope_to_see(target) == scope


def test_only_what_may_be_read_is_seen() -> None:
    owner = holding("events:read", "tasks:read")
    seen = [
        target
        for target in ("T-12", "K-1", "U-2", "web-1", "")
        if may_see(owner, an_event(target=target))
    ]

    assert seen == ["T-12", "web-1", ""]
    assert may_see(holding("*:read"), an_event(target="K-1"))


def test_heavy_filter_ends_early_and_leaves_the_others_theirs() -> None:
    """It does not match; another subscription is still told of the same event."""
    heavy = Wanted(filter="|".join(["[@,@][]"] * 20))
    budget = Budget()

    found = [
        wants(each, an_event(lane="A"), budget=budget) for each in [heavy, LANE_A] * 3
    ]

    assert found == [False, True] * 3


def test_filters_share_what_one_event_may_cost() -> None:
    heavy = Wanted(filter="|".join(["[@,@][]"] * 20))
    budget = Budget()

    for _ in range(20):
        wants(heavy, an_event(lane="A"), budget=budget)

    assert not wants(LANE_A, an_event(lane="A"), budget=budget)
