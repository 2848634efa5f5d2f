"""When a subscription is given up, and what is kept of an answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.hooks.subscriptions.model import (
    Attempt,
    Health,
    State,
    Subscription,
    Wanted,
    bounded,
    health_after,
    is_told,
    reason_to_disable,
    require_enabled,
)
from core.kernel.ids import SubscriptionId
from core.kernel.problems import IllegalMove

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
DAY = timedelta(hours=24)
SUBSCRIPTION = Subscription(
    id=SubscriptionId("SB-1"),
    name="audit-log",
    url="https://hooks.example.com/opswire",
    wanted=Wanted(),
    creator_id="U-1",
    creator_scopes=frozenset({"*"}),
    created_at=NOW,
    secret="sealed",
)


def an_attempt(status: int, at: datetime = NOW, error: str = "") -> Attempt:
    return Attempt(
        key="SB-1:ev:7", attempt=1, status=status, took_ms=3, error=error, tried_at=at
    )


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_starts_over(status: int) -> None:
    failing = replace(SUBSCRIPTION, failing_since=NOW - DAY, failures=9)

    assert health_after(failing, an_attempt(status)) == Health(NOW, None, 0)


@pytest.mark.parametrize("status", [0, 301, 400, 404, 429, 500])
def test_all_else_counts_as_a_failure(status: int) -> None:
    first = health_after(SUBSCRIPTION, an_attempt(status))
    failing = replace(SUBSCRIPTION, failing_since=NOW, failures=1)
    second = health_after(failing, an_attempt(status, NOW + DAY))

    assert first == Health(None, NOW, 1)
    assert second == Health(None, NOW, 2)


def test_what_is_gone_is_given_up_at_once() -> None:
    """R-17."""
    reason = reason_to_disable(Health(NOW, NOW, 1), an_attempt(410), failed=1)

    assert "410" in reason


@pytest.mark.parametrize(
    ("failing", "failed", "is_over"),
    [
        (DAY, 2, True),
        (DAY - timedelta(seconds=1), 2, False),
        (DAY * 3, 1, False),
        (None, 2, False),
    ],
)
def test_a_day_without_success_is_enough_unless_one_delivery_alone_fails(
    failing: timedelta | None, failed: int, is_over: bool
) -> None:
    since = None if failing is None else NOW - failing
    reason = reason_to_disable(Health(None, since, 99), an_attempt(503), failed=failed)

    assert bool(reason) is is_over
    if is_over:
        assert reason == "nothing arrived for 24 hours; at last it answered 503"


def test_the_reason_tells_why_nobody_answered() -> None:
    attempt = an_attempt(0, error="the connection was refused")
    reason = reason_to_disable(Health(None, NOW - DAY, 9), attempt, failed=2)

    assert reason.endswith("the connection was refused")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [("ok", "ok"), ("a\0b", "a�b"), ("\ud800", "?"), ("é" * 2_000, "é" * 1_024)],
)
def test_two_kibibytes_of_an_answer_are_kept_in_a_form_that_can_be(
    answer: str, kept: str
) -> None:
    assert bounded(answer) == kept


def test_what_is_disabled_says_why() -> None:
    require_enabled(SUBSCRIPTION)
    off = replace(SUBSCRIPTION, state=State.DISABLED, reason="it is gone")

    with pytest.raises(IllegalMove, match="SB-1 is disabled: it is gone") as refusal:
        require_enabled(off)
    assert refusal.value.fix == ("subscription enable SB-1",)


def test_events_of_sending_are_never_told() -> None:
    told = [
        name
        for name in ("task_created", "subscription_disabled", "delivery_failed")
        if is_told(name)
    ]

    assert told == ["task_created"]
