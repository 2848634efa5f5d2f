"""A disk that is full, a file that is locked, gone or garbage: refused, then well again."""

import asyncio
import os
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2

from tests.faults.gateway import GatewayProcess, client, send
from tests.faults.load import Load, check_stored

BODY = "x" * 10_000


async def test_a_full_disk_refuses_until_there_is_space(
    gateway_process: GatewayProcess,
) -> None:
    """R-45: the process may write no file any longer; then it may again."""
    load = Load([gateway_process.url])

    async with load.running(), client() as http:
        with no_space(gateway_process):
            refused, accepted = await until_refused(http, gateway_process.url)
            alive = await http.get(f"{gateway_process.url}/healthz")
            await load.until(lambda: load.refused[503] >= 16)
        await until_accepted(http, gateway_process.url)

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert alive.status_code == 200
    gateway_process.kill()
    assert fillers(gateway_process) == [*accepted, "last"]
    check_stored(load, gateway_process.database_url)
    assert "Traceback" not in gateway_process.log.read_text()


async def test_a_kill_on_a_full_disk_loses_nothing(
    gateway_process: GatewayProcess,
) -> None:
    """R-45, R-01: what was refused is not there, what was acknowledged is."""
    load = Load([gateway_process.url])

    async with load.running(), client() as http:
        with no_space(gateway_process):
            _, accepted = await until_refused(http, gateway_process.url)
        gateway_process.kill()
        await asyncio.to_thread(gateway_process.start)
    gateway_process.stop()

    assert fillers(gateway_process) == accepted
    check_stored(load, gateway_process.database_url)


async def test_a_locked_database_refuses_and_recovers(
    gateway_process: GatewayProcess,
) -> None:
    """R-41: another process holds the lock for longer than a command may wait."""
    path = gateway_process.data / "opswire.db"
    async with client() as http:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            found = await asyncio.gather(
                *(send(http, gateway_process.url, "task create no") for _ in range(40))
            )
            waited = time.monotonic() - began
            read = await send(http, gateway_process.url, "task list")
            other.execute("ROLLBACK")
        after = await send(http, gateway_process.url, "task create yes")

    assert {each.status_code for each in found} == {503}
    assert waited < 10
    assert read.status_code == after.status_code == 200


async def test_a_missing_database_is_said_and_survived(
    gateway_process: GatewayProcess,
) -> None:
    """R-41: nothing is acknowledged into a file that nobody finds again."""
    path = gateway_process.data / "opswire.db"
    url = gateway_process.url
    async with client() as http:
        await send(http, url, "task create before")
        taken = path.rename(path.with_suffix(".taken"))
        gone = await send(http, url, "task create lost")
        ready = await until_status(http, f"{url}/readyz", 503)
        taken.rename(path)
        again = await until_status(http, f"{url}/readyz", 200)
        after = await send(http, url, "task create after")

    assert gone.status_code == 503
    assert not ready.json()["checks"]["queue"]["ok"]
    assert again.json()["status"] == "ready"
    assert after.json()["data"]["id"] == "T-2"


async def test_garbage_in_its_place_is_said(gateway_process: GatewayProcess) -> None:
    """R-41."""
    path = gateway_process.data / "opswire.db"
    garbage = path.with_suffix(".garbage")
    garbage.write_bytes(os.urandom(65_536))
    async with client() as http:
        garbage.replace(path)
        refused = await send(http, gateway_process.url, "task create lost")
        ready = await until_status(http, f"{gateway_process.url}/readyz", 503)
        alive = await http.get(f"{gateway_process.url}/healthz")

    assert refused.status_code == 503
    assert ready.json()["status"] == "not_ready"
    assert alive.status_code == 200


@contextmanager
def no_space(gateway: GatewayProcess) -> Iterator[None]:
    """Let no file of the process grow beyond the size that the database has now."""
    pid = gateway.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    size = (gateway.data / "opswire.db").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    yield
    if gateway.process.poll() is None:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


async def until_refused(
    http: httpx2.AsyncClient, url: str
) -> tuple[httpx2.Response, list[str]]:
    """Create big tasks until one is refused; return that, and the accepted ones."""
    accepted: list[str] = []
    while True:
        name = str(len(accepted))
        answer = await send(http, url, f"task create filler-{name} --body {BODY}")
        if answer.status_code != 200:
            return answer, accepted
        accepted.append(name)


async def until_accepted(http: httpx2.AsyncClient, url: str) -> None:
    """Create a task as soon as it is accepted."""
    async with asyncio.timeout(20):
        while True:
            answer = await send(http, url, "task create filler-last")
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.1)


async def until_status(
    http: httpx2.AsyncClient, url: str, status: int
) -> httpx2.Response:
    """Ask until the answer has a status; readiness is looked up once a second."""
    async with asyncio.timeout(10):
        while True:
            answer = await http.get(url)
            if answer.status_code == status:
                return answer
            await asyncio.sleep(0.1)


def fillers(gateway: GatewayProcess) -> list[str]:
    """Read which of the big tasks are stored, in their order."""
    with closing(sqlite3.connect(gateway.data / "opswire.db")) as connection:
        rows = connection.execute(
            "SELECT substr(title, 8) FROM tasks WHERE title LIKE 'filler-%' ORDER BY number"
        )
        return [row[0] for row in rows]
