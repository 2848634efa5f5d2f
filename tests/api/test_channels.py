"""Channels as they stand: switches, accounts, what waits, and their tests."""

import asyncio
from functools import partial

import pytest

from channels.base import Health, Step
from channels.email import SPEC
from core.delivery.health import service as health
from core.delivery.health.model import AccountHealth, Link
from core.kernel.principal import system
from core.kernel.problems import Conflict
from gateway.doors.door import Door
from gateway.probing import ChannelProbes
from tests.api.gateway import Gateway, Person
from tests.api.rooms import open_room
from tests.api.stage_sets import a_failed_delivery
from tests.couriers import PlainWire, ScriptedCourier


def note(gateway: Gateway, *seen: AccountHealth) -> None:
    for each in seen:
        gateway.graph.db.run(partial(health.note, seen=each), by=system())


async def test_a_channel_shows_its_accounts_and_what_failed(
    gateway: Gateway, ann: Person
) -> None:
    """M-OMN: state, last in and out, the last error with its fix, what waits."""
    note(
        gateway,
        AccountHealth(
            channel="slack",
            account="acme",
            link=Link.DEGRADED,
            last_in=gateway.clock.now(),
            error="the token was revoked",
            fix="set OPSWIRE_SLACK__BOT_TOKEN",
            reconnects=2,
        ),
    )
    a_failed_delivery(gateway)

    shown = (await ann.get("/v1/channels/slack")).body

    assert (shown["state"], shown["dead"], shown["waiting"]) == ("degraded", 1, 0)
    assert shown["fix"] == "set OPSWIRE_SLACK__BOT_TOKEN"
    assert shown["accounts"][0]["reconnects"] == 2
    assert shown["accounts"][0]["last_in"] == "2026-11-04T09:00:00.000000Z"
    assert shown["accounts"][0]["last_out"] is None


@pytest.mark.parametrize(
    ("links", "state"),
    [
        ([], "off"),
        ([Link.OFF], "off"),
        ([Link.CONNECTED], "connected"),
        ([Link.CONNECTED, Link.DEGRADED], "degraded"),
    ],
)
async def test_a_channel_is_as_well_as_its_worst_account(
    gateway: Gateway, ann: Person, links: list[Link], state: str
) -> None:
    note(
        gateway,
        *(
            AccountHealth(channel="email", account=f"m{number}", link=link)
            for number, link in enumerate(links)
        ),
    )

    items = (await ann.get("/v1/channels")).body["items"]

    states = {each["channel"]: each["state"] for each in items}
    assert states["email"] == state
    assert states["rest"] == "connected"


async def test_a_disabled_channel_is_off_whatever_its_accounts_say(
    gateway: Gateway, ann: Person
) -> None:
    note(gateway, AccountHealth(channel="slack", account="a", link=Link.CONNECTED))
    await gateway.admin.post("/v1/channels/slack/disable")

    shown = await ann.get("/v1/channels/slack")

    assert shown.body["state"] == "off"


async def test_the_test_of_a_channel_says_what_to_set(ann: Person) -> None:
    answer = await ann.post("/v1/channels/email/test")

    assert answer.status == 200, answer
    assert answer.body["ok"] is False
    last = answer.body["steps"][-1]
    assert last["step"] == "account is set"
    assert "OPSWIRE_EMAIL__ADDRESS" in last["fix"]


async def test_the_test_of_a_channel_walks_through_its_accounts(
    gateway: Gateway,
) -> None:
    """M-OMN: each step with its time, and a fix for what fails."""
    probes = ChannelProbes(gateway.graph.db, tenant_of=lambda *_: system().tenant)
    probes.know([_Walk.door("one", "two")])

    steps = await probes.probe("email", by=system())

    assert [(each.name, each.waited_ms, each.fix) for each in steps[3:]] == [
        ("one: sends", 12, ""),
        ("one: reads", 0, "look"),
        ("two: sends", 12, ""),
        ("two: reads", 0, "look"),
    ]


async def test_a_channel_is_walked_by_one_at_a_time(gateway: Gateway) -> None:
    """Nobody can keep the gateway busy by testing."""
    probes = ChannelProbes(gateway.graph.db, tenant_of=lambda *_: system().tenant)
    walks = [probes.probe("webhook", by=system()) for _ in range(3)]

    found = await asyncio.gather(*walks, return_exceptions=True)
    again = await probes.probe("webhook", by=system())

    assert [isinstance(each, Conflict) for each in found] == [False, True, True]
    assert all(each.is_ok for each in again)


async def test_a_channel_is_tested_from_a_message_that_was_stored_first(
    gateway: Gateway, ann: Person
) -> None:
    """It runs before the unit that ends the message, and once."""
    room = await open_room(gateway)

    await room.say("channel test webhook")

    (told,) = room.courier.delivered
    assert told.reply.summary == "webhook: 3 of 3 steps pass"
    assert told.place["private"] is True
    entries = [each for each in gateway.audits() if each.action == "channel test"]
    assert [each.channel for each in entries] == ["slack"]


class _Walk:
    """A channel's self-test that fails at its second step."""

    @classmethod
    def door(cls, *accounts: str) -> Door:
        return Door(
            spec=SPEC,
            wire=PlainWire(),
            courier=ScriptedCourier(),
            prober=cls(),
            healths=lambda: [Health(account=each) for each in accounts],
        )

    async def probe(self, account: str) -> list[Step]:
        return [
            Step(name="sends", is_ok=True, waited_ms=12),
            Step(name="reads", is_ok=False, waited_ms=0, fix="look"),
        ]
