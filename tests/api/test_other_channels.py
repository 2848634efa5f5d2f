"""What holds for the channel of a plugin, of which nothing here knows the name."""

import pytest

from core.kernel.principal import Assurance, Role
from tests.api.channels import Writer
from tests.api.gateway import Gateway


@pytest.fixture
def pager(gateway: Gateway) -> Writer:
    """The admin, by a channel that no list of ours has."""
    return Writer(gateway, "pager", "+1").link_to("admin")


async def test_a_secret_is_not_told_where_it_would_stay(pager: Writer) -> None:
    """R-62: a channel has a history unless we know that it has none."""
    reply = await pager.say("key create ci", assurance=Assurance.SECRET)

    assert reply.error is not None
    assert reply.error.code == "step_up_required"
    assert "key" not in reply.data


async def test_what_cannot_be_taken_back_needs_more_than_a_number(
    gateway: Gateway, pager: Writer
) -> None:
    """Whoever may be anybody does not destroy; who has shown a secret may."""
    gateway.person("bob", Role.VIEWER)
    await gateway.admin.say("webhook create old --command version")
    made = await gateway.admin.say("confirm")
    assert made.body["status"] == "ok", made
    line = "webhook delete W-1 --confirm W-1"

    refused = await pager.say(line, assurance=Assurance.SENDER)
    done = await pager.say(line, assurance=Assurance.SECRET)

    assert refused.error is not None
    assert refused.error.code == "step_up_required"
    assert done.error is None


async def test_a_risky_command_asks_and_then_runs(pager: Writer) -> None:
    asked = await pager.say("channel disable email", assurance=Assurance.SENDER)
    done = await pager.say("yes", assurance=Assurance.SENDER)

    assert asked.status == "needs_confirmation"
    assert done.summary.startswith("email is off")
