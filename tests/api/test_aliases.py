"""A team's own words on every door: made once, understood everywhere, run as anybody's."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from channels.email.subjects import find_command
from commands.complete import complete
from commands.context import AsyncContext, Context
from commands.registry import Command, Outage, Registry, command
from core.audit.model import Verdict
from core.kernel.principal import DEFAULT_TENANT, Principal, Role
from core.kernel.reply import Reply
from gateway.duties import tickers_of
from gateway.testing.channels import CHANNEL, Channel, Mail, Rest, Slack, Socket
from gateway.testing.street import Resident, Street
from tests.api.channels import Writer, delivered, settle
from tests.api.conftest import Serve
from tests.api.five import Stage, staged
from tests.api.gateway import Answer, Gateway, Person
from tests.conftest import FakeClock

DEPLOY = "deploy {app} [to] {env=staging}"
COMMAND = 'task create "Deploy {app} to {env}" --lane B'

Opening = Callable[[Street, Resident], Channel]


async def make(by: Person, name: str = "deploy", **more: Any) -> Answer:
    """Make an alias by its route, which is consent in itself."""
    body = {"name": name, "match": [DEPLOY], "command": COMMAND, **more}
    return await by.post("/v1/aliases", body)


@pytest.fixture
async def stage(serve: Serve, clock: FakeClock) -> AsyncIterator[Stage]:
    """A gateway with all channels, and the alias in force."""
    async with staged(serve, clock) as built:
        assert (await make(built.gateway.admin)).status == 201
        yield built


@pytest.mark.parametrize(
    "open_", [Rest, Socket, Slack, Mail], ids=lambda each: each.name
)
@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("deploy web", "Deploy web to staging"),
        ("Deploy web to prod", "Deploy web to prod"),
        ("deploy a=b it's", "Deploy a=b to it's"),
        (r'deploy "x y=\"z\" & <b>" to prod', 'Deploy x y="z" & <b> to prod'),
        ("deploy “my app” to ‘l’été’", "Deploy my app to l’été"),
        ("deploy '--lane D' to Zürich", "Deploy --lane D to Zürich"),
    ],
)  # fmt: skip
async def test_values_arrive_as_they_are_on_every_door(
    stage: Stage, open_: Opening, line: str, title: str
) -> None:
    """M-OMN-05."""
    channel = open_(stage.street, stage.admin)

    reply = await channel.say(line)
    await channel.close()

    assert reply["status"] == "ok", reply
    assert (reply["data"]["title"], reply["data"]["lane"]) == (title, "B")
    assert reply["command"].startswith("task create ")


async def test_an_alias_made_in_slack_is_understood_by_mail_at_once(
    stage: Stage,
) -> None:
    slack, mail = (each(stage.street, stage.admin) for each in (Slack, Mail))
    asked = await slack.say(
        "alias create ping --match 'ping {who}' --command 'task create \"Ping {who}\"'"
    )
    made = await slack.say(f"confirm {asked['data']['token']}")

    reply = await mail.say("ping bob")

    assert asked["status"] == "needs_confirmation"
    assert made["data"]["name"] == "ping"
    assert reply["data"]["title"] == "Ping bob"


async def test_the_canonical_line_and_the_audit_are_those_of_the_command(
    gateway: Gateway, ann: Person
) -> None:
    await make(gateway.admin)

    answer = await ann.say("deploy web --reason tuesday", key="k1")

    line = 'task create "Deploy web to staging" --lane B'
    assert answer.body["command"] == line
    assert f"Alias `deploy` is `{line}`." in str(answer.body["blocks"][-1])
    (entry,) = [each for each in gateway.audits() if each.action == "task create"]
    assert (entry.actor, entry.command, entry.verdict) == ("ann", line, Verdict.ALLOWED)
    assert entry.reason == "tuesday (alias deploy)"
    again = await ann.say("deploy web --reason tuesday", key="k1")
    assert again.body["replayed"]
    assert again.data == answer.data


async def test_an_alias_runs_as_whoever_uses_it(gateway: Gateway) -> None:
    await make(gateway.admin)
    viewer = gateway.person("carol", Role.VIEWER)

    refused = await viewer.say("deploy web")

    assert (refused.status, refused.error["code"]) == (403, "missing_scope")


async def test_a_maker_may_run_what_an_alias_stands_for(gateway: Gateway) -> None:
    dave = gateway.person("dave", Role.ADMIN, scopes=("aliases:write", "tasks:read"))

    refused = await make(dave)

    assert (refused.status, refused.error["code"]) == (403, "missing_scope")


async def test_tenants_have_their_own_words(gateway: Gateway, ann: Person) -> None:
    """R-60."""
    await make(gateway.admin)
    eve = gateway.person("eve", tenant="acme")

    unknown = await eve.say("deploy web")
    listed = await eve.say("alias list")

    assert unknown.status == 400
    assert listed.data["items"] == []
    assert "deploy {app}" not in unknown.raw.decode()
    assert (await ann.say("deploy web")).status == 200


async def test_a_stranger_is_told_of_no_alias(serve: Serve, clock: FakeClock) -> None:
    """R-60: what a team's words are is the team's."""
    gateway = serve()
    await make(gateway.admin)
    stranger = Writer(gateway, "slack", "U0EVE")

    for line in ("deploy web", "deplyo web", "help", "help deploy"):
        assert DEPLOY not in str(await stranger.say(line))


async def test_a_clash_is_refused_naming_both(gateway: Gateway) -> None:
    await make(gateway.admin)

    refused = await make(
        gateway.admin, "all", match=["deploy everything"], command="task list"
    )

    assert (refused.status, refused.error["code"]) == (409, "alias_clash")
    assert "'deploy everything' of all" in refused.error["detail"]
    assert f"'{DEPLOY}' of deploy" in refused.error["detail"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"match": ["tasks {app} {env}"]}, "begins the command task"),
        ({"match": ["claim {app} {env}"]}, "begins the command task claim"),
        ({"match": ["ls {app} {env}"]}, "begins the command"),
        ({"match": ["whoami {app} {env}"]}, "begins the command whoami"),
        ({"match": ["plan {app} {env}"]}, "means something already"),
        ({"match": ["yes {app} {env}"]}, "means something already"),
        ({"match": ["last {app} {env}"]}, "begins the command last"),
        ({"match": ["T-12 {app} {env}"]}, "means something already"),
        ({"match": ["only {app} {env}"]}, "means something already"),
        ({"match": ["quit {app} {env}"]}, "means something already"),
        ({"match": ["Exit {app} {env}"]}, "means something already"),
        ({"match": ["12 {app} {env}"]}, "means something already"),
        ({"result": "{nope.id}"}, "neither a slot nor one of actor, args, data"),
        ({"ack": "{app}: {environment}"}, "asks for 'environment'"),
        ({"match": ["go {app}"]}, "has no {env}, which the command uses"),
        ({"match": ["go {app} {env} {x}"]}, "{x} of 'go {app} {env} {x}' is not used"),
        ({"command": 'task make "{app}{env}"'}, '"task make" is not a command'),
        ({"command": "task create {app} {env}"}, "one argument too many"),
        ({"command": "task create {app} --lane {env} --lane B"}, "a second time"),
        ({"command": "task create {app}{env} --nope 1"}, "no flag"),
        ({"command": 'task create "{app}{env}" --lane Z'}, '"Z" for --lane'),
        ({"command": 'task create "{app}{env}'}, "not closed"),
        ({"command": 'task create {"{app}":"{env}"}'}, "name of a JSON field"),
        ({"command": "task create {app}{env}\ntask list"}, "not one command"),
        ({"command": "alias delete {app}{env}", "fixed": {"confirm": "x"}}, "confirm cannot"),
        ({"command": "webhook delete {app}{env}"}, "cannot be taken back"),
        ({"command": "confirm {app}{env}"}, "stands for another command"),
        ({"command": "webhook rotate {app}{env}"}, "is about a secret"),
        ({"fixed": {"lane": "Z"}}, '"Z" for --lane'),
        ({"fixed": {"nope": 1}}, "no field"),
        ({"fixed": {"yes": True}}, "yes cannot be fixed"),
        ({"result": "{data.id"}, "lone {"),
        ({"ack": "{for}}"}, "lone }"),
        ({"display": ["a", "b"]}, "2 displays for 1 formats"),
        ({"name": "T-1"}, "not a name for an alias"),
    ],
)  # fmt: skip
async def test_what_could_not_work_is_refused_when_it_is_made(
    gateway: Gateway, given: dict[str, Any], reason: str
) -> None:
    refused = await make(gateway.admin, **{"name": "go", **given})

    assert refused.status in (400, 422), refused
    assert reason in refused.error["detail"]
    assert "\ue000" not in refused.raw.decode()
    assert (await gateway.admin.say("alias list")).data["items"] == []


@pytest.mark.parametrize(
    "given",
    [
        {"command": "task move {app} {env}"},
        {"command": "task claim {app} --ttl {env}"},
        {"command": "task list --limit {env} --assignee {app}"},
        {"command": "event log --since {env} --actor {app}"},
        {"command": 'task create {"title":"{app}","labels":["{env}"]}'},
        {"command": "new task {app} --priority {env}"},
        {"command": "task approve {app} --reason {env}"},
    ],
)
async def test_values_made_up_fit_whatever_a_slot_is_for(
    gateway: Gateway, given: dict[str, Any]
) -> None:
    made = await make(gateway.admin, "go", **{"match": ["go {app} {env}"], **given})

    assert made.status == 201, made


async def test_a_risky_alias_was_consented_to_by_its_maker(
    gateway: Gateway, ann: Person
) -> None:
    asked = await gateway.admin.say(
        "alias create quiet --match 'quiet {what}' --command 'channel disable {what}'"
    )
    assert asked.status == 409
    await gateway.admin.say(f"confirm {asked.data['token']}")

    done = await gateway.admin.say("quiet email")

    assert (done.status, done.body["summary"]) == (200, "email is off")
    assert (await ann.say("quiet slack")).error["code"] == "missing_scope"


async def test_approval_rules_hold_for_an_alias(gateway: Gateway, ann: Person) -> None:
    """Consent of the maker is not the agreement of others."""
    await make(gateway.admin)
    await gateway.admin.say("approval rule set 'task create' --need 1")

    waits = await ann.say("deploy web")
    agreed = await gateway.admin.say(f"approve {waits.data['approval']}")
    await settle(gateway)

    assert waits.body["status"] == "needs_confirmation"
    assert waits.data["command"] == 'task create "Deploy web to staging" --lane B'
    assert agreed.data["status"] == "approved"
    titles = (await ann.say("task list")).data["items"]
    assert [each["title"] for each in titles] == ["Deploy web to staging"]


async def test_a_result_takes_the_place_of_the_summary_and_leaves_the_data(
    gateway: Gateway, ann: Person
) -> None:
    text = "{actor} asked for {args.app} on {args.env}: {data.id}, lane {args.lane}"
    await make(gateway.admin, result=text)

    said = await ann.say("deploy {web")
    answer = await ann.say('deploy "{data.id}" prod')
    dry = await ann.say("deploy web --dry-run")

    assert said.error["code"] == "invalid_argument"
    assert answer.body["summary"] == "ann asked for {data.id} on prod: T-1, lane B"
    assert answer.data["title"] == "Deploy {data.id} to prod"
    assert dry.body["summary"] == "Would: Created T-2 in queued"


async def test_a_long_result_stands_above_the_blocks(
    gateway: Gateway, ann: Person
) -> None:
    await make(gateway.admin, result="Done.\n\n" + "{args.app} " * 40)

    blocks = (await ann.say("deploy web")).body["blocks"]

    assert blocks[0]["md"].startswith("Done.\n\nweb web")


async def test_a_result_that_does_not_apply_changes_nothing(
    gateway: Gateway, ann: Person
) -> None:
    await make(gateway.admin, result="{sum(data.title)}")

    assert (await ann.say("deploy web")).body["summary"] == "Created T-1 in queued"


async def test_undo_takes_back_what_an_alias_did(gateway: Gateway, ann: Person) -> None:
    await make(gateway.admin)
    conversation = {"x_opswire_conversation": "c1"}
    await ann.say("deploy web", **conversation)

    undone = await ann.say("undo", **conversation)

    assert undone.data["status"] == "abandoned"


async def test_why_tells_of_the_alias(gateway: Gateway, ann: Person) -> None:
    await make(gateway.admin)
    answer = await ann.say("deploy web")
    gateway.audits()

    told = await ann.say(f"why {answer.body['id']}")

    assert "task create" in told.raw.decode()


async def test_a_change_holds_for_the_next_line(gateway: Gateway, ann: Person) -> None:
    await make(gateway.admin)

    changed = await gateway.admin.patch(
        "/v1/aliases/deploy", {"match": ["ship {app} {env}"]}
    )

    assert changed.status == 200
    assert (await ann.say("deploy web")).status == 400
    assert (await ann.say("ship web prod")).data["title"] == "Deploy web to prod"
    await gateway.admin.call("DELETE", "/v1/aliases/deploy", {})
    assert (await ann.say("ship web prod")).status == 400


async def test_what_is_not_given_stays_when_an_alias_is_changed(
    gateway: Gateway,
) -> None:
    await make(gateway.admin, ack="wait", display=["deploy APP"], fixed={"priority": 3})

    changed = await gateway.admin.patch("/v1/aliases/deploy", {"description": "x"})

    assert changed.body["formats"] == [{"display": "deploy APP", "match": DEPLOY}]
    assert (changed.body["ack"], changed.body["fixed"]) == ("wait", {"priority": 3})


async def test_slots_are_used_by_their_plain_names(
    gateway: Gateway, ann: Person
) -> None:
    result = "{app} is asked for as {data.id}"
    made = await make(gateway.admin, result=result, ack="Looking for {app}")
    assert made.status == 201

    told = await ann.say("deploy web")
    tried = await ann.say('alias test "deploy web"')

    assert told.body["summary"] == "web is asked for as T-1"
    assert (tried.data["ack"], tried.data["result"]) == ("Looking for web", result)


async def test_a_word_that_is_taken_is_refused_with_what_to_do(
    gateway: Gateway,
) -> None:
    refused = await make(gateway.admin, match=["T-1 {app} {env}"])

    assert refused.error["fix"] == ['--match "deploy {app}"', "alias list"]


async def test_words_about_an_alias_change_although_its_command_is_gone(
    gateway: Gateway, ann: Person
) -> None:
    gateway.graph.registry.add(deploy_status)
    await make(gateway.admin, "gauge", match=["gauge"], command="deploy status")
    gateway.graph.registry.remove("deploy status")

    told = await gateway.admin.patch("/v1/aliases/gauge", {"description": "old"})
    refused = await gateway.admin.patch("/v1/aliases/gauge", {"fixed": {"lane": "A"}})
    mended = await gateway.admin.patch("/v1/aliases/gauge", {"command": "task list"})

    assert told.body["description"] == "old"
    assert refused.status == 400
    assert (mended.body["command"], mended.body["problem"]) == ("task list", "")


async def test_a_trial_shows_what_would_run_and_runs_nothing(
    gateway: Gateway, ann: Person
) -> None:
    await make(gateway.admin, fixed={"priority": 3})
    before = gateway.rows()

    found = await ann.say('alias test "deploy web to prod"')
    near = await ann.say('alias test "deplyo web"')
    other = await ann.say('alias test "deploy a b c d"')
    real = await ann.say('alias test "task list"')

    assert found.data["alias"] == "deploy"
    assert found.data["format"] == DEPLOY
    assert found.data["values"] == {"app": "web", "env": "prod"}
    line = 'task create "Deploy web to prod" --lane B --priority 3'
    assert found.data["line"] == line
    assert near.data["nearest"] == other.data["nearest"] == [DEPLOY]
    assert real.body["summary"] == '"task list" is the command task list'
    assert gateway.rows() == before


async def test_help_and_completion_know_the_teams_own(
    gateway: Gateway, ann: Person
) -> None:
    await make(gateway.admin, description="Asks for a deployment")

    overview = await ann.say("help")
    shown = await ann.say("help deploy")
    flag = await ann.say("deploy --help")

    assert f"Your team's own: `{DEPLOY}`" in str(overview.body["blocks"][-1]["md"])
    assert shown.body["summary"] == "deploy: Asks for a deployment"
    assert flag.data == shown.data


async def test_completion_offers_the_teams_own(gateway: Gateway) -> None:
    await make(gateway.admin)
    registry = gateway.graph.registry

    def offered(line: str) -> list[str]:
        by = Principal(
            id="U-1", name="ann", tenant=DEFAULT_TENANT, scopes=frozenset({"*"})
        )
        found = gateway.graph.db.look(
            lambda tx: complete(tx, registry, line, pos=len(line)), by=by
        )
        return [each.text for each in found]

    assert offered("depl") == offered("/ops DEPL") == offered("help depl") == ["deploy"]
    assert offered("deploy web --depl") == []


async def test_a_slot_may_not_be_what_names_the_command(gateway: Gateway) -> None:
    refused = await make(gateway.admin, "go", command="approve {app} --reason {env}")

    assert refused.error["code"] == "unknown_command"
    assert "task approve" in refused.error["fix"]
    assert refused.error["detail"] == '"approve {app}" is not a command'


def test_each_gateway_looks_after_them_every_second(gateway: Gateway) -> None:
    """What another gateway changed is known within two seconds."""
    (ticker,) = [each for each in tickers_of(gateway.graph) if each.name == "aliases"]

    assert ticker.every <= timedelta(seconds=1)


@command("deploy status", scope="tasks:read", examples=["deploy status"])
def deploy_status(ctx: Context) -> Reply:
    """Tell how the deployment stands."""
    return Reply(summary=f"{ctx.channel} knows nothing")


async def test_a_command_that_comes_later_wins_and_the_alias_says_so(
    gateway: Gateway, ann: Person
) -> None:
    await make(gateway.admin)
    gateway.graph.registry.add(deploy_status)

    refused = await ann.say("deploy web")
    (listed,) = (await ann.say("alias list")).data["items"]
    tried = await ann.say('alias test "deploy web"')

    assert refused.error["code"] == "unknown_command"
    assert tried.data["line"] == ""
    assert tried.body["summary"].endswith("begins the command deploy status")
    assert listed["problem"] == "shadowed by the command deploy status"


async def test_an_alias_whose_command_is_gone_says_so(
    gateway: Gateway, ann: Person
) -> None:
    gateway.graph.registry.add(deploy_status)
    made = await make(gateway.admin, "gauge", match=["gauge"], command="deploy status")
    assert made.status == 201
    assert (await ann.say("gauge")).status == 200

    gateway.graph.registry.remove("deploy status")
    gone = await ann.say("gauge")

    assert (gone.status, gone.error["code"]) == (409, "conflict")
    assert gone.error["fix"] == [
        'alias set gauge --command "task list"',
        "alias show gauge",
        "alias delete gauge",
    ]
    shown = await ann.say("alias show gauge")
    assert shown.data["problem"] == "its command does not exist here"


async def test_an_alias_of_what_is_disabled_says_why(
    gateway: Gateway, ann: Person
) -> None:
    """A plugin that fails keeps its words, and says what mends it."""
    registry = gateway.graph.registry
    registry.add(deploy_status)
    await make(gateway.admin, "gauge", match=["gauge"], command="deploy status")
    rest = [each for each in registry if each is not deploy_status]
    outage = Outage(why="it raised at import", fix="ops plugin test deploy")
    registry.adopt(Registry.of(rest, outages={"deploy": outage}))

    refused = await ann.say("gauge")
    taken = await make(gateway.admin)
    (listed,) = (await ann.say("alias list")).data["items"]

    assert "it raised at import" in refused.error["detail"]
    assert refused.error["fix"] == ["ops plugin test deploy"]
    assert "begins the command deploy" in taken.error["detail"]
    assert "it raised at import" in listed["problem"]


@pytest.mark.parametrize(
    "subject", ["[ops] deploy web to prod", "Re: [OPS] deploy web prod"]
)
async def test_a_subject_and_a_direct_message_are_lines_too(
    gateway: Gateway, ann: Person, subject: str
) -> None:
    await make(gateway.admin)
    mail = Writer(gateway, "email", "ann@example.org").link_to("ann")
    slack = Writer(gateway, "slack", "U0ANN").link_to("ann")

    by_mail = await mail.say(find_command(subject))
    by_message = await slack.say("deploy api")

    assert by_mail.data["title"] == "Deploy web to prod"
    assert by_message.data["title"] == "Deploy api to staging"


async def test_json_forms_and_webhooks_cannot_name_an_alias(gateway: Gateway) -> None:
    await make(gateway.admin)

    called = await gateway.admin.command("deploy", app="web")
    hook = await gateway.admin.say("webhook create w1 --command deploy --yes")

    assert called.error["code"] == "unknown_command"
    assert hook.error["code"] == "unknown_command"


async def test_another_gateway_learns_of_an_alias(
    gateway: Gateway, ann: Person, serve: Serve, clock: FakeClock
) -> None:
    """Within the second in which each gateway looks after them."""
    other = Gateway(gateway.settings.data, clock, gateway.settings.limits)
    try:
        elsewhere = Person(other, ann.key)
        assert (await elsewhere.say("deploy web")).status == 400
        await make(gateway.admin)

        await other.graph.core.aliases.reload()

        assert (await elsewhere.say("deploy web")).data["title"].startswith("Deploy")
        await gateway.admin.call("DELETE", "/v1/aliases/deploy", {})
        await other.graph.core.aliases.reload()
        assert (await elsewhere.say("deploy web")).status == 400
    finally:
        await other.stop()


class _Slow:
    """Something outside that answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    def command(self) -> Command:
        async def look(ctx: AsyncContext, name: str) -> str:
            """Ask the beacon."""
            await self.may_answer.wait()
            return f"{name} shines"

        return command("beacon look", examples=["beacon look north"])(look)


async def test_what_is_slow_is_acknowledged_before_it_runs(stage: Stage) -> None:
    slow, street = _Slow(), stage.street
    stage.gateway.graph.registry.add(slow.command())
    await make(
        stage.gateway.admin,
        "beam",
        match=["beam {name}"],
        command="beacon look {name}",
        ack="Looking for {args.name}, {actor}",
        result="{args.name}: {summary}",
    )

    await street.slack.people.slash(stage.admin.slack, CHANNEL, "beam north")
    async with asyncio.timeout(10):
        while not told_in_slack(stage.gateway):  # noqa: ASYNC110 - a row rings no bell
            await asyncio.sleep(0.005)
    (ack,) = told_in_slack(stage.gateway)
    slow.may_answer.set()
    await street.settle()

    assert (ack["status"], ack["summary"]) == ("running", "Looking for north, admin")
    _, final = told_in_slack(stage.gateway)
    assert (final["status"], final["summary"]) == ("ok", "north: north shines")


def told_in_slack(gateway: Gateway) -> list[dict[str, Any]]:
    """Read what is on its way to Slack, the oldest first."""
    return delivered(gateway, {"channel": CHANNEL})
