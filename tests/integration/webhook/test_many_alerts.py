"""Alerts that come by the hundred in one delivery, as a group of them does."""

from collections import Counter

import pytest
from sqlalchemy import select

from commands.webhook_delivery_views import COMMANDS_LIMIT
from core.collab.tasks.tables import tasks as task_rows
from core.hooks import deliveries
from core.hooks import service as hooks
from core.hooks.deliveries import Delivery, Outcome
from core.hooks.mapping import CALLS_LIMIT
from core.hooks.model import HookAuth, NewEndpoint
from core.hooks.presets import PRESETS, PresetName
from core.kernel.jsons import Json
from core.kernel.principal import Principal, system
from tests.integration.webhook.conftest import Deliver, World, settled
from tests.integration.webhook.test_commands import ask, items


def alerts(count: int, status: str) -> dict[str, Json]:
    """Write a group of alerts as Alertmanager does."""
    return {
        "version": "4",
        "status": status,
        "alerts": [
            {
                "status": status,
                "fingerprint": f"{number:016x}",
                "labels": {"alertname": "Down", "instance": f"db-{number}"},
                "annotations": {"summary": f"db-{number} is down"},
            }
            for number in range(count)
        ],
    }


def an_endpoint(world: World, by: Principal) -> NewEndpoint:
    """Make one with the rules for Alertmanager, and a signature."""
    rules = PRESETS[PresetName.ALERTMANAGER].rules
    return world.db.run(
        lambda tx: hooks.create(
            tx, "alerts", rules, auth=HookAuth.STANDARD, vault=world.vault
        ),
        by=by,
    )


def statuses(world: World) -> Counter[str]:
    """Count all tasks by their status."""
    query = select(task_rows.c.status).where(task_rows.c.tenant_id == "default")
    return world.db.look(
        lambda tx: Counter(str(row[0]) for row in tx.execute(query)), by=system()
    )


def last(world: World) -> Delivery:
    """Read what was delivered last."""
    page = world.db.look(lambda tx: deliveries.list_(tx, "W-1"), by=system())
    return page.items[0]


@pytest.mark.parametrize("count", [80, CALLS_LIMIT])
async def test_a_whole_group_fires_and_is_resolved(
    running: World, person: Principal, deliver: Deliver, count: int
) -> None:
    """`M-OMN-04`."""
    new = an_endpoint(running, person)

    await deliver(new, alerts(count, "firing"), message_id="m1")
    await settled(running)
    fired = statuses(running)
    await deliver(new, alerts(count, "resolved"), message_id="m2")
    await settled(running)

    listed = await ask(running, person, "webhook deliveries", webhook="W-1")

    assert fired == {"queued": count}
    assert len(items(listed, "items")[0]["commands"]) == COMMANDS_LIMIT
    assert statuses(running) == {"abandoned": count}
    assert last(running).outcome is Outcome.DONE


async def test_more_than_that_fails_whole_and_runs_by_narrower_rules(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """Nothing of it is lost: the payload waits for rules that can make use of it."""
    new = an_endpoint(running, person)
    await deliver(new, alerts(CALLS_LIMIT + 1, "firing"))
    await settled(running)
    failed = last(running)
    shown = await ask(
        running, person, "webhook inspect", webhook="W-1", delivery=failed.id
    )

    await ask(
        running,
        person,
        "webhook set",
        webhook="W-1",
        rules=[
            {
                "command": "task ensure",
                "each": f"alerts[:{CALLS_LIMIT}]",
                "arguments": {
                    "title": "labels.instance",
                    "external_key": "fingerprint",
                },
            }
        ],
    )
    await ask(running, person, "webhook replay", webhook="W-1", failed=True)
    await running.intake.drain()
    await settled(running)

    assert (failed.outcome, failed.code) == (Outcome.FAILED, "invalid_argument")
    assert "1,001 commands" in str(shown.data["detail"])
    assert "max_alerts: 1000" in repr(shown.data["fix"])
    assert "webhook replay W-1 --failed" in repr(shown.data["fix"])
    assert statuses(running) == {"queued": CALLS_LIMIT}
    assert last(running).outcome is Outcome.DONE
