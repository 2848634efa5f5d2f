"""Templates as people use them: written once, tried without effect, run by name."""

from typing import Any

import pytest

from core.kernel.principal import Role
from tests.api.channels import Writer
from tests.api.gateway import PROBLEM, Answer, Gateway, Person

DEPLOY = """\
name: deploy
lane: B
danger: It restarts the site.
params:
  properties:
    env: {type: string, enum: [staging, prod]}
    count: {type: integer, default: 1}
  required: [env]
steps:
  - name: release
    argv: [echo, "{{ params.env }}", "{{ params.count }}"]
"""
NEWER = DEPLOY.replace("lane: B", "lane: D")
FAULTY = DEPLOY.replace("lane: B", "lane: E").replace("argv: [echo", "argv: [sh, -c")


async def made(admin: Person, text: str = DEPLOY) -> Answer:
    answer = await admin.post("/v1/templates", {"text": text})
    assert answer.status == 201, answer
    return answer


def problems(answer: Answer) -> list[str]:
    """Name the fields that are wrong."""
    return [each["field"] for each in answer.data["problems"]]


@pytest.fixture
def admin(gateway: Gateway) -> Person:
    return gateway.admin


async def test_a_template_is_made_read_changed_and_removed(admin: Person) -> None:
    """M-RUN-12: CRUD, with a tag for each text."""
    first = await made(admin)
    where = "/v1/templates/deploy"

    tag = first.headers["etag"]
    second = await admin.call("PUT", where, {"text": NEWER}, if_match=tag)
    shown = await admin.get(where)

    assert (first.body["id"], first.body["edition"]) == ("TP-1", 1)
    assert (second.status, second.body["edition"]) == (200, 2)
    assert shown.headers["etag"] == second.headers["etag"] != tag
    assert (shown.body["lane"], shown.body["text"]) == ("D", NEWER)
    assert (await admin.get(f"{where}?edition=1")).body["lane"] == "B"
    assert (await admin.call("DELETE", where)).status == 200
    assert (await admin.get(where)).status == 404


async def test_a_change_names_what_it_changes(admin: Person) -> None:
    """M-RUN-12: 428 without a tag, 412 with an old one."""
    tag = (await made(admin)).headers["etag"]
    where = "/v1/templates/deploy"
    await admin.call("PUT", where, {"text": NEWER}, if_match=tag)

    blind = await admin.call("PUT", where, {"text": DEPLOY})
    stale = await admin.call("PUT", where, {"text": DEPLOY}, if_match=tag)

    assert (blind.status, stale.status) == (428, 412)
    assert stale.body["etag"] == (await admin.get(where)).body["etag"]


async def test_a_template_may_be_an_object(admin: Person) -> None:
    steps = [{"name": "greet", "run": "echo no"}]
    body = {"definition": {"name": "hello", "description": "1e3", "steps": steps}}

    answer = await admin.post("/v1/templates", body)

    assert answer.status == 201, answer
    assert answer.body["steps"][0]["with"] == {"argv": ["echo", "no"]}
    assert answer.body["description"] == "1e3"


@pytest.mark.parametrize("body", [{}, {"text": DEPLOY, "definition": {"name": "x"}}])
async def test_a_template_is_given_once(admin: Person, body: dict[str, Any]) -> None:
    assert (await admin.post("/v1/templates", body)).status == 422


async def test_all_that_is_wrong_with_a_text_is_told(admin: Person) -> None:
    """M-RUN-12: and nothing is stored."""
    tried = await admin.post("/v1/templates/validate", {"text": FAULTY})
    refused = await admin.post("/v1/templates", {"text": FAULTY})

    assert tried.status == 200
    assert tried.body["is_valid"] is False
    assert [(each["field"], each["line"]) for each in tried.body["problems"]] == [
        ("lane", 2),
        ("steps[0].argv", 11),
    ]
    assert refused.status == 422
    assert refused.headers["content-type"] == PROBLEM
    assert len(refused.body["problems"]) == 2
    assert (await admin.get("/v1/templates/deploy")).status == 404


async def test_an_executor_that_there_is_not_is_named(admin: Person) -> None:
    text = "name: x\nsteps: [{name: a, uses: shel}]"

    answer = await admin.post("/v1/templates/validate", {"text": text})

    (problem,) = answer.body["problems"]
    assert problem["field"] == "steps[0].uses"
    assert "did you mean shell?" in problem["fix"]


async def test_a_dry_run_shows_what_would_run(gateway: Gateway, ann: Person) -> None:
    """commands.md, row 23: resolved parameters, and errors by field."""
    good = await ann.say("template run spec-kit name=Pay --dry-run")
    bad = await ann.say("template run demo-deploy env=prd vresion=1.2 --dry-run")
    missing = await ann.say("template run spec-kit --dry-run")

    assert (good.status, good.data["is_valid"]) == (200, True)
    assert good.data["params"] == {"name": "Pay", "description": ""}
    assert [each["name"] for each in good.data["steps"]] == ["generate", "validate"]
    assert good.data["steps"][0]["with"]["name"] == "Pay"
    assert problems(bad) == ["vresion", "env"]
    assert bad.data["problems"][0]["fix"] == "version=…"
    assert "env=prod" in bad.data["problems"][1]["fix"]
    assert problems(missing) == ["name"]
    assert (await ann.get("/v1/runs")).body["items"] == []


async def test_parameters_are_tried_over_rest(admin: Person, ann: Person) -> None:
    """core.md: POST /v1/templates/{name}/validate."""
    await made(admin)
    where = "/v1/templates/deploy/validate"

    good = await ann.post(where, {"json_params": {"env": "prod", "count": 3}})
    bad = await ann.post(where, {"params": ["env=prod", "count=many"]})

    assert good.body["params"] == {"env": "prod", "count": 3}
    assert good.body["steps"][0]["with"]["argv"] == ["echo", "prod", "3"]
    assert good.body["danger"] == "It restarts the site."
    assert [each["field"] for each in bad.body["problems"]] == ["count"]


async def test_a_secret_that_there_is_not_is_told(admin: Person, ann: Person) -> None:
    """A dry run says what would keep the run from its end, and the run is refused."""
    await made(admin, f"secrets: [DEPLOY_TOKEN]\n{DEPLOY}")
    line = "template run deploy env=prod"

    without = await ann.say(f"{line} --dry-run")
    refused = await ann.post("/v1/templates/deploy/run", {"params": ["env=prod"]})
    await admin.say("secret set DEPLOY_TOKEN correct-horse-battery")
    there = await ann.say(f"{line} --dry-run")

    assert (without.status, without.data["is_valid"]) == (200, False)
    (problem,) = without.data["problems"]
    assert problem["field"] == "steps[0].secrets"
    assert problem["problem"] == "the secret DEPLOY_TOKEN does not exist"
    assert problem["fix"] == "secret set DEPLOY_TOKEN <value>"
    assert refused.status == 422
    assert there.data["is_valid"] is True


async def test_a_run_of_a_template_is_confirmed_and_queued(
    admin: Person, ann: Person
) -> None:
    """M-RUN-11, M-RUN-12: in the template's lane, of its edition."""
    await made(admin)

    asked = await ann.say("template run deploy env=prod")
    done = await ann.say(asked.data["confirm"])

    assert asked.status == 409
    assert "It restarts the site." in str(asked.body["blocks"])
    assert done.status == 202, done
    assert (done.data["lane"], done.data["template"]) == ("B", "deploy")
    assert done.data["template_version"] == 1
    assert done.data["input"] == {"env": "prod", "count": 1}


async def test_a_run_keeps_the_edition_that_it_was_made_of(admin: Person) -> None:
    tag = (await made(admin)).headers["etag"]
    first = await admin.post("/v1/templates/deploy/run", {"params": ["env=prod"]})
    where = "/v1/templates/deploy"
    await admin.call("PUT", where, {"text": NEWER}, if_match=tag)

    second = await admin.post(f"{where}/run", {"params": ["env=prod"]})
    older = await admin.post(f"{where}/run", {"params": ["env=prod"], "edition": 1})

    runs = [each.body for each in (first, second, older)]
    assert [each["template_version"] for each in runs] == [1, 2, 1]
    assert [each["lane"] for each in runs] == ["B", "D", "B"]


async def test_bad_parameters_queue_nothing(ann: Person) -> None:
    answer = await ann.post("/v1/templates/demo-deploy/run", {"params": ["env=x"]})

    assert answer.status == 422
    assert answer.body["problems"] == [
        "env: 'x' is not one of ['staging', 'prod'] (fix: env=staging|prod)"
    ]
    assert (await ann.get("/v1/runs")).body["items"] == []


async def test_a_change_can_be_undone(admin: Person) -> None:
    await made(admin)
    told = await admin.say(f"template set deploy '{NEWER}'")

    undone = await admin.say(f"undo {told.body['id']}")

    assert undone.status == 200, undone
    shown = await admin.get("/v1/templates/deploy")
    assert (shown.body["edition"], shown.body["text"]) == (3, DEPLOY)


async def test_editions_are_listed_and_compared(admin: Person) -> None:
    await made(admin)
    await admin.say(f"template set deploy '{NEWER}'")

    listed = await admin.get("/v1/templates/deploy/versions")
    compared = await admin.say("template diff deploy")

    assert [each["edition"] for each in listed.body["items"]] == [2, 1]
    assert "-lane: B\n+lane: D" in compared.data["diff"]
    assert (compared.data["before"], compared.data["after"]) == (1, 2)


@pytest.mark.parametrize("name", ["generate_spec_kit", "generate-spec-kit", "spec-kit"])
async def test_names_are_spelt_either_way(ann: Person, name: str) -> None:
    """M-SPK-01."""
    answer = await ann.get(f"/v1/templates/{name}")

    assert (answer.body["name"], answer.body["is_built_in"]) == (
        "generate-spec-kit",
        True,
    )


async def test_what_comes_with_the_product_is_listed(ann: Person) -> None:
    listed = await ann.get("/v1/templates")

    names = {each["name"] for each in listed.body["items"]}
    assert names >= {
        "demo-deploy", "generate-spec-kit", "validate-spec-kit", "format-docs",
        "lint", "changelog",
    }  # fmt: skip


async def test_only_admins_write_templates(gateway: Gateway, ann: Person) -> None:
    viewer = gateway.person("eve", Role.VIEWER)
    await made(gateway.admin)

    written = await ann.post("/v1/templates", {"text": DEPLOY})
    removed = await ann.call("DELETE", "/v1/templates/deploy")
    started = await viewer.post("/v1/templates/deploy/run", {"params": ["env=prod"]})

    assert (written.status, removed.status, started.status) == (403, 403, 403)
    assert (await viewer.get("/v1/templates/deploy")).status == 200


@pytest.mark.parametrize("channel", ["slack", "email"])
async def test_a_text_of_many_lines_is_taken_in_a_message(
    gateway: Gateway, channel: str
) -> None:
    """The whole template stands in quotes, and its own quotes are the other ones."""
    writer = Writer(gateway, channel, "admin@example.org")
    writer.link_to("admin")

    reply = await writer.say(f"template create '{DEPLOY}'")

    assert reply.error is None, reply
    shown = await gateway.admin.get("/v1/templates/deploy")
    assert shown.body["text"] == DEPLOY


async def test_a_block_of_code_in_quotes_is_its_text(admin: Person) -> None:
    """What a chat shows as code is copied with its fence."""
    answer = await admin.say(f"template create '```yaml\n{DEPLOY}```'")

    assert answer.status == 200, answer
    assert answer.data["text"] == DEPLOY


async def test_runs_of_a_template_that_wants_it_wait_for_somebody_else(
    gateway: Gateway, admin: Person
) -> None:
    """`approval: true`: explained, refused to who asked, and queued by another."""
    await made(admin, DEPLOY.replace("lane: B", "lane: B\napproval: true"))
    bob = gateway.person("bob", Role.OPERATOR)

    started = await bob.post(
        "/v1/runs/start", {"template": "deploy", "params": ["env=staging"]}
    )
    why = await bob.get("/v1/runs/R-1/explain")
    own = await bob.post("/v1/runs/R-1/approve")
    other = await admin.post("/v1/runs/R-1/approve")

    assert started.body["status"] == "awaiting_approval", started
    assert "approv" in why.body["text"], why
    assert own.status == 403
    assert (other.status, other.body["status"]) == (200, "queued")
