"""A room in which ann talks: her messages are stored first, and the answers delivered."""

from dataclasses import dataclass, field
from typing import Any

from channels.base import Capabilities
from core.delivery.model import InboxKey
from core.delivery.outbox.model import PROGRESS_PAUSE
from core.kernel.jsons import canonical_json
from core.kernel.principal import TenantId, system
from gateway.doors.door import ChannelSource
from gateway.intake import Arrival, Intake
from gateway.outbox import Post, Postman, budget_of
from gateway.senders import LinkedSenders
from tests.api.channels import Writer
from tests.api.gateway import Gateway
from tests.couriers import PlainWire, ScriptedCourier


@dataclass
class Room:
    """A room whose messages are stored first, and what was said into it."""

    gateway: Gateway
    courier: ScriptedCourier = field(default_factory=ScriptedCourier)
    can_edit: bool = True

    def __post_init__(self) -> None:
        db = self.gateway.graph.db
        senders = LinkedSenders(db, lambda *_: system().tenant)
        source = ChannelSource(PlainWire(), senders, can_edit=self.can_edit)
        self.intake = Intake(
            db,
            self.gateway.graph.pipeline,
            sources={"slack": source},
            tenants=_tenants,
        )
        post = Post(self.courier, budget_of(Capabilities(edit=True)))
        self.postman = Postman(
            db, {"slack": post}, tenants=_tenants, is_on=lambda *_: True
        )
        self._number = 0

    async def say(self, line: str, room: str = "C1", **place: Any) -> None:
        """Say something, have it run, and deliver the answer."""
        self._number += 1
        key = InboxKey(system().tenant, "slack", "acme", "U1", f"m{self._number}")
        payload = {
            "line": line,
            "conversation": room,
            "place": {"channel": room, **place},
        }
        await self.intake.receive(
            Arrival(key=key, request_hash="", payload=canonical_json(payload).decode())
        )
        self.intake.start()
        await self.intake.settle()
        await self.intake.stop()
        await self.settle()

    async def settle(self) -> None:
        """Let the news come through."""
        await self.gateway.graph.outward.reactor.react_to_news()
        self.gateway.clock.advance(PROGRESS_PAUSE)
        while await self.postman.deliver_due():
            pass

    @property
    def shown(self) -> dict[str, str]:
        """The messages in the room as they read now, by the answer they began as."""
        shown = {}
        for each in self.courier.delivered:
            shown[each.edits or f"ref-{each.id}"] = each.reply.summary
        return shown


async def _tenants() -> list[TenantId]:
    return [system().tenant]


async def open_room(gateway: Gateway, *, can_edit: bool = True) -> Room:
    """Open a room for ann, whose account is linked."""
    Writer(gateway, "slack", "U1").link_to("ann")
    room = Room(gateway, can_edit=can_edit)
    await room.settle()
    return room
