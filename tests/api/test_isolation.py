"""Tenants see nothing of each other, whatever they ask, in the same words as for nothing."""

from typing import Any

import pytest

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxDraft
from core.delivery.watches import service as watches
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Role, TenantId, system
from tests.api.cases import CASES
from tests.api.gateway import Answer, Gateway, Person
from tests.jobs import a_reviewed_job

SECRET = "zanzibar"  # pragma: allowlist secret
LISTS = (
    "/collab/tasks",
    "/collab/leases",
    "/collab/agents",
    "/v1/events/list",
    "/v1/users",
    "/v1/keys",
    "/v1/audit",
    "/v1/tenants",
    "/v1/webhooks",
    "/v1/channels",
    "/v1/status",
    "/collab/state/tasks",
    "/collab/state/locks",
    "/collab/state/agents",
    "/collab/state/events",
    "/collab/state/log",
    "/v1/me",
    "/v1/needs",
    "/v1/approvals",
    "/v1/approval-rules",
    "/v1/outbox",
    "/v1/watches",
    "/v1/subscriptions",
    "/v1/triggers",
    "/schedule",
    "/v1/workspaces",
    "/v1/secrets",
    "/v1/runs",
    "/v1/workers",
    "/v1/lanes",
    "/api/v1/tasks",
    "/api/tasks",
    "/v1/aliases",
    "/v1/templates",
    "/jobs",
    "/exports",
    "/v1/presets",
    "/v1/tools",
)
# What acme has and zulu lacks, by the name of the argument that would name it.
THINGS = {
    "task": "T-1",
    "lease": "L-1",
    "agent": SECRET,
    "user": SECRET,
    "key": "K-3",
    "webhook": "W-1",
    "subscription": "SB-1",
    "trigger": "G-1",
    "schedule": "S-1",
    "tenant": "acme",
    "approval": "AP-1",
    "delivery": "D-1",
    "target": "T-1",
    "workspace": SECRET,
    "alias": SECRET,
    "template": SECRET,
    "secret": SECRET,
    "run": "R-1",
    "run_id": "R-1",
    "artifact": "A-1",
    "spec_task": "R-1",
    "worker": SECRET,
    "job": "J-1",
    "variant": "V-1",
    "export": "X-1",
    "preset": SECRET,
    "tool": SECRET,
}

_TYPED = (
    "preset delete",
    "tool delete",
    "schedule delete",
    "secret delete",
    "subscription delete",
    "trigger delete",
    "webhook delete",
    "workspace remove",
)


@pytest.fixture
async def acme(gateway: Gateway) -> Person:
    """The admin of a tenant with one of everything."""
    admin = gateway.person("boss", Role.ADMIN, tenant="acme")
    for line in (
        f'task create "{SECRET} task" --dod {SECRET}',
        f"agent register {SECRET}",
        "task claim T-1",
        f"lease acquire {SECRET}",
        f"event add {SECRET}_noted",
        f"user create {SECRET}",
        f"key create {SECRET}",
        f"key create {SECRET}2",
        f'task note T-1 "{SECRET}"',
        f"secret set {SECRET} xoxb-0123456789-invented",  # pragma: allowlist secret
        f"workspace add {SECRET} xoxb-0123456789-invented",  # pragma: allowlist secret
    ):
        answer = await admin.say(line)
        assert answer.status == 200, answer
    await admin.say("approval rule set 'event add'")
    for line in (f"event add {SECRET}_again", f"lease reclaim L-2 --reason {SECRET}"):
        assert (await admin.say(line)).status == 409
    hook = {"name": SECRET, "command": "version"}
    assert (await admin.post("/v1/webhooks", hook)).status == 201
    alias = {**hook, "match": [SECRET]}
    assert (await admin.post("/v1/aliases", alias)).status == 201
    steps = [{"name": "greet", "run": "echo hello"}]
    template = {"definition": {"name": SECRET, "steps": steps}}
    assert (await admin.post("/v1/templates", template)).status == 201
    trigger = {**hook, "on": ["task_created"]}
    assert (await admin.post("/v1/triggers", trigger)).status == 201
    timed = {"name": SECRET, "line": f"task create {SECRET}", "every": "1h"}
    assert (await admin.post("/schedule", timed)).status == 201
    receiver = {"name": SECRET, "url": f"https://hooks.example.com/{SECRET}"}
    assert (await admin.post("/v1/subscriptions", receiver)).status == 201
    gateway.graph.db.run(_goes_out, by=system(TenantId("acme")))
    run = {"kind": "manual", "input": {"what": SECRET}, "alias": SECRET}
    assert (await admin.post("/runs.create", run)).status == 201
    assert (await admin.post("/runs.claim", {"worker": SECRET})).status == 200
    await _exports(gateway, admin)
    off = await admin.post("/v1/channels/webhook/disable", {"reason": SECRET})
    assert off.status == 200
    return admin


@pytest.fixture
def zulu(gateway: Gateway) -> Person:
    """The admin of another tenant, who may do everything in it."""
    return gateway.person("boss", Role.ADMIN, tenant="zulu")


async def _exports(gateway: Gateway, admin: Person) -> None:
    """Have a preset, a tool, and a job with an exported variant."""
    made = {"name": SECRET, "description": SECRET}
    assert (await admin.post("/v1/tools", made)).status == 201
    assert (await admin.post("/v1/presets", {**made, "prompt": "x"})).status == 201
    a_reviewed_job(gateway.graph.db, system(TenantId("acme")), SECRET, title=SECRET)
    accepted = {"title": SECRET, "accepted": True}
    assert (await admin.call("PUT", "/variants/V-1", accepted)).status == 200
    exported = await admin.post("/export/V-1", {}, accept="application/json")
    assert exported.status == 201


def _goes_out(tx: Tx) -> None:
    """Have a delivery and a watch, each at a place named like all of acme's."""
    place = {"to": f"{SECRET}@example.org"}
    outbox.post(
        tx,
        OutboxDraft(
            key="rp_1", channel="email", account=SECRET, place=place, body="{}"
        ),
    )
    boss = users.find_by_name(tx, "boss")
    assert boss is not None
    tx.principal = to_principal(boss, Assurance.SECRET)
    watches.watch(tx, "T-1", channel="email", account=SECRET, place=place)


def routes(gateway: Gateway, *, reads: bool) -> list[tuple[str, str, str]]:
    """Name (command, method, path) of the routes that name a thing of acme's."""
    return [
        (command.name, route.method, route.path)
        for command in gateway.graph.registry
        for route in command.routes
        for name in THINGS
        if f"{{{name}}}" in route.path and command.is_read == reads
    ]


async def called(by: Person, command: str, method: str, path: str) -> Answer:
    """Call a route on one of acme's things, with otherwise good arguments."""
    body = {
        name: value
        for name, value in CASES[command].args.items()
        if f"{{{name}}}" not in path and name != "if_match"
    }
    body |= {"fence": 1} if "fence" in body else {}
    if command in _TYPED:
        body["confirm"] = THINGS[command.partition(" ")[0]]
    if command == "outbox replay":
        del body["channel"]  # The path names one delivery, which is enough.
    is_tagged = command in ("task set", "template set")
    headers = {"if_match": "*"} if is_tagged else {}
    where = path.format(**THINGS)
    return await by.call(method, where, None if method == "GET" else body, **headers)


async def test_every_list_of_a_tenant_is_its_own(
    gateway: Gateway, acme: Person, zulu: Person
) -> None:
    """R-59: acme's name for its things is in none of zulu's answers, but in acme's."""
    gateway.audits("acme")
    shown = {path: (await acme.get(path)).raw for path in LISTS}
    seen = {path: (await zulu.get(path)).raw for path in LISTS}

    assert {path for path in LISTS if SECRET.encode() not in shown[path]} <= {
        "/v1/me",
        "/v1/tenants",
        "/v1/status",
        "/v1/approval-rules",
        "/v1/lanes",
    }
    assert not [path for path in LISTS if SECRET.encode() in seen[path]]
    assert b"acme" not in b"".join(seen.values())


async def test_a_list_covers_every_route_without_a_name_in_it(gateway: Gateway) -> None:
    """A new list route must be shown to keep tenants apart."""
    own = {"/v1/version", "/v1/commands/catalog", "/v1/audit/verify", "/v1/plugins"}

    listed = {
        route.path
        for command in gateway.graph.registry
        for route in command.routes
        if route.method == "GET" and "{" not in route.path
    }

    assert listed - own <= set(LISTS)


async def test_anothers_thing_is_as_if_it_were_not_there(
    gateway: Gateway, acme: Person, zulu: Person
) -> None:
    """R-59: the same 404 as in a tenant where nobody has it, for reads and writes."""
    void = gateway.person("boss", Role.ADMIN, tenant="void")
    before = gateway.rows()
    asked = [*routes(gateway, reads=True), *routes(gateway, reads=False)]

    for command, method, path in asked:
        theirs = await called(zulu, command, method, path)
        nobodys = await called(void, command, method, path)

        assert theirs.status == 404, (command, theirs)
        assert _told(theirs) == _told(nobodys), command
        assert SECRET not in _unasked(_told(theirs).get("detail", ""), path), command

    assert len(asked) > 30
    assert _without_tenants(gateway.rows()) == _without_tenants(before)


async def test_a_line_finds_nothing_of_anothers_either(
    acme: Person, zulu: Person
) -> None:
    """R-59: nor does completion offer it, or a suggestion name it."""
    lines = [
        "T-1",
        "task claim T-1",
        "lease show L-1",
        "lease reclaim L-1",
        f"user show {SECRET}",
        "key revoke K-3",
        f"task list --assignee {SECRET}",
    ]

    answers = [await zulu.say(line) for line in lines]

    assert [each.status for each in answers[:-1]] == [404] * 6
    assert answers[-1].data["items"] == []
    assert "boss" not in answers[0].error["detail"]


async def test_an_answer_of_another_tenant_cannot_be_read(
    acme: Person, zulu: Person
) -> None:
    """R-59: by the id of the reply or of the request."""
    answer = await acme.say("task list --limit 1")
    written = await acme.say("task create more")

    for reply_id in (answer.body["id"], written.body["id"], written.body["request_id"]):
        assert (await zulu.get(f"/v1/replies/{reply_id}")).status == 404


async def test_a_tenant_named_by_the_caller_is_not_believed(
    acme: Person, zulu: Person
) -> None:
    """R-60: headers and fields name nobody's tenant."""
    seen = await zulu.get(
        "/collab/tasks", x_tenant="acme", x_tenant_id="acme", x_forwarded_user="boss"
    )
    named = await zulu.get("/collab/tasks?tenant=acme")
    field = await zulu.post("/collab/tasks", {"title": "x", "tenant_id": "acme"})

    assert seen.body["items"] == []
    assert named.status == 400
    assert field.status == 422


async def test_only_the_default_tenant_makes_others_and_sees_them(
    gateway: Gateway, acme: Person, zulu: Person
) -> None:
    """R-59."""
    made = await zulu.post("/v1/tenants", {"tenant": "more"})
    others = await zulu.get("/v1/tenants/acme")
    everybody = await gateway.admin.get("/v1/tenants")

    assert (made.status, made.error["code"]) == (403, "forbidden")
    assert others.status == 404
    assert {each["id"] for each in everybody.body["items"]} == {
        "default",
        "acme",
        "zulu",
    }


def _told(answer: Answer) -> dict[str, Any]:
    return {name: each for name, each in answer.body.items() if name != "request_id"}


def _unasked(said: str, path: str) -> str:
    """Leave out of an answer what the path itself has named."""
    for each in filter(None, path.format(**THINGS).split("/")):
        said = said.replace(each, "")
    return said


def _without_tenants(rows: dict[str, list[tuple[object, ...]]]) -> object:
    """Leave out the rows of the tenants that asked, but for which there are none."""
    return {
        name: [row for row in each if row[0] == "acme"] for name, each in rows.items()
    }
