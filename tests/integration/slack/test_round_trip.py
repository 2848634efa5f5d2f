"""From what somebody does in Slack to what they see of it there."""

import pytest

from channels.base import Parcel, Undeliverable
from channels.testing.slack import FakeSlack
from core.kernel.outgoing import Lane
from core.kernel.reply import Reply
from tests.integration.slack.conftest import (
    ANN,
    BOB,
    DEV,
    OPS,
    ServeSlack,
    SlackGateway,
    until,
)

CREATE = 'task create "Fix login"'


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def gateway(
    serve_slack: ServeSlack, request: pytest.FixtureRequest
) -> SlackGateway:
    """A gateway that ann and bob are linked to, over either way in."""
    served = await serve_slack(is_http=request.param)
    served.link("ann", ANN)
    served.link("bob", BOB)
    return served


async def test_a_slash_command_is_answered_by_its_response_url(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    """R-08: changes in the channel, looks for the person alone."""
    await fake.people.slash(ANN, OPS, CREATE)
    await gateway.answered(1)
    await fake.people.slash(BOB, OPS, "task list")
    made, listed = await gateway.answered(2)

    assert (made.via, made.only_for) == ("response_url", "")
    assert "T-1" in made.text
    assert (listed.via, listed.only_for) == ("response_url", BOB)


async def test_a_mention_in_a_thread_is_answered_in_that_thread(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    parent = fake.people.write(BOB, DEV, "login is broken")

    await fake.people.mention(ANN, DEV, CREATE, thread=parent.ts)
    [answer] = await gateway.answered()

    assert (answer.via, answer.channel) == ("chat.postMessage", DEV)
    assert answer.thread_ts == parent.ts
    assert "T-1" in answer.text


async def test_a_direct_message_is_answered_there(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    await fake.people.dm(ANN, "whoami")
    [answer] = await gateway.answered()

    assert (answer.channel, answer.only_for) == ("D0ANN0001", "")
    assert answer.text.startswith("ann")


async def test_one_message_under_eleven_event_ids_runs_once(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    """R-09: Slack redelivers a message under another event id."""
    event = {
        "type": "app_mention",
        "user": ANN,
        "text": f"<@{fake.home.bot_user_id}> {CREATE}",
        "ts": "1700000000.000100",
        "channel": OPS,
    }

    answered = await fake.people.tell(event, times=11)
    await gateway.answered()

    assert answered.is_ok
    assert gateway.count("tasks") == 1
    assert gateway.count("inbox") == 1
    assert len(fake.messages()) == 1


async def test_a_button_does_what_it_says_and_only_once_for_each_person(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    await fake.people.slash(ANN, OPS, CREATE)
    [made] = await gateway.answered(1)
    labels = [each["text"]["text"] for each in made.buttons()]

    for _ in range(3):
        await fake.people.press(BOB, made, labels.index("Claim"))
    await gateway.answered(2)
    await fake.people.slash(BOB, OPS, "task list --assignee me")
    answers = await gateway.answered(3)

    assert len(answers) == 3
    assert "1 task" in answers[-1].text


async def test_our_own_messages_and_those_of_other_bots_are_not_heard(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    """R-09: or two bots would talk for ever."""
    base = {"type": "message", "channel_type": "im", "channel": "D0ANN0001"}
    ours = {**base, "user": fake.home.bot_user_id, "text": "status", "ts": "1.1"}
    other = {**base, "user": ANN, "bot_id": "B0OTHER", "text": "status", "ts": "1.2"}
    changed = {**base, "subtype": "message_changed", "ts": "1.3", "message": {}}
    deleted = {**base, "subtype": "message_deleted", "ts": "1.4"}
    room = {**base, "channel_type": "channel", "user": ANN, "text": "help", "ts": "1.5"}

    answered = [
        await fake.people.tell(event) for event in (ours, other, changed, deleted, room)
    ]
    await fake.people.slash(ANN, OPS, "whoami")
    await gateway.answered()

    assert all(each.is_ok for each in answered)
    assert gateway.count("inbox") == 1


async def test_the_launcher_leads_to_a_form_that_runs_what_was_filled_in(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    people = fake.people
    await people.shortcut(ANN, "launch")
    await until(lambda: people.window_of(ANN))
    window = people.window_of(ANN)
    assert window is not None
    at = {"action_id": "choose", "block_id": "choose"}

    offered = await people.suggest(ANN, window, **at, typed="task cr")
    await people.choose(ANN, window, **at, value=offered[0]["value"])
    await until(lambda: (people.window_of(ANN) or {}).get("callback_id") == "command")
    form = people.window_of(ANN)
    assert form is not None
    title = {"text": {"type": "plain_text_input", "value": "Fix login"}}
    await people.submit(ANN, form, {"title": title})
    [answer] = await gateway.answered()

    assert offered[0]["value"] == "task create"
    assert answer.channel == "D0ANN0001"
    assert "T-1" in answer.text
    assert people.window_of(ANN) is None


async def test_a_message_becomes_a_task(fake: FakeSlack, gateway: SlackGateway) -> None:
    people = fake.people
    message = people.write(BOB, DEV, "login is broken")
    await people.message_shortcut(ANN, message, "task_from_message")
    await until(lambda: people.window_of(ANN))
    form = people.window_of(ANN)
    assert form is not None

    title = {"text": {"type": "plain_text_input", "value": "login is broken"}}
    await people.submit(ANN, form, {"title": title})
    [answer] = await gateway.answered()

    assert (answer.channel, answer.thread_ts) == (DEV, message.ts)
    assert gateway.count("tasks") == 1


async def test_a_window_that_could_not_open_in_time_is_explained(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    fake.script.add("refused:expired_trigger_id", method="views.open")

    await fake.people.shortcut(ANN, "launch")
    [told] = await gateway.answered()

    assert told.channel == "D0ANN0001"
    assert "press it again" in told.text


async def test_the_home_tab_shows_what_is_mine(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    await fake.people.slash(ANN, OPS, CREATE)
    await gateway.answered()

    await fake.people.open_home(ANN)
    await until(lambda: ANN in fake.home.homes)

    assert fake.home.homes[ANN]["type"] == "home"
    assert "linked to a person yet" not in str(fake.home.homes[ANN])
    assert gateway.count("inbox") == 1


async def test_where_the_app_may_not_write_the_person_is_told_directly(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    """R-09: a final always arrives."""
    fake.home.closed.add(DEV)

    await fake.people.mention(ANN, DEV, CREATE)
    [answer] = await gateway.answered()

    assert answer.channel == "D0ANN0001"


async def test_a_workspace_that_refuses_the_newest_blocks_gets_the_old_ones(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    fake.home.refused_blocks |= {"markdown", "table"}

    await fake.people.slash(ANN, OPS, CREATE)
    await fake.people.dm(ANN, "task list")
    answers = await gateway.answered(2)

    kinds = {block["type"] for answer in answers for block in answer.blocks}
    assert kinds
    assert not kinds & fake.home.refused_blocks


async def test_a_revoked_token_is_named_with_its_fix_and_the_rest_goes_on(
    fake: FakeSlack, gateway: SlackGateway
) -> None:
    fake.home.token_error = "token_revoked"

    await fake.people.dm(ANN, "whoami")
    [door] = [each for each in gateway.served.graph.doors if each.spec.name == "slack"]
    await until(lambda: door.healths()[0].error)
    async with gateway.served.client() as http:
        ready = await http.get("/readyz")

    assert "install the app again" in door.healths()[0].fix
    assert ready.status_code == 200


async def test_what_is_for_a_workspace_that_is_gone_is_undeliverable(
    gateway: SlackGateway,
) -> None:
    [door] = [each for each in gateway.served.graph.doors if each.spec.name == "slack"]
    parcel = Parcel(
        id="D-1", account="gone", place={}, reply=Reply(summary="x"), lane=Lane.FINALS
    )

    with pytest.raises(Undeliverable) as refused:
        await door.courier.deliver(parcel)

    assert refused.value.fix == "workspace add"
