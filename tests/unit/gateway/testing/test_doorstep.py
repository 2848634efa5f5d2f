"""The gateway for tests of a channel of one's own: nothing happens before it is told."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from core.identity.links.model import Account
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, Role
from core.kernel.problems import AlreadyExists
from core.kernel.reply import Reply
from gateway.testing.doorstep import Doorstep, doorstep

HERE = Account(channel="pager", account="main", sender="+1")


@pytest.fixture
async def step(tmp_path: Path) -> AsyncIterator[Doorstep]:
    async with doorstep(tmp_path / "data") as step:
        yield step


async def say(step: Doorstep, line: str) -> Reply:
    """Say a line as the account, as its channel would hand it on."""
    graph = step.gateway.graph
    envelope = Envelope(
        channel=HERE.channel,
        account=HERE.account,
        sender=HERE.sender,
        text=line,
        received_at=graph.clock.now(),
        assurance=Assurance.SENDER,
    )
    return (await graph.pipeline.handle(envelope)).reply


async def test_account_is_whose_it_was_linked_to(step: Doorstep) -> None:
    before = await say(step, "task create hello")
    step.link(HERE, "ann")
    after = await say(step, "task create hello")

    assert before.error is not None
    assert before.error.code == "not_linked"
    assert after.actor == "ann"


async def test_person_has_the_role_that_is_given(step: Doorstep) -> None:
    step.link(HERE, "bob", Role.VIEWER)

    refused = await say(step, "task create hello")

    assert refused.error is not None
    assert refused.error.code == "missing_scope"


async def test_account_is_linked_once(step: Doorstep) -> None:
    step.link(HERE, "ann")

    with pytest.raises(AlreadyExists):
        step.link(HERE, "bob")


async def test_time_goes_by_when_it_is_told_to(step: Doorstep) -> None:
    made = [(await step.admin.say("task create one")).data["created_at"]]
    made.append((await step.admin.say("task create two")).data["created_at"])
    await step.wait(timedelta(hours=1))
    made.append((await step.admin.say("task create three")).data["created_at"])

    first, second, third = map(datetime.fromisoformat, made)
    assert second == first
    assert third - first == timedelta(hours=1)


async def test_channels_have_told_how_they_are_once_it_is_settled(
    step: Doorstep,
) -> None:
    before = (await step.admin.say("channel show slack")).data
    await step.settle()
    after = (await step.admin.say("channel show slack")).data

    assert before["fix"] == ""
    assert "OPSWIRE_SLACK__BOT_TOKEN" in after["fix"]
