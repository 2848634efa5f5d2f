"""Somebody who is not linked cannot fill a channel with refusals."""

from channels.testing.slack import FakeSlack
from tests.integration.slack.conftest import ANN, BOB, OPS, ServeSlack


async def test_a_stranger_is_told_once_a_minute_and_holds_nobody_back(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-09: a flood of refusals takes nobody's turn, and is written down."""
    gateway = await serve_slack()
    gateway.link("ann", ANN)

    for _ in range(20):
        await fake.people.slash(BOB, OPS, "task list")
    await fake.people.slash(BOB, OPS, "whoami")
    await fake.people.slash(ANN, OPS, "whoami")
    answers = await gateway.answered(3)
    await gateway.served.graph.intake.settle()

    assert gateway.count("outbox") == len(gateway.answers()) == 3
    assert sum(each.only_for == BOB for each in answers) == 2
    assert sum(each.only_for == ANN for each in answers) == 1
    assert gateway.count("audit_events WHERE action = 'task list'") == 20
