"""What Slack knows of people reaches their messages, and keeps none of them waiting."""

from channels.testing.slack import FakeSlack
from tests.integration.slack.conftest import ANN, OPS, Alone, ServeSlack, until


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
