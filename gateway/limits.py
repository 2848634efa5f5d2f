"""Rate limits: one rule for every door, counted per channel, tenant, person and family."""

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from core.kernel.principal import Principal
from core.kernel.problems import InvalidArgument, RateLimited

DIMENSIONS = ("channel", "tenant", "principal", "family")


class Usage(NamedTuple):
    """How a bucket stands: for the RateLimit headers and for whoami."""

    limit: str
    dimension: str
    remaining: int
    reset_seconds: int


class Limiter:
    """Counts commands in sliding windows and refuses those above a rate.

    Shape:  `default` is a rate such as `120/minute`; it applies to each dimension that
            a channel does not set itself.
    """

    def __init__(self, default: str, *, strategy: RateLimiter | None = None) -> None:
        self._default = parse_rate(default)
        self._strategy = strategy or SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rates: dict[tuple[str, str, str], RateLimitItem] = {}

    def configure(self, tenant: str, channel: str, rates: Mapping[str, str]) -> None:
        """Replace the rates of a tenant's channel; takes effect at once."""
        for dimension in DIMENSIONS:
            self._rates.pop((tenant, channel, dimension), None)
        for dimension, rate in rates.items():
            self._rates[tenant, channel, dimension] = parse_rate(rate)

    def admit(self, channel: str, principal: Principal) -> None:
        """Count one message of this principal on this channel.

        Raises: RateLimited naming the limit, its scope and the seconds left.
        """
        tenant = principal.tenant
        self._hit(tenant, channel, "channel", f"channel {channel}", (tenant, channel))
        self._hit(tenant, channel, "tenant", f"tenant {tenant}", (tenant, "*"))
        self._hit(
            tenant, channel, "principal", f"{principal.name} on {channel}",
            (tenant, channel, principal.id),
        )

    def admit_family(self, channel: str, family: str, principal: Principal) -> None:
        """Count one command of a family, such as all writes to tasks.

        Raises: RateLimited.
        """
        self._hit(
            principal.tenant, channel, "family", f"{family} by {principal.name}",
            (principal.tenant, principal.id, family),
        )

    def usage(self, channel: str, principal: Principal) -> Usage:
        """Tell how much of the principal's own limit on a channel is left."""
        tenant = principal.tenant
        rate = self._rate(tenant, channel, "principal")
        stats = self._strategy.get_window_stats(
            rate, "principal", tenant, channel, principal.id
        )
        left = max(0, round(stats.reset_time - time.time()))
        return Usage(_write(rate), "principal", max(0, int(stats.remaining)), left)

    def _hit(
        self, tenant: str, channel: str, dimension: str, scope: str, key: Iterable[str]
    ) -> None:
        rate = self._rate(tenant, channel, dimension)
        if self._strategy.hit(rate, dimension, *key):
            return
        stats = self._strategy.get_window_stats(rate, dimension, *key)
        raise RateLimited(
            _write(rate), scope=scope, retry_after=stats.reset_time - time.time()
        )

    def _rate(self, tenant: str, channel: str, dimension: str) -> RateLimitItem:
        return self._rates.get((tenant, channel, dimension), self._default)


def parse_rate(text: str) -> RateLimitItem:
    """Read `60/minute`.

    Raises: InvalidArgument with an example.
    """
    try:
        rate = parse(text)
    except ValueError as fault:
        raise InvalidArgument(
            f"'{text}' is not a rate", fix=["write a rate like 60/minute"]
        ) from fault
    return rate


def _write(rate: RateLimitItem) -> str:
    unit = rate.GRANULARITY.name
    return f"{rate.amount}/{unit}" if rate.multiples == 1 else f"{rate.amount}/{rate.multiples} {unit}"
