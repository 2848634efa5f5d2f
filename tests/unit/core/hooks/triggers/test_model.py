"""What a trigger looks at, and where a chain of them ends."""

from datetime import UTC, datetime

import pytest

from core.events.model import Event
from core.hooks.model import PayloadMap
from core.hooks.triggers.model import (
    LONGEST_CHAIN,
    Trigger,
    When,
    awaits,
    cut_of,
    key_of,
    parse_name,
    parse_when,
)
from core.kernel.ids import TriggerId
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)


def a_trigger(when: When) -> Trigger:
    return Trigger(
        id=TriggerId("G-1"),
        name="tell",
        when=when,
        rule=PayloadMap(command="version"),
        owner_id="U-1",
        scopes=frozenset({"*"}),
        created_by="U-1",
        created_at=NOW,
    )


def an_event(type_: str, target: str = "", **details: Json) -> Event:
    return Event(
        seq=7, ts=NOW, type=type_, actor="ann", channel="rest", target=target,
        details=details,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("event", "is_awaited"),
    [
        (an_event("task_created", "T-1"), True),
        (an_event("status_changed", "T-1"), True),
        (an_event("task_created", "T-2"), False),
        (an_event("task_changed", "T-1"), False),
    ],
)
def test_types_and_targets_are_looked_for_together(
    event: Event, is_awaited: bool
) -> None:
    when = parse_when(["task_created", "status_changed"], targets=["T-1"])

    assert awaits(a_trigger(when), event) is is_awaited


def test_a_webhook_is_waited_for_by_its_deliveries() -> None:
    trigger = a_trigger(When(webhook="W-3"))

    assert awaits(trigger, an_event("webhook_received", "W-3", delivery="rq_1"))
    assert not awaits(trigger, an_event("webhook_received", "W-4", delivery="rq_2"))
    assert not awaits(trigger, an_event("webhook_created", "W-3"))


def test_what_triggers_tell_of_themselves_is_never_awaited() -> None:
    """Even if a type got past the door."""
    trigger = a_trigger(When(events=frozenset({"trigger_cut"})))

    assert not awaits(trigger, an_event("trigger_cut", "G-1"))


def test_a_delivery_told_of_twice_is_the_same_reason_to_fire() -> None:
    told = an_event("webhook_received", "W-3", delivery="rq_1")

    assert key_of(a_trigger(When(webhook="W-3")), told) == "rq_1"
    assert key_of(a_trigger(parse_when(["webhook_received"])), told) == "7"


@pytest.mark.parametrize(
    ("chain", "cut"),
    [
        ((), ""),
        (("G-2", "G-3"), ""),
        (("G-1",), "a loop of triggers: G-1 > G-1"),
        (("G-1", "G-2"), "a loop of triggers: G-1 > G-2 > G-1"),
        (("G-2", "G-3", "G-4", "G-5"), ""),
        (
            ("G-2", "G-3", "G-4", "G-5", "G-6"),
            "a chain of more than 5 triggers: G-2 > G-3 > G-4 > G-5 > G-6 > G-1",
        ),
    ],
)
def test_a_chain_has_no_trigger_twice_and_at_most_five(
    chain: tuple[str, ...], cut: str
) -> None:
    """M-OMN-11."""
    assert LONGEST_CHAIN == 5
    assert cut_of(chain, "G-1") == cut


@pytest.mark.parametrize("name", ["", "Tell", "tell qa", "g-1", "x" * 41, "-a"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_name(name)


def test_a_name_may_look_like_a_word() -> None:
    assert parse_name("tell-qa-2") == "tell-qa-2"


@pytest.mark.parametrize(
    ("events", "targets", "webhook"),
    [
        ([], [], ""),
        (["task_created"], [], "W-1"),
        ([], ["T-1"], "W-1"),
        (["a_b"] * 2 + [f"a_{n}" for n in range(21)], [], ""),
        (["task_created"], [f"T-{n}" for n in range(21)], ""),
        (["task created"], [], ""),
        (["x" * 65], [], ""),
        (["trigger_fired"], [], ""),
        (["task_created"], ["\0"], ""),
        (["task_created"], ["x" * 201], ""),
    ],
)
def test_what_is_nothing_to_wait_for_is_refused(
    events: list[str], targets: list[str], webhook: str
) -> None:
    with pytest.raises(InvalidArgument):
        parse_when(events, targets=targets, webhook=webhook)
