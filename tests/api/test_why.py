"""Why something was refused: which check, and on which fact."""

from typing import Any

import pytest

from core.kernel.principal import Assurance, Role
from tests.api.channels import Writer
from tests.api.conftest import Serve
from tests.api.gateway import Answer, Gateway, Person


async def why(person: Person, request: str) -> dict[str, Any]:
    answer = await person.say(f"why {request}")
    assert answer.status == 200, answer
    return dict(answer.data)


def failed(told: dict[str, Any]) -> dict[str, Any]:
    (check,) = [each for each in told["checks"] if each["outcome"] == "failed"]
    return dict(check)


async def test_a_missing_scope_is_named_with_who_has_it(gateway: Gateway) -> None:
    vera = gateway.person("vera", Role.VIEWER)
    refused = await vera.say("task create one")

    told = await why(vera, refused.body["request_id"])

    assert (told["rule"], told["verdict"]) == ("scope", "denied")
    assert "vera lacks the scope tasks:write" in failed(told)["fact"]
    assert "the roles with it: operator, admin" in failed(told)["fact"]
    outcomes = {each["rule"]: each["outcome"] for each in told["checks"]}
    assert outcomes["link"] == "passed"
    assert outcomes["assurance"] == outcomes["command"] == "not reached"


async def test_an_unlinked_sender_learns_it_from_the_reply_id(gateway: Gateway) -> None:
    stranger = Writer(gateway, "slack", "U0X")
    refused = await stranger.say("task list")

    told = await stranger.say(f"why {refused.id}")

    assert told.data["rule"] == "link"


async def test_a_weak_proof_is_named(gateway: Gateway, bob: Person) -> None:
    mail = Writer(gateway, "email", "bob@example.org").link_to("bob")
    refused = await mail.say("approve AP-1", assurance=Assurance.UNVERIFIED)

    told = await why(bob, refused.request_id)

    assert told["rule"] == "assurance"
    assert "needs assurance 1" in failed(told)["fact"]


async def test_a_limit_is_named(serve: Serve) -> None:
    gateway = serve(rate="2/minute")
    ann = gateway.person("ann")
    answers: list[Answer] = [await ann.say("task list") for _ in range(3)]
    gateway.audits()  # A refusal of a flood is posted: wait for it.

    await gateway.restart()  # Or the question would be above the limit, too.
    told = await gateway.admin.say(f"why {answers[-1].body['request_id']}")

    assert answers[-1].status == 429
    assert told.data["rule"] == "limit"


async def test_a_channel_that_is_off_is_named(gateway: Gateway, ann: Person) -> None:
    slack = Writer(gateway, "slack", "U0ANN").link_to("ann")
    off = await gateway.admin.post("/v1/channels/slack/disable", {"reason": "drill"})
    refused = await slack.say("task list")

    told = await why(ann, refused.request_id)

    assert off.status == 200
    assert refused.error
    assert refused.error.code == "channel_disabled"
    assert told["rule"] == "channel"


async def test_a_line_that_cannot_be_read_is_named(ann: Person) -> None:
    refused = await ann.say("task list --statsu review")

    assert (await why(ann, refused.body["request_id"]))["rule"] == "form"


async def test_a_step_up_and_a_wait_are_named(gateway: Gateway, ann: Person) -> None:
    mail = Writer(gateway, "email", "admin@example.org").link_to("admin")
    await gateway.admin.say("approval rule set 'task create'")
    stepped = await mail.say("approval rule delete 'task create'")
    waiting = await ann.say("task create one")
    asked = await gateway.admin.say("channel disable webhook")

    rules = [
        (await why(gateway.admin, request))["rule"]
        for request in (
            stepped.request_id,
            waiting.body["request_id"],
            asked.body["request_id"],
        )
    ]

    assert rules == ["step-up", "approval", "confirmation"]


async def test_what_the_command_itself_refused_passed_every_check(ann: Person) -> None:
    refused = await ann.say("task note T-9 hello")

    told = await why(ann, refused.body["request_id"])

    assert told["rule"] == "command"
    assert failed(told)["fact"] == "T-9 does not exist"


async def test_what_was_done_passed(ann: Person) -> None:
    done = await ann.say("task create one")

    told = await why(ann, done.body["id"])

    assert told["rule"] == ""
    assert {each["outcome"] for each in told["checks"]} == {"passed"}


@pytest.mark.parametrize(
    ("reference", "status"), [("rq_nothing", 404), ("rp_", 404), ("x", 400)]
)
async def test_what_nobody_asked_is_not_found(
    ann: Person, reference: str, status: int
) -> None:
    assert (await ann.say(f"why {reference}")).status == status


async def test_others_decisions_need_the_right_to_read_the_audit(
    gateway: Gateway, ann: Person
) -> None:
    narrow = gateway.person("nora", scopes=("tasks:read",))
    done = await ann.say("task create one")

    assert (await narrow.say(f"why {done.body['id']}")).status == 404
    assert (await gateway.admin.say(f"why {done.body['id']}")).status == 200
