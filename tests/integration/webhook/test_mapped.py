"""A delivery becomes its endpoint's command, and nothing else."""

from datetime import timedelta

import pytest

from commands.registry import Command
from core.delivery import channels, received
from core.delivery.received import Wanted
from core.hooks import deliveries
from core.hooks.deliveries import Delivery, Outcome
from core.hooks.model import NewEndpoint, PayloadMap
from core.identity.users import service as users
from core.kernel.principal import Principal, Role, system
from tests.conftest import FakeClock
from tests.integration.webhook.conftest import (
    ALERTS,
    Deliver,
    World,
    address_of,
    settled,
    signed,
)


def delivered(world: World, new: NewEndpoint) -> list[Delivery]:
    page = world.db.look(lambda tx: deliveries.list_(tx, new.endpoint.id), by=system())
    return list(page.items)


async def test_delivery_is_acknowledged_then_runs_as_its_maker(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """`M-OMN-01`: stored, acknowledged with a link, run, audited with channel and actor."""
    new = running.endpoint(person)

    response = await deliver(new, {"title": "Fix login redirect"})
    await settled(running)

    receipt = response.json()
    assert response.status_code == 202
    assert receipt["url"] == f"https://ops.example/v1/commands/{receipt['request_id']}"
    assert [task.title for task in running.tasks()] == ["Fix login redirect"]
    entry = running.audits()[-1]
    assert (entry["channel"], entry["account"], entry["actor"], entry["verdict"]) == (
        "webhook",
        "W-1",
        "ann",
        "allowed",
    )
    assert entry["command"] == 'task create "Fix login redirect"'
    assert entry["request_id"] == receipt["request_id"]


@pytest.mark.parametrize(
    "title",
    [
        '"; task delete T-1',
        "--lane A",
        "this",
        "/ops help",
        '{"command": "task.list"}',
        "’quoted’",
        "task create x --dry-run",
        "T-1.",
        "a\u200bb",
    ],
)
async def test_text_of_a_payload_is_never_read_as_a_line(
    running: World, person: Principal, deliver: Deliver, title: str
) -> None:
    """`R-18`: what a sender wrote arrives character by character."""
    new = running.endpoint(person)

    await deliver(new, {"title": title})
    await settled(running)

    assert [task.title for task in running.tasks()] == [title]


async def test_each_element_becomes_a_command_in_one_unit(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(
        person,
        PayloadMap(
            command="task create",
            each="alerts",
            templates={"title": "Alert {labels.name}: {note}"},
            fixed={"lane": "A"},
        ),
    )

    await deliver(
        new,
        {
            "alerts": [
                {"labels": {"name": "disk"}, "note": "full"},
                {"labels": {"name": "cpu"}},
            ]
        },
    )
    await settled(running)

    assert [(task.title, task.lane) for task in running.tasks()] == [
        ("Alert disk: full", "A"),
        ("Alert cpu: ", "A"),
    ]
    assert delivered(running, new)[0].summary == "2 of 2 commands done"


async def test_alerts_become_tasks_word_for_word(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """The README's example, with annotations that would be code elsewhere."""
    hostile = "<b>x</b> {{ 7*7 }} $(id) {labels.alertname} '; --"
    new = running.endpoint(
        person,
        PayloadMap(
            command="task create",
            filter="status == 'firing'",
            each="alerts",
            templates={"title": "{labels.alertname}: {annotations.summary}"},
            arguments={"body": "annotations.description"},
            fixed={"lane": "A"},
        ),
    )
    report = {
        "version": "4",
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "DiskFull", "instance": "db-1:9100"},
                "annotations": {"summary": hostile, "description": hostile},
                "startsAt": "2026-11-04T08:59:00Z",
                "fingerprint": "0f1e2d3c4b5a6978",  # pragma: allowlist secret
            }
        ],
    }

    await deliver(new, report, message_id="firing")
    await deliver(new, {**report, "status": "resolved"}, message_id="resolved")
    await settled(running)

    assert [(task.title, task.body) for task in running.tasks()] == [
        (f"DiskFull: {hostile}", hostile)
    ]
    outcomes = [each.outcome for each in delivered(running, new)]
    assert outcomes == [Outcome.SKIPPED, Outcome.DONE]


async def test_one_bad_element_leaves_the_others_done(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(
        person,
        PayloadMap(
            command="task create",
            each="@",
            arguments={"title": "t"},
        ),
    )

    await deliver(new, [{"t": "one"}, {"t": 2}, {"t": "three"}])
    await settled(running)

    assert [task.title for task in running.tasks()] == ["one", "three"]
    last = delivered(running, new)[0]
    assert (last.outcome, last.summary, last.code) == (
        Outcome.FAILED,
        "2 of 3 commands done",
        "invalid_argument",
    )


@pytest.mark.parametrize(
    ("payload_map", "payload", "outcome", "summary"),
    [
        (
            PayloadMap(
                command="task create", arguments={"title": "a"}, filter="b == 'c'"
            ),
            {"a": "x", "b": "d"},
            Outcome.SKIPPED,
            "Skipped: the filter did not match",
        ),
        (
            PayloadMap(command="task create", arguments={"title": "a"}, each="items"),
            {"items": []},
            Outcome.SKIPPED,
            "Skipped: each found nothing",
        ),
        (ALERTS, {"other": 1}, Outcome.FAILED, "title"),
        (
            PayloadMap(command="task create", arguments={"title": "a"}, each="items"),
            {"items": [{"a": "x"}] * 1001},
            Outcome.FAILED,
            "this would be 1,001 commands",
        ),
        (ALERTS, [], Outcome.FAILED, "title"),
        (ALERTS, "text", Outcome.FAILED, "title"),
    ],
)
async def test_delivery_that_maps_to_nothing_is_stored_with_the_reason(
    running: World,
    person: Principal,
    deliver: Deliver,
    payload_map: PayloadMap,
    payload: object,
    outcome: Outcome,
    summary: str,
) -> None:
    new = running.endpoint(person, payload_map)

    response = await deliver(new, payload)
    await settled(running)

    assert response.status_code == 202
    last = delivered(running, new)[0]
    assert last.outcome is outcome
    assert summary in last.summary
    assert running.tasks() == []


async def test_maker_is_asked_again_when_a_delivery_runs(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)
    running.db.run(
        lambda tx: users.set_roles(tx, person.id, [Role.VIEWER]), by=system()
    )

    await deliver(new, {"title": "no longer allowed"})
    await settled(running)

    assert delivered(running, new)[0].code == "missing_scope"
    assert running.tasks() == []
    assert running.audits()[-1]["verdict"] == "denied"


async def test_disabled_maker_runs_nothing(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)
    running.db.run(lambda tx: users.disable(tx, person.id), by=system())

    await deliver(new, {"title": "x"})
    await settled(running)

    assert delivered(running, new)[0].code == "forbidden"


async def test_deliveries_to_a_disabled_channel_wait_until_it_is_on(
    running: World, person: Principal, deliver: Deliver, clock: FakeClock
) -> None:
    """A sender is not told off for what an administrator decided, and loses nothing."""
    new = running.endpoint(person)
    running.db.run(lambda tx: channels.disable(tx, "webhook", reason="x"), by=person)
    await running.channels.reload()

    response = await deliver(new, {"title": "late"})
    await settled(running)

    assert response.status_code == 202
    assert running.tasks() == []

    running.db.run(lambda tx: channels.enable(tx, "webhook"), by=person)
    await running.channels.reload()
    clock.advance(timedelta(seconds=31))
    await running.intake.drain()
    await settled(running)

    assert [task.title for task in running.tasks()] == ["late"]


async def test_deliveries_above_the_limit_wait_for_room(
    running: World, person: Principal, deliver: Deliver, clock: FakeClock
) -> None:
    """A webhook is never refused for load; its limit is a queue."""
    new = running.endpoint(person)
    running.limiter.configure("default", "webhook", {"channel": "2/hour"})

    for title in ("one", "two", "three"):
        response = await deliver(new, {"title": title}, message_id=title)
        assert response.status_code == 202
    await settled(running)

    assert len(running.tasks()) == 2

    running.limiter.configure("default", "webhook", {})
    clock.advance(timedelta(seconds=31))
    await running.intake.drain()
    await settled(running)

    assert len(running.tasks()) == 3


async def test_risky_command_was_consented_to_when_the_webhook_was_made(
    running: World, person: Principal, deliver: Deliver
) -> None:
    risky: Command | None = running.registry.find("lease reclaim")
    assert risky is not None
    new = running.endpoint(
        person,
        PayloadMap(
            command="lease reclaim",
            arguments={"lease": "lease"},
        ),
    )

    await deliver(new, {"lease": "L-9"})
    await settled(running)

    assert delivered(running, new)[0].code == "not_found"


async def test_delivery_keeps_what_explains_it_and_no_credential(
    running: World, person: Principal
) -> None:
    """Stored requests lose their Authorization, Cookie and token headers first."""
    new = running.endpoint(person)
    body = b'{"title": "x"}'
    async with running.client() as client:
        await client.post(
            address_of(new.endpoint),
            content=body,
            headers={
                **signed(new, body, at=running.clock.now()),
                "x-event": "push",
                "cookie": "a=secret-1",
                "x-gitlab-token": "secret-2",
                "authorization": "Basic secret-3",
                "x-hub-signature": "secret-4",
            },
        )
    await settled(running)

    stored = running.db.look(
        lambda tx: received.list_of(tx, "webhook", "W-1", Wanted(limit=1)),
        by=system(),
    )[0].payload
    assert "push" in stored
    assert "secret-" not in stored
