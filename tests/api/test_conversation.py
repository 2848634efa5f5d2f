"""What a conversation remembers, and what strangers tried with it."""

from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person

TALK = {"x-opswire-conversation": "terminal-1"}


async def say(person: Person, line: str) -> dict[str, object]:
    answer = await person.say(line, **TALK)
    return dict(answer.body)


async def test_more_goes_on_to_the_last_page(ann: Person) -> None:
    for number in range(5):
        await say(ann, f"task create {number}")

    pages = [await say(ann, line) for line in ("task list --limit 2", "more", "more")]

    ids = [[row["id"] for row in page["data"]["items"]] for page in pages]  # type: ignore[index]
    assert ids == [["T-5", "T-4"], ["T-3", "T-2"], ["T-1"]]


async def test_undo_looks_past_what_was_only_read(ann: Person) -> None:
    await say(ann, "task create one")
    await say(ann, "task list")

    undone = await say(ann, "undo")

    assert undone["summary"] == "T-1 queued -> abandoned"


async def test_what_cannot_be_undone_is_named_as_it_was_said(ann: Person) -> None:
    await say(ann, "task create one")
    await say(ann, "task note T-1 'tests are green'")

    refused = await say(ann, "undo")

    assert "task note T-1" in refused["error"]["detail"]  # type: ignore[index]
    assert "rp_" not in refused["error"]["detail"]  # type: ignore[index]


async def test_a_confirmed_command_keeps_its_reason(
    gateway: Gateway, ann: Person
) -> None:
    await say(ann, "lease acquire box")
    asked = await say(ann, 'lease reclaim L-1 --reason "worker died"')
    token = asked["data"]["token"]  # type: ignore[index]

    await say(ann, f"confirm {token}")

    entries = (await gateway.admin.say("audit list --action 'lease reclaim'")).data
    assert entries["items"][0]["reason"] == "worker died"
    assert entries["items"][0]["verdict"] == "allowed"


async def test_nothing_asked_is_answered_with_help(ann: Person) -> None:
    answer = await ann.say("")

    assert (answer.status, answer.body["error"]["code"]) == (400, "empty")
    assert [block["t"] for block in answer.body["blocks"]][:2] == ["error", "table"]


async def test_plan_shows_and_changes_nothing(ann: Person) -> None:
    planned = await ann.say('plan task create "Fix login"')

    assert planned.data["dry_run"] is True
    assert (await ann.say("task list")).data["items"] == []


async def test_what_cannot_work_is_refused_before_it_is_proposed(
    gateway: Gateway,
) -> None:
    answer = await gateway.admin.say("channel disable nowhere")

    assert answer.status == 404
    assert (await gateway.admin.say("status")).data["proposals"] == []


async def test_the_last_admin_stays_one(gateway: Gateway) -> None:
    body = {"reason": "left"}

    disabled = await gateway.admin.post("/v1/users/admin/disable", body)
    demoted = await gateway.admin.patch("/v1/users/admin", {"roles": ["viewer"]})

    assert (disabled.status, demoted.status) == (409, 409)


async def test_each_state_document_wants_its_own_scope(gateway: Gateway) -> None:
    carol = gateway.person("carol", scopes=("tasks:read",))

    answers = {
        kind: (await carol.get(f"/collab/state/{kind}")).status
        for kind in ("tasks", "locks", "leases", "agents", "events", "log")
    }

    assert answers.pop("tasks") == 200
    assert set(answers.values()) == {403}


async def test_a_refusal_at_the_door_names_who_was_signed_in(gateway: Gateway) -> None:
    ann = gateway.person("ann", Role.OPERATOR)
    await ann.say("task create one")

    refused = await ann.patch("/collab/tasks/T-1", {"title": "two"})
    await ann.say("task create two")  # What nobody waits for joins this batch.

    entries = (await gateway.admin.say("audit list --action 'task set'")).data["items"]
    assert refused.status == 428
    assert entries[0]["actor"] == "ann"


async def test_the_link_of_a_reply_opens(ann: Person) -> None:
    answer = await ann.say("task create one")

    page = await ann.get(str(answer.body["url"]).split("8000", 1)[1])

    assert page.status == 200
    assert answer.body["id"] in page.raw.decode()
