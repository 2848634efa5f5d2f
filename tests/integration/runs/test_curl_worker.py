"""The worker of the manual: a shell script with curl, against a served gateway."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from core.kernel.principal import Role
from tests.integration.conftest import Serving
from tests.integration.served import PATIENCE_SECONDS, Served

PAGE = Path(__file__).parents[3] / "docs/how-to/write-a-worker-with-curl.md"

_JOB = """\
cat > copy.json
head -c 100000 /dev/zero > large.bin
echo "called"; echo "nobody answered" >&2
grep -q again copy.json && exit 3
grep -q forever copy.json && exec sleep 600
exit 0
"""


def script() -> str:
    """The script as the page has it."""
    return PAGE.read_text().split("```sh\n")[1].split("```")[0]


@asynccontextmanager
async def working(gateway: Served, folder: Path) -> AsyncIterator[None]:
    """Run the script beside a gateway."""
    (folder / "worker.sh").write_text(script())
    (folder / "job.sh").write_text(_JOB)
    _, key = gateway.make_key("builder", Role.ADMIN, scopes=("runs:work",))
    process = await asyncio.create_subprocess_exec(
        "sh", str(folder / "worker.sh"), "builder-1", "sh", str(folder / "job.sh"),
        env={
            **os.environ,
            "OPSWIRE_URL": f"http://127.0.0.1:{gateway.port}",
            "OPSWIRE_API_KEY": key,
            "BEAT_SECONDS": "0.2",
        },
        start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        await process.wait()


async def done(client: httpx2.AsyncClient, **given: Any) -> dict[str, Any]:
    """Have something done by whoever takes manual runs; show how it ended."""
    made = await client.post(
        "/runs.create",
        json={"kind": "manual", "input": given, "wait": "60s"},
        timeout=PATIENCE_SECONDS * 2,
    )
    assert made.status_code == 201, made.text
    shown = await client.get(f"/v1/runs/{made.json()['id']}")
    run: dict[str, Any] = shown.json()
    return run


async def test_the_worker_of_the_manual_does_runs(
    serving: Serving, tmp_path: Path
) -> None:
    """M-RUN-04 to 09: claim, heartbeat, report, keep files small and large, complete."""
    gateway = await serving(workers={"embedded": 0})
    async with working(gateway, tmp_path), gateway.client() as client:
        run = await done(client, customer="Acme", note='a "quoted" ü')
        task = (await client.get(f"/api/v1/tasks/{run['id']}")).json()
        files = {each["name"]: each for each in run["artifacts"]}
        copy = await client.get(files["copy.json"]["url"])

    assert (run["status"], run["worker"]) == ("succeeded", "builder-1"), run
    assert run["result"] == {"exit_code": 0}
    assert [(s["name"], s["status"], s["exit_code"]) for s in run["steps"]] == [
        ("job", "succeeded", 0)
    ]
    assert copy.json() == {"customer": "Acme", "note": 'a "quoted" ü'}
    assert (files["large.bin"]["state"], files["large.bin"]["size_bytes"]) == (
        "ready",
        100_000,
    )
    assert task["outcome"]["stdout"] == "called\nnobody answered\n"


async def test_its_failure_says_what_the_program_returned(
    serving: Serving, tmp_path: Path
) -> None:
    """M-RUN-09: tried again as its retry rule says, then failed with the last error."""
    gateway = await serving(workers={"embedded": 0})
    async with working(gateway, tmp_path), gateway.client() as client:
        run = await done(client, what="again")

    assert (run["status"], run["attempt"]) == ("failed", 3)
    assert run["error"] == {
        "code": "exit_code",
        "detail": "it returned 3",
        "step": "job",
    }


async def test_a_cancel_ends_the_program(serving: Serving, tmp_path: Path) -> None:
    """M-RUN-18: by the next heartbeat; what it left behind is kept."""
    gateway = await serving(workers={"embedded": 0})
    async with working(gateway, tmp_path), gateway.client() as client:
        await client.post(
            "/runs.create", json={"kind": "manual", "input": {"what": "forever"}}
        )
        async with gateway.following("?since=0&type=executor_started") as follower:
            await follower.event()
        ended = await client.post(
            "/runs.cancel",
            json={"run_id": "R-1", "wait": "60s"},
            timeout=PATIENCE_SECONDS * 2,
        )
        shown = (await client.get("/v1/runs/R-1")).json()

    assert ended.json()["status"] == "cancelled"
    assert "copy.json" in {each["name"] for each in shown["artifacts"]}
