"""Runs the simulators of one gateway process, and points the settings at them."""

import asyncio
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any, Protocol

from core.kernel.jsons import Json
from gateway.settings import Settings
from gateway.simulators.acts import Person, SlackAct, WrittenMail
from gateway.simulators.stands import MailStand, SlackStand


class Served(Protocol):
    """A simulator that serves its ports from `start` to `stop`."""

    async def start(self) -> None:
        """Serve.

        Raises: OSError when a port cannot be served.
        """

    async def stop(self) -> None:
        """Let go of everything."""


class SlackSide(Served, Protocol):
    """The fake Slack, as the page of simulators uses it."""

    def show(self, who: Person) -> dict[str, Json]:
        """Show what somebody sees there."""

    async def act(self, act: SlackAct) -> dict[str, Json]:
        """Do something there, and tell what Slack's client would show of it.

        Raises: InvalidArgument, NotFound.
        """


class MailSide(Served, Protocol):
    """The built-in mail server, as the page of simulators uses it."""

    def show(self, who: Person) -> dict[str, Json]:
        """Show what somebody received and sent."""

    def write(self, mail: WrittenMail) -> dict[str, Json]:
        """Send a mail to the gateway.

        Raises: NotFound when there is no such mail to answer.
        """


class Simulators:
    """The accounts that are simulated here; the real ones are left alone.

    Shape:  ports are bound when this is made, and `run` serves them. What serves them
            is loaded by then and not before, for a gateway without demo mode needs
            none of it. `slack` and `mail` are None while nothing serves them.
    """

    def __init__(
        self, *, slack: SlackStand | None = None, mail: MailStand | None = None
    ) -> None:
        self.slack_stand = slack
        self.mail_stand = mail
        self.slack: SlackSide | None = None
        self.mail: MailSide | None = None

    @classmethod
    def bind(cls, settings: Settings) -> "Simulators":
        """Bind the ports of what is not set up for real.

        Raises: OSError when there is no free port.
        """
        return cls(
            slack=None if settings.slack.is_set else SlackStand(),
            mail=None if settings.email.is_set else MailStand(),
        )

    def applied(self, settings: Settings) -> Settings:
        """Point the settings at the simulators, where there is no account."""
        changes: dict[str, object] = {}
        if self.slack_stand is not None:
            changes["slack"] = self.slack_stand.settings()
        if self.mail_stand is not None:
            changes["email"] = self.mail_stand.settings()
        return settings.model_copy(update=changes)

    async def run(self) -> None:
        """Serve until cancelled.

        Raises: OSError when a port cannot be served; to be tried again.
        """
        async with AsyncExitStack() as served:
            served.callback(self._forget)
            if self.slack_stand is not None:
                slack = (await _load("slack_side")).SlackDesk(self.slack_stand)
                served.push_async_callback(slack.stop)
                await slack.start()
                self.slack = slack
            if self.mail_stand is not None:
                mail = (await _load("mail_side")).MailDesk(self.mail_stand)
                served.push_async_callback(mail.stop)
                await mail.start()
                self.mail = mail
            await asyncio.Event().wait()

    def close(self) -> None:
        """Let go of ports that nothing serves."""
        if self.slack_stand is not None:
            self.slack_stand.port.close()
        if self.mail_stand is not None:
            self.mail_stand.imap.close()
            self.mail_stand.smtp.close()

    def _forget(self) -> None:
        self.slack = self.mail = None


async def _load(name: str) -> Any:
    """Load what serves a simulator, beside the loop, which has requests to answer."""
    return await asyncio.to_thread(import_module, f"gateway.simulators.{name}")
