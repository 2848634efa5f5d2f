"""Whoever may approve is asked where they are, and whoever asked hears what became of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.kernel.principal import DEFAULT_TENANT, Role, TenantId
from gateway.approval_notices import ApprovalNotices
from gateway.reactor import Reactor
from tests.api.channels import Writer, delivered, settle
from tests.api.gateway import Gateway, Person

React = Callable[[], Awaitable[None]]
SLACK_BOB = {"user": "U0BOB"}
MAIL_CAROL = {"to": "carol@example.org"}


@pytest.fixture
async def react(gateway: Gateway) -> React:
    """Have the notices react to all that has happened."""

    async def tenants() -> list[TenantId]:
        return [DEFAULT_TENANT]

    reactor = Reactor(
        gateway.graph.db,
        [ApprovalNotices({"slack"})],
        tenants=tenants,
        on_posted=lambda: None,
    )
    await reactor.react_to_news()
    return reactor.react_to_news


@pytest.fixture
async def slack_ann(gateway: Gateway, ann: Person) -> Writer:
    return Writer(gateway, "slack", "U0ANN").link_to("ann")


@pytest.fixture
async def slack_bob(gateway: Gateway, bob: Person) -> Writer:
    return Writer(gateway, "slack", "U0BOB").link_to("bob")


@pytest.fixture
async def mail_carol(gateway: Gateway) -> Writer:
    gateway.person("carol")
    return Writer(gateway, "email", "carol@example.org").link_to("carol")


async def ask(gateway: Gateway, writer: Writer, *, need: int = 1) -> str:
    await gateway.admin.say(f"approval rule set 'task create' --need {need}")
    waits = await writer.say("task create one")
    return str(waits.data["approval"])


def told(gateway: Gateway, place: Mapping[str, Any]) -> list[str]:
    return [each["summary"] for each in delivered(gateway, place)]


async def test_all_who_may_decide_are_asked_where_they_are(
    gateway: Gateway,
    react: React,
    slack_ann: Writer,
    slack_bob: Writer,
    mail_carol: Writer,
) -> None:
    gateway.person("vera", Role.VIEWER)
    Writer(gateway, "slack", "U0VER").link_to("vera")

    approval = await ask(gateway, slack_ann)
    await react()
    await react()

    asked = f"ann asks you to approve {approval}: task create one"
    assert told(gateway, SLACK_BOB) == [asked]
    assert told(gateway, MAIL_CAROL) == [asked]
    assert told(gateway, {"user": "U0VER"}) == []
    assert told(gateway, {"user": "U0ANN"}) == []


async def test_the_button_of_a_notice_approves(
    gateway: Gateway, react: React, slack_ann: Writer, slack_bob: Writer
) -> None:
    approval = await ask(gateway, slack_ann)
    await react()
    (notice,) = delivered(gateway, SLACK_BOB)

    pressed = await slack_bob.say(f"press {notice['id']}.0", thread="")
    own = await slack_ann.say(f"press {notice['id']}.0", thread="")
    await settle(gateway)

    assert pressed.data["status"] == "approved"
    assert own.error
    assert own.error.code == "self_approval"
    assert told(gateway, slack_ann.place) == ["Created T-1 in queued"]
    assert (await slack_bob.say(approval)).data["outcome"] == "ok"


async def test_a_mail_about_it_is_answered_with_this(
    gateway: Gateway, react: React, slack_ann: Writer, mail_carol: Writer
) -> None:
    """The notice carries the id in its subject and address."""
    approval = await ask(gateway, slack_ann)
    await react()
    (notice,) = delivered(gateway, {**MAIL_CAROL, "this": approval})

    answered = await mail_carol.say("!approve this", this=approval)

    assert notice["data"]["id"] == approval
    assert answered.data["status"] == "approved"


async def test_what_was_asked_is_edited_once_it_is_decided(
    gateway: Gateway,
    react: React,
    slack_ann: Writer,
    slack_bob: Writer,
    mail_carol: Writer,
) -> None:
    approval = await ask(gateway, slack_ann)
    await react()
    await mail_carol.say(f"approve {approval}")
    await react()

    assert told(gateway, SLACK_BOB)[1:] == [f"{approval} approved: task create one"]
    assert len(told(gateway, MAIL_CAROL)) == 1


async def test_who_asked_hears_of_a_rejection_in_the_thread(
    gateway: Gateway, react: React, slack_ann: Writer, bob: Person
) -> None:
    approval = await ask(gateway, slack_ann)

    await bob.say(f'reject {approval} --reason "not today"')
    await react()

    assert told(gateway, slack_ann.place) == [
        f"{approval} was rejected by bob: not today"
    ]


async def test_both_hear_that_it_is_void(
    gateway: Gateway, react: React, slack_ann: Writer, bob: Person
) -> None:
    await gateway.admin.say("task create one")
    await gateway.admin.say("approval rule set 'task move'")
    approval = (await slack_ann.say("task move T-1 abandoned")).data["approval"]
    await gateway.admin.say("task note T-1 wait")

    late = await bob.say(f"approve {approval}")
    await react()

    assert late.error["code"] == "approval_void"
    assert told(gateway, slack_ann.place) == [
        f"{approval} is void, because what it is about has changed"
    ]


async def test_what_the_run_has_said_is_not_said_again(
    gateway: Gateway, react: React, slack_ann: Writer, bob: Person
) -> None:
    await gateway.admin.say("task create one")
    await gateway.admin.say("approval rule set 'task move'")
    approval = (await slack_ann.say("task move T-1 abandoned")).data["approval"]
    await bob.say(f"approve {approval}")
    await gateway.admin.say("task note T-1 wait")

    await settle(gateway)
    await react()

    (answer,) = told(gateway, slack_ann.place)
    assert answer.startswith("The approval is void")


async def test_who_asked_over_http_hears_at_their_accounts(
    gateway: Gateway, react: React, slack_ann: Writer, ann: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create'")
    approval = (await ann.say("task create one")).data["approval"]

    gateway.clock.advance(timedelta(hours=24))
    await gateway.sweep()
    await react()

    assert told(gateway, {"user": "U0ANN"}) == [f"{approval} has expired"]
