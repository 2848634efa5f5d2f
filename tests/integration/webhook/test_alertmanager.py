"""A real Alertmanager reports what fires and what is resolved."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from core.kernel.principal import Role
from tests.integration.served import Served
from tests.integration.webhook.alertmanager import Alertmanager, an_alertmanager

Tasks = dict[str, dict[str, Any]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway with an endpoint for Alertmanager."""
    gateway = Served(tmp_path / "data")
    await gateway.start()
    async with gateway.client() as client:
        made = await client.post(
            "/v1/webhooks", json={"name": "alerts", "preset": "alertmanager"}
        )
    assert made.status_code == 201, made.text
    yield gateway
    await gateway.stop()


async def until(served: Served, is_so: Callable[[Tasks], bool]) -> Tasks:
    """Read the tasks by title until they are as they should be, for 30 s at most."""
    found: Tasks = {}
    async with served.client() as client:
        for _ in range(300):
            answer = await client.get("/collab/tasks", params={"limit": 100})
            found = {each["title"]: each for each in answer.json()["items"]}
            if is_so(found):
                return found
            await asyncio.sleep(0.1)
    raise AssertionError(f"the tasks stayed {found}")


def stands(tasks: Tasks, title: str, status: str) -> bool:
    return title in tasks and tasks[title]["status"] == status


async def test_alerts_become_tasks_and_leave_with_the_reason(
    served: Served, tmp_path: Path
) -> None:
    """`M-OMN-04`: fired, resolved and fired again, with a key as the password."""
    _, key = served.make_key("alertmanager", Role.ADMIN, scopes=("webhooks:deliver",))
    url = f"http://127.0.0.1:{served.port}/v1/channels/webhook/alerts"
    disk, queue = "DiskFull: DiskFull on db-1", "QueueLong: QueueLong on db-1"

    with an_alertmanager(tmp_path, url=url, key=key) as alerts:
        await alerts.until_ready()
        await both_fire(alerts)
        fired = await until(
            served,
            lambda tasks: (
                stands(tasks, disk, "queued") and stands(tasks, queue, "queued")
            ),
        )
        names = await alerts.fingerprints()
        await alerts.report("DiskFull", is_firing=False)
        resolved = await until(served, lambda tasks: stands(tasks, disk, "abandoned"))
        await alerts.report("DiskFull", is_firing=True)
        again = await until(served, lambda tasks: stands(tasks, disk, "queued"))

    assert fired[disk]["external_key"] == names["DiskFull"]
    assert fired[disk]["body"] == "Look at it."
    assert resolved[disk]["reason"] == "resolved"
    assert resolved[queue]["status"] == "queued"
    assert again[disk]["id"] == fired[disk]["id"]
    assert len(again) == 2


async def test_a_group_of_many_alerts_is_not_lost(
    served: Served, tmp_path: Path
) -> None:
    """`M-OMN-04`: a group is one delivery, and is never sent again once it is taken."""
    _, key = served.make_key("alertmanager", Role.ADMIN, scopes=("webhooks:deliver",))
    url = f"http://127.0.0.1:{served.port}/v1/channels/webhook/alerts"
    hosts = [f"db-{number}" for number in range(80)]

    with an_alertmanager(tmp_path, url=url, key=key) as alerts:
        await alerts.until_ready()
        await alerts.report("DiskFull", is_firing=True, hosts=hosts)
        fired = await until(served, lambda tasks: len(tasks) == len(hosts))
        await alerts.report("DiskFull", is_firing=False, hosts=hosts)
        resolved = await until(
            served,
            lambda tasks: all(each["status"] == "abandoned" for each in tasks.values()),
        )

    assert {each["status"] for each in fired.values()} == {"queued"}
    assert len(resolved) == len(hosts)


async def both_fire(alerts: Alertmanager) -> None:
    for name in ("DiskFull", "QueueLong"):
        await alerts.report(name, is_firing=True)
