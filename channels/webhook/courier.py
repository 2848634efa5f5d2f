"""Takes what subscriptions are told to their receivers: signed, and tried for a day."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from channels.base import Attempt, Delivered, Parcel, Postponed, Undeliverable, Wish
from channels.webhook.outward import (
    beginning_of,
    parse_retry_after,
    render_message,
    seconds_until_next,
)
from channels.webhook.pace import Pace
from core.kernel.addresses import AddressRefused
from core.kernel.clock import Clock
from core.kernel.problems import InvalidArgument

GONE = 410
# However long it asks for, what others hold for a receiver is worth a look now and then.
LONGEST_REST = timedelta(hours=1)

_ASKING = frozenset({429, 503})
_LOCATION_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where to send, and the keys to sign with, the newest first."""

    url: str
    keys: tuple[bytes, ...] = field(repr=False)


class Receivers(Protocol):
    """Knows who is told what."""

    async def find(self, parcel: Parcel) -> Receiver:
        """Find who is to be sent a parcel.

        Raises: Undeliverable when nothing is to be sent there; Postponed when that
                cannot be told now.
        """


class Answer(Protocol):
    """What a receiver answered; header names in lower case."""

    @property
    def status(self) -> int:
        """The status of HTTP."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    @property
    def body(self) -> bytes:
        """The beginning of the body."""


class Outside(Protocol):
    """Sends to where users say, and nowhere inside."""

    async def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send one request within its own deadline, and follow no redirect.

        Raises: InvalidArgument for what is no URL; AddressRefused when it leads inside;
                OSError when it was not reached, or did not answer in time.
        """


class Schedule(Protocol):
    """Plans the tries of a delivery."""

    def __call__(self, attempt: int, *, chance: float) -> float:
        """Say how many seconds to wait after a try; `chance` goes from 0 to 1."""


class WebhookCourier:
    """Delivers by one signed POST; `jitter` draws from 0 to 1."""

    def __init__(
        self,
        receivers: Receivers,
        outside: Outside,
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
        schedule: Schedule = seconds_until_next,
        pace: Pace | None = None,
    ) -> None:
        self._receivers = receivers
        self._outside = outside
        self._clock = clock
        self._jitter = jitter
        self._schedule = schedule
        self._pace = pace or Pace()

    async def deliver(self, parcel: Parcel) -> Delivered:
        """Post one.

        Raises: Postponed with the moment of the next try; Undeliverable for 410, for
                an address inside, and when nothing is to be sent there any more.
        """
        receiver = await self._receivers.find(parcel)
        message = render_message(parcel)
        began, since = self._clock.now(), time.monotonic()
        attempt = _Trying(began, since)
        try:
            answer = await self._outside.post(
                receiver.url,
                headers=message.headers(receiver.keys, now=began),
                body=message.body,
            )
        except AddressRefused as refused:
            raise Undeliverable(
                refused.reason, fix=refused.fix, attempt=attempt.failed(refused.reason)
            ) from refused
        except InvalidArgument as bad:
            raise Undeliverable(
                bad.detail,
                fix=f"subscription show {parcel.account}",
                attempt=attempt.failed(bad.detail),
            ) from bad
        except OSError as fault:
            told = str(fault) or type(fault).__name__
            raise self._later(parcel, told, attempt.failed(told)) from fault
        return self._judge(parcel, answer, attempt)

    def _judge(self, parcel: Parcel, answer: Answer, attempt: "_Trying") -> Delivered:
        """Say what an answer means.

        Raises: Postponed, Undeliverable.
        """
        status = answer.status
        if 200 <= status < 300:
            self._pace.note_success(_account(parcel))
            return Delivered(attempt=attempt.answered(answer))
        told = _told(answer)
        tried = attempt.answered(answer, error=told)
        if status == GONE:
            raise Undeliverable(told, fix=fix_for(parcel.account), attempt=tried)
        asked = 0.0
        if status in _ASKING:
            asked = parse_retry_after(answer.headers, now=self._clock.now())
        raise self._later(parcel, told, tried, asked=asked)

    def _later(
        self, parcel: Parcel, told: str, attempt: Attempt, *, asked: float = 0
    ) -> Postponed:
        """Plan the next try, and leave a receiver that takes nothing alone."""
        rest = self._pace.note_failure(_account(parcel), now=self._clock.now())
        chance = self._jitter()
        # Nobody comes before they were asked to, and not all at once afterwards.
        due_in = asked * (1 + chance / 5) or self._schedule(
            parcel.attempt, chance=chance
        )
        rest_seconds = min(asked, LONGEST_REST.total_seconds())
        return Postponed(
            told,
            wish=Wish(
                due_in=due_in,
                account_rest=max(rest_seconds, rest.total_seconds()),
                attempt=attempt,
            ),
        )


@dataclass(frozen=True, slots=True)
class _Trying:
    """A try under way: when it began, by the calendar and by the stopwatch."""

    began: datetime
    since: float

    def failed(self, error: str) -> Attempt:
        """Note that there was no answer."""
        return Attempt(tried_at=self.began, took_ms=self._took_ms(), error=error)

    def answered(self, answer: Answer, *, error: str = "") -> Attempt:
        """Note what was answered."""
        return Attempt(
            tried_at=self.began,
            status=answer.status,
            took_ms=self._took_ms(),
            answer=beginning_of(answer.body),
            error=error,
        )

    def _took_ms(self) -> int:
        return round((time.monotonic() - self.since) * 1000)


def fix_for(subscription_id: str) -> str:
    """Say how deliveries of a subscription that was disabled are sent after all."""
    return (
        f"subscription enable {subscription_id}, "
        f"then subscription redeliver {subscription_id} --failed"
    )


def _told(answer: Answer) -> str:
    """Say what is wrong with an answer."""
    if answer.status == GONE:
        return "the receiver answered 410: it is gone"
    if 300 <= answer.status < 400:
        location = answer.headers.get("location", "")[:_LOCATION_LIMIT]
        to = f" to {location!r}" if location else ""
        return f"the receiver answered {answer.status}; redirects{to} are not followed"
    return f"the receiver answered {answer.status}"


def _account(parcel: Parcel) -> tuple[str, str]:
    return parcel.tenant, parcel.account
