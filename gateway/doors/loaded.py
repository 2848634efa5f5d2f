"""A door whose parts are loaded beside the start of the gateway.

What some channels are made of takes a third of a second to import. Nobody waits for
that: commands of other doors are served meanwhile, and who does not use the channel
never loads it.
"""

import asyncio
from collections.abc import Sequence
from importlib import import_module

from channels.base import Delivered, Health, Parcel, Postponed, Step
from gateway.doors.door import Builder, Door, Hall


class LoadedLater:
    """Stands in for a door's parts until they are loaded, then hands on to them.

    Shape:  `module` has a function `build` that makes the door.
    """

    def __init__(self, hall: Hall, *, module: str) -> None:
        self._hall = hall
        self._module = module
        self._door: Door | None = None
        self._is_loaded = asyncio.Event()

    async def load(self) -> Door:
        """Load the parts, unless that was done."""
        if self._door is None:
            parts = await asyncio.to_thread(import_module, self._module)
            build: Builder = parts.build
            self._door = build(self._hall)
            self._is_loaded.set()
        assert self._door is not None
        return self._door

    async def loaded(self) -> Door:
        """Wait until somebody has loaded the parts."""
        await self._is_loaded.wait()
        assert self._door is not None
        return self._door

    async def run(self) -> None:
        """Load what is missing, then fetch or listen until cancelled."""
        door = await self.load()
        assert door.channel is not None
        await door.channel.run()

    async def deliver(self, parcel: Parcel) -> str | Delivered:
        """Deliver one; give what a later edit must name.

        Raises: Postponed when it may work later, Undeliverable when it never will.
        """
        if self._door is None:
            raise Postponed("the channel is being loaded", retry_after=1)
        return await self._door.courier.deliver(parcel)

    def healths(self) -> Sequence[Health]:
        """Tell how each account fares; until the parts are loaded, that it starts."""
        return self._door.healths() if self._door else (Health.starting(),)

    async def probe(self, account: str) -> list[Step]:
        """Try step by step, and stop at the first that fails; never raises."""
        if self._door is None or self._door.prober is None:
            fix = "try again in a second"
            return [Step(name="loaded", is_ok=False, waited_ms=0, fix=fix)]
        return await self._door.prober.probe(account)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._door is not None and self._door.close is not None:
            await self._door.close()
