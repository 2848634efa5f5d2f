"""What waits above a limit: told of once when it begins, and once when it is over."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from core.delivery.model import InboxKey
from core.kernel.principal import TenantId
from core.kernel.problems import RateLimited

_log = logging.getLogger(__name__)


class Held(NamedTuple):
    """An account of a channel that is above a limit."""

    tenant: TenantId
    channel: str
    account: str


class Holds:
    """Counts what each account has waiting; in memory, for the log alone."""

    def __init__(self) -> None:
        self._counts: dict[Held, int] = {}

    def note(self, key: InboxKey, limit: RateLimited, *, is_first: bool) -> None:
        """Note that a message waits, `is_first` when it did not before."""
        held = Held(key.tenant, key.channel, key.account)
        if held not in self._counts:
            self._counts[held] = 0
            _log.info("intake.limited", extra=_told(held, "begins", limit.detail))
        self._counts[held] += is_first

    def list_of(self, tenant: TenantId) -> Sequence[Held]:
        """List what a tenant has waiting."""
        return [each for each in self._counts if each.tenant == tenant]

    def end(self, held: Held) -> None:
        """Note that nothing of an account waits any more."""
        waited = self._counts.pop(held, 0)
        reason = "there is room again"
        _log.info(
            "intake.limited", extra={**_told(held, "ends", reason), "waited": waited}
        )


def _told(held: Held, phase: str, reason: str) -> dict[str, str]:
    return {**held._asdict(), "phase": phase, "reason": reason}
