"""What a webhook received, looked at and run once more: through the pipeline."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core.database import Tx
from core.delivery import retention
from core.delivery.model import InboxState
from core.delivery.retention import Keep
from core.delivery.tables import inbox
from core.hooks.model import NewEndpoint, PayloadMap
from core.hooks.replays import REPLAY_LIMIT
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.principal import Principal, Role, system
from core.kernel.reply import Reply, ReplyStatus
from tests.conftest import FakeClock
from tests.integration.webhook.conftest import Deliver, World, settled
from tests.integration.webhook.test_commands import ask, items

EACH = PayloadMap(
    command="task create", each="alerts", arguments={"title": "name", "lane": "lane"}
)
BAD, GOOD = {"name": "disk"}, {"title": "disk"}


async def drained(world: World) -> None:
    """Run what waits in the inbox, whoever put it there."""
    await world.intake.drain()
    await settled(world)


async def listed(world: World, by: Principal, **wanted: Any) -> list[dict[str, Any]]:
    reply = await ask(world, by, "webhook deliveries", webhook="W-1", **wanted)
    assert reply.error is None, reply
    return items(reply, "items")


async def replay(world: World, by: Principal, *of: str, **which: Any) -> Reply:
    named: dict[str, Any] = {"delivery": of[0]} if of else {}
    return await ask(world, by, "webhook replay", webhook="W-1", **named, **which)


def _fill(tx: Tx) -> None:
    """Have W-1 received one more failed delivery than can be replayed at once."""
    for number in range(REPLAY_LIMIT + 1):
        tx.insert(
            inbox,
            {
                "channel": "webhook",
                "account": "W-1",
                "sender": "",
                "key": f"m{number}",
                "seq": number,
                "conversation": "",
                "reply_id": f"rp_{number}",
                "request_id": f"rq_{number}",
                "request_hash": "",
                "state": InboxState.DONE.value,
                "payload": '{"body":"{}"}',
                "reply": '{"error":{"code":"x"},"data":{}}',
                "claimed_until": 0,
                "outcome": "failed",
            },
        )


def _forget(request_id: str, tx: Tx) -> None:
    tx.execute(
        inbox.delete().where(
            inbox.c.tenant_id == tx.tenant, inbox.c.request_id == request_id
        )
    )


async def mend(world: World, by: Principal, title: str = "name") -> None:
    """Have the endpoint take its titles from somewhere else from now on."""
    reply = await ask(
        world, by, "webhook set",
        webhook="W-1", command="task create", arguments={"title": title},
    )  # fmt: skip
    assert reply.error is None, reply


@pytest.fixture
async def failed(
    running: World, person: Principal, deliver: Deliver
) -> tuple[NewEndpoint, str]:
    """An endpoint that failed with one delivery, whose id this gives."""
    new = running.endpoint(person)
    receipt = await deliver(new, BAD)
    await settled(running)
    return new, str(receipt.json()["request_id"])


async def test_delivery_is_shown_with_all_that_explains_it(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    reply = await ask(
        running, person, "webhook inspect", webhook="alerts", delivery=failed[1]
    )

    assert reply.error is None
    assert reply.data["body"] == '{"name": "disk"}'
    assert reply.data["outcome"] == "failed"
    assert reply.data["proof"] == "signature"
    assert reply.data["detail"]
    assert isinstance(reply.data["took_ms"], int)
    assert str(reply.data["url"]).startswith("https://ops.example/r/rp_")
    assert reply.data["tries"] == [
        {
            "id": failed[1],
            "received_at": reply.data["received_at"],
            "outcome": "failed",
            "by": "",
        }
    ]
    assert "webhook-signature" not in repr(reply)


async def test_body_is_cut_where_it_is_shown_and_cleaned(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)
    receipt = await deliver(new, {"title": "\u202e" + "x" * 70_000})
    await settled(running)

    reply = await ask(
        running,
        person,
        "webhook inspect",
        webhook="W-1",
        delivery=receipt.json()["request_id"],
    )

    assert reply.data["is_cut"] is True
    assert len(str(reply.data["body"])) == 65_536
    assert "more characters" in repr(reply.blocks)


async def test_list_is_narrowed_by_outcome_and_time(
    running: World, person: Principal, deliver: Deliver, clock: FakeClock
) -> None:
    new = running.endpoint(person, PayloadMap(
        command="task create", arguments={"title": "title"}, filter="!skip"
    ))  # fmt: skip
    for number, payload in enumerate((GOOD, BAD, {"skip": True}, GOOD)):
        clock.advance(timedelta(hours=1))
        await deliver(new, payload, message_id=f"m{number}")
    await settled(running)

    outcomes = [each["outcome"] for each in await listed(running, person)]
    recent = await listed(running, person, since="90m")
    third = to_iso(clock.now() - timedelta(hours=1))
    early = await listed(running, person, until=third)

    assert outcomes == ["done", "skipped", "failed", "done"]
    for outcome in ("done", "skipped", "failed", "waiting"):
        found = await listed(running, person, outcome=outcome)
        assert len(found) == outcomes.count(outcome)
    assert [each["outcome"] for each in recent] == ["done", "skipped"]
    assert [each["outcome"] for each in early] == ["failed", "done"]


async def test_pages_of_failed_ones_follow_each_other(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)
    for number in range(7):
        payload = GOOD if number % 2 else BAD
        await deliver(new, payload, message_id=f"m{number}")
    await settled(running)

    seen: list[str] = []
    cursor: Json = ""
    while cursor is not None:
        reply = await ask(
            running, person, "webhook deliveries",
            webhook="W-1", outcome="failed", limit=2, cursor=cursor,
        )  # fmt: skip
        seen += [each["id"] for each in items(reply, "items")]
        cursor = reply.data["next"]

    assert len(seen) == len(set(seen)) == 4


async def test_done_delivery_gives_its_first_result_and_changes_nothing(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """R-07: whoever asks for it again gets what was answered then."""
    new = running.endpoint(person)
    receipt = await deliver(new, GOOD)
    await settled(running)
    before = running.count("inbox")

    reply = await replay(running, person, receipt.json()["request_id"])
    await drained(running)

    (told,) = items(reply, "items")
    assert (told["is_new"], told["outcome"]) == (False, "done")
    assert told["summary"] == "Created T-1 in queued"
    assert "nothing was run again" in reply.summary
    assert len(running.tasks()) == 1
    # What was added is the answer to the request itself, and no delivery.
    assert running.count("inbox") == before + 1


async def test_failed_delivery_runs_again_by_the_rules_of_now(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    """M-OMN-04: the old row stays and names the new one."""
    await mend(running, person)

    reply = await replay(running, person, failed[1])
    await drained(running)

    (told,) = items(reply, "items")
    newer, older = await listed(running, person)
    assert [each.title for each in running.tasks()] == ["disk"]
    assert (newer["outcome"], older["outcome"]) == ("done", "failed")
    assert (older["id"], older["replayed_as"]) == (failed[1], told["now"])
    assert (newer["id"], newer["replay_of"]) == (told["now"], failed[1])
    assert (newer["proof"], newer["by"]) == ("replay", "ann")


async def test_two_replays_at_once_are_one_run(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    await mend(running, person)

    replies = await asyncio.gather(
        *(replay(running, person, failed[1]) for _ in range(8))
    )
    await drained(running)

    told = [items(each, "items")[0] for each in replies]
    assert sum(each["is_new"] for each in told) == 1
    assert len({each["now"] for each in told}) == 1
    assert len(running.tasks()) == 1


async def test_replay_of_a_replay_goes_on_from_the_newest(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    await replay(running, person, failed[1])
    await drained(running)
    await mend(running, person)
    await replay(running, person, failed[1])
    await drained(running)

    shown = await ask(
        running, person, "webhook inspect", webhook="W-1", delivery=failed[1]
    )
    again = await replay(running, person, failed[1])

    assert [each["outcome"] for each in items(shown, "tries")] == [
        "failed",
        "failed",
        "done",
    ]
    assert items(again, "items")[0]["outcome"] == "done"
    assert len(running.tasks()) == 1


async def test_what_took_effect_of_several_is_not_run_again(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """R-07: one alert of three was bad; its replay makes no second task of the others."""
    new = running.endpoint(person, EACH)
    alerts = [{"name": "a"}, {"name": "b", "lane": "wrong"}, {"name": "a"}]
    receipt = await deliver(new, {"alerts": alerts})
    await settled(running)
    assert [each.title for each in running.tasks()] == ["a", "a"]
    await ask(
        running, person, "webhook set",
        webhook="W-1", command="task create", each="alerts",
        arguments={"title": "name"},
    )  # fmt: skip

    await replay(running, person, receipt.json()["request_id"])
    await drained(running)

    assert sorted(each.title for each in running.tasks()) == ["a", "a", "b"]
    newest = (await listed(running, person))[0]
    assert newest["outcome"] == "done"


async def test_each_command_of_a_delivery_is_shown_with_its_end(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person, EACH)
    alerts = [{"name": "a" * 80}, {"name": "b", "lane": "wrong"}]
    receipt = await deliver(new, {"alerts": alerts})
    await settled(running)
    request_id = receipt.json()["request_id"]

    shown = await ask(
        running, person, "webhook inspect", webhook="W-1", delivery=request_id
    )
    (row,) = await listed(running, person)

    assert [each["status"] for each in items(shown, "lines")] == ["ok", "error"]
    assert items(shown, "lines")[1]["code"] == "invalid_argument"
    # What does not fit its command cannot be written as a line of it.
    assert row["commands"] == [f"task create {'a' * 80}"]


async def test_all_that_failed_are_replayed_and_nothing_else(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)
    for number in range(6):
        payload = GOOD if number % 2 else BAD
        await deliver(new, payload, message_id=f"m{number}")
    await settled(running)
    await mend(running, person)

    first = await replay(running, person, failed=True)
    await drained(running)
    second = await replay(running, person, failed=True)

    assert first.data["replayed"] == 3
    assert second.data == {"replayed": 0, "items": []}
    assert len(running.tasks()) == 6


async def test_range_is_replayed_and_asks_for_consent(
    running: World, person: Principal, deliver: Deliver, clock: FakeClock
) -> None:
    """More than one at once is risky; one is not."""
    new = running.endpoint(person)
    for number in range(3):
        await deliver(new, BAD, message_id=f"m{number}")
        clock.advance(timedelta(hours=1))
    await settled(running)

    line = {"is_consent": False, "since": "150m"}
    proposed = await replay(running, person, **line)
    confirmed = await replay(running, person, **line, confirm=proposed.data["token"])

    assert proposed.status is ReplyStatus.NEEDS_CONFIRMATION
    assert proposed.data["danger"] == "risky"
    assert confirmed.data["replayed"] == 2


async def test_one_delivery_needs_no_consent(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    reply = await replay(running, person, failed[1], is_consent=False)

    assert reply.status is ReplyStatus.OK


async def test_too_many_at_once_are_refused(world: World, person: Principal) -> None:
    world.endpoint(person)
    await asyncio.to_thread(partial(world.db.run, _fill, by=system()))

    refused = await replay(world, person, failed=True)
    narrowed = await replay(world, person, failed=True, until="2020-01-01T00:00Z")

    assert refused.error is not None
    assert "1000" in refused.error.detail
    assert "--since" in refused.error.fix[0]
    assert narrowed.data["replayed"] == 0


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"delivery": "rq_unknown"}, "not_found"),
        ({}, "invalid_argument"),
        ({"delivery": "rq_1", "failed": True}, "invalid_argument"),
        ({"delivery": "rq_1", "webhook": "W-9"}, "not_found"),
    ],
)
async def test_replay_that_means_nothing_is_refused_with_a_fix(
    world: World, person: Principal, asked: Mapping[str, Any], code: str
) -> None:
    world.endpoint(person)

    reply = await ask(world, person, "webhook replay", **{"webhook": "W-1", **asked})

    assert reply.error is not None
    assert reply.error.code == code
    assert reply.error.fix


async def test_delivery_that_waits_has_nothing_to_repeat(
    world: World, person: Principal, deliver: Deliver
) -> None:
    new = world.endpoint(person)
    receipt = await deliver(new, BAD)

    reply = await replay(world, person, receipt.json()["request_id"])

    assert reply.error is not None
    assert reply.error.code == "conflict"
    assert "has not been run" in reply.error.detail


async def test_delivery_to_another_webhook_is_named_with_it(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    running.endpoint(person, name="other")

    reply = await ask(
        running, person, "webhook inspect", webhook="other", delivery=failed[1]
    )

    assert reply.error is not None
    assert list(reply.error.fix) == [f"webhook inspect W-1 {failed[1]}"]


async def test_forgotten_delivery_says_how_long_they_are_kept(
    running: World,
    person: Principal,
    failed: tuple[NewEndpoint, str],
    clock: FakeClock,
) -> None:
    clock.advance(timedelta(days=31))
    keep = Keep(*[timedelta(days=30)] * 3)
    expired = running.db.look(partial(retention.find_expired, keep=keep), by=system())
    running.db.run(partial(retention.forget, expired=expired), by=system())

    reply = await replay(running, person, failed[1])

    assert reply.error is not None
    assert reply.error.code == "not_found"
    assert any("KEEP__INBOX_DAYS" in each for each in reply.error.fix)


async def test_replay_of_which_the_first_is_forgotten_can_be_replayed(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    first = items(await replay(running, person, failed[1]), "items")[0]
    await drained(running)
    await asyncio.to_thread(
        partial(running.db.run, partial(_forget, failed[1]), by=system())
    )

    again = await replay(running, person, first["now"])
    shown = await ask(
        running, person, "webhook inspect", webhook="W-1", delivery=first["now"]
    )

    assert items(again, "items")[0]["is_new"]
    assert items(shown, "tries")[0]["id"] == first["now"]


async def test_who_only_reads_sees_outcomes_and_no_payload(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    bob = running.user("bob", Role.VIEWER)

    outcomes = await listed(running, bob)
    inspected = await ask(
        running, bob, "webhook inspect", webhook="W-1", delivery=failed[1]
    )
    tried = await ask(
        running, bob, "webhook test", webhook="W-1", delivery=failed[1],
        templates={"title": "{@}"},
    )  # fmt: skip

    assert [each["outcome"] for each in outcomes] == ["failed"]
    for refused in (inspected, tried):
        assert refused.error is not None
        assert refused.error.extra["scope"] == "webhooks:write"


async def test_payload_sent_from_inside_runs_as_one_from_outside(
    running: World, person: Principal
) -> None:
    running.endpoint(person)

    sent = await ask(running, person, "webhook send", webhook="alerts", payload=GOOD)
    await drained(running)

    (shown,) = await listed(running, person)
    assert shown["id"] == sent.data["id"]
    assert (shown["outcome"], shown["proof"], shown["by"]) == ("done", "sent", "ann")
    assert [each.title for each in running.tasks()] == ["disk"]


@pytest.mark.parametrize("given", [{}, {"payload": 1, "sample": "github"}])
async def test_either_a_payload_or_a_sample_is_sent(
    world: World, person: Principal, given: Mapping[str, Any]
) -> None:
    world.endpoint(person)

    reply = await ask(world, person, "webhook send", webhook="W-1", **given)

    assert reply.error is not None
    assert reply.error.code == "invalid_argument"


async def test_sample_of_a_known_sender_can_be_sent_and_tried(
    running: World, person: Principal
) -> None:
    rule = PayloadMap(
        command="task create", each="alerts", arguments={"title": "labels.alertname"}
    )
    running.endpoint(person, rule)

    tried = await ask(
        running, person, "webhook test", webhook="W-1", sample="alertmanager"
    )
    await ask(running, person, "webhook send", webhook="W-1", sample="alertmanager")
    await drained(running)

    assert len(items(tried, "calls")) == len(running.tasks()) > 0


async def test_listening_names_the_place_from_which_to_follow(
    running: World, person: Principal, failed: tuple[NewEndpoint, str]
) -> None:
    reply = await ask(running, person, "webhook listen", webhook="alerts")

    assert [each["id"] for each in items(reply, "items")] == [failed[1]]
    assert reply.data["id"] == "W-1"
    assert reply.data["since"] == running.db.look(lambda tx: tx.event_seq, by=system())


async def test_whoever_listens_hears_of_what_runs_in_nobodys_name(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """Its maker may do nothing any more; what comes in is seen all the same."""
    new = running.endpoint(person)
    root = running.user("eve", Role.ADMIN)
    await ask(running, root, "user disable", user="ann", reason="left")

    await deliver(new, GOOD)
    await settled(running)

    told = await ask(running, root, "event list", type="webhook_received")
    (event,) = items(told, "items")
    assert event["target"] == "W-1"
    assert event["details"]["outcome"] == "failed"
    assert "is disabled" in event["details"]["summary"]
