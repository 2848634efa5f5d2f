"""Live cards: the answer to a change is kept up to date in its conversation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from channels.base import Capabilities
from core.delivery.model import InboxKey
from core.kernel.jsons import canonical_json
from core.kernel.principal import TenantId, system
from gateway.doors.door import ChannelSource
from gateway.intake import Arrival, Intake
from gateway.outbox import Post, Postman, budget_of
from gateway.senders import LinkedSenders
from tests.api.channels import Writer
from tests.api.gateway import Gateway, Person
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


@pytest.fixture
async def room(gateway: Gateway, ann: Person) -> Room:
    Writer(gateway, "slack", "U1").link_to("ann")
    room = Room(gateway)
    await room.settle()
    return room


async def test_the_answer_to_a_change_becomes_a_card(room: Room, bob: Person) -> None:
    """M-OMN: one message for each object in a conversation, edited in place."""
    await room.say('task create "Fix login"')
    at_first = list(room.shown.values())

    await bob.say("task claim T-1")
    await room.settle()
    await bob.say("task move T-1 in_progress")
    await room.settle()

    assert at_first == ["Created T-1 in queued"]
    assert list(room.shown.values()) == ["T-1 Fix login: in progress, bob"]


async def test_the_newest_answer_is_the_card(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"')
    await room.say("task note T-1 hello")
    before = list(room.shown.values())

    await bob.say("task claim T-1")
    await room.settle()

    assert len(before) == 2
    assert list(room.shown.values()) == [before[0], "T-1 Fix login: claimed, bob"]


async def test_each_conversation_has_its_card(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"', "C1")
    await room.say("task note T-1 hello", "C2")

    await bob.say("task claim T-1")
    await room.settle()

    assert set(room.shown.values()) == {"T-1 Fix login: claimed, bob"}
    assert len(room.shown) == 2


async def test_the_final_state_is_the_last_of_a_card(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"')
    await bob.say("task move T-1 abandoned --reason obsolete")
    await room.settle()
    told = len(room.courier.delivered)

    await bob.say("task note T-1 afterwards")
    await room.settle()

    assert list(room.shown.values()) == ["T-1 Fix login: abandoned"]
    assert len(room.courier.delivered) == told


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("task show T-1", {}),
        ("task note T-1 hello --private", {}),
        ("task note T-1 hello", {"response_url": "https://hooks.example"}),
        ("task move T-1 done", {}),
    ],
)
async def test_what_cannot_be_edited_or_is_for_one_alone_is_no_card(
    room: Room, bob: Person, line: str, place: Mapping[str, str]
) -> None:
    """A look, a private answer, one by response_url, and a refusal stay as they are."""
    await bob.say('task create "Fix login"')
    await room.say(line, **place)
    answered = list(room.shown.values())

    await bob.say("task claim T-1")
    await room.settle()

    assert len(answered) == 1
    assert list(room.shown.values()) == answered


async def test_a_channel_without_edits_has_no_cards(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    Writer(gateway, "slack", "U1").link_to("ann")
    room = Room(gateway, can_edit=False)
    await room.settle()
    await room.say('task create "Fix login"')

    await bob.say("task claim T-1")
    await room.settle()

    assert list(room.shown.values()) == ["Created T-1 in queued"]


async def test_many_changes_are_one_edit(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"')
    for number in range(30):
        await bob.say(f"task note T-1 n{number}")
    await bob.say("task claim T-1")

    await room.settle()

    assert len(room.courier.delivered) == 2
    assert list(room.shown.values()) == ["T-1 Fix login: claimed, bob"]
