"""Rate limits: one rule for every door, counted per channel, tenant, person and family.

What machines deliver is counted apart from what people say, so that a flood of alerts
locks nobody out; and what steers work is let in when a person's own windows are full.
"""

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from limits import RateLimitItem

from core.delivery.rates import parse_rate, write_rate
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import RateLimited
from gateway.windows import SlidingWindows

WORK_RATE = "6000/minute"
_WORK = parse_rate(WORK_RATE)
DIMENSIONS = ("channel", "tenant", "principal", "family")


class Usage(NamedTuple):
    """How a bucket stands: for the RateLimit headers and for whoami."""

    limit: str
    dimension: str
    remaining: int
    reset_seconds: int


class _Bucket(NamedTuple):
    """One window that a message is counted in, and how its scope is named."""

    dimension: str
    key: Hashable
    scope: str


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

        Raises: RateLimited naming the limit, its scope and the seconds left; then
                nothing was counted.
        """
        tenant = principal.tenant
        own = (tenant, channel, principal.id)
        who = f"principal {principal.name} on {channel}"
        self._count(
            tenant,
            channel,
            _Bucket("principal", own, who),
            _Bucket("channel", (tenant, channel), f"channel {channel}"),
            _Bucket("tenant", (tenant,), f"tenant {tenant}"),
        )

    def admit_control(self, channel: str, principal: Principal) -> None:
        """Count a command that steers work, and was above a limit, by itself.

        Raises: RateLimited once even those are too many.
        """
        tenant = principal.tenant
        key = (tenant, channel, "control", principal.id)
        scope = f"control commands of {principal.name} on {channel}"
        self._count(tenant, channel, _Bucket("principal", key, scope))

    def admit_delivery(self, tenant: TenantId, channel: str, account: str) -> None:
        """Count one message of a machine, in windows that no person is counted in.

        Shape:  `account` is the webhook, or the trigger; it is what a rate for each
                principal counts. Each kind of machine has a tenant's rate for itself,
                so that a flood of deliveries keeps no trigger from firing.
        Raises: RateLimited; then nothing was counted.
        """
        own = (tenant, channel, "machine", account)
        everywhere = (tenant, channel, "machines of the tenant")
        self._count(
            tenant,
            channel,
            _Bucket("principal", own, f"{account} on {channel}"),
            _Bucket("channel", (tenant, channel, "machines"), f"channel {channel}"),
            _Bucket("tenant", everywhere, f"tenant {tenant} on {channel}"),
        )

    def admit_work(self, channel: str, principal: Principal) -> None:
        """Count a worker's call by itself: it says nothing that a person waits for.

        Units:  `WORK_RATE` for each principal, whatever people may; a worker whose
                heartbeats were refused would lose what it holds.
        Raises: RateLimited.
        """
        key = (principal.tenant, channel, "work", principal.id)
        if not self._windows.has_room(_WORK, key):
            raise RateLimited(
                WORK_RATE,
                scope=f"the workers of {principal.name} on {channel}",
                retry_after=self._windows.standing(_WORK, key).wait_seconds,
            )
        self._windows.hit(_WORK, key)

    def admit_family(self, channel: str, family: str, principal: Principal) -> None:
        """Count one command of a family, such as all writes to tasks.

        Raises: RateLimited.
        """
        tenant = principal.tenant
        key = (tenant, "family", principal.id, family)
        scope = f"family {principal.name} on {channel}"
        self._count(tenant, channel, _Bucket("family", key, scope))

    def usage(self, channel: str, principal: Principal) -> Usage:
        """Tell how much of the principal's own limit on a channel is left."""
        rate = self._rate(principal.tenant, channel, "principal")
        left = self._windows.standing(rate, (principal.tenant, channel, principal.id))
        return Usage(
            write_rate(rate), "principal", left.remaining, round(left.wait_seconds)
        )

    def _count(self, tenant: str, channel: str, *buckets: _Bucket) -> None:
        """Count one in all of these, or in none when one of them is full."""
        rates = [self._rate(tenant, channel, each.dimension) for each in buckets]
        for rate, bucket in zip(rates, buckets, strict=True):
            if not self._windows.has_room(rate, bucket.key):
                raise RateLimited(
                    write_rate(rate),
                    scope=bucket.scope,
                    retry_after=self._windows.standing(rate, bucket.key).wait_seconds,
                )
        for rate, bucket in zip(rates, buckets, strict=True):
            self._windows.hit(rate, bucket.key)

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
