"""Webhook deliveries to two gateways, over restarts and with the database away."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import pytest

from tests.faults.gateway import GatewayProcess, client
from tests.services import PostgresServer

POSTS = 80

pytestmark = pytest.mark.xdist_group("postgres-faults")


def an_alert(number: int, status: str) -> dict[str, Any]:
    """Write one notification in the form that Alertmanager's webhook receiver has."""
    alert = {
        "status": status,
        "labels": {"alertname": f"disk-{number}", "severity": "page"},
        "annotations": {"summary": "nearly full"},
        "fingerprint": f"f{number:04}",
    }
    return {"version": "4", "status": status, "alerts": [alert]}


async def make(http: httpx2.AsyncClient, url: str, **what: Any) -> None:
    made = await http.post(f"{url}/v1/webhooks", json={"auth": "key", **what})
    assert made.status_code == 201, made.text


async def deliver(
    http: httpx2.AsyncClient, url: str, name: str, payload: Any, *, key: str = ""
) -> httpx2.Response:
    named = {"Idempotency-Key": key} if key else {}
    return await http.post(
        f"{url}/v1/channels/webhook/{name}", json=payload, headers=named
    )


async def tasks_by_key(http: httpx2.AsyncClient, url: str) -> Mapping[str, str]:
    """Read the status of each task, by the key that its sender knows it by."""
    found: dict[str, str] = {}
    cursor = ""
    while True:
        page = await http.get(f"{url}/collab/tasks?limit=100&cursor={cursor}")
        if page.status_code != 200:
            return {}
        for row in page.json()["items"]:
            found[row["external_key"] or row["title"]] = row["status"]
        if not (cursor := page.json()["next"] or ""):
            return found


async def until_all(
    http: httpx2.AsyncClient, url: str, statuses: frozenset[str]
) -> None:
    """Wait for at most 30 seconds until every alert's task has one of these."""
    wanted = [f"f{number:04}" for number in range(POSTS)]
    async with asyncio.timeout(30):
        while True:
            found = await tasks_by_key(http, url)
            if all(found.get(each) in statuses for each in wanted):
                return
            await asyncio.sleep(0.05)


async def test_five_deliveries_of_one_message_have_one_effect(
    gateways: Sequence[GatewayProcess],
) -> None:
    """R-07, M-OMN-04: two to each of two processes, and one after a restart."""
    first, second = gateways
    messages = [f"message-{number}" for number in range(5)]
    async with client() as http:
        await make(
            http, first.url, name="once", command="task create",
            arguments={"title": "title"},
        )  # fmt: skip
        answers = await asyncio.gather(
            *(
                deliver(http, gateway.url, "once", {"title": each}, key=each)
                for each in messages
                for gateway in (first, second, first, second)
            )
        )
        first.kill()
        await asyncio.to_thread(first.start)
        answers += [
            await deliver(http, first.url, "once", {"title": each}, key=each)
            for each in messages
        ]
        async with asyncio.timeout(30):
            while len(await tasks_by_key(http, second.url)) < len(messages):  # noqa: ASYNC110 - a task rings no bell
                await asyncio.sleep(0.05)
        listed = await http.get(f"{second.url}/collab/tasks?limit=100")
        kept = await http.get(f"{second.url}/v1/webhooks/once/deliveries?limit=100")

    titles = Counter(row["title"] for row in listed.json()["items"])
    assert {each.status_code for each in answers} <= {200, 202}
    assert [titles[each] for each in messages] == [1] * 5
    assert len(kept.json()["items"]) == 5


async def test_every_alert_arrives_though_the_database_was_away(
    gateways: Sequence[GatewayProcess], postgres_server: PostgresServer
) -> None:
    """R-16: 80 posts at once, refused with 503 at most, repeated as Alertmanager does."""
    urls = [each.url for each in gateways]
    seen: Counter[int] = Counter()

    async def post(number: int, status: str) -> None:
        while True:
            payload = an_alert(number, status)
            answer = await deliver(http, urls[number % 2], "alerts", payload)
            seen[answer.status_code] += 1
            if answer.status_code == 202:
                return
            await asyncio.sleep(0.2)

    async with client() as http:
        await make(http, urls[0], name="alerts", preset="alertmanager")
        await asyncio.to_thread(postgres_server.stop, "immediate")
        posting = asyncio.gather(*(post(number, "firing") for number in range(POSTS)))
        async with asyncio.timeout(30):
            while seen[503] < POSTS:  # noqa: ASYNC110 - an answer rings no bell
                await asyncio.sleep(0.02)
        await asyncio.to_thread(postgres_server.start)
        await posting
        await until_all(http, urls[1], frozenset({"queued"}))

        await asyncio.gather(*(post(number, "resolved") for number in range(POSTS)))
        await until_all(http, urls[0], frozenset({"abandoned"}))

    assert set(seen) == {202, 503}
    assert seen[202] == 2 * POSTS


async def failed_deliveries(
    http: httpx2.AsyncClient, url: str, name: str, count: int
) -> list[str]:
    """Make a webhook fail with some deliveries, mend its rule, and give their ids."""
    wrong = {"name": name, "command": "task create", "arguments": {"title": "wrong"}}
    await make(http, url, **wrong)
    for number in range(count):
        await deliver(http, url, name, {"title": f"{name}-{number}"}, key=str(number))
    path = f"{url}/v1/webhooks/{name}"
    async with asyncio.timeout(30):
        while True:
            page = await http.get(f"{path}/deliveries?outcome=failed&limit=100")
            if len(page.json()["items"]) == count:
                break
            await asyncio.sleep(0.05)
    right = {"command": "task create", "arguments": {"title": "title"}}
    mended = await http.patch(path, json=right)
    assert mended.status_code == 200, mended.text
    return [each["id"] for each in page.json()["items"]]


async def titles_of(http: httpx2.AsyncClient, url: str, name: str) -> Counter[str]:
    listed = await http.get(f"{url}/collab/tasks?limit=100")
    titles = (row["title"] for row in listed.json()["items"])
    return Counter(each for each in titles if each.startswith(f"{name}-"))


async def test_replays_by_two_gateways_at_once_are_one_run(
    gateways: Sequence[GatewayProcess],
) -> None:
    """R-07, R-30: whoever asks, and at whichever of them."""
    async with client() as http:
        [failed] = await failed_deliveries(http, gateways[0].url, "twice", 1)
        replies = await asyncio.gather(
            *(
                http.post(
                    f"{each.url}/v1/webhooks/twice/replay", json={"delivery": failed}
                )
                for each in gateways
                for _ in range(4)
            )
        )
        told = [each.json()["items"][0] for each in replies]
        async with asyncio.timeout(30):
            while not await titles_of(http, gateways[1].url, "twice"):  # noqa: ASYNC110 - a task rings no bell
                await asyncio.sleep(0.05)
        found = await titles_of(http, gateways[1].url, "twice")

    assert sum(each["is_new"] for each in told) == 1
    assert len({each["now"] for each in told}) == 1
    assert found == {"twice-0": 1}


async def test_replays_survive_a_gateway_that_dies_with_them(
    gateway_process: GatewayProcess,
) -> None:
    """R-01: what was promised is run after the restart, and once."""
    async with client() as http:
        await failed_deliveries(http, gateway_process.url, "later", 20)
        replayed = await http.post(
            f"{gateway_process.url}/v1/webhooks/later/replay", json={"failed": True}
        )
        gateway_process.kill()
        await asyncio.to_thread(gateway_process.start)
        async with asyncio.timeout(30):
            while len(await titles_of(http, gateway_process.url, "later")) < 20:  # noqa: ASYNC110 - a task rings no bell
                await asyncio.sleep(0.05)
        again = await http.post(
            f"{gateway_process.url}/v1/webhooks/later/replay", json={"failed": True}
        )
        found = await titles_of(http, gateway_process.url, "later")

    assert replayed.json()["replayed"] == 20
    assert again.json()["replayed"] == 0
    assert set(found.values()) == {1}
