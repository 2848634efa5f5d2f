"""Walks through a channel for `channel test`: what we need of it, then its own steps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from channels.base import Health, Prober, Step
from commands.channels import ProbeStep
from core.database import Database, Tx
from core.delivery import channels
from core.kernel.principal import Principal
from core.kernel.problems import Conflict
from gateway.channel_health import SETTINGS, TenantOf
from gateway.doors.door import Door


class ChannelProbes:
    """Knows the doors of this gateway, once they are open."""

    def __init__(self, db: Database, *, tenant_of: TenantOf) -> None:
        self._db = db
        self._tenant_of = tenant_of
        self._doors: Mapping[str, Door] = {}
        self._walking: set[tuple[str, str]] = set()

    def know(self, doors: Sequence[Door]) -> None:
        """Learn which doors there are; they are built after the commands."""
        self._doors = {door.spec.name: door for door in doors}

    def knows(self, channel: str) -> bool:
        """Tell whether there is a door of that name here."""
        return channel in self._doors

    async def probe(self, channel: str, *, by: Principal) -> Sequence[ProbeStep]:
        """Try step by step; never raises for what it finds.

        Shape:  a channel is walked by one at a time, so that nobody can keep the
                gateway busy with it.
        Raises: Conflict while somebody else walks; Unavailable when the database does
                not answer.
        """
        key = by.tenant, channel
        if key in self._walking:
            raise Conflict(
                f"a test of {channel} is under way", fix=[f"channel test {channel}"]
            )
        self._walking.add(key)
        try:
            return await self._probe(channel, by)
        finally:
            self._walking.discard(key)

    async def _probe(self, channel: str, by: Principal) -> Sequence[ProbeStep]:
        is_enabled = await self._db.read(lambda tx: _is_enabled(tx, channel), by=by)
        fix = "" if is_enabled else f"channel enable {channel}"
        return [
            ProbeStep(name="known", is_ok=True),
            ProbeStep(name="enabled", is_ok=is_enabled, fix=fix),
            ProbeStep(name="database answers", is_ok=True),
            *await self._walk(channel, by),
        ]

    async def _walk(self, channel: str, by: Principal) -> Sequence[ProbeStep]:
        """Walk through each of the tenant's accounts."""
        door = self._doors.get(channel)
        prober = door.prober if door else None
        if prober is None and channel not in SETTINGS:
            return ()
        accounts = self._accounts(channel, by, door.healths() if door else ())
        if prober is None or not accounts:
            fix = SETTINGS.get(channel, f"channel show {channel}")
            return [ProbeStep(name="account is set", is_ok=False, fix=fix)]
        walks = [await _steps(prober, account) for account in accounts]
        if len(walks) == 1:
            return walks[0]
        return [
            replace(step, name=f"{account}: {step.name}")
            for account, steps in zip(accounts, walks, strict=True)
            for step in steps
        ]

    def _accounts(
        self, channel: str, by: Principal, healths: Sequence[Health]
    ) -> Sequence[str]:
        return [
            each.account
            for each in healths
            if self._tenant_of(channel, each.account) == by.tenant
        ]


async def _steps(prober: Prober, account: str) -> Sequence[ProbeStep]:
    return [_shown(step) for step in await prober.probe(account)]


def _shown(step: Step) -> ProbeStep:
    return ProbeStep(
        name=step.name,
        is_ok=step.is_ok,
        waited_ms=step.waited_ms,
        detail=step.detail,
        fix=step.fix,
    )


def _is_enabled(tx: Tx, channel: str) -> bool:
    return channels.get_state(tx, channel).is_enabled
