"""Rate limits: one rule for every door, counted per channel, tenant, person and family."""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from limits import RateLimitItem

from core.delivery.rates import parse_rate, write_rate
from core.kernel.principal import Principal
from core.kernel.problems import RateLimited
from gateway.windows import SlidingWindows

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

    def __init__(self, default: str, *, windows: SlidingWindows | None = None) -> None:
        self._default = parse_rate(default)
        self._windows = windows or SlidingWindows()
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
        tenant, who = principal.tenant, principal.id
        self._hit(principal, channel, "principal", (tenant, channel, who))
        self._hit(principal, channel, "channel", (tenant, channel))
        self._hit(principal, channel, "tenant", (tenant,))

    def admit_family(self, channel: str, family: str, principal: Principal) -> None:
        """Count one command of a family, such as all writes to tasks.

        Raises: RateLimited.
        """
        key = (principal.tenant, "family", principal.id, family)
        self._hit(principal, channel, "family", key)

    def usage(self, channel: str, principal: Principal) -> Usage:
        """Tell how much of the principal's own limit on a channel is left."""
        rate = self._rate(principal.tenant, channel, "principal")
        left = self._windows.standing(rate, (principal.tenant, channel, principal.id))
        return Usage(
            write_rate(rate), "principal", left.remaining, round(left.wait_seconds)
        )

    def _hit(
        self, principal: Principal, channel: str, dimension: str, key: Hashable
    ) -> None:
        rate = self._rate(principal.tenant, channel, dimension)
        if not self._windows.hit(rate, key):
            raise RateLimited(
                write_rate(rate),
                scope=f"{dimension} {_scope(dimension, channel, principal)}",
                retry_after=self._windows.standing(rate, key).wait_seconds,
            )

    def _rate(self, tenant: str, channel: str, dimension: str) -> RateLimitItem:
        return self._rates.get((tenant, channel, dimension), self._default)


class LoginLimits:
    """Counts attempts to sign in, per socket address and per account.

    What a client says of its address in a header counts for nothing.
    """

    def __init__(self, rate: str, *, windows: SlidingWindows | None = None) -> None:
        self._rate = parse_rate(rate)
        self._windows = windows or SlidingWindows()

    def admit_address(self, address: str) -> None:
        """Count an attempt from a socket address, whatever it will turn out to be.

        Raises: RateLimited.
        """
        self._hit(("address", address), f"sign-in from {address}")

    def admit_account(self, tenant: str, name: str) -> None:
        """Count an attempt for an account, by whoever and whether or not it exists.

        Raises: RateLimited.
        """
        self._hit(("account", tenant, name), f"sign-in as {name[:40]}")

    def _hit(self, key: Hashable, scope: str) -> None:
        if not self._windows.hit(self._rate, key):
            raise RateLimited(
                write_rate(self._rate),
                scope=scope,
                retry_after=self._windows.standing(self._rate, key).wait_seconds,
            )


def _scope(dimension: str, channel: str, principal: Principal) -> str:
    match dimension:
        case "channel":
            return channel
        case "tenant":
            return principal.tenant
    return f"{principal.name} on {channel}"
