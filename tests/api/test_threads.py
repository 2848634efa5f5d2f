"""What a thread in Slack or by mail remembers, and what may be asked for there."""

import pytest

from core.kernel.reply import ReplyStatus
from tests.api.channels import Writer
from tests.api.gateway import Gateway, Person


@pytest.fixture
async def admin_in_slack(gateway: Gateway) -> Writer:
    """The admin in Slack."""
    return Writer(gateway, "slack", "U0ADM").link_to("admin")


@pytest.fixture
async def admin_by_mail(gateway: Gateway) -> Writer:
    """The admin by mail."""
    return Writer(gateway, "email", "admin@example.org").link_to("admin")


@pytest.fixture(params=["slack", "email"])
async def writer(request: pytest.FixtureRequest, gateway: Gateway) -> Writer:
    """The admin in either of them."""
    return Writer(gateway, request.param, "somebody@example.org").link_to("admin")


async def test_this_is_what_the_thread_is_about(writer: Writer) -> None:
    """M-OMN: in a thread about T-1, whatever was touched last."""
    for title in ("one", "two"):
        await writer.say(f"task create {title}")

    shown = [
        await writer.say("task show this", this="T-1"),
        await writer.say("show this", this="T-1"),
        await writer.say("this", this="T-1"),
    ]
    claimed = await writer.say("claim this", this="T-1")
    without = await writer.say("task show this", thread="t2", this="")

    assert [each.data["id"] for each in shown] == ["T-1"] * 3
    assert claimed.data["id"] == "T-1"
    assert without.error
    assert without.error.code == "invalid_argument"


async def test_last_more_and_rows_belong_to_their_thread(writer: Writer) -> None:
    for title in ("one", "two", "three"):
        await writer.say(f"task create {title}")
    await writer.say("task list --limit 2")

    more = await writer.say("more")
    await writer.say("task list")
    row = await writer.say("task show #3")
    last = await writer.say("last")
    elsewhere = await writer.say("task show #3", thread="t2")

    assert [each["id"] for each in more.data["items"]] == ["T-1"]  # type: ignore[index,union-attr,call-overload]
    assert (row.data["id"], last.data["id"]) == ("T-1", "T-1")
    assert elsewhere.error


async def test_a_verb_alone_finds_its_noun_in_what_was_said(writer: Writer) -> None:
    """M-OMN: `claim #2`, `show last` and `approve this`, whatever kind of thing it is."""
    for title in ("one", "two"):
        await writer.say(f"task create {title}")
    await writer.say("task list")

    row = await writer.say("claim #2 --ttl 30m")
    last = await writer.say("!show last")
    this = await writer.say("release this --reason done")
    nothing = await writer.say("claim #9")
    elsewhere = await writer.say("show last", thread="t2")

    assert (row.command, row.data["assignee"]) == ("task claim T-1 --ttl 30m", "admin")
    assert last.data["id"] == "T-1"
    assert this.command.startswith("task release T-1")
    assert nothing.error
    assert elsewhere.error
    assert elsewhere.error.code == nothing.error.code == "invalid_argument"


async def test_undo_takes_back_what_was_done_in_this_thread(writer: Writer) -> None:
    await writer.say("task create one", thread="t1")
    await writer.say("task create two", thread="t2")

    undone = await writer.say("undo", thread="t1")
    again = await writer.say("undo", thread="t1")

    assert undone.summary == "T-1 queued -> abandoned"
    assert again.error


async def test_undo_has_a_button_which_is_not_for_others(
    gateway: Gateway, admin_in_slack: Writer
) -> None:
    gateway.person("bob")
    bob = Writer(gateway, "slack", "U0BOB").link_to("bob")
    made = await admin_in_slack.say("task create one")

    stolen = await bob.say(f"undo {made.id}")
    own = await admin_in_slack.say(f"undo {made.id}")

    assert made.undo
    assert stolen.error
    assert own.summary == "T-1 queued -> abandoned"


@pytest.mark.parametrize("word", ["yes", "Yes.", "y", "confirm"])
async def test_a_plain_yes_confirms_the_one_thing_asked_in_this_thread(
    writer: Writer, word: str
) -> None:
    await writer.say("channel disable webhook --reason flood")

    elsewhere = await writer.say(word, thread="t2")
    here = await writer.say(word)
    again = await writer.say(word)

    assert elsewhere.error
    assert here.data["is_enabled"] is False
    assert again.error


async def test_a_plain_yes_to_two_questions_does_nothing(writer: Writer) -> None:
    await writer.say("channel disable webhook")
    await writer.say("channel disable rest")

    told = await writer.say("yes")

    assert told.error
    assert "2 commands wait for you here" in told.error.detail


async def test_a_yes_inside_a_sentence_is_none(writer: Writer) -> None:
    asked = await writer.say("channel disable webhook")

    await writer.say("yes but not today")

    assert (await writer.say(f"cancel {asked.data['token']}")).error is None


@pytest.mark.parametrize("word", ["no", "n", "cancel"])
async def test_a_plain_no_drops_it(writer: Writer, word: str) -> None:
    await writer.say("channel disable webhook")

    dropped = await writer.say(word)
    late = await writer.say("yes")

    assert dropped.summary == "Dropped: channel disable webhook"
    assert late.error


async def test_risky_by_mail_is_confirmed_by_a_reply(admin_by_mail: Writer) -> None:
    """The token stands in the answer as a line to send back."""
    asked = await admin_by_mail.say("!channel disable webhook --reason flood")

    token = asked.data["token"]
    done = await admin_by_mail.say(f"!confirm {token}", thread="another thread")

    assert asked.status is ReplyStatus.NEEDS_CONFIRMATION
    assert done.data["is_enabled"] is False


async def test_what_cannot_be_taken_back_is_never_asked_for_by_mail(
    gateway: Gateway, admin_by_mail: Writer, admin_in_slack: Writer
) -> None:
    """R-12: not with a confirmation either; in Slack the id is typed."""
    await gateway.admin.say("approval rule set 'task create'")
    line = "approval rule delete 'task create'"

    bare = await admin_by_mail.say(line)
    typed = await admin_by_mail.say(f"{line} --confirm 'task create'")
    asked = await admin_in_slack.say(line)
    done = await admin_in_slack.say(f"{line} --confirm 'task create'")

    for refused in (bare, typed):
        assert refused.error
        assert (refused.error.code, refused.error.status) == ("step_up_required", 403)
        assert any("/ops approval rule delete" in fix for fix in refused.error.fix)
    assert asked.status is ReplyStatus.NEEDS_CONFIRMATION
    assert done.error is None


async def test_a_rehearsal_by_mail_is_allowed(
    gateway: Gateway, admin_by_mail: Writer
) -> None:
    await gateway.admin.say("approval rule set 'task create'")

    told = await admin_by_mail.say("plan approval rule delete 'task create'")

    assert told.data["dry_run"] is True


async def test_needs_gathers_what_waits_for_a_person(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await gateway.admin.say("approval rule set 'lease acquire' --need 1")
    await ann.say("task create one")
    for line in ("claim T-1", "task move T-1 in_progress", "task move T-1 review"):
        await ann.say(line)
    await ann.say("lease acquire box")
    await bob.say("lease acquire other")
    slack_bob = Writer(gateway, "slack", "U0BOB").link_to("bob")

    needed = await slack_bob.say("needs")
    by_route = await bob.get("/v1/needs")
    own = await ann.say("needs")

    found = [(each["kind"], each["id"]) for each in by_route.body["items"]]
    assert found == [("approve", "AP-1"), ("review", "T-1")]
    assert needed.data == by_route.body
    assert [each["id"] for each in own.data["items"]] == ["AP-2"]
    for line in by_route.body["items"][0]["lines"][:1]:
        assert (await bob.say(line)).status == 200
    assert [each["id"] for each in (await bob.say("needs")).data["items"]] == ["T-1"]


async def test_needs_lists_what_was_sent_back_and_what_to_confirm(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    await ann.say("task create one")
    for line in ("claim T-1", "task move T-1 in_progress", "task move T-1 review"):
        await ann.say(line)
    await bob.say("reject T-1 --reason slow")
    await gateway.admin.say("lease acquire box")
    lock = (await gateway.admin.say("lease list")).data["items"][-1]["id"]
    await ann.say(f"lease reclaim {lock}")

    needed = (await ann.say("needs")).data["items"]

    assert [each["kind"] for each in needed] == ["confirm", "redo"]
    assert (await ann.say(needed[1]["lines"][0])).status == 200


async def test_nothing_needs_a_newcomer(gateway: Gateway) -> None:
    vera = gateway.person("vera")

    assert (await vera.say("needs")).body["summary"] == "Nothing needs you"
