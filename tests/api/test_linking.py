"""Links made over the channels themselves, from either side (R-60)."""

from datetime import timedelta

import pytest

from core.kernel.principal import Assurance
from tests.api.channels import Writer
from tests.api.gateway import Gateway, Person


@pytest.fixture(params=["slack", "email"])
async def stranger(request: pytest.FixtureRequest, gateway: Gateway) -> Writer:
    """Somebody who is not linked yet."""
    return Writer(gateway, request.param, "ann@example.org")


async def test_from_the_channel_to_where_one_is_signed_in(
    stranger: Writer, ann: Person
) -> None:
    before = await stranger.say("task list")
    asked = await stranger.say("link")

    linked = await ann.say(f"link {asked.data['code']}")

    assert before.error
    assert before.error.code == "not_linked"
    assert linked.data["sender"] == "ann@example.org"
    assert (await stranger.say("whoami")).data["name"] == "ann"


async def test_from_where_one_is_signed_in_to_the_channel(
    stranger: Writer, ann: Person
) -> None:
    invited = await ann.say(f"link {stranger.at.channel}")

    linked = await stranger.say(f"link {invited.data['code']}")

    assert linked.summary.endswith("to ann")
    assert (await stranger.say("task create one")).error is None
    channels = (await ann.say("whoami")).data["channels"]
    assert [each["channel"] for each in channels] == [stranger.at.channel]


async def test_an_invitation_works_once_and_on_its_channel(
    gateway: Gateway, ann: Person
) -> None:
    code = (await ann.say("link slack")).data["code"]
    mail = Writer(gateway, "email", "ann@example.org")
    first, second = Writer(gateway, "slack", "U1"), Writer(gateway, "slack", "U2")

    wrong_channel = await mail.say(f"link {code}")
    own_side = await ann.say(f"link {code}")
    linked = await first.say(f"link {code}")
    again = await second.say(f"link {code}")

    assert wrong_channel.error
    assert own_side.status == 404
    assert linked.error is None
    assert again.error
    assert again.error.code == "not_found"


async def test_a_channels_code_is_not_typed_on_the_channel(gateway: Gateway) -> None:
    """Whoever only has the channel would otherwise need nobody."""
    one, two = Writer(gateway, "slack", "U1"), Writer(gateway, "slack", "U2")
    code = (await one.say("link")).data["code"]

    assert (await two.say(f"link {code}")).error
    assert (await one.say(f"link {code}")).error
    assert not (await one.say("whoami")).data["linked"]


async def test_an_unproven_sender_takes_up_no_invitation(
    gateway: Gateway, ann: Person
) -> None:
    """A forged From must not tie somebody else's address to the forger."""
    code = (await ann.say("link email")).data["code"]
    mail = Writer(gateway, "email", "bob@example.org")

    forged = await mail.say(f"link {code}", assurance=Assurance.UNVERIFIED)
    proven = await mail.say(f"link {code}")

    assert forged.error
    assert forged.error.code == "assurance_too_low"
    assert proven.error is None


async def test_guessing_on_a_channel_ends_after_five_tries(
    gateway: Gateway, stranger: Writer, ann: Person
) -> None:
    code = (await ann.say(f"link {stranger.at.channel}")).data["code"]
    guesses = [await stranger.say(f"link AAAAAAA{n}") for n in "234679"]

    shut = await stranger.say(f"link {code}")
    gateway.clock.advance(timedelta(minutes=10))
    fresh = (await ann.say(f"link {stranger.at.channel}")).data["code"]

    codes = [each.error.code for each in guesses if each.error]
    assert codes == ["not_found"] * 5 + ["rate_limited"]
    assert shut.error
    assert shut.error.code == "rate_limited"
    assert (await stranger.say(f"link {fresh}")).error is None


async def test_codes_end_after_ten_minutes_and_three_are_open_at_most(
    gateway: Gateway, stranger: Writer, ann: Person
) -> None:
    codes = [
        (await ann.say(f"link {stranger.at.channel}")).data["code"] for _ in range(3)
    ]
    fourth = await ann.say(f"link {stranger.at.channel}")
    gateway.clock.advance(timedelta(minutes=10))

    late = await stranger.say(f"link {codes[0]}")

    assert (fourth.status, fourth.error["code"]) == (429, "rate_limited")
    assert late.error
    assert (await ann.say(f"link {stranger.at.channel}")).status == 200


async def test_a_linked_account_is_not_linked_again(
    gateway: Gateway, stranger: Writer, ann: Person, bob: Person
) -> None:
    stranger.link_to("ann")
    code = (await bob.say(f"link {stranger.at.channel}")).data["code"]

    tried = await stranger.say(f"link {code}")

    assert tried.error
    assert (await stranger.say("whoami")).data["name"] == "ann"


@pytest.mark.parametrize(
    ("channel", "linked", "twin"),
    [
        ("slack", "U07ABC", "u07abc"),
        ("slack", "U07ABC", "Ｕ07ABC"),
        ("email", "ann@example.org", "Ann@example.org"),
        ("email", "ann@example.org", "аnn@example.org"),
        ("email", "ann@example.org", "ann@example.org "),
    ],
)
async def test_a_twin_of_a_sender_is_somebody_else(
    gateway: Gateway, ann: Person, channel: str, linked: str, twin: str
) -> None:
    """R-60: case, width and look-alike letters never merge two senders."""
    Writer(gateway, channel, linked).link_to("ann")

    assert not (await Writer(gateway, channel, twin).say("whoami")).data["linked"]


async def test_one_id_in_two_workspaces_is_two_accounts(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """R-60."""
    acme = Writer(gateway, "slack", "U1", account="acme").link_to("ann")
    other = Writer(gateway, "slack", "U1", account="other")

    assert not (await other.say("whoami")).data["linked"]
    other.link_to("bob")
    assert (await acme.say("whoami")).data["name"] == "ann"
    assert (await other.say("whoami")).data["name"] == "bob"


async def test_one_person_with_two_accounts_is_one(
    gateway: Gateway, ann: Person
) -> None:
    slack = Writer(gateway, "slack", "U1").link_to("ann")
    mail = Writer(gateway, "email", "ann@example.org").link_to("ann")

    ids = {(await each.say("whoami")).data["id"] for each in (slack, mail)}

    assert ids == {(await ann.say("whoami")).data["id"]}


async def test_an_account_is_taken_back(gateway: Gateway, ann: Person) -> None:
    slack = Writer(gateway, "slack", "U1").link_to("ann")

    await ann.say('unlink slack "U1"')

    assert not (await slack.say("whoami")).data["linked"]


async def test_two_workspaces_do_not_share_a_thread(
    gateway: Gateway, ann: Person
) -> None:
    """The same channel and timestamp elsewhere is another conversation."""
    acme = Writer(gateway, "slack", "U1", account="acme").link_to("ann")
    other = Writer(gateway, "slack", "U1", account="other").link_to("ann")
    await acme.say("task create one", thread="C1:1.0")

    assert (await acme.say("last", thread="C1:1.0")).error is None
    assert (await other.say("last", thread="C1:1.0")).error
