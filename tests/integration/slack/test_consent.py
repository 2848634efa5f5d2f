"""Dangerous commands in Slack: asked once, by a dialog, two buttons or a typed id."""

import pytest

from channels.testing.slack import FakeSlack, SlackMessage
from core.kernel.principal import Role
from tests.integration.slack.conftest import (
    ANN,
    BOB,
    OPS,
    ServeSlack,
    SlackGateway,
    until,
)

RECLAIM = 'lease reclaim L-1 --reason "worker died"'


@pytest.fixture
async def gateway(fake: FakeSlack, serve_slack: ServeSlack) -> SlackGateway:
    """A gateway whose admin is ann; bob holds the lease L-1."""
    served = await serve_slack()
    served.link("ann", ANN, role=Role.ADMIN)
    served.link("bob", BOB)
    await fake.people.slash(BOB, OPS, "lease acquire deploy-prod --ttl 15m")
    await served.answered(1)
    return served


def labelled(message: SlackMessage, label: str) -> int:
    """Find a button by what it says."""
    return [each["text"]["text"] for each in message.buttons()].index(label)


async def test_a_risky_line_waits_for_a_button_that_only_its_author_sees(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    await fake.people.slash(ANN, OPS, RECLAIM)
    asked = (await gateway.answered(2))[-1]

    await fake.people.press(ANN, asked, labelled(asked, "Confirm"))
    done = (await gateway.answered(3))[-1]

    assert asked.only_for == ANN
    assert done.only_for == ""
    assert asked.text.startswith("Confirm: lease reclaim L-1")
    assert done.text.startswith("Reclaimed L-1")


async def test_a_dropped_proposal_changes_nothing(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    await fake.people.slash(ANN, OPS, RECLAIM)
    asked = (await gateway.answered(2))[-1]

    await fake.people.press(ANN, asked, labelled(asked, "Cancel"))
    dropped = (await gateway.answered(3))[-1]
    await fake.people.press(ANN, asked, labelled(asked, "Confirm"))
    late = (await gateway.answered(4))[-1]

    assert dropped.text.startswith("Dropped: lease reclaim L-1")
    assert "used already" in str(late.blocks)


async def test_a_risky_button_asks_in_its_own_dialog_and_then_runs(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    await fake.people.slash(ANN, OPS, "lease show L-1")
    shown = (await gateway.answered(2))[-1]
    button = labelled(shown, "Reclaim")

    await fake.people.press(ANN, shown, button, is_sure=False)
    await fake.people.press(ANN, shown, button)
    done = (await gateway.answered(3))[-1]

    assert "lease reclaim L-1" in str(shown.buttons()[button]["confirm"])
    assert done.text.startswith("Reclaimed L-1")
    assert len(gateway.answers()) == 3


async def test_what_cannot_be_taken_back_wants_its_id_typed(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    people = fake.people
    await people.slash(ANN, OPS, "approval rule set 'task note'")
    await gateway.answered(2)
    await people.slash(ANN, OPS, "approval rule delete 'task note' --reason unused")
    asked = (await gateway.answered(3))[-1]

    for count, typed in ((4, "task move"), (5, "task note")):
        await people.press(ANN, asked, labelled(asked, "Confirm…"))
        await until(lambda: people.window_of(ANN))
        window = people.window_of(ANN)
        assert window is not None
        taken = {"text": {"type": "plain_text_input", "value": typed}}
        await people.submit(ANN, window, {"confirm": taken})
        await gateway.answered(count)

    wrong, done = gateway.answers()[-2:]
    assert "task move" in str(wrong.blocks)
    assert "task note" in done.text
    assert gateway.count("approval_rules") == 0


async def test_a_button_runs_as_whoever_presses_it(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    """R-10: somebody who is not linked may press, and is told why it did not work."""
    await fake.people.slash(ANN, OPS, 'task create "Fix login" --public')
    made = (await gateway.answered(2))[-1]
    carl = "U0CARL001"
    fake.home.users[carl] = "carl"

    await fake.people.press(carl, made, labelled(made, "Claim"))
    refused = (await gateway.answered(3))[-1]

    assert "not linked" in str(refused.blocks)
    assert refused.only_for == carl
