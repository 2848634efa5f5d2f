"""What is posted to receivers, and when the next try is due."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from channels.base import Parcel
from channels.webhook.outward import (
    ANSWER_BYTES,
    Message,
    beginning_of,
    parse_retry_after,
    render_message,
    seconds_until_next,
)
from core.kernel.outgoing import Lane
from core.kernel.reply import Reply
from core.kernel.version import VERSION

NOW = datetime(2026, 11, 4, 9, 0, 0, 987_654, tzinfo=UTC)
DAY = 24 * 3600.0
EVENT = {"seq": 7, "ts": "2026-11-04T08:59:59.000000Z", "event": "task_created"}
OLD, NEW = b"o" * 32, b"n" * 32


def parcel(kind: str, data: dict[str, Any]) -> Parcel:
    return Parcel(
        id="SB-1:ev:7",
        account="SB-1",
        place={"subscription": "SB-1", "kind": kind},
        reply=Reply(summary="said", data=data),
        lane=Lane.FINALS,
        posted_at=NOW,
    )


def test_an_event_goes_under_its_name_and_its_moment() -> None:
    """R-17."""
    message = render_message(parcel("event", EVENT))

    assert message.id == "SB-1:ev:7"
    assert json.loads(message.body) == {
        "type": "task_created",
        "timestamp": "2026-11-04T08:59:59.000000Z",
        "data": EVENT,
    }


def test_a_reply_is_called_what_it_is_whatever_it_holds() -> None:
    """A command's data cannot pass itself off as an event."""
    message = render_message(parcel("reply", {"summary": "Done", "event": "forged"}))

    body = json.loads(message.body)
    assert body["type"] == "command.replied"
    assert body["timestamp"] == "2026-11-04T09:00:00.987654Z"


def test_every_key_signs_and_any_of_them_verifies() -> None:
    """R-17, R-06: both ends may be rotating."""
    message = render_message(parcel("event", {**EVENT, "title": "Grüße, 世界"}))

    headers = message.headers([NEW, OLD], now=NOW)

    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["User-Agent"] == f"Opswire/{VERSION}"
    signatures = headers["webhook-signature"].split(" ")
    assert [each[:3] for each in signatures] == ["v1,", "v1,"]
    for key, signature in zip([NEW, OLD], signatures, strict=True):
        assert Webhook(key).sign(message.id, NOW, message.body.decode()) == signature


def test_a_standard_library_of_a_receiver_verifies_it() -> None:
    """R-17: with the clock of today, which it reads itself."""
    message = Message(id="SB-1:ev:7", body=b'{"type":"x"}')

    headers = message.headers([NEW, OLD], now=datetime.now(UTC))

    assert Webhook(OLD).verify(message.body, headers) == {"type": "x"}


# ── the schedule ──────────────────────────────────────────────────────────────
def test_the_pauses_are_those_that_were_promised() -> None:
    """R-17: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and so on."""
    pauses = [seconds_until_next(attempt, chance=0.5) for attempt in range(1, 9)]

    minute, hour = 60, 3600
    assert pauses == pytest.approx(
        [
            5,
            5 * minute,
            30 * minute,
            2 * hour,
            5 * hour,
            10 * hour,
            10 * hour,
            10 * hour,
        ]
    )


@given(st.integers(1, 40), st.floats(0, 1))
def test_chance_moves_a_pause_by_a_fifth_at_most(attempt: int, chance: float) -> None:
    """R-17: +-20 %."""
    middle = seconds_until_next(attempt, chance=0.5)

    pause = seconds_until_next(attempt, chance=chance)

    assert 0.8 * middle - 1e-6 <= pause <= 1.2 * middle + 1e-6


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("3", 3), (" 120 ", 120), ("0", 0), ("-5", 0), ("999999999999999999", DAY),
        ("86401", DAY), ("1.5", 0), ("soon", 0), ("", 0), ("３", 0), ("٣", 0),
        ("Wed, 04 Nov 2026 09:02:00 GMT", 119.012346),
        ("Wed, 04 Nov 2026 08:00:00 GMT", 0), ("Wed, 04 Nov 2027 09:00:00 GMT", DAY),
        ("Wed, 04 Nov 2026 09:02:00 -0000", 119.012346), ("Wed, 99 Nov 2026", 0),
        ("Wed, 04 Nov 99999999999999999999 09:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_a_date(asked: str, seconds: float) -> None:
    """R-17: and never beyond a day."""
    found = parse_retry_after({"retry-after": asked}, now=NOW)

    assert found == pytest.approx(seconds, abs=1e-3)


@given(st.text(max_size=60))
def test_retry_after_never_fails(asked: str) -> None:
    assert 0 <= parse_retry_after({"retry-after": asked}, now=NOW) <= DAY


def test_nobody_asked_is_zero() -> None:
    assert parse_retry_after({}, now=NOW + timedelta(days=1)) == 0


# ── what was answered ─────────────────────────────────────────────────────────
@given(st.binary(max_size=3 * ANSWER_BYTES))
def test_the_beginning_of_an_answer_can_be_stored_and_shown(body: bytes) -> None:
    kept = beginning_of(body)

    assert len(kept) <= ANSWER_BYTES
    assert "\0" not in kept
    assert "\x1b" not in kept
    kept.encode()
