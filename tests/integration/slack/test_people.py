"""What Slack knows of people reaches their messages, and keeps none of them waiting."""

import re

from channels.testing.slack import FakeSlack
from tests.integration.slack.conftest import ANN, BOB, OPS, Alone, ServeSlack, until


async def test_a_zone_is_known_from_the_second_message_on(
    fake: FakeSlack, alone: Alone
) -> None:
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        await fake.people.slash(ANN, OPS, "status")
        await until(lambda: "users.info" in fake.calls)
        await until(lambda: alone.pages.people.is_free)
        await fake.people.slash(ANN, OPS, "status")

    first, second = alone.inbox.taken
    assert "timezone" not in first.payload
    assert second.payload["timezone"] == "Europe/Berlin"


async def test_without_the_right_nothing_is_known_and_nothing_is_lost(
    fake: FakeSlack, alone: Alone
) -> None:
    fake.home.scopes.discard("users:read")

    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        for _ in range(3):
            await fake.people.slash(ANN, OPS, "status")
        await until(lambda: "users.info" in fake.calls)

    assert len(alone.inbox.taken) == 3


async def test_an_account_without_a_person_sees_which_address_it_has(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    await serve_slack()

    await fake.people.open_home(ANN)
    await until(lambda: ANN in fake.home.homes)

    shown = str(fake.home.homes[ANN])
    assert "not linked to a person yet" in shown
    assert f"{fake.home.users[ANN]}@" in shown


async def test_a_mention_names_the_person_whom_it_is_linked_to(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """Slack turns a typed `@bob` into an id that nobody else knows."""
    gateway = await serve_slack()
    gateway.link("ann", ANN)
    gateway.link("bob", BOB)

    await fake.people.mention(
        ANN, OPS, f'task create "Fix login" --assignee <@{BOB}> --lane B'
    )
    await gateway.answered(1)
    await fake.people.slash(BOB, OPS, "task list --assignee me")
    listed = (await gateway.answered(2))[-1]

    assert listed.text.startswith("1 task")


async def test_a_mention_of_somebody_unknown_stays_what_it_was(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    gateway = await serve_slack()
    gateway.link("ann", ANN)

    await fake.people.mention(ANN, OPS, f"task list --assignee <@{BOB}>")
    [listed] = await gateway.answered()

    assert listed.text == "No tasks"


async def test_a_link_code_is_told_to_one_person_whatever_they_said(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """Whoever reads a code could tie an account to the person who asked for it."""
    gateway = await serve_slack()
    gateway.link("ann", ANN)

    await fake.people.slash(BOB, OPS, "link")
    await gateway.answered(1)
    await fake.people.slash(ANN, OPS, "link email --public")
    await gateway.answered(2)
    await fake.people.mention(BOB, OPS, "link")
    answers = await gateway.answered(3)

    told = [each for each in answers if "Your code is" in each.text]
    assert len(told) == 3
    for each in told:
        is_direct = each.channel.startswith("D")
        assert is_direct or each.only_for in (ANN, BOB)
    codes = [re.findall(r"Your code is (\w+)", each.text)[0] for each in told]
    await until(lambda: not any(code in gateway.dump() for code in codes))
