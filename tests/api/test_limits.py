"""How much one may send, and what is said to whoever sends more."""

from datetime import timedelta
from typing import Any

from commands.schema import Kind, Parameter
from core.kernel.principal import Role
from tests.api.channels import settle
from tests.api.conftest import Serve
from tests.api.gateway import Gateway, Person


async def test_the_61st_command_of_a_minute_is_refused(serve: Serve) -> None:
    """R-64: with limit, scope and seconds, and audited."""
    gateway = serve(rate="60/minute")
    ann = gateway.person("ann")

    answers = [await ann.say("task list") for _ in range(61)]

    assert [each.status for each in answers] == [200] * 60 + [429]
    limited = answers[-1].error
    assert (limited["code"], limited["status"]) == ("rate_limited", 429)
    assert limited["extra"]["limit"] == "60/minute"
    assert limited["extra"]["limit_scope"] == "principal ann on rest"
    seconds = limited["extra"]["retry_after"]
    assert 0 < seconds <= 61
    assert answers[-1].headers["retry-after"] == str(seconds)
    assert f"{seconds} s" in limited["detail"]
    denied = [each for each in gateway.audits() if each.verdict == "denied"]
    assert [(each.actor, each.count) for each in denied] == [("ann", 1)]


async def test_what_steers_work_is_answered_above_the_limit(serve: Serve) -> None:
    """R-64: `status`, `help` and `cancel` of whoever used up their own limit."""
    gateway = serve(rate="3/minute")
    ann = gateway.person("ann")
    for _ in range(3):
        await ann.say("task list")

    steering = [await ann.say(line) for line in ("help", "status", "cancel T-9")]
    work = [await ann.say(line) for line in ("task list", "helq")]
    too_much = await ann.get("/v1/me")

    assert [each.status for each in steering] == [200, 200, 404]
    assert [each.status for each in work] == [429, 429]
    assert too_much.status == 429
    assert "control commands of ann" in too_much.error["limit_scope"]


async def test_a_flood_of_deliveries_locks_nobody_out(serve: Serve) -> None:
    """R-64: neither from the control plane nor from switching its channel off."""
    gateway = serve(rate="10/minute")
    asked = await gateway.admin.say(
        "webhook create alerts --auth key --command version"
    )
    await gateway.admin.say(asked.data["confirm"])
    for _ in range(30):
        sent = await gateway.admin.post("/v1/channels/webhook/alerts")
        assert sent.status == 202
    await settle(gateway)

    calm = [await gateway.admin.say(line) for line in ("help", "whoami", "status")]
    off = await gateway.admin.post("/v1/channels/webhook/disable", {"reason": "flood"})
    waiting = await gateway.admin.say("webhook deliveries alerts --outcome waiting")

    assert [each.status for each in (*calm, off)] == [200] * 4
    told = "above the limit of 10/minute, runs when there is room"
    assert {each["summary"] for each in waiting.data["items"]} == {told}


async def test_a_resource_route_tells_the_same(serve: Serve) -> None:
    """R-64."""
    gateway = serve(rate="2/minute")
    ann = gateway.person("ann")

    answers = [await ann.get("/collab/tasks") for _ in range(3)]

    limited = answers[-1]
    assert [each.status for each in answers] == [200, 200, 429]
    assert limited.error["limit"] == "2/minute"
    assert limited.error["limit_scope"] == "principal ann on rest"
    assert int(limited.headers["retry-after"]) == limited.error["retry_after"]
    assert answers[0].headers["ratelimit-policy"] == "2/minute"
    assert answers[0].headers["ratelimit"].startswith("remaining=1, ")


async def test_no_header_makes_somebody_else_of_a_sender(serve: Serve) -> None:
    """R-64: not dodged by nine headers."""
    gateway = serve(rate="3/minute")
    ann = gateway.person("ann")
    headers = (
        "x_forwarded_for",
        "forwarded",
        "x_real_ip",
        "true_client_ip",
        "cf_connecting_ip",
        "x_client_ip",
        "x_forwarded_user",
        "x_opswire_client",
        "user_agent",
    )

    answers = [
        await ann.get("/collab/tasks", **{name: f"192.0.2.{number}"})
        for number, name in enumerate(headers)
    ]

    assert [each.status for each in answers] == [200] * 3 + [429] * 6


async def test_one_tenants_flood_leaves_the_others_alone(serve: Serve) -> None:
    """R-64: tenant fairness."""
    gateway = serve(rate="3/minute")
    ann, bob = gateway.person("ann"), gateway.person("bob", tenant="acme")

    flood = [(await ann.get("/collab/tasks")).status for _ in range(9)]
    calm = [(await bob.get("/collab/tasks")).status for _ in range(3)]

    assert flood == [200] * 3 + [429] * 6
    assert calm == [200] * 3


async def test_a_flood_of_refusals_is_one_audit_row_with_a_count(serve: Serve) -> None:
    """R-72: the first at once, the rest of its minute folded."""
    gateway = serve(rate="1/minute")
    ann = gateway.person("ann")

    for _ in range(20):
        await ann.get("/collab/tasks")

    denied = [each for each in gateway.audits() if each.verdict == "denied"]
    assert [each.count for each in denied] == [1, 18]
    assert gateway.is_intact()


async def test_a_mistyped_or_expired_key_is_refused_with_a_fix(
    gateway: Gateway,
) -> None:
    """R-62, and all of it is audited."""
    made = await gateway.admin.post("/v1/keys", {"name": "short", "ttl": "1m"})
    key = made.body["key"]
    typo = key[:-1] + ("a" if key[-1] != "a" else "b")
    assert (await Person(gateway, key).get("/v1/me")).status == 200

    gateway.clock.advance(timedelta(seconds=61))
    gateway.graph.auth.invalidate_all()
    expired = await Person(gateway, key).get("/v1/me")
    mistyped = await Person(gateway, typo).say("whoami")
    unknown = await Person(gateway, "something else").get("/v1/me")

    assert [each.status for each in (expired, mistyped, unknown)] == [401] * 3
    assert "expired" in expired.error["detail"]
    assert "checksum" in mistyped.error["detail"]
    assert all(each.error["fix"] for each in (expired, mistyped, unknown))
    assert all(
        each.headers["www-authenticate"].startswith("Bearer")
        for each in (expired, mistyped, unknown)
    )
    denied = [each for each in gateway.audits() if each.verdict == "denied"]
    assert sum(each.count for each in denied) == 3


async def test_a_read_only_key_reads_and_never_writes(gateway: Gateway) -> None:
    """R-58: refused before anything is looked at, told what is missing, audited."""
    reader = gateway.person("ann", Role.ADMIN, scopes=("*:read",))
    before = gateway.rows()
    writes = [
        each for each in gateway.graph.registry if not each.is_read and each.scope
    ]

    read = await reader.get("/collab/tasks")
    refused = {
        each.name: await reader.command(
            each.name.replace(" ", "."),
            **{
                parameter.name: sample(parameter)
                for parameter in each.parameters
                if parameter.is_required
            },
        )
        for each in writes
    }

    assert read.status == 200
    assert len(refused) > 25
    for name, answer in refused.items():
        assert (answer.status, answer.error["code"]) == (403, "missing_scope"), name
        assert answer.error["fix"], name
    assert gateway.rows() == before
    denied = [each for each in gateway.audits() if each.verdict == "denied"]
    assert {each.action for each in denied} == set(refused)


def sample(parameter: Parameter) -> Any:
    """Make up a value that an argument's form allows."""
    if parameter.choices:
        return parameter.choices[0]
    made = {Kind.INTEGER: 1, Kind.REF: f"{parameter.prefix}-1", Kind.OBJECT: {}}
    single: Any = made.get(parameter.kind, "name")
    return [single] if parameter.is_list else single


async def test_workers_are_counted_by_themselves(serve: Serve) -> None:
    """A worker's heartbeats lock nobody out, and nobody locks the worker out."""
    gateway = serve(rate="5/minute")
    await gateway.admin.post("/runs.create", {"kind": "manual"})
    key = gateway.person("builder", Role.ADMIN, scopes=("runs:work",))
    claimed = await key.post("/runs.claim", {"worker": "w1"})
    held = {"run_id": "R-1", "fence": claimed.body["runs"][0]["fence"]}

    people = [await gateway.admin.get("/collab/tasks") for _ in range(6)]
    beats = [await key.post("/runs.heartbeat", held) for _ in range(20)]

    assert people[-1].status == 429
    assert {each.status for each in beats} == {200}
