"""`GET /collab/events/tail`: what it streams, from where, and what it leaves out."""

import orjson
import pytest

from core.kernel.principal import DEFAULT_TENANT, system
from gateway.http.stream_openapi import TAIL_PATHS
from tests.integration.served import TAIL, Served


async def test_an_event_is_streamed_as_it_happens(gateway: Served) -> None:
    """M-EVT-03: number, type and the event's line of JSON."""
    async with gateway.following() as follower:
        gateway.note("deploy_finished", target="web-1", details={"ms": 12})

        message = await follower.event()

    event = orjson.loads(message.data)
    assert (message.id, message.event) == (str(event["seq"]), "deploy_finished")
    assert message.data == orjson.dumps(event, option=orjson.OPT_SORT_KEYS).decode()
    assert (event["event"], event["target"]) == ("deploy_finished", "web-1")
    assert event["details"] == {"ms": 12}


async def test_a_stream_tells_clients_how_to_come_back(gateway: Served) -> None:
    """M-EVT-09: a pause before the next try, and an id before any event."""
    gateway.note("first_seen")

    async with gateway.client() as client, client.stream("GET", TAIL) as response:
        lines = response.aiter_lines()
        first = [await anext(lines), await anext(lines)]

    newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    assert first == ["retry: 1000", f"id: {newest}"]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", sorted(TAIL_PATHS))
async def test_every_alias_streams_the_same(gateway: Served, path: str) -> None:
    """M-EVT-10: the aliases, with or without a slash at the end."""
    gateway.note("first_seen")

    async with gateway.following("/?since=0&type=first_seen", path=path) as follower:
        [event] = await follower.events(1)

    assert event["event"] == "first_seen"


async def test_since_a_number_or_a_time_begins_there(gateway: Served) -> None:
    gateway.note_many(3)
    async with gateway.following("?since=0&type=ping_sent") as follower:
        all_three = await follower.events(3)

    second = all_three[1]
    async with gateway.following(f"?since={second['seq']}") as follower:
        [after_number] = await follower.events(1)
    async with gateway.following(f"?since={second['ts']}&target=n-0") as follower:
        [at_time] = await follower.events(1)

    assert after_number["target"] == "n-2"
    assert at_time == all_three[0]


async def test_last_event_id_goes_before_since(gateway: Served) -> None:
    gateway.note_many(3)
    async with gateway.following("?since=0&type=ping_sent") as follower:
        seen = await follower.events(2)

    async with gateway.following("?since=0", last_id=str(seen[1]["seq"])) as follower:
        [event] = await follower.events(1)

    assert event["target"] == "n-2"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("task=T-1", ["task_created"]),
        ("task=t-1,T-2", ["task_created", "task_created"]),
        ("type=task_created&target=T-2", ["task_created"]),
        ("agent=web-1", ["deploy_begun", "deploy_finished"]),
        ("actor=bob", ["deploy_finished"]),
        ("type=deploy_begun,deploy_finished&actor=ann", ["deploy_begun"]),
    ],
)
async def test_filters_apply_at_the_source(
    gateway: Served, query: str, expected: list[str]
) -> None:
    """M-EVT-05: the same from the table and from what is live."""
    ann, bob = system(name="ann"), system(name="bob")
    begin = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    async with gateway.following(f"?{query}") as live:
        gateway.make_task("Fix login")
        gateway.make_task("Fix logout")
        gateway.note("deploy_begun", target="web-1", by=ann)
        gateway.note("deploy_finished", target="web-1", by=bob)
        lived = await live.events(len(expected))
    async with gateway.following(f"?since={begin}&{query}") as later:
        read = await later.events(len(expected))

    assert [event["event"] for event in lived] == expected
    assert read == lived


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nonsense=1", "invalid_query"),
        ("task=T-1&task=T-2", "invalid_query"),
        ("since=yesterdayish", "invalid_query"),
        ("since=" + "9" * 30, "invalid_query"),
        ("since=-1", "invalid_query"),
        ("wait=61", "invalid_query"),
        ("wait=-1", "invalid_query"),
        ("type=%00", "invalid_query"),
        ("type=%FF", "invalid_query"),
        ("type=a%0Ab", "invalid_query"),
        ("actor=" + "x" * 201, "invalid_query"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    gateway: Served, query: str, code: str
) -> None:
    async with gateway.client() as client:
        response = await client.get(f"{TAIL}?{query}")

    assert response.status_code == 400
    assert response.json()["code"] == code
    assert response.json()["fix"]


@pytest.mark.parametrize("last_id", ["abc", "-1", "1.5", "9" * 30])
async def test_an_id_that_was_never_sent_is_refused(
    gateway: Served, last_id: str
) -> None:
    async with gateway.client() as client:
        response = await client.get(TAIL, headers={"Last-Event-ID": last_id})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_header")


@pytest.mark.parametrize("since", ["?since=1", "?since=999999"])
async def test_a_place_that_is_not_there_is_told(gateway: Served, since: str) -> None:
    """R-36: older than what is kept, or beyond the end; never a silent gap."""
    gateway.note_many(10)
    newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    gateway.forget_before(newest - 3)
    place = newest - 4 if since == "?since=1" else newest

    async with gateway.following(since) as follower:
        reset = await follower.event()
        gateway.note("last_seen")
        seqs = [each["seq"] for each in await follower.events(newest + 1 - place)]

    assert reset.event == "reset"
    told = orjson.loads(reset.data)
    assert told == {"first": newest - 3, "last": newest, "after": place}
    assert reset.id == str(place)
    assert seqs == list(range(place + 1, newest + 2))


async def test_a_reader_whom_retention_overtakes_is_told(gateway: Served) -> None:
    """R-36: the events go while the reader is still among them."""
    gateway.note_many(400, size=2_000)
    newest = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())

    async with gateway.following("?since=0") as follower:
        gateway.forget_before(newest)
        messages = [await follower.event()]
        while messages[-1].event != "reset":
            messages.append(await follower.event())
        after = await follower.event()

    assert after.id == str(newest)
    assert orjson.loads(messages[-1].data)["after"] == newest - 1


async def test_nobody_sees_events_of_another_tenant(gateway: Served) -> None:
    acme = gateway.make_tenant("acme")
    _, key = gateway.make_key("bob", tenant=acme)

    async with gateway.following("?since=0&type=ping_sent", key=key) as follower:
        gateway.note("ping_sent", target="ours")
        gateway.note("ping_sent", target="theirs", by=system(acme))
        [event] = await follower.events(1)

    assert event["target"] == "theirs"
    assert acme != DEFAULT_TENANT
