"""Watching: who is told of what and where, and when it ends."""

from collections.abc import Mapping
from typing import Any

import pytest

from core.delivery.outbox import dispatch
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import LIFETIME, Budget
from core.kernel.outgoing import Lane
from core.kernel.principal import Role, system
from tests.api.channels import Writer, delivered
from tests.api.gateway import Gateway, Person

MAIL = {"to": "ann@example.org"}
DIRECT = {"user": "U1"}


@pytest.fixture
def slack(gateway: Gateway, ann: Person) -> Writer:
    """Where ann writes in Slack."""
    writer = Writer(gateway, "slack", "U1").link_to("ann")
    writer.place = {"channel": "C1", "response_url": "https://x", "expires": "soon"}
    return writer


@pytest.fixture
def mail(gateway: Gateway, ann: Person) -> Writer:
    """Ann's mailbox."""
    return Writer(gateway, "email", "ann@example.org", account="ops").link_to("ann")


async def news(gateway: Gateway, place: Mapping[str, Any]) -> list[str]:
    """Have the reactor look, and tell what is on its way to a place."""
    await gateway.graph.outward.reactor.react_to_news()
    return [each["summary"] for each in delivered(gateway, place)]


async def test_what_is_watched_here_is_told_here(
    gateway: Gateway, bob: Person, slack: Writer
) -> None:
    """M-OMN: to a place that outlives the answer, without what held for it alone."""
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say('task create "Fix login"')

    watched = await slack.say("watch T-1")
    await bob.say("claim T-1")

    assert watched.summary == "You will hear of T-1 by slack"
    assert await news(gateway, {"channel": "C1"}) == [
        "T-1: Fix login is claimed, by bob"
    ]
    assert "response_url" not in str(_places(gateway))


async def test_what_was_before_is_not_told(
    gateway: Gateway, bob: Person, slack: Writer
) -> None:
    """Even when nobody had looked at the events for a while."""
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say('task create "Fix login"')
    await bob.say("task note T-1 early")

    await slack.say("watch T-1")
    await bob.say("task note T-1 late")

    assert len(await news(gateway, {"channel": "C1"})) == 1


async def test_by_email_tells_the_linked_mailbox(
    gateway: Gateway, ann: Person, bob: Person, mail: Writer
) -> None:
    """M-OMN: asked for over REST, told by mail."""
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say('task create "Fix login"')

    asked = await ann.say("watch T-1 by email")
    await bob.say("task note T-1 hello")

    assert asked.status == 200, asked
    assert asked.data["items"][0]["account"] == "ops"
    assert "the first news and the end" in str(asked.body)
    assert await news(gateway, MAIL) == ["T-1: Fix login has a new note, by bob"]


async def test_the_buttons_of_news_can_be_pressed(
    gateway: Gateway, bob: Person, slack: Writer
) -> None:
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say("task create Fix")
    await slack.say("watch T-1")
    await bob.say("task note T-1 hello")
    await news(gateway, {"channel": "C1"})
    (told,) = delivered(gateway, {"channel": "C1"})

    opened = await slack.say(f"press {told['id']}.0")
    stopped = await slack.say(f"press {told['id']}.1")

    assert opened.command == "task show T-1"
    assert stopped.summary == "You no longer watch T-1"


async def test_by_two_ways_is_told_twice(
    gateway: Gateway, ann: Person, bob: Person, mail: Writer, slack: Writer
) -> None:
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say("task create Fix")
    await ann.say("watch T-1 by email,slack")
    await bob.say("task note T-1 hello")

    assert len(await news(gateway, MAIL)) == 1
    assert len(await news(gateway, DIRECT)) == 1


async def test_nobody_is_told_of_what_they_did_there(
    gateway: Gateway, ann: Person, slack: Writer
) -> None:
    await gateway.graph.outward.reactor.react_to_news()
    await slack.say('task create "Fix login"')
    await slack.say("watch T-1")

    await slack.say("task note T-1 mine")
    here = await news(gateway, {"channel": "C1"})
    await ann.say("task note T-1 elsewhere")

    assert here == []
    assert len(await news(gateway, {"channel": "C1"})) == 1


async def test_a_watch_ends_with_its_object_and_that_is_a_final(
    gateway: Gateway, ann: Person, bob: Person, slack: Writer
) -> None:
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say('task create "Fix login"')
    await slack.say("watch T-1")
    await bob.say("task note T-1 hello")
    await bob.say("task move T-1 abandoned --reason obsolete")

    told = await news(gateway, {"channel": "C1"})

    # The final took the place of the note that nobody had been told of yet.
    assert told == ["T-1: Fix login is abandoned, by bob"]
    assert _lanes(gateway) == [Lane.FINALS]
    assert (await ann.say("watch list")).data["items"] == []


async def test_the_right_to_see_is_asked_for_again(
    gateway: Gateway, ann: Person, bob: Person, mail: Writer
) -> None:
    """R-60: who was disabled hears nothing more."""
    await gateway.graph.outward.reactor.react_to_news()
    await bob.say("task create Fix")
    await ann.say("watch T-1 by email")
    disabled = await gateway.admin.command("user disable", user="ann")
    token = disabled.data["token"]
    await gateway.admin.command("user disable", user="ann", confirm=token)

    await bob.say("task note T-1 secret")

    assert await news(gateway, MAIL) == []


async def test_a_person_watches_each_place_once(
    gateway: Gateway, ann: Person, mail: Writer
) -> None:
    await ann.say("task create Fix")
    for _ in range(2):
        assert (await ann.say("watch T-1 by email")).status == 200

    assert len((await ann.say("watch list")).data["items"]) == 1
    assert (await ann.say("unwatch T-1 by email")).status == 200
    assert (await ann.say("unwatch T-1")).error["code"] == "not_found"


async def test_there_is_an_end_to_watching(
    gateway: Gateway, ann: Person, mail: Writer
) -> None:
    for number in range(51):
        await ann.say(f"task create t{number}")
    answers = [await ann.say(f"watch T-{n + 1} by email") for n in range(51)]

    assert [each.status for each in answers] == [200] * 50 + [409]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("watch T-1", "invalid_argument"),
        ("watch T-1 by pigeon", "invalid_argument"),
        ("watch T-1 by slack", "not_found"),
        ("watch T-9 by email", "not_found"),
        ("watch K-1 by email", "invalid_argument"),
        ("watch deploy by email", "invalid_argument"),
        ("unwatch T-1", "not_found"),
    ],
)
async def test_what_cannot_be_watched_is_said(
    ann: Person, mail: Writer, line: str, code: str
) -> None:
    await ann.say("task create Fix")

    answer = await ann.say(line)

    assert answer.error["code"] == code
    assert answer.error["fix"]


async def test_what_one_may_not_see_one_may_not_watch(
    gateway: Gateway, ann: Person
) -> None:
    await ann.say("task create Fix")
    carol = gateway.person("carol", Role.VIEWER, scopes=("audit:read",))
    Writer(gateway, "email", "carol@example.org").link_to("carol")

    answer = await carol.say("watch T-1 by email")

    assert answer.error["code"] == "missing_scope"


def _places(gateway: Gateway) -> list[Mapping[str, Any]]:
    return [each.place for each in _claimed(gateway)]


def _lanes(gateway: Gateway) -> list[Lane]:
    return [each.lane for each in _claimed(gateway)]


def _claimed(gateway: Gateway) -> Any:
    terms = Terms(budgets={"slack": Budget(), "email": Budget()}, claim=LIFETIME)
    return gateway.graph.db.run(lambda tx: dispatch.claim(tx, terms), by=system())
