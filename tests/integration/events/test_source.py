"""The hub as the WebSocket door sees it."""

import pytest

from core.events.model import EventFilter
from core.kernel.principal import system
from gateway.event_source import EventsGone
from tests.integration.served import Served

PINGS = EventFilter(types=frozenset({"ping_sent"}))


async def test_a_door_is_given_old_and_new_events(gateway: Served) -> None:
    gateway.note_many(2)
    tail = gateway.graph.tails.tail(system(), after=0, wanted=PINGS)

    old = await anext(tail)
    gateway.note_many(1)
    new = await anext(tail)
    await tail.aclose()

    newest = await gateway.graph.tails.newest(system())
    assert [line.seq for line in (*old, *new)] == [newest - 2, newest - 1, newest]
    assert new[0].body.startswith(b'{"actor":"system"')


@pytest.mark.parametrize("after", [1, 999_999])
async def test_a_door_is_told_of_events_that_are_gone(
    gateway: Served, after: int
) -> None:
    """R-36"""
    gateway.note_many(5)
    newest = await gateway.graph.tails.newest(system())
    gateway.forget_before(newest)

    with pytest.raises(EventsGone) as caught:
        await anext(gateway.graph.tails.tail(system(), after=after, wanted=PINGS))

    assert caught.value.first == newest


async def test_the_hub_lets_go_when_it_closes(gateway: Served) -> None:
    """R-29"""
    tail = gateway.graph.tails.tail(system(), after=0, wanted=PINGS)
    gateway.note_many(1)
    await anext(tail)

    gateway.graph.tails.close()

    with pytest.raises(StopAsyncIteration):
        await anext(tail)
