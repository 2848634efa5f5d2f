"""Answers that wait: for the end of a run, and for work (row 19, M-RUN-04)."""

import asyncio
from typing import Any

import httpx2
import orjson
import pytest
import websockets

from tests.integration.conftest import Serving
from tests.integration.served import ADMIN_KEY, PATIENCE_SECONDS, Served

NOBODY = {"workers": {"embedded": 0}}


async def claimed(client: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    """Claim a run, waiting for one."""
    answer = await client.post(
        "/runs.claim", json={"worker": "w1", "wait_seconds": 20, **more}
    )
    assert answer.status_code == 200, answer.text
    (run,) = answer.json()["runs"]
    return {"run_id": run["id"], "fence": run["fence"]}


async def sees(gateway: Served, *types: str) -> None:
    """Wait until these things have happened, in whatever order."""
    missing = set(types)
    async with gateway.following("?since=0") as follower:
        while missing:
            missing.discard((await follower.event()).event)


async def test_an_answer_waits_for_the_end_of_a_run(serving: Serving) -> None:
    """Row 19: 200 with how it ended, once its worker says so."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as client, gateway.client() as worker:
        waiting = asyncio.create_task(
            client.post(
                "/v1/runs",
                json={"kind": "manual", "wait": "60s"},
                headers={"Idempotency-Key": "one"},
            )
        )
        held = await claimed(worker)
        assert not waiting.done()
        await worker.post(
            "/runs.complete", json={**held, "status": "succeeded", "result": {"n": 1}}
        )
        answer = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        again = await client.post(
            "/v1/runs",
            json={"kind": "manual", "wait": "60s"},
            headers={"Idempotency-Key": "one"},
        )

    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")
    assert answer.json()["result"] == {"n": 1}
    assert (again.json()["id"], again.json()["status"]) == ("R-1", "succeeded")


async def test_a_line_waits_as_well_and_says_how_it_went(serving: Serving) -> None:
    """Row 19: confirmed, executed here, and told with its artifacts."""
    gateway = await serving(workers={"embedded": 2})
    async with gateway.client() as client:
        line = "run start demo-deploy env=prod --wait 60s"
        asked = (await client.post("/v1/commands", json={"line": line})).json()
        token = asked["data"]["token"]
        answer = await client.post(
            "/v1/commands", json={"line": f"{line} --confirm {token}"}
        )

    reply = answer.json()
    assert (answer.status_code, reply["status"]) == (200, "ok")
    assert reply["data"]["status"] == "succeeded", reply["data"]["error"]
    assert reply["summary"].startswith("R-1 succeeded in ")
    assert {"build.txt", "tests.json"} <= {
        each["name"] for each in reply["data"]["artifacts"]
    }


@pytest.mark.parametrize("verb", ["run start", "template run"])
@pytest.mark.parametrize("way", ["confirm {token}", "{confirm}"])
async def test_a_line_that_is_confirmed_later_waits_as_it_said(
    serving: Serving, verb: str, way: str
) -> None:
    """Row 19: the proposal keeps `--wait`, whichever way it is confirmed."""
    gateway = await serving(workers={"embedded": 2})
    line = f"{verb} demo-deploy env=staging version=7.0"
    async with gateway.client() as client:
        asked = await client.post("/v1/commands", json={"line": f"{line} --wait 60s"})
        told = asked.json()["data"]
        answer = await client.post("/v1/commands", json={"line": way.format(**told)})

    assert " --wait 1m --confirm " in told["confirm"]
    assert answer.json()["data"]["status"] == "succeeded"


async def test_when_the_time_is_up_it_goes_on(serving: Serving) -> None:
    """202, running: nothing was lost but the waiting."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as client:
        answer = await client.post(
            "/v1/runs/start",
            json={"template": "demo-deploy", "wait": "1s"},
        )
        shown = await client.get("/v1/runs/R-1")

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert shown.json()["status"] == "queued"


async def test_a_cancel_waits_until_the_worker_has_stopped(serving: Serving) -> None:
    """Row 22: progress to cancelled."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as client, gateway.client() as worker:
        await client.post("/runs.create", json={"kind": "manual"})
        held = await claimed(worker)
        waiting = asyncio.create_task(
            client.post("/runs.cancel", json={"run_id": "R-1", "wait": "60s"})
        )
        await sees(gateway, "run_cancel_requested")
        beat = await worker.post("/runs.heartbeat", json=held)
        assert beat.json()["cancel"] is True
        await worker.post("/runs.complete", json={**held, "status": "cancelled"})
        answer = await asyncio.wait_for(waiting, PATIENCE_SECONDS)

    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")


async def test_a_claim_waits_for_work(serving: Serving) -> None:
    """M-RUN-04: it is answered when there is a run, however late that comes."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as client, gateway.client() as worker:
        waiting = asyncio.create_task(claimed(worker))
        await sees(gateway, "worker_online")
        await client.post("/runs.create", json={"kind": "manual"})
        held = await asyncio.wait_for(waiting, PATIENCE_SECONDS)

    assert held["run_id"] == "R-1"


async def test_a_claim_is_answered_when_another_run_makes_room(
    serving: Serving,
) -> None:
    """M-RUN-11: the lane was full, and is not any more."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as client, gateway.client() as worker:
        await client.patch("/v1/lanes/C", json={"concurrency": 1})
        for _ in range(2):
            await client.post("/runs.create", json={"kind": "manual"})
        first = await claimed(worker)
        waiting = asyncio.create_task(claimed(worker))
        await worker.post("/runs.complete", json={**first, "status": "succeeded"})
        second = await asyncio.wait_for(waiting, PATIENCE_SECONDS)

    assert (first["run_id"], second["run_id"]) == ("R-1", "R-2")


async def test_a_claim_that_found_nothing_in_its_time_is_empty(
    serving: Serving,
) -> None:
    """M-RUN-04: and says so, without a fault."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as worker:
        answer = await worker.post(
            "/runs.claim", json={"worker": "w1", "wait_seconds": 1}
        )

    assert (answer.status_code, answer.json()) == (200, {"runs": []})


@pytest.mark.parametrize("count", [1, 2])
async def test_a_claim_sent_again_gives_the_same_run(
    serving: Serving, count: int
) -> None:
    """R-03: an answer that was lost is given again under its key, not another run."""
    gateway = await serving(**NOBODY)
    key = {"Idempotency-Key": "claim-1"}
    body = {"worker": "w1", "wait_seconds": 20}
    async with gateway.client() as client, gateway.client() as worker:
        waiting = asyncio.create_task(
            worker.post("/runs.claim", json=body, headers=key)
        )
        await sees(gateway, "worker_online")
        for _ in range(count):
            await client.post("/runs.create", json={"kind": "manual"})
        first = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        again = await worker.post("/runs.claim", json=body, headers=key)

    assert first.json()["runs"] == again.json()["runs"] != []


async def test_a_worker_that_went_away_is_given_nothing(serving: Serving) -> None:
    """R-24: what it would have got is somebody else's at once, as the first attempt."""
    gateway = await serving(**NOBODY)
    body = b'{"worker":"gone","wait_seconds":30}'
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(
        b"POST /runs.claim HTTP/1.1\r\nHost: gateway\r\nX-API-Key: %s\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (ADMIN_KEY.encode(), len(body), body)
    )
    await sees(gateway, "worker_online")
    writer.close()
    await writer.wait_closed()

    async with gateway.client() as client:
        for _ in range(3):
            await client.get("/v1/workers")
        await client.post("/runs.create", json={"kind": "manual"})
        held = await claimed(client)
        shown = (await client.get("/v1/runs/R-1")).json()

    assert (held["run_id"], shown["worker"], shown["attempt"]) == ("R-1", "w1", 1)


async def test_a_gateway_that_stops_keeps_nobody_waiting(serving: Serving) -> None:
    """R-29: who waits is answered with how it stands."""
    gateway = await serving(**NOBODY)
    async with gateway.client() as client, gateway.client() as worker:
        waiting = asyncio.create_task(
            client.post("/v1/runs", json={"kind": "manual", "wait": "10m"})
        )
        idle = asyncio.create_task(
            worker.post(
                "/runs.claim", json={"worker": "w1", "lanes": ["A"], "wait_seconds": 30}
            )
        )
        await sees(gateway, "run_queued", "worker_online")
        await gateway.stop()
        answer = await asyncio.wait_for(waiting, PATIENCE_SECONDS)
        empty = await asyncio.wait_for(idle, PATIENCE_SECONDS)

    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert empty.json() == {"runs": []}


async def test_a_websocket_waits_and_takes_other_lines_meanwhile(
    serving: Serving,
) -> None:
    """Row 19: the end comes as the answer, however many are told before it."""
    gateway = await serving(**NOBODY)
    address = f"ws://127.0.0.1:{gateway.port}/v1/ws"
    credential = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with (
        websockets.connect(address, additional_headers=credential) as link,
        gateway.client() as worker,
    ):
        line = "run create --kind manual --yes --wait 60s"
        await link.send(orjson.dumps({"t": "exec", "id": "1", "line": line}).decode())
        held = await claimed(worker)
        await link.send('{"t":"exec","id":"2","line":"whoami"}')
        first = await replied(link)
        await worker.post("/runs.complete", json={**held, "status": "succeeded"})
        second = await replied(link)

    assert (first["id"], second["id"]) == ("2", "1")
    assert second["reply"]["data"]["status"] == "succeeded"


async def replied(link: websockets.ClientConnection) -> dict[str, Any]:
    """Read frames until one is a reply."""
    while True:
        frame: dict[str, Any] = orjson.loads(await link.recv())
        if frame["t"] == "reply":
            return frame
