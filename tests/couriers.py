"""A channel whose other end is the test: plain messages in, and a list of what went out."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

from channels.base import Inbound, Parcel
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Assurance


class ScriptedCourier:
    """Delivers into a list; each fault in `faults` spoils one delivery, in order.

    Shape:  `is_held` has deliveries wait until `let_go`; `most` is how many there were
            at once.
    """

    def __init__(self, *faults: Exception, is_held: bool = False) -> None:
        self.delivered: list[Parcel] = []
        self.tried: list[str] = []
        self.faults = deque(faults)
        self.most = 0
        self._now = 0
        self._gate = asyncio.Event()
        if not is_held:
            self._gate.set()

    def let_go(self) -> None:
        """Let everything through from now on."""
        self._gate.set()

    async def deliver(self, parcel: Parcel) -> str:
        """Take one delivery."""
        self.tried.append(parcel.id)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await self._gate.wait()
        finally:
            self._now -= 1
        if self.faults:
            raise self.faults.popleft()
        self.delivered.append(parcel)
        return parcel.edits or f"ref-{parcel.id}"

    @property
    def keys(self) -> Sequence[str]:
        """What was delivered, in its order."""
        return [each.id for each in self.delivered]


class PlainWire:
    """Stored messages that are a line, and where it was said."""

    def parse(
        self, payload: Mapping[str, Json], *, account: str, received_at: datetime
    ) -> Inbound:
        place = payload["place"]
        assert isinstance(place, dict)
        envelope = Envelope(
            channel="slack",
            conversation=str(payload["conversation"]),
            reply_to=place,
            text=str(payload["line"]),
            assurance=Assurance.SECRET,
            received_at=received_at,
        )
        return Inbound(envelopes=(envelope,), reply_to=place)
