"""What leaves while Slack limits, breaks, resets and hangs: nothing is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.base import Link, Parcel, Postponed
from channels.slack.courier import SlackCourier
from channels.slack.response_url import RESPONSE_POSTS
from channels.slack.web import Refused
from channels.testing.slack import FakeSlack
from core.database import Tx
from core.delivery.outbox.model import OutboxDraft
from core.delivery.outbox.service import post
from core.kernel.catalog import Catalog
from core.kernel.clock import SystemClock
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.principal import system
from core.kernel.reply import Reply
from tests.conftest import FakeClock
from tests.integration.slack.conftest import ANN, OPS, Alone, ServeSlack, until

PACE_SECONDS = 0.9  # a second, but for what the way there takes


def parcel(number: int = 0, *, reply: Reply | None = None, **place: Any) -> Parcel:
    """A final answer to ann, in public unless `place` says otherwise."""
    return Parcel(
        id=f"D-{number}",
        account="default",
        place={"channel": OPS, "user": ANN, "private": False, **place},
        reply=reply or Reply(id=f"rp_{number}", summary=f"answer {number}"),
        lane=Lane.FINALS,
    )


@pytest.fixture
async def courier(alone: Alone) -> SlackCourier:
    """A courier to the fake's one workspace."""
    await alone.teams.reload()
    return SlackCourier(alone.teams, alone.pool, catalog=Catalog, clock=SystemClock())


@pytest.mark.parametrize(
    ("fault", "wait"), [("429:7", 7), ("500", 0), ("reset", 0), ("hang", 0)]
)
async def test_what_may_work_later_is_postponed(
    fake: FakeSlack, courier: SlackCourier, fault: str, wait: float
) -> None:
    """R-09: with the Retry-After that Slack gave."""
    fake.script.add(fault)

    with pytest.raises(Postponed) as late:
        await courier.deliver(parcel())
    await courier.deliver(parcel())

    assert late.value.retry_after == wait
    assert [each.text for each in fake.messages()] == ["answer 0"]


async def test_an_outage_is_named_on_health_and_ends_by_itself(
    fake: FakeSlack, alone: Alone, courier: SlackCourier
) -> None:
    fake.script.add("500")

    with pytest.raises(Postponed):
        await courier.deliver(parcel())
    broken = alone.health()
    await courier.deliver(parcel())

    assert (broken.link, broken.error) == (
        Link.DEGRADED,
        "Slack is out of order: 500",
    )
    assert alone.health().link is Link.CONNECTED


async def test_an_answer_by_response_url_does_not_show_that_the_token_works(
    fake: FakeSlack, alone: Alone, courier: SlackCourier
) -> None:
    url = await response_url(fake, alone)
    expires = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
    fake.home.token_error = "token_revoked"

    with pytest.raises(Refused):
        await courier.deliver(parcel(1))
    await courier.deliver(parcel(2, response_url=url, expires=expires))

    assert alone.health().link is Link.DEGRADED


@pytest.mark.parametrize(
    "error", ["internal_error", "fatal_error", "service_unavailable", "ratelimited"]
)
async def test_a_transient_refusal_with_status_200_is_postponed(
    fake: FakeSlack, courier: SlackCourier, error: str
) -> None:
    """`ok: false` is no answer to be content with."""
    fake.script.add(f"refused:{error}")

    with pytest.raises(Postponed):
        await courier.deliver(parcel())


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("token_revoked", "install the app again"),
        ("invalid_auth", "bot token"),
        ("account_inactive", "install the app again"),
        ("missing_scope", "add the scope"),
        ("msg_too_long", "ask for less"),
    ],
)
async def test_a_refusal_for_good_names_its_fix(
    fake: FakeSlack, courier: SlackCourier, error: str, fix: str
) -> None:
    fake.script.add(f"refused:{error}")

    with pytest.raises(Refused) as refused:
        await courier.deliver(parcel())

    assert fix in refused.value.fix


async def test_a_missing_right_is_named(fake: FakeSlack, courier: SlackCourier) -> None:
    fake.home.scopes.discard("chat:write")

    with pytest.raises(Refused, match=r"missing_scope \(chat:write\)"):
        await courier.deliver(parcel())


async def test_progress_is_one_message_that_is_edited(
    fake: FakeSlack, courier: SlackCourier
) -> None:
    card = replace(parcel(1), subject="R-1", lane=Lane.PROGRESS)

    reference = await courier.deliver(card)
    again = await courier.deliver(replace(card, id="D-2", edits=reference))

    assert again == reference
    [shown] = fake.messages()
    assert shown.edits == 1


async def test_an_edit_of_what_is_gone_is_written_anew(
    fake: FakeSlack, courier: SlackCourier
) -> None:
    reference = await courier.deliver(parcel(1))
    fake.home.remove(fake.messages()[0])

    anew = await courier.deliver(replace(parcel(2), edits=reference))

    assert anew != reference
    assert [each.text for each in fake.messages()] == ["answer 2"]


async def test_a_response_url_is_posted_to_five_times_and_then_no_more(
    fake: FakeSlack, alone: Alone, courier: SlackCourier
) -> None:
    """R-08: at most five posts; the Web API has the rest."""
    url = await response_url(fake, alone)
    expires = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()

    for number in range(RESPONSE_POSTS + 2):
        await courier.deliver(parcel(number, response_url=url, expires=expires))

    ways = [each.via for each in fake.messages()]
    assert ways == ["response_url"] * RESPONSE_POSTS + ["chat.postMessage"] * 2


async def test_a_response_url_that_slack_calls_spent_loses_nothing(
    fake: FakeSlack, alone: Alone, courier: SlackCourier
) -> None:
    """R-08: another process may have used it up."""
    url = await response_url(fake, alone)
    expires = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()
    fake.spend_response_urls()

    await courier.deliver(parcel(1, response_url=url, expires=expires))

    assert [each.via for each in fake.messages()] == ["chat.postMessage"]


async def test_after_half_an_hour_nothing_is_posted_to_a_response_url(
    fake: FakeSlack, alone: Alone, clock: FakeClock
) -> None:
    """R-08."""
    url = await response_url(fake, alone)
    await alone.teams.reload()
    courier = SlackCourier(alone.teams, alone.pool, catalog=Catalog, clock=clock)
    expires = (clock.now() + timedelta(minutes=30)).isoformat()
    clock.advance(timedelta(minutes=30))

    await courier.deliver(parcel(1, response_url=url, expires=expires))

    assert "response_url" not in fake.calls
    assert [each.via for each in fake.messages()] == ["chat.postMessage"]


async def test_nothing_is_sent_to_an_address_that_is_not_slacks(
    fake: FakeSlack, courier: SlackCourier
) -> None:
    expires = (datetime.now(UTC) + timedelta(minutes=20)).isoformat()

    await courier.deliver(
        parcel(1, response_url="http://169.254.169.254/latest", expires=expires)
    )

    assert [each.via for each in fake.messages()] == ["chat.postMessage"]


@pytest.mark.parametrize(
    ("rooms", "each"), [(2, 4), pytest.param(5, 100, marks=pytest.mark.soak)]
)
async def test_a_burst_in_a_storm_loses_nothing_and_keeps_its_order(
    fake: FakeSlack, serve_slack: ServeSlack, rooms: int, each: int
) -> None:
    """R-09: limits, failures, a reset; and never more than one a second in a room."""
    gateway = await serve_slack()
    channels = [f"C0ROOM{number}" for number in range(rooms)]
    fake.home.channels.update((channel, channel.lower()) for channel in channels)
    fake.script.pace = PACE_SECONDS
    fake.script.add("429:1", "500", "reset", method="chat.postMessage")

    def burst(tx: Tx) -> None:
        for number in range(each):
            for channel in channels:
                post(tx, draft(channel, number))

    gateway.served.graph.db.run(burst, by=system())
    gateway.served.graph.outward.postman.bell.ring()
    await until(lambda: len(fake.messages()) >= rooms * each, patience=20 + 3 * each)

    assert fake.script.is_over
    assert fake.script.early == 0
    for channel in channels:
        texts = [shown.text for shown in fake.messages(channel)]
        assert texts == [f"answer {number}" for number in range(each)]


def draft(channel: str, number: int) -> OutboxDraft:
    """A final for a room, as the road would post it."""
    reply = Reply(id=f"rp_{number}", summary=f"answer {number}")
    return OutboxDraft(
        key=f"{channel}:{number}",
        channel="slack",
        account="default",
        place={"channel": channel, "user": ANN, "private": False},
        body=to_json(reply).decode(),
    )


async def response_url(fake: FakeSlack, alone: Alone) -> str:
    """Have ann type a command; give the address that answers it."""
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        await fake.people.slash(ANN, OPS, "status")
    [delivery] = alone.inbox.taken
    url = delivery.payload["response_url"]
    assert isinstance(url, str)
    return url
