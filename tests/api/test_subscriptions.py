"""Subscriptions as people handle them: who may, what asks first, and what is shown."""

import pytest

from core.delivery.outbox import service as outbox
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.drafts import callback_of
from core.identity.users import service as users
from core.kernel.principal import Role, system
from core.kernel.reply import Reply
from tests.api.gateway import Gateway, Person
from tests.api.stage_sets import a_failed_callback
from tests.api.test_secrets import MASK, on_disk

URL = "https://hooks.example.com/opswire"
MAKE = f"subscription create audit-log {URL}"
NEW = {"name": "audit-log", "url": URL}


@pytest.fixture
def eve(gateway: Gateway) -> Person:
    """Somebody who may look at everything and change nothing."""
    return gateway.person("eve", Role.VIEWER)


# ── making one ────────────────────────────────────────────────────────────────
async def test_making_one_by_a_line_asks_first(gateway: Gateway) -> None:
    asked = await gateway.admin.say(MAKE)
    before = await gateway.admin.get("/v1/subscriptions")
    made = await gateway.admin.say(f"confirm {asked.data['token']}")

    assert (asked.status, asked.data["danger"]) == (409, "risky")
    assert before.body["items"] == []
    assert made.data["id"] == "SB-1"
    assert made.data["secret"].startswith("whsec_")


async def test_events_that_never_happened_are_pointed_out(gateway: Gateway) -> None:
    await gateway.admin.say("task create Fix")
    line = f"{MAKE} --events task_created,task_creatd"
    asked = await gateway.admin.say(line)

    made = await gateway.admin.say(f"confirm {asked.data['token']}")

    (shown, _) = made.body["blocks"]
    assert ["not seen so far", "task_creatd"] in shown["pairs"]


async def test_a_route_answers_with_what_was_made(gateway: Gateway) -> None:
    wanted = {
        "events": ["status_changed", "task_created"],
        "targets": ["T-1"],
        "filter": "details.lane",
    }
    made = await gateway.admin.post("/v1/subscriptions", {**NEW, **wanted})
    shown = (await gateway.admin.get("/v1/subscriptions/SB-1")).body

    assert made.status == 201
    assert shown == {
        "id": "SB-1",
        **NEW,
        **wanted,
        "answers_only": False,
        "state": "enabled",
        "reason": "",
        "last_ok_at": None,
        "failing_since": None,
        "failures": 0,
        "created_at": shown["created_at"],
        "created_by": "admin",
        "previous_secret_until": None,
    }
    assert {**shown, "secret": made.body["secret"]} == made.body


@pytest.mark.parametrize(
    "line", ["subscription create other {url}", "subscription rotate SB-1"]
)
async def test_a_secret_is_in_the_answer_and_nowhere_else(
    gateway: Gateway, eve: Person, line: str
) -> None:
    """R-69."""
    await gateway.admin.post("/v1/subscriptions", NEW)
    asked = await gateway.admin.say(line.format(url=URL))
    consent = f"{line.format(url=URL)} --confirm {asked.data['token']}"

    told = await gateway.admin.say(consent, key="once")
    again = await gateway.admin.say(consent, key="once")
    looks = [
        await eve.get(path)
        for path in (
            "/v1/subscriptions",
            "/v1/subscriptions/SB-1",
            f"/v1/replies/{told.body['id']}",
            "/v1/audit",
            "/v1/events/list",
        )
    ]

    secret = told.data["secret"].encode()
    assert len(secret) > 32
    assert again.data["secret"] == MASK
    for raw in (again.raw, *(each.raw for each in looks), on_disk(gateway)):
        assert secret not in raw


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Audit Log"}, "'Audit Log' is not a name"),
        ({"url": "http://hooks.example.com/"}, "by http could be read on the way"),
        ({"url": "https://10.0.0.7/"}, "10.0.0.7, which is a private address"),
        ({"url": "https://ann:pw@hooks.example.com/"}, "a name or a password"),
        ({"url": "https://hooks.example.com/#top"}, "ends in a fragment"),
        ({"url": "gopher://hooks.example.com/"}, "'gopher://hooks.example.com/'"),
        ({"events": ["delivery_failed"]}, "delivery_failed is never sent"),
        ({"events": ["Task Created"]}, "'Task Created' is no name of an event"),
        ({"targets": [""]}, "'' is no target"),
        ({"filter": "details.["}, "'details.['"),
        ({"answers_only": True, "events": ["task_created"]}, "wants no events"),
    ],
)
async def test_what_could_never_work_is_refused_with_its_reason(
    gateway: Gateway, changes: dict[str, object], said: str
) -> None:
    refused = await gateway.admin.post("/v1/subscriptions", {**NEW, **changes})

    assert refused.status in (400, 422)
    assert refused.body["code"] == "invalid_argument"
    assert said in refused.body["detail"]
    assert refused.body["fix"]


async def test_names_are_given_once(gateway: Gateway) -> None:
    await gateway.admin.post("/v1/subscriptions", NEW)

    refused = await gateway.admin.post("/v1/subscriptions", NEW)

    assert (refused.status, refused.body["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("POST", "/SB-1/test"),
        ("POST", "/SB-1/enable"),
        ("POST", "/SB-1/disable"),
        ("POST", "/SB-1/rotate"),
        ("POST", "/SB-1/redeliver"),
        ("DELETE", "/SB-1"),
    ],
)
async def test_only_who_may_manage_them_changes_any(
    gateway: Gateway, ann: Person, eve: Person, method: str, path: str
) -> None:
    a_failed_callback(gateway)
    body = {**NEW, "name": "other"} if not path else {}

    for person in (ann, eve):
        refused = await person.call(method, f"/v1/subscriptions{path}", body)
        assert (refused.status, refused.body["code"]) == (403, "missing_scope")


# ── looking, sending again ────────────────────────────────────────────────────
async def test_a_delivery_is_shown_with_request_and_tries(
    gateway: Gateway, eve: Person
) -> None:
    a_failed_callback(gateway)

    (listed,) = (await eve.get("/v1/subscriptions/SB-1/deliveries")).body["items"]
    shown = (await eve.get("/v1/subscriptions/SB-1/deliveries/D-1")).body

    seq = int(listed["key"].rpartition(":")[2])
    assert (listed["what"], listed["status"], listed["took_ms"]) == (
        "deploy_finished web-1",
        500,
        12,
    )
    assert {name: shown[name] for name in listed} == listed
    assert shown["request"]["url"] == URL
    assert shown["request"]["headers"]["webhook-id"] == f"SB-1:ev:{seq}"
    assert "webhook-signature" not in shown["request"]["headers"]
    assert '"type":"deploy_finished"' in shown["request"]["body"]
    assert [each["answer"] for each in shown["tried"]] == ["no"]


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["subscriptions:read"], 403),
        (["subscriptions:read", "events:read"], 200),
    ],
)
async def test_what_was_sent_is_shown_to_those_who_may_read_of_it(
    gateway: Gateway, scopes: list[str], status: int
) -> None:
    a_failed_callback(gateway)
    few = await gateway.admin.post("/v1/keys", {"name": "few", "scopes": scopes})

    shown = await Person(gateway, few.body["key"]).get(
        "/v1/subscriptions/SB-1/deliveries/D-1"
    )

    assert shown.status == status


async def test_an_answer_is_shown_to_those_who_may_have_asked(
    gateway: Gateway, ann: Person, eve: Person
) -> None:
    a_failed_callback(gateway)
    reply = Reply(id="rp_1", command="task create x", summary="Done", actor="admin")
    gateway.graph.db.run(
        lambda tx: outbox.post(tx, callback_of("SB-1", reply)), by=system()
    )

    path = "/v1/subscriptions/SB-1/deliveries/D-2"
    answers = [(await each.get(path)).status for each in (gateway.admin, ann, eve)]

    assert answers == [200, 200, 403]


async def test_one_that_failed_is_sent_again_at_once(gateway: Gateway) -> None:
    a_failed_callback(gateway)

    again = await gateway.admin.say("subscription redeliver SB-1 D-1")
    (waiting,) = (await gateway.admin.get("/v1/subscriptions/SB-1/deliveries")).body[
        "items"
    ]

    assert again.data["deliveries"] == ["D-1"]
    assert (waiting["state"], waiting["attempts"]) == ("waiting", 0)
    assert waiting["next_try_at"]


async def test_sending_many_again_asks_first(gateway: Gateway) -> None:
    a_failed_callback(gateway)

    asked = [
        await gateway.admin.say(f"subscription redeliver SB-1 {flag}")
        for flag in ("--failed", "--since 2h")
    ]
    done = await gateway.admin.say(f"confirm {asked[0].data['token']}")

    assert [each.status for each in asked] == [409, 409]
    assert done.data["deliveries"] == ["D-1"]
    assert done.body["summary"] == "Sending 1 delivery to audit-log again"


@pytest.mark.parametrize("flags", ["", "D-1 --failed", "--failed --since 2h"])
async def test_it_must_be_said_what_is_sent_again(gateway: Gateway, flags: str) -> None:
    a_failed_callback(gateway)

    refused = await gateway.admin.post(
        "/v1/subscriptions/SB-1/redeliver",
        {
            **({"delivery": "D-1"} if "D-1" in flags else {}),
            **({"failed": True} if "--failed" in flags else {}),
            **({"since": "2h"} if "--since" in flags else {}),
        },
    )

    assert refused.status == 422
    assert refused.body["fix"][0] == "subscription redeliver SB-1 --failed"


async def test_a_disabled_one_sends_nothing_and_says_why(gateway: Gateway) -> None:
    a_failed_callback(gateway)
    await gateway.admin.say("subscription disable audit-log --reason moving")

    for line in ("subscription test SB-1", "subscription redeliver SB-1 D-1"):
        refused = await gateway.admin.say(line)
        assert refused.status == 409
        assert refused.body["error"]["detail"] == "SB-1 is disabled: moving"
        assert refused.body["error"]["fix"] == ["subscription enable SB-1"]


async def test_a_deleted_one_is_gone(gateway: Gateway) -> None:
    a_failed_callback(gateway)
    asked = await gateway.admin.say("subscription delete SB-1")
    done = await gateway.admin.say("subscription delete SB-1 --confirm SB-1")

    assert (asked.status, done.data["id"]) == (409, "SB-1")
    assert (await gateway.admin.get("/v1/subscriptions/SB-1")).status == 404


# ── answers of webhooks ───────────────────────────────────────────────────────
async def test_a_webhook_names_the_subscription_for_its_answers(
    gateway: Gateway,
) -> None:
    a_failed_callback(gateway)
    hook = {"name": "tasks", "command": "version", "callback": "audit-log"}

    made = await gateway.admin.post("/v1/webhooks", hook)
    none = await gateway.admin.post("/v1/webhooks", {**hook, "callback": "SB-9"})

    assert made.body["callback"] == "SB-1"
    assert none.status == 404
    assert none.body["fix"] == ["subscription list"]


async def test_answers_go_to_ones_own_subscription_or_with_a_right(
    gateway: Gateway,
) -> None:
    a_failed_callback(gateway)
    boss = gateway.person("boss", Role.ADMIN)
    hook = {"name": "tasks", "command": "version", "callback": "SB-1"}
    scopes = ["webhooks:write", "tasks:read", "subscriptions:read"]
    few = (await boss.post("/v1/keys", {"name": "few", "scopes": scopes})).body

    refused = await Person(gateway, few["key"]).post("/v1/webhooks", hook)
    made = await boss.post("/v1/webhooks", hook)

    assert refused.status == 403
    assert refused.body["detail"] == "SB-1 is not boss's"
    assert made.status == 201


async def test_answers_go_to_nobody_who_may_see_nothing(gateway: Gateway) -> None:
    boss = gateway.person("boss", Role.ADMIN)
    await boss.post("/v1/subscriptions", NEW)
    db = gateway.graph.db
    user = db.look(lambda tx: users.find_by_name(tx, "boss"), by=system())
    assert user is not None
    db.run(lambda tx: users.disable(tx, user.id), by=system())

    hook = {"name": "tasks", "command": "version", "callback": "SB-1"}
    refused = await gateway.admin.post("/v1/webhooks", hook)
    enabled = await gateway.admin.post("/v1/subscriptions/SB-1/enable")

    assert (refused.status, enabled.status) == (403, 403)
    assert "boss, who made this subscription, is disabled" in refused.body["detail"]
    assert db.look(subscriptions.list_enabled, by=system())
