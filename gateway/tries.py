"""One try to hand over a delivery: what became of it, and when the next one is due."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.base import (
    Attempt,
    Courier,
    Delivered,
    Parcel,
    Postponed,
    Skipped,
    Undeliverable,
    Wish,
)
from core.delivery.outbox.model import Delay, Outgoing, Spot
from core.kernel.jsons import parse_json
from core.kernel.principal import TenantId
from core.kernel.reply import reply_from_json

LONGEST_PAUSE_SECONDS = 300.0

_MOST_DOUBLINGS = 12
_REASON_LIMIT = 500

Jitter = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What did not work now.

    Units:  `retry_after` in seconds, 0 when nobody asked for a pause.
    """

    reason: str
    retry_after: float = 0
    is_account_wide: bool = False
    is_lane_only: bool = False
    wish: Wish | None = None

    @property
    def attempt(self) -> Attempt | None:
        """What the try looked like."""
        return self.wish.attempt if self.wish else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What will never work."""

    reason: str
    fix: str
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enough:
    """What the channel has told enough of."""

    reason: str
    attempt: Attempt | None = None


Outcome = Delivered | Late | Lost | Enough


async def hand_over(
    courier: Courier, outgoing: Outgoing, *, tenant: TenantId, patience: timedelta
) -> Outcome:
    """Have a courier deliver one, and put what it says into words of ours."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            told = await courier.deliver(parcel_of(outgoing, tenant))
            return Delivered(ref=told) if isinstance(told, str) else told
    except TimeoutError:
        return Late(reason=f"no answer within {patience.total_seconds():.0f} s")
    except Postponed as late:
        return Late(
            reason=late.reason,
            retry_after=late.retry_after,
            is_account_wide=late.is_account_wide,
            is_lane_only=late.is_lane_only,
            wish=late.wish,
        )
    except Skipped as enough:
        return Enough(reason=enough.reason)
    except Undeliverable as lost:
        return Lost(reason=lost.reason, fix=lost.fix, attempt=lost.attempt)


def parcel_of(outgoing: Outgoing, tenant: TenantId) -> Parcel:
    """Make what a courier takes of what was stored."""
    stored = parse_json(outgoing.body)
    assert isinstance(stored, dict)
    return Parcel(
        id=outgoing.key,
        account=outgoing.account,
        place=outgoing.place,
        reply=reply_from_json(stored),
        lane=outgoing.lane,
        subject=outgoing.subject,
        edits=outgoing.edits,
        tenant=tenant,
        attempt=outgoing.attempts,
        posted_at=outgoing.created_at,
    )


def delay_of(outgoing: Outgoing, late: Late, *, now: datetime, jitter: Jitter) -> Delay:
    """Wait as the channel plans, as was asked, or a random while that grows."""
    reason = late.reason[:_REASON_LIMIT]
    if late.wish is not None:
        return _wished(outgoing, late.wish, reason, now)
    seconds = late.retry_after + jitter() * _most_seconds(outgoing, late)
    until = now + timedelta(seconds=seconds)
    return Delay(reason=reason, until=until, spot=_spot_of(outgoing, late))


def _wished(outgoing: Outgoing, wish: Wish, reason: str, now: datetime) -> Delay:
    rest = timedelta(seconds=wish.account_rest)
    return Delay(
        reason=reason,
        until=now + timedelta(seconds=wish.due_in),
        spot=outgoing.spot.whole_account if rest else None,
        spot_until=now + rest,
    )


def _most_seconds(outgoing: Outgoing, late: Late) -> float:
    if late.retry_after:
        return 1.0
    return min(2.0 ** min(outgoing.attempts, _MOST_DOUBLINGS), LONGEST_PAUSE_SECONDS)


def _spot_of(outgoing: Outgoing, late: Late) -> Spot | None:
    spot = outgoing.spot
    if late.is_account_wide:
        return spot.whole_account
    is_alone = late.is_lane_only or spot.is_loose
    return spot if late.retry_after and not is_alone else None
