"""The webhook door outwards; what it is made of is loaded with the first delivery.

What comes in by webhooks has a source and routes of its own. Who has no subscription
never loads an HTTP client.
"""

import asyncio
from datetime import timedelta
from importlib import import_module

from channels.base import Delivered, Parcel
from channels.webhook import SPEC
from gateway.doors.door import Builder, Door, Hall
from gateway.receivers import note_attempt

# The client gives up after 30 s and says so; this is for what surrounds it.
PATIENCE = timedelta(seconds=35)


def open_webhook(hall: Hall) -> Door:
    """Build the door; it is always there, for subscriptions are made while it runs."""
    courier = LoadedAtFirst(hall, module="gateway.doors.webhook_parts")
    return Door(
        spec=SPEC,
        wire=None,
        courier=courier,
        healths=tuple,
        close=courier.close,
        note=note_attempt,
        patience=PATIENCE,
    )


class LoadedAtFirst:
    """Stands in for a courier until something is to be delivered.

    Shape:  `module` has a function `build` that makes the door, and needs no loop.
    """

    def __init__(self, hall: Hall, *, module: str) -> None:
        self._hall = hall
        self._module = module
        self._door: Door | None = None
        self._is_loading = asyncio.Lock()

    async def deliver(self, parcel: Parcel) -> str | Delivered:
        """Deliver one, once the parts are there.

        Raises: Postponed when it may work later, Undeliverable when it never will.
        """
        async with self._is_loading:
            if self._door is None:
                self._door = await asyncio.to_thread(self._load)
        return await self._door.courier.deliver(parcel)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._door is not None and self._door.close is not None:
            await self._door.close()

    def _load(self) -> Door:
        build: Builder = import_module(self._module).build
        door = build(self._hall)
        assert door is not None
        return door
