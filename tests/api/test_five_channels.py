"""Every command answers with the same data on all five channels."""

from typing import Any

import orjson
import pytest

from commands.registry import Command, Danger
from gateway.testing.channels import Channel
from gateway.testing.street import Told
from gateway.testing.webhook import Webhook
from tests.api.cases import CASES, Case, without
from tests.api.conftest import Serve
from tests.api.five import CHANNELS, STRANGERS, Stage, staged
from tests.conftest import FakeClock

_ENDPOINT = "parity"
_CONVERSATION = {"x_opswire_conversation": "c1"}

# These take up what was said before, and a machine that delivers has said nothing.
_TAKES_UP = {
    **dict.fromkeys(
        ("confirm", "more", "last", "undo", "this", "refer", "press"), "not_runnable"
    ),
    "cancel": "invalid_argument",
}

# What is said there stays there, so no secret is told.
_KEEPS = ("slack", "email", "webhook")

# What a command tells of the channel itself is another thing on each.
_OWN = dict.fromkeys(
    ("reply show", "approval approve", "approval reject"), frozenset({"channel"})
)


class Play:
    """One case, said on one channel of a fresh gateway."""

    def __init__(self, there: Stage, name: str) -> None:
        self.there = there
        self.case: Case = CASES[name]
        self.command: Command = there.gateway.graph.registry.names[name]
        self.answers: list[Any] = []

    async def on(self, channel: Channel) -> bytes:
        """Play it, and give the data of its answer."""
        await self._prepare(channel)
        if isinstance(channel, Webhook):
            return self._told(await self.deliver(channel))
        return self._told(await self.say(channel))

    async def refused_by(self, channel: Channel) -> str:
        """Play what is not done on a channel, and give the code of its refusal."""
        await self._prepare(channel)
        is_machine = isinstance(channel, Webhook)
        reply = await (self.deliver(channel) if is_machine else self.say(channel))
        return str(reply["error"]["code"])

    async def say(self, channel: Channel) -> Told:
        """Say the line, and again with the token that it asks for."""
        line = self._filled(self.case.line)
        reply = await channel.say(line)
        if reply["status"] == "needs_confirmation":
            reply = await channel.say(f"{line} --confirm {reply['data']['token']}")
        return reply

    async def deliver(self, channel: Channel) -> Told:
        """Deliver the arguments to an endpoint that runs the command with them."""
        assert isinstance(channel, Webhook)
        if self.made["error"]:
            return self.made
        secret = self.made["data"]["secret"]
        return await channel.deliver(secret, self._args(), name=_ENDPOINT)

    async def _prepare(self, channel: Channel) -> None:
        """Say what comes before, and make the endpoint of the webhook everywhere."""
        ann = self.there.gateway.person("ann")
        if self.case.setting is not None:
            self.case.setting(self.there.gateway)
        # An endpoint is made where its secret may be told, and a machine says nothing.
        is_machine = isinstance(channel, Webhook)
        is_told = is_machine or self.command.noun == "webhook"
        at = self.there.rest if is_told else channel
        for line in self.case.before:
            said = self._filled(line.removeprefix("!"))
            if line.startswith("!"):
                self.answers.append(await at.say(said))
            else:
                self.answers.append((await ann.say(said, **_CONVERSATION)).body)
        if self.command.name == "link":
            channel.sender = STRANGERS.get(channel.name, channel.sender)
        hook = Webhook(self.there.street, self.there.admin)
        names = list(self._args())
        self.made = await hook.make(self.command.name, names, name=_ENDPOINT)

    def _args(self) -> dict[str, Any]:
        known = {"reason", *(each.name for each in self.command.parameters)}
        return {
            name: self._filled(value)
            for name, value in self.case.args.items()
            if name in known
        }

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        return value.format(*self.answers) if isinstance(value, str) else value

    def _told(self, reply: Told) -> bytes:
        assert reply["status"] in ("ok", "running"), reply
        assert 0 < len(reply["summary"]) <= 150
        own = _OWN.get(self.command.name, frozenset())
        return orjson.dumps(without(reply["data"], self.case.random | own))


def refusal_of(command: Command, channel: Channel) -> str:
    """Say with which code a channel refuses a command, "" when it runs it."""
    is_machine = isinstance(channel, Webhook)
    if command.tells_secret:
        return "step_up_required" if channel.name in _KEEPS else ""
    if command.danger is Danger.DESTRUCTIVE:
        refusals = {"email": "step_up_required", "webhook": "not_runnable"}
        return refusals.get(channel.name, "")
    if is_machine and command.is_personal:
        return "not_runnable"
    return _TAKES_UP.get(command.name, "") if is_machine else ""


@pytest.mark.parametrize("name", CASES)
async def test_data_is_the_same_on_all_five_channels(
    serve: Serve, clock: FakeClock, name: str
) -> None:
    """M-OMN-06: byte for byte; Slack takes the message, the mail has its three parts.

    What cannot be taken back is refused by mail and for machines, and what a person
    has to decide for machines; what tells a secret wherever it would stay; what takes
    up an earlier answer finds none where nobody
    talks.
    """
    told: dict[str, bytes] = {}
    for open_ in CHANNELS:
        async with staged(serve, clock) as there:
            channel = open_(there.street, there.admin)
            play = Play(there, name)
            if refusal := refusal_of(play.command, channel):
                assert await play.refused_by(channel) == refusal
            else:
                told[channel.name] = await play.on(channel)

    assert set(told.values()) == {told["rest"]}, told
