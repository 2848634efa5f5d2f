"""Socket Mode while sockets are refreshed, cut and silently dead."""

import asyncio

import pytest

from channels.base import Link
from channels.testing.slack import FakeSlack
from tests.integration.slack.conftest import ANN, OPS, Alone, until

AT_ONCE = 20


@pytest.mark.parametrize("batches", [15, pytest.param(150, marks=pytest.mark.soak)])
async def test_each_envelope_is_acknowledged_once_through_refreshes_and_cuts(
    fake: FakeSlack, alone: Alone, batches: int
) -> None:
    """R-10, scaled down: 20 at a time, refreshed or cut while they are under way."""
    fake.outside.patience = 0.5
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        for batch in range(batches):
            asking = [
                asyncio.create_task(fake.people.slash(ANN, OPS, f"{batch}.{number}"))
                for number in range(AT_ONCE)
            ]
            await asyncio.sleep(0)  # They are under way now.
            if batch % 4 == 1:
                await fake.sockets.refresh()
            elif batch % 4 == 3:
                await fake.sockets.drop()
            assert all(each.is_ok for each in await asyncio.gather(*asking))

    asked = {each.payload["text"] for each in alone.inbox.kept.values()}
    assert asked == {f"{batch}.{n}" for batch in range(batches) for n in range(AT_ONCE)}
    assert len(alone.inbox.kept) == batches * AT_ONCE
    assert max(fake.sockets.times_acked.values()) == 1
    assert fake.sockets.most_open <= 2


async def test_envelopes_that_are_under_way_when_a_socket_is_refreshed_are_acknowledged(
    fake: FakeSlack, alone: Alone
) -> None:
    """R-10: an old socket is left once everything on it has been answered."""
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        alone.inbox.gate.clear()
        asking = asyncio.create_task(fake.people.slash(ANN, OPS, "status"))
        await until(lambda: alone.inbox.tries)

        await fake.sockets.refresh()
        await fake.sockets.wait_opened(2)
        alone.inbox.gate.set()

        assert (await asking).is_ok
    assert len(alone.inbox.taken) == 1


async def test_a_socket_that_has_gone_silent_is_noticed(
    fake: FakeSlack, alone: Alone
) -> None:
    """R-10: nothing comes and no ping is answered, but nobody has hung up either."""
    fake.outside.patience = 1.0
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        fake.sockets.silence()

        await fake.sockets.wait_opened(2)
        answered = await fake.people.slash(ANN, OPS, "status")

        assert answered.is_ok
        assert alone.health().reconnects == 1
        assert alone.health().link is Link.CONNECTED


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    fake: FakeSlack, alone: Alone
) -> None:
    """R-08: an acknowledgement says that it is on disk."""
    fake.outside.patience = 0.3
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        alone.inbox.is_broken = True
        refused = await fake.people.slash(ANN, OPS, "status")
        alone.inbox.is_broken = False
        again = await fake.outside.again()

    assert not refused.is_ok
    assert again.is_ok
    assert len(alone.inbox.taken) == 1


async def test_a_wrong_app_token_is_named_with_its_fix(
    fake: FakeSlack, alone: Alone
) -> None:
    async with alone.running("xapp-wrong"):
        await until(
            lambda: [each.link for each in alone.teams.healths()] == [Link.DEGRADED]
        )

        health = alone.health()

    assert "OPSWIRE_SLACK__APP_TOKEN" in health.fix


async def test_an_outage_of_slack_ends_by_itself(fake: FakeSlack, alone: Alone) -> None:
    fake.script.add("500", "reset", "429:0.01", method="apps.connections.open")
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        answered = await fake.people.slash(ANN, OPS, "status")

        assert answered.is_ok
        assert fake.script.is_over
        assert alone.health().link is Link.CONNECTED


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"type":"x"}',
        '{"envelope_id":"e"}',
        '{"envelope_id":"e","payload":[]}',
        '{"envelope_id":"e","payload":"x"}',
    ],
)
async def test_a_frame_that_says_nothing_disturbs_nothing(
    fake: FakeSlack, alone: Alone, frame: str
) -> None:
    """R-56."""
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()

        await fake.sockets.say(frame)
        answered = await fake.people.slash(ANN, OPS, "status")

        assert answered.is_ok
        assert fake.sockets.opened == 1
