"""What is told once: at which doors, to whom, and what anybody can read afterwards."""

from datetime import timedelta

import orjson
import pytest
from sqlalchemy import bindparam

from channels.base import Postponed, Undeliverable
from core.database import Prepared
from core.delivery.outbox.tables import outbox
from core.kernel.principal import Role, system
from core.kernel.reply import Text
from tests.api.channels import Writer
from tests.api.gateway import Gateway, Person
from tests.api.rooms import open_room
from tests.api.test_secrets import MASK, on_disk

_BODIES = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.body)
    .where(outbox.c.tenant_id == bindparam("tenant"))
)


def bodies(gateway: Gateway) -> list[str]:
    """Read what is kept of that which was delivered, or given up."""
    rows = gateway.graph.db.look(lambda tx: tx.run(_BODIES), by=system())
    return [str(body) for (body,) in rows]


@pytest.fixture
async def eve(gateway: Gateway) -> Person:
    """Somebody of the tenant who may look at everything there is to look at."""
    return gateway.person("eve", Role.VIEWER)


async def looks(eve: Person, reply_id: str) -> list[bytes]:
    """Look wherever an answer, or what became of it, can be looked up."""
    paths = ["outbox", "audit", "replies/" + reply_id, "commands/rq_" + reply_id[3:]]
    answers = [await eve.get(f"/v1/{path}") for path in paths]
    answers += [await eve.get(f"/v1/outbox/D-{number}") for number in (1, 2, 3)]
    answers.append(await eve.get(f"/v1/why/{reply_id}"))
    return [each.raw for each in answers]


@pytest.mark.parametrize("line", ["link", "link slack"])
async def test_a_link_code_is_in_the_answer_and_nowhere_else(
    gateway: Gateway, eve: Person, line: str
) -> None:
    """R-62: or whoever reads it could act as who asked for it."""
    asked = await gateway.admin.say(line, key="once")
    again = await gateway.admin.say(line, key="once")
    own = await gateway.admin.get(f"/v1/replies/{asked.body['id']}")

    code = asked.data["code"]
    assert code in asked.body["summary"]
    assert again.data["code"] == own.body["data"]["code"] == MASK
    assert MASK in again.body["summary"]
    for raw in (again.raw, own.raw, *await looks(eve, asked.body["id"])):
        assert code.encode() not in raw
    assert code.encode() not in on_disk(gateway)


async def test_a_code_that_was_typed_in_vain_is_noted_nowhere(
    gateway: Gateway, eve: Person
) -> None:
    """It is good until it is used, so its line is a secret as well."""
    code = (await gateway.admin.say("link slack")).data["code"]

    refused = await gateway.admin.say(f"link {code}")

    assert refused.status == 404
    for raw in await looks(eve, refused.body["id"]):
        assert code.encode() not in raw


async def test_a_code_is_delivered_and_then_forgotten(
    gateway: Gateway, ann: Person, eve: Person
) -> None:
    """While it waits, and once it was sent, others read the masked answer."""
    room = await open_room(gateway)
    room.courier.faults.append(Postponed("busy", retry_after=1))
    await room.say("link email --public")
    waiting = (await eve.get("/v1/outbox/D-1")).body
    seen = await looks(eve, waiting["reply"])

    gateway.clock.advance(timedelta(minutes=5))
    await room.settle()

    (told,) = room.courier.delivered
    code = str(told.reply.data["code"])
    assert any(isinstance(each, Text) and code in each.md for each in told.reply.blocks)
    assert told.place["private"] is True
    assert waiting["state"] == "waiting"
    assert MASK in waiting["summary"]
    assert (await eve.get("/v1/outbox/D-1")).body["state"] == "sent"
    for raw in (*seen, *await looks(eve, waiting["reply"])):
        assert code.encode() not in raw
    assert code not in "".join(bodies(gateway))


async def test_a_code_that_cannot_be_delivered_is_forgotten_too(
    gateway: Gateway, ann: Person
) -> None:
    room = await open_room(gateway)
    room.courier.faults.append(Undeliverable("user_not_found", fix="invite them"))

    await room.say("link email")

    assert (await gateway.admin.get("/v1/outbox/D-1")).body["state"] == "dead"
    (body,) = bodies(gateway)
    assert orjson.loads(body)["data"]["code"] == MASK
    assert MASK in orjson.loads(body)["summary"]


async def test_what_is_open_to_all_is_answered_to_one(
    gateway: Gateway, ann: Person
) -> None:
    """The admin may do anything, and still reads nobody's answer to `link`."""
    asked = await ann.say("link")

    own = await ann.get(f"/v1/replies/{asked.body['id']}")
    other = await gateway.admin.get(f"/v1/replies/{asked.body['id']}")
    missing = await gateway.admin.get("/v1/replies/rp_0")

    assert own.status == 200
    assert (other.status, other.error["code"]) == (404, missing.error["code"])


async def test_an_answer_is_read_by_who_holds_the_scope_of_its_command(
    gateway: Gateway, ann: Person, bob: Person, eve: Person
) -> None:
    made = await ann.say("task create one")
    path = f"/v1/replies/{made.body['id']}"

    assert (await bob.get(path)).body["data"] == made.data
    assert (await eve.get(path)).status == 404
    assert (await eve.get(f"/v1/commands/{made.body['request_id']}")).status == 404
    assert (await bob.say(f"reply show {made.body['id']}")).data["data"] == made.data


@pytest.mark.parametrize(
    "line",
    [
        "key create ci",
        "key rotate {key} --overlap 1h",
        "user invite ann",
        "webhook create tests --command version",
        "webhook rotate W-1",
    ],
)
@pytest.mark.parametrize("channel", ["slack", "email"])
async def test_a_secret_is_not_told_where_it_would_stay(
    gateway: Gateway, ann: Person, channel: str, line: str
) -> None:
    """Refused before anything is made, with the line for a terminal."""
    gateway.person("root", Role.ADMIN)
    root = Writer(gateway, channel, "root@example.org").link_to("root")
    said = line.format(key=ann.key_id)
    before = (await gateway.admin.get("/v1/keys")).raw

    refused = await root.say(said)

    assert refused.error
    assert refused.error.code == "step_up_required"
    assert refused.error.fix[0].startswith("in a terminal: ops ")
    assert said.split(" --")[0] in refused.error.fix[0]
    assert (await gateway.admin.get("/v1/keys")).raw == before


@pytest.mark.parametrize("name", ["key create", "user invite", "webhook rotate"])
async def test_what_tells_a_secret_is_never_held_for_approval(
    gateway: Gateway, name: str
) -> None:
    """Its answer would come when nobody listens, and have to be stored."""
    refused = await gateway.admin.say(f"approval rule set '{name}'")

    assert (refused.status, refused.error["code"]) == (409, "illegal_move")


async def test_a_rule_over_a_noun_leaves_out_what_tells_a_secret(
    gateway: Gateway,
) -> None:
    assert (await gateway.admin.say("approval rule set 'key *'")).status == 200

    made = await gateway.admin.say("key create ci")
    revoked = await gateway.admin.say(f"key revoke {made.data['id']} --yes")

    assert made.data["key"].startswith("ops_live_")
    assert revoked.status == 409
