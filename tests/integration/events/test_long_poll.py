"""`?wait=`: events for clients that cannot hold a stream."""

import asyncio

from core.kernel.principal import system
from tests.integration.served import TAIL, Served


async def test_a_poll_answers_at_once_when_something_is_there(gateway: Served) -> None:
    """M-EVT-05"""
    gateway.note_many(2)

    async with gateway.client() as client:
        response = await client.get(f"{TAIL}?since=0&type=ping_sent&wait=30")

    polled = response.json()
    assert [item["target"] for item in polled["items"]] == ["n-0", "n-1"]
    assert polled["next"] == str(polled["items"][-1]["seq"])


async def test_a_poll_waits_for_what_is_wanted(gateway: Served) -> None:
    async with gateway.client() as client:
        polling = asyncio.create_task(client.get(f"{TAIL}?type=wanted_seen&wait=30"))
        while not len(gateway.graph.streams):
            await asyncio.wait([polling], timeout=0.01)
        gateway.note("other_seen")
        gateway.note("wanted_seen")

        response = await polling

    assert [item["event"] for item in response.json()["items"]] == ["wanted_seen"]


async def test_polls_one_after_another_miss_nothing(gateway: Served) -> None:
    """M-EVT-04: `next` of one is `since` of the next, over 64 KiB pages."""
    gateway.note_many(300, size=1_000)
    seen: list[int] = []
    next_ = "0"

    async with gateway.client() as client:
        while True:
            response = await client.get(f"{TAIL}?since={next_}&wait=0")
            items, next_ = response.json()["items"], response.json()["next"]
            if not items:
                break
            seen += [item["seq"] for item in items]

    newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    assert seen == list(range(1, newest + 1))


async def test_a_poll_with_nothing_to_tell_says_where_to_go_on(gateway: Served) -> None:
    async with gateway.client() as client:
        response = await client.get(f"{TAIL}?wait=0")

    newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    assert response.json() == {"items": [], "next": str(newest)}


async def test_a_poll_tells_that_events_are_missing(gateway: Served) -> None:
    """R-36"""
    gateway.note_many(10)
    newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    gateway.forget_before(newest)

    async with gateway.client() as client:
        response = await client.get(f"{TAIL}?since=1&wait=30")

    polled = response.json()
    assert polled["reset"]["first"] == newest
    assert [item["seq"] for item in polled["items"]] == [newest]
