"""How streams live and end: signs of life, rotation, revocation, refusal, shutdown."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
import pytest

from core.audit import service as audit
from core.audit.model import AuditFilter, Verdict
from core.kernel.principal import Role, system
from tests.integration.served import ADMIN_KEY, TAIL, Served

Serving = Callable[..., Awaitable[Served]]
STREAMS = (TAIL, "/metrics/stream")


async def test_a_quiet_stream_shows_signs_of_life(serving: Serving) -> None:
    """M-EVT-04: with the place reached, though nothing that passed was wanted."""
    gateway = await serving(streams={"keep_alive_seconds": 0.01})

    async with gateway.following("?type=never_seen") as follower:
        gateway.note("other_seen")
        newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
        while int(follower.last_id) < newest:
            await follower.receive()

    assert ": keep-alive" in follower.comments


async def test_a_client_that_left_is_noticed(serving: Serving) -> None:
    gateway = await serving(streams={"keep_alive_seconds": 0.01})

    async with gateway.following():
        assert len(gateway.graph.streams) == 1

    await until_none_is_open(gateway)


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_ends_whole_after_its_lifetime(
    serving: Serving, path: str
) -> None:
    gateway = await serving(streams={"lifetime_seconds": 0.01})

    async with gateway.following(path=path) as follower:
        await follower.rest()

    assert len(gateway.graph.streams) == 0


@pytest.mark.parametrize("path", STREAMS)
async def test_the_streams_of_a_revoked_key_are_cut(gateway: Served, path: str) -> None:
    """R-06"""
    key_id, key = gateway.make_key("bob")

    async with (
        gateway.following(path=path) as admin,
        gateway.following(path=path, key=key) as bob,
    ):
        await gateway.graph.streams.recheck()
        assert len(gateway.graph.streams) == 2
        gateway.revoke(key_id)
        await gateway.graph.streams.recheck()
        await bob.rest()

        gateway.note("still_here")
        assert await admin.receive()


@pytest.mark.soak
async def test_a_revoked_key_is_noticed_within_a_minute(gateway: Served) -> None:
    """R-06: nobody has to ask for it."""
    key_id, key = gateway.make_key("bob")

    async with gateway.following(key=key) as bob:
        gateway.revoke(key_id)
        while await bob.receive(patience=60):
            pass

    assert len(gateway.graph.streams) == 0


async def test_shutdown_ends_all_streams(serving: Serving) -> None:
    """R-29: as whole responses, and without waiting for them in vain."""
    gateway = await serving()

    async with (
        gateway.following() as events,
        gateway.following(path="/metrics/stream") as figures,
    ):
        mute = await gateway.mute_reader("?since=0")
        async with asyncio.timeout(4):
            await asyncio.gather(gateway.stop(), events.rest(), figures.rest())

    mute.close()
    assert len(gateway.graph.streams) == 0


@pytest.mark.parametrize("path", STREAMS)
async def test_a_place_must_be_free(serving: Serving, path: str) -> None:
    gateway = await serving(streams={"most": 1})

    async with gateway.following(), gateway.client() as client:
        response = await client.get(path)

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize("path", STREAMS)
async def test_who_may_not_follow_is_refused_before_it_begins(
    gateway: Served, path: str
) -> None:
    """R-34: 401 and 403 as problems; both are audited."""
    _, key = gateway.make_key("bob", scopes=("tasks:write",))

    async with gateway.client("") as nobody, gateway.client(key) as bob:
        unknown, forbidden = await nobody.get(path), await bob.get(path)

    assert (unknown.status_code, unknown.json()["code"]) == (401, "unauthenticated")
    assert unknown.headers["www-authenticate"].startswith("Bearer")
    assert (forbidden.status_code, forbidden.json()["code"]) == (403, "missing_scope")
    denied = gateway.graph.db.run(
        lambda tx: audit.list_(tx, AuditFilter(verdict=Verdict.DENIED)), by=system()
    )
    assert sorted(entry.actor for entry in denied.items) == ["bob", "nobody"]


async def test_opening_a_stream_counts_against_the_limit(serving: Serving) -> None:
    gateway = await serving(limits={"default": "2/minute"})

    async with gateway.client() as client:
        polls = [await client.get(f"{TAIL}?wait=0") for _ in range(3)]

    assert [each.status_code for each in polls] == [200, 200, 429]
    assert int(polls[2].headers["retry-after"]) > 0


async def test_a_viewer_may_follow(gateway: Served) -> None:
    _, key = gateway.make_key("bob", Role.VIEWER)

    async with gateway.following(key=key) as follower:
        gateway.note("first_seen")
        [event] = await follower.events(1)

    assert event["event"] == "first_seen"


async def test_the_openapi_document_tells_of_streams(gateway: Served) -> None:
    async with gateway.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]

    for path in STREAMS:
        answers = paths[path]["get"]["responses"]
        assert set(answers) >= {"200", "400", "401", "403", "429", "503"}
        assert "text/event-stream" in answers["200"]["content"]


async def test_figures_come_again_and_again(gateway: Served) -> None:
    """What is open, what waits in each lane, how commands went."""
    gateway.make_task("Fix login")

    async with gateway.following(path="/metrics/stream") as follower:
        first = await follower.event()
        gateway.make_task("Fix logout")
        second = await follower.event()

    figures = [orjson.loads(first.data), orjson.loads(second.data)]
    assert first.event == "figures"
    assert [each["task_count"] for each in figures] == [1, 2]
    assert figures[1]["queue"] == {"A": 0, "B": 0, "C": 2, "D": 0}
    assert figures[1].keys() >= {
        "avg_latency_ms",
        "success_rate",
        "active_workers",
        "commands_per_channel",
    }


async def until_none_is_open(gateway: Served) -> None:
    """Wait until every stream was let go."""
    async with asyncio.timeout(10):
        while len(gateway.graph.streams):
            async with gateway.client(ADMIN_KEY) as client:
                await client.get("/healthz")
