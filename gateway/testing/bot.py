"""The bot of a test: says lines on one channel, and gives the whole answer.

    async def test_hello(bot):
        assert (await bot.send("hello say Ann")).summary == "Hello, Ann!"

Source: docs/how-to/test-a-plugin.md
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal

from core.kernel.principal import Role
from core.kernel.reply import Reply, ReplyStatus, reply_from_json
from gateway.bootstrap import build
from gateway.plugins.shelf import Shelf
from gateway.settings import EmailSettings, LimitSettings, SlackSettings
from gateway.testing.channels import Channel, Mail, Rest, Slack, Socket
from gateway.testing.gateway import Gateway, OwnSettings
from gateway.testing.street import Resident, Street, Told, street
from gateway.testing.threads import OwnLoop
from gateway.testing.webhook import Webhook

ChannelName = Literal["slack", "email", "webhook", "websocket", "rest"]
RoleName = Literal["viewer", "operator", "admin"]

ANN = "ann"
PLENTY = "100000000/minute"

_OPEN: Mapping[str, Callable[[Street, Resident], Channel]] = {
    "slack": Slack,
    "email": Mail,
    "webhook": Webhook,
    "websocket": Socket,
    "rest": Rest,
}


class NothingProposed(AssertionError):
    """The last answer on this channel did not ask for a confirmation."""


class PluginDisabled(AssertionError):
    """The plugin that a test is about could not be loaded."""


class Crowd:
    """Who has spoken so far on a street, each with their channels.

    Shape:  `turn` lets one speak at a time, so that an answer is told from the others;
            `last` is what somebody was told last on a channel.
    """

    def __init__(self, there: Street) -> None:
        self.turn = asyncio.Lock()
        self.last: dict[tuple[str, str], Told] = {}
        self._street = there
        self._residents: dict[str, Resident] = {}
        self._channels: dict[tuple[str, str], Channel] = {}

    async def channel(self, name: str, who: str, role: Role) -> Channel:
        """Find the channel by which somebody speaks, or open it."""
        if who not in self._residents:
            self._residents[who] = await self._street.move_in(who, role)
        key = name, who
        if key not in self._channels:
            resident = self._residents[who]
            self._channels[key] = _OPEN[name](self._street, resident)
        return self._channels[key]

    async def close(self) -> None:
        """Have everybody leave."""
        for each in self._channels.values():
            await each.close()


class Bot:
    """One person on one channel of a gateway that is there for one test.

    Shape:  it begins as ann, an admin, so that a scope which only a plugin knows is held.
            Those that `on` and `as_` give share the gateway with it.
    """

    def __init__(
        self,
        loop: OwnLoop,
        crowd: Crowd,
        *,
        channel: str,
        name: str = ANN,
        role: Role = Role.ADMIN,
    ) -> None:
        self.channel = channel
        self.name = name
        self._role = role
        self._loop = loop
        self._crowd = crowd

    def __repr__(self) -> str:
        return f"<{self.name} on {self.channel}>"

    def on(self, channel: ChannelName) -> "Bot":
        """Give the same person on another channel."""
        return Bot(
            self._loop, self._crowd, channel=channel, name=self.name, role=self._role
        )

    def as_(self, role: RoleName) -> "Bot":
        """Give somebody with another role, who is called like it, on this channel."""
        known = Role(role)
        return Bot(
            self._loop, self._crowd, channel=self.channel, name=known.value, role=known
        )

    async def send(self, line: str) -> Reply:
        """Say one line, and give the answer, which is the same on every channel."""
        return await self._loop.call(self._say(line))

    async def confirm(self) -> Reply:
        """Agree to what the last answer proposed.

        Raises: NothingProposed.
        """
        return await self._loop.call(self._confirm())

    async def texts(self) -> Sequence[str]:
        """Tell what was shown to this person on this channel, the oldest first."""
        return await self._loop.call(self._texts())

    async def _say(self, line: str) -> Reply:
        async with self._crowd.turn:
            return self._keep(await (await self._here()).say(line))

    async def _confirm(self) -> Reply:
        async with self._crowd.turn:
            last = self._crowd.last.get((self.channel, self.name), {})
            if last.get("status") != ReplyStatus.NEEDS_CONFIRMATION:
                raise NothingProposed(f"the last answer proposes nothing: {last}")
            return self._keep(await (await self._here()).confirm(last))

    async def _texts(self) -> Sequence[str]:
        return list((await self._here()).texts())

    async def _here(self) -> Channel:
        return await self._crowd.channel(self.channel, self.name, self._role)

    def _keep(self, told: Told) -> Reply:
        self._crowd.last[self.channel, self.name] = told
        return reply_from_json(told)


def install(data: Path) -> None:
    """Make the data folder of a gateway that was started once; its schema takes a while."""
    build(OwnSettings(data=data)).db.close()


@contextmanager
def play(test: Path, data: Path, *, channel: str) -> Iterator[Bot]:
    """Run a gateway over a data folder, with the plugins beside a test, for a bot.

    Raises: PluginDisabled when the plugin that the test is named after is.
    """
    with OwnLoop() as loop, ExitStack() as stack:
        opened, outside = _opened(data, plugins_of(test)), AsyncExitStack()
        stack.callback(lambda: loop.run(outside.aclose()))
        there = loop.run(outside.enter_async_context(opened))
        _require_live(there.gateway.graph.plugins.stock.shelf, test)
        crowd = Crowd(there)
        stack.callback(lambda: loop.run(crowd.close()))
        yield Bot(loop, crowd, channel=channel)


def plugins_of(test: Path) -> Path:
    """Find the plugins folder that a test belongs to.

    Shape:  the one that `ops plugin test` names, if the test lies in it; else the
            test's own, or what holds it when that one is a plugin with modules.
    """
    named = Path(os.environ.get("OPSWIRE_PLUGINS_FOLDER") or os.devnull)
    if test.is_relative_to(named):
        return named
    folder = test.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _require_live(shelf: Shelf, test: Path) -> None:
    names = {test.stem.removeprefix("test_"), test.parent.name}
    for each in shelf.standings():
        if each.fault and each.name in names:
            raise PluginDisabled(f"the plugin {each.name} is disabled: {each.fault}")


@asynccontextmanager
async def _opened(data: Path, plugins: Path) -> AsyncIterator[Street]:
    def serve(slack: SlackSettings, email: EmailSettings) -> Gateway:
        return Gateway(
            OwnSettings(
                data=data,
                plugins_folder=plugins,
                flags_file=data / "flags.json",
                limits=LimitSettings(default=PLENTY, login=PLENTY),
                slack=slack,
                email=email,
            )
        )

    async with street(serve) as there:
        yield there
