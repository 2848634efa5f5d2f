"""Commands that wait for other people: asked on one channel, approved on another."""

from datetime import timedelta

import pytest

from core.kernel.principal import Assurance, Role
from tests.api.channels import Writer, delivered, settle
from tests.api.conftest import Serve
from tests.api.gateway import Gateway, Person

RULE = "approval rule set 'lease reclaim' --need 2"


@pytest.fixture
async def carol(gateway: Gateway) -> Person:
    """A third operator."""
    return gateway.person("carol")


@pytest.fixture
async def slack_ann(gateway: Gateway, ann: Person) -> Writer:
    """Ann in Slack; she also has a key."""
    return Writer(gateway, "slack", "U0ANN").link_to("ann")


@pytest.fixture
async def mail_bob(gateway: Gateway, bob: Person) -> Writer:
    """Bob with nothing but mail; he also has a key."""
    return Writer(gateway, "email", "bob@example.org").link_to("bob")


@pytest.fixture
async def lease(gateway: Gateway) -> str:
    """A lease of the admin's, which people want to reclaim."""
    assert (await gateway.admin.say(RULE)).status == 200
    answer = await gateway.admin.post(
        "/collab/leases/acquire", {"resource": "deploy-prod"}
    )
    return str(answer.body["lock_id"])


async def ask(slack_ann: Writer, lease: str) -> str:
    """Ask for it in Slack, confirm it there, and so make a request."""
    asked = await slack_ann.say(f'lease reclaim {lease} --reason "worker died"')
    assert asked.data["danger"] == "risky"
    waits = await slack_ann.say("yes")
    assert waits.status == "needs_confirmation"
    return str(waits.data["approval"])


async def lease_is_there(gateway: Gateway, lease: str) -> bool:
    return (await gateway.admin.get(f"/collab/leases/{lease}")).status == 200


async def test_asked_in_slack_approved_by_mail_and_rest_and_run_once(
    gateway: Gateway, slack_ann: Writer, mail_bob: Writer, carol: Person, lease: str
) -> None:
    """M-OMN: the answer goes to the thread in which it was asked for."""
    approval = await ask(slack_ann, lease)
    first = await mail_bob.say(f"approve {approval}")
    assert await lease_is_there(gateway, lease)

    last = await carol.post(f"/v1/approvals/{approval}/approve")
    await settle(gateway)
    again = await gateway.admin.say(f"approve {approval}")

    assert (first.data["given"], first.data["status"]) == (1, "waiting")
    assert (last.body["given"], last.body["status"]) == (2, "approved")
    assert last.body["request_id"].startswith("rq_")
    assert not await lease_is_there(gateway, lease)
    (told,) = delivered(gateway, slack_ann.place)
    assert told["summary"] == f"Reclaimed {lease}"
    assert (told["actor"], told["channel"]) == ("ann", "slack")
    assert told["request_id"] == last.body["request_id"]
    assert (again.status, again.error["code"]) == (409, "conflict")
    shown = (await carol.say(approval)).data
    assert (shown["status"], shown["outcome"]) == ("ran", "ok")
    assert [each["channel"] for each in shown["votes"]] == ["email", "rest"]


async def test_what_was_asked_over_http_is_answered_where_it_can_be_read(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'task move' --need 1")
    await ann.say("task create one")

    asked = await ann.post("/collab/tasks/T-1/transition", {"status": "abandoned"})
    approval = asked.error["approval"]
    approved = await bob.say(f"approve {approval}")
    await settle(gateway)

    assert (asked.status, asked.error["code"]) == (409, "approval_required")
    assert (asked.error["need"], asked.error["given"]) == (1, 0)
    reply = await ann.get(f"/v1/replies/{approved.data['request_id']}")
    assert reply.body["summary"] == "T-1 queued -> abandoned"
    assert reply.body["actor"] == "ann"


async def test_the_requester_cannot_approve_by_any_account_or_key(
    gateway: Gateway, slack_ann: Writer, ann: Person, lease: str
) -> None:
    """R-60: two linked accounts and a key are one person."""
    mail_ann = Writer(gateway, "email", "ann@example.org").link_to("ann")
    approval = await ask(slack_ann, lease)

    tried = [
        (await slack_ann.say(f"approve {approval}")).error,
        (await mail_ann.say(f"approve {approval}")).error,
    ]
    by_key = await ann.post(f"/v1/approvals/{approval}/approve")

    assert [each.code for each in tried if each] == ["self_approval"] * 2
    assert (by_key.status, by_key.error["code"]) == (403, "self_approval")
    assert (await ann.say(approval)).data["given"] == 0


async def test_nobody_approves_twice(
    gateway: Gateway, slack_ann: Writer, mail_bob: Writer, bob: Person, lease: str
) -> None:
    """R-60: by mail and with a key he is the same bob."""
    approval = await ask(slack_ann, lease)
    await mail_bob.say(f"approve {approval}")

    again = await bob.say(f"approve {approval}")

    assert (again.status, again.error["code"]) == (409, "conflict")
    assert (await bob.say(approval)).data["given"] == 1
    assert await lease_is_there(gateway, lease)


async def test_a_viewer_and_an_unverified_mail_approve_nothing(
    gateway: Gateway, slack_ann: Writer, mail_bob: Writer, lease: str
) -> None:
    viewer = gateway.person("vera", Role.VIEWER)
    approval = await ask(slack_ann, lease)

    by_viewer = await viewer.say(f"approve {approval}")
    forged = await mail_bob.say(f"approve {approval}", assurance=Assurance.UNVERIFIED)

    assert (by_viewer.status, by_viewer.error["code"]) == (403, "missing_scope")
    assert forged.error
    assert forged.error.code == "assurance_too_low"


async def test_a_role_that_a_rule_asks_for_is_required(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'task *' --role admin")
    waits = await ann.say("task create one")

    refused = await bob.say(f"approve {waits.data['approval']}")
    given = await gateway.admin.say(f"approve {waits.data['approval']}")

    assert (refused.status, refused.error["code"]) == (403, "no_approver")
    assert given.data["status"] == "approved"


async def test_it_is_void_once_the_target_has_changed(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """Bound to the target's ETag: what was approved is what runs, or nothing does."""
    await gateway.admin.say("approval rule set 'task move' --need 1")
    await ann.say("task create one")
    waits = await ann.say("task move T-1 abandoned --reason obsolete")
    await ann.say('task note T-1 "not so fast"')

    late = await bob.say(f"approve {waits.data['approval']}")
    await settle(gateway)

    assert (late.status, late.error["code"]) == (409, "approval_void")
    shown = (await ann.say(waits.data["approval"])).data
    assert (shown["status"], shown["given"]) == ("void", 0)
    assert (await ann.get("/collab/tasks/T-1")).body["status"] == "queued"


async def test_a_change_between_the_last_approval_and_the_run_voids_it(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'task move' --need 1")
    await ann.say("task create one")
    waits = await ann.say("task move T-1 abandoned")
    approved = await bob.say(f"approve {waits.data['approval']}")
    await bob.say('task note T-1 "wait"')  # Before any worker took it up.

    await settle(gateway)

    assert approved.data["status"] == "approved"
    shown = (await ann.say(waits.data["approval"])).data
    assert (shown["status"], shown["outcome"]) == ("void", "error")
    assert (await ann.get("/collab/tasks/T-1")).body["status"] == "queued"


async def test_it_expires_after_a_day(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]

    gateway.clock.advance(timedelta(hours=24))
    late = await bob.say(f"approve {approval}")
    before = (await bob.say(f"approval show {approval}")).data["status"]
    await gateway.sweep()

    assert (late.status, late.error["code"]) == (409, "conflict")
    assert "expired" in late.error["detail"]
    assert before == "expired"
    assert (await bob.say("approval list --status expired")).data["items"][0][
        "id"
    ] == approval


async def test_one_rejection_ends_it(
    gateway: Gateway, slack_ann: Writer, mail_bob: Writer, carol: Person, lease: str
) -> None:
    approval = await ask(slack_ann, lease)
    await carol.say(f"approve {approval}")

    refused = await mail_bob.say(f'reject {approval} --reason "not on a Friday"')
    late = await gateway.admin.say(f"approve {approval}")

    assert refused.data["status"] == "rejected"
    assert late.status == 409
    assert await lease_is_there(gateway, lease)


async def test_only_who_asked_takes_it_back(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]

    stolen = await bob.say(f"cancel {approval}")
    own = await ann.say(f"cancel {approval}")
    late = await bob.say(f"approve {approval}")

    assert (stolen.status, own.data["status"], late.status) == (403, "withdrawn", 409)


async def test_rights_are_those_at_the_time_of_the_run(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """Authorised again: who lost the right meanwhile gets a refusal, and nothing runs."""
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]
    await gateway.admin.patch("/v1/users/ann", {"roles": ["viewer"]})

    await bob.say(f"approve {approval}")
    await settle(gateway)

    shown = (await bob.say(approval)).data
    assert shown["outcome"] == "error"
    assert (await bob.say("task list")).data["items"] == []
    reply = await gateway.admin.get(f"/v1/replies/{shown['request_id']}")
    assert reply.body["error"]["code"] == "missing_scope"


async def test_a_disabled_requester_runs_nothing(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]
    await gateway.admin.post("/v1/users/ann/disable", {"reason": "left"})

    await bob.say(f"approve {approval}")
    await settle(gateway)

    assert (await bob.say(approval)).data["outcome"] == "error"
    assert (await bob.say("task list")).data["items"] == []


async def test_an_approver_who_was_disabled_no_longer_counts(
    gateway: Gateway, ann: Person, bob: Person, carol: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create' --need 2")
    approval = (await ann.say("task create one")).data["approval"]
    await bob.say(f"approve {approval}")
    await gateway.admin.post("/v1/users/bob/disable", {"reason": "left"})

    second = await carol.say(f"approve {approval}")
    third = await gateway.admin.say(f"approve {approval}")

    assert second.data["status"] == "waiting"
    assert third.data["status"] == "approved"


async def test_a_key_of_few_scopes_gains_none_by_approval(
    gateway: Gateway, bob: Person
) -> None:
    narrow = gateway.person("ann", scopes=("tasks:write",))
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await narrow.say("task create one")).data["approval"]

    await bob.say(f"approve {approval}")
    await settle(gateway)

    assert (await bob.say(approval)).data["outcome"] == "ok"
    (entry,) = (
        await gateway.admin.say("audit list --action 'task create' --verdict allowed")
    ).data["items"]
    assert (entry["actor"], entry["approval_status"]) == ("ann", "APPROVED")


async def test_asking_again_makes_no_second_request(
    gateway: Gateway, ann: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create' --need 1")

    first = await ann.say("task create one")
    again = await ann.say("task create one")

    assert first.data["approval"] == again.data["approval"]
    assert len((await ann.say("approval list")).data["items"]) == 1


async def test_what_cannot_work_waits_for_nobody(gateway: Gateway, ann: Person) -> None:
    await gateway.admin.say("approval rule set 'task *' --need 1")

    refused = await ann.say("task claim T-9")

    assert (refused.status, refused.error["code"]) == (404, "not_found")
    assert (await ann.say("approval list")).data["items"] == []


async def test_a_rule_is_raised_and_never_lowered(gateway: Gateway) -> None:
    admin = gateway.admin
    await admin.say("approval rule set 'lease reclaim' --need 2 --role admin")

    raised = await admin.say("approval rule set 'reclaim leases' --need 3 --role admin")
    fewer = await admin.say("approval rule set 'lease reclaim' --need 1 --role admin")
    lesser = await admin.say("approval rule set 'lease reclaim' --need 3")
    asked = await admin.say("approval rule delete 'lease reclaim'")
    deleted = await admin.say(
        "approval rule delete 'lease reclaim' --confirm 'lease reclaim'"
    )

    assert raised.data["need"] == 3
    assert (fewer.status, lesser.status) == (409, 409)
    assert (asked.status, asked.data["token"]) == (409, "")
    assert deleted.status == 200
    assert (await admin.say("approval rule list")).data["items"] == []


@pytest.mark.parametrize(
    "pattern",
    [
        "task list",
        "confirm",
        "approval approve",
        "channel test",
        "workspace add",
        "task fly",
        "cows *",
        "",
    ],
)
async def test_no_rule_is_made_for_what_never_waits(
    gateway: Gateway, pattern: str
) -> None:
    refused = await gateway.admin.say(f'approval rule set "{pattern}"')

    assert refused.status in (400, 409)
    assert (await gateway.admin.say("approval rule list")).data["items"] == []


@pytest.mark.parametrize(
    ("flags", "status"),
    [("--need 0", 400), ("--need 6", 400), ("--role viewer", 400), ("--need 5", 200)],
)
async def test_a_rule_asks_for_one_to_five_people_who_may_write(
    gateway: Gateway, flags: str, status: int
) -> None:
    answer = await gateway.admin.say(f"approval rule set 'task create' {flags}")

    assert answer.status == status


async def test_an_operator_sets_no_rules(ann: Person) -> None:
    assert (await ann.say(RULE)).status == 403


async def test_a_rule_can_guard_the_rules(gateway: Gateway) -> None:
    """Otherwise one admin could take a rule away, and then run alone."""
    admin, eve = gateway.admin, gateway.person("eve", Role.ADMIN)
    await admin.say("approval rule set 'approval rule delete' --role admin")

    line = "approval rule delete 'approval rule delete'"
    waits = await eve.say(f"{line} --confirm 'approval rule delete'")
    await admin.say(f"approve {waits.data['approval']}")
    await settle(gateway)

    assert waits.status == 409
    assert (await admin.say("approval rule list")).data["items"] == []


async def test_a_plan_tells_whom_it_would_wait_for(
    gateway: Gateway, ann: Person
) -> None:
    await gateway.admin.say("approval rule set 'task create' --need 2")

    planned = await ann.say("plan task create one")

    assert planned.data["plan"]["approvals"] == {"need": 2, "role": "operator"}
    assert (await ann.say("approval list")).data["items"] == []


async def test_all_of_it_is_audited(gateway: Gateway, ann: Person, bob: Person) -> None:
    """R-72."""
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]
    await bob.say(f"approve {approval}")
    await settle(gateway)

    told = [
        (each.actor, each.action, each.verdict.value, each.approval_status.value)
        for each in gateway.audits()[1:]
    ]

    assert told == [
        ("ann", "task create", "proposed", "PENDING"),
        ("bob", "approval approve", "allowed", ""),
        ("ann", "task create", "allowed", "APPROVED"),
    ]
    assert gateway.is_intact()


async def test_approvals_outlive_a_restart(
    serve: Serve, gateway: Gateway, ann: Person, bob: Person
) -> None:
    """A crash between the last approval and the run loses nothing."""
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]
    await bob.say(f"approve {approval}")

    await gateway.restart()
    await settle(gateway)

    assert (await bob.say(approval)).data["outcome"] == "ok"
    assert len((await bob.say("task list")).data["items"]) == 1


async def test_the_last_approval_wakes_the_workers(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """It runs at once, and not with the next look into the inbox."""
    gateway.graph.intake.start()
    await gateway.admin.say("approval rule set 'task create' --need 1")
    approval = (await ann.say("task create one")).data["approval"]

    await bob.say(f"approve {approval}")
    await gateway.graph.intake.settle()

    assert (await bob.say(approval)).data["outcome"] == "ok"


async def test_what_a_webhook_does_waits_in_its_makers_name(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """The maker of the endpoint is who asked, and cannot approve it either."""
    made = await gateway.admin.say(
        'webhook create alerts --command "task create" --auth key '
        '--arguments \'{"title":"t"}\''
    )
    await gateway.admin.say(f"confirm {made.data['token']}")
    await gateway.admin.say("approval rule set 'task create' --need 1")

    sent = await gateway.admin.post("/v1/channels/webhook/alerts", {"t": "disk full"})
    await settle(gateway)
    own = await gateway.admin.say("approve AP-1")
    given = await bob.say("approve AP-1")
    await settle(gateway)

    assert sent.status == 202
    assert own.error["code"] == "self_approval"
    assert given.data["requester"] == "admin"
    assert (await ann.say("task list")).data["items"][0]["title"] == "disk full"


async def test_the_thread_remembers_what_was_approved(
    gateway: Gateway, slack_ann: Writer, bob: Person
) -> None:
    """`last` and `undo` mean what ran, though somebody else let it run."""
    await gateway.admin.say("approval rule set 'task create' --need 1")
    waits = await slack_ann.say("task create one")
    before = await slack_ann.say("last")
    await bob.say(f"approve {waits.data['approval']}")
    await settle(gateway)

    after = await slack_ann.say("last")
    undone = await slack_ann.say("undo")

    assert (before.data["id"], after.data["id"]) == ("AP-1", "T-1")
    assert undone.summary == "T-1 queued -> abandoned"


async def test_a_wider_rule_of_the_noun_counts_where_it_is_stricter(
    gateway: Gateway, ann: Person
) -> None:
    await gateway.admin.say("approval rule set 'task *' --need 3")
    await gateway.admin.say("approval rule set 'task create' --need 1 --role admin")

    waits = await ann.say("task create one")
    other = await ann.say("lease acquire box")

    assert (waits.data["need"], waits.data["role"]) == (3, "admin")
    assert other.status == 200


async def test_a_rule_holds_what_a_macro_stands_for(
    gateway: Gateway, ann: Person
) -> None:
    """Undo is no way around a rule."""
    await ann.say("task create one", **{"x-opswire-conversation": "c1"})
    await gateway.admin.say("approval rule set 'task move' --need 1")

    waits = await ann.say("undo", **{"x-opswire-conversation": "c1"})

    assert (waits.status, waits.body["status"]) == (409, "needs_confirmation")
    assert waits.data["command"].startswith("task move T-1 abandoned")
    assert (await ann.get("/collab/tasks/T-1")).body["status"] == "queued"


async def test_approving_the_same_mail_twice_is_one_approval(
    gateway: Gateway, slack_ann: Writer, mail_bob: Writer, lease: str
) -> None:
    """R-07: a redelivered message is answered as before."""
    approval = await ask(slack_ann, lease)

    first = await mail_bob.say(f"approve {approval}", key="m-77")
    again = await mail_bob.say(f"approve {approval}", key="m-77")

    assert (first.id, again.id) == (first.id, first.id)
    assert again.replayed
    assert again.data["given"] == 1


@pytest.mark.parametrize("verb", ["approve", "reject"])
async def test_a_key_that_the_requester_made_decides_nothing(
    gateway: Gateway, bob: Person, verb: str
) -> None:
    """Who made a key knows its text, whoever it was made for."""
    root = gateway.person("root", Role.ADMIN)
    await root.say("approval rule set 'lease reclaim' --need 1")
    made = await root.say("key create fake --user bob")
    rotated = await root.say(f"key rotate {made.data['id']}")
    lease = (await bob.post("/collab/leases/acquire", {"resource": "prod"})).body
    asked = await root.say(f"lease reclaim {lease['lock_id']} --yes")
    waits = await root.say(f"confirm {asked.data['token']}")
    approval = waits.data["approval"]

    for text in (made.data["key"], rotated.data["key"]):
        refused = await Person(gateway, text).say(f"{verb} {approval}")
        assert (refused.status, refused.error["code"]) == (403, "self_approval")
        assert "made the key" in refused.error["detail"]

    own = await bob.say(f"{verb} {approval}")
    assert own.data["status"] == {"approve": "approved", "reject": "rejected"}[verb]
