"""The five channels by which somebody speaks, each through its real door."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from email.message import EmailMessage
from typing import Any

import orjson
from starlette.types import Message

from channels.email.authentication import SenderCheck
from channels.email.receiving import Receiver
from channels.testing.mailbox import Letter, parse
from channels.testing.slack import SlackMessage
from core.kernel.clock import SystemClock
from core.kernel.jsons import Json
from core.kernel.principal import DEFAULT_TENANT
from gateway.doors.door import DoorInbox
from gateway.mail_memory import StoredMails
from gateway.testing.street import (
    MAILBOX,
    PATIENCE_SECONDS,
    Resident,
    Street,
    Told,
)

CHANNEL = "C0OPS0001"
CONVERSATION = "c1"
COLUMNS = 80

_STEERING = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))")


class Channel(ABC):
    """Says lines as one person, by one channel; its sender may be somebody else."""

    name: str
    sender: str

    @abstractmethod
    async def say(self, line: str) -> Told:
        """Say a line, and give the whole answer."""

    @abstractmethod
    def texts(self) -> Sequence[str]:
        """Tell what was shown here, the oldest first."""

    async def confirm(self, proposal: Told) -> Told:
        """Agree to a proposal, by the line that it asks for."""
        return await self.say(proposal["data"]["confirm"])

    async def close(self) -> None:  # noqa: B027 - most have nothing to leave
        """Leave."""


class Rest(Channel):
    """POST /v1/commands."""

    name = sender = "rest"

    def __init__(self, street: Street, who: Resident) -> None:
        self._asking = street.over_http(who)
        self._shown: list[str] = []

    async def say(self, line: str) -> Told:
        """Post a line."""
        answer = await self._asking.say(line, x_opswire_conversation=CONVERSATION)
        self._shown.append(answer.raw.decode())
        told: Told = answer.body
        return told

    def texts(self) -> Sequence[str]:
        """Tell the bodies, as JSON."""
        return self._shown


class Socket(Channel):
    """Frames of a WebSocket, without the network."""

    name = sender = "websocket"

    def __init__(self, street: Street, who: Resident) -> None:
        self._street = street
        self._who = who
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._serving: asyncio.Task[None] | None = None
        self._shown: list[str] = []

    async def say(self, line: str) -> Told:
        """Send a line as a terminal does."""
        if self._serving is None:
            await self._connect()
        frame = {"t": "exec", "id": f"x-{len(self._shown)}", "line": line}
        text = orjson.dumps({**frame, "cols": COLUMNS}).decode()
        await self._send({"type": "websocket.receive", "text": text})
        answered = await self._take("reply")
        self._shown.append(_STEERING.sub("", answered["ansi"]))
        told: Told = answered["reply"]
        return told

    def texts(self) -> Sequence[str]:
        """Tell what the terminal printed, without its colours."""
        return self._shown

    async def close(self) -> None:
        """Hang up."""
        if self._serving is not None:
            await self._send({"type": "websocket.disconnect", "code": 1000})
            await self._serving

    async def _connect(self) -> None:
        token = f"Bearer {self._who.token}".encode()
        scope = {
            "type": "websocket",
            "scheme": "ws",
            "path": "/v1/ws",
            "query_string": b"",
            "headers": [(b"host", b"gateway"), (b"authorization", token)],
        }
        door = self._street.gateway.graph.sockets
        self._serving = asyncio.create_task(door(scope, self._said.get, self._hear))
        await self._send({"type": "websocket.connect"})
        await self._take("welcome")

    async def _hear(self, message: Message) -> None:
        await self._heard.put(message)

    async def _send(self, message: Message) -> None:
        await self._said.put(message)

    async def _take(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await self._heard.get()
                is_open = message["type"] in ("websocket.accept", "websocket.send")
                assert is_open, message
                frame = orjson.loads(message.get("text") or "{}")
                if frame.get("t") == kind:
                    return dict(frame)


class Slack(Channel):
    """`/ops …` over Socket Mode; the answer is a message in the workspace."""

    name = "slack"

    def __init__(self, street: Street, who: Resident) -> None:
        self.sender = who.slack
        self._street = street

    async def say(self, line: str) -> Told:
        """Type a line into a channel."""
        street, home = self._street, self._street.slack.home
        typed = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        answered = await street.slack.people.slash(self.sender, CHANNEL, typed)
        assert answered.is_ok
        await street.settle()
        shown = len(home.answers())
        told = await street.delivered("slack")
        # The fake refuses what slack_sdk's validators refuse, and so would the courier.
        assert len(home.answers()) == shown + 1
        assert home.answers()[-1].blocks
        return told

    def texts(self) -> Sequence[str]:
        """Tell what the messages say: the notification, then each block."""
        everything = self._street.slack.home.answers(CHANNEL)
        return [
            _read(each) for each in everything if each.only_for in ("", self.sender)
        ]


class Mail(Channel):
    """A mail with one `!` line, in one thread with those before it."""

    name = "email"

    def __init__(self, street: Street, who: Resident) -> None:
        self.sender = who.address
        self._street = street
        self._answers = b""
        graph = street.gateway.graph
        self._inbox = DoorInbox("email", lambda *_: DEFAULT_TENANT)
        self._inbox.intake = graph.intake
        mails = StoredMails(graph.db, MAILBOX, tenant=DEFAULT_TENANT)
        check = SenderCheck(authserv_id=street.mail.authserv_id, is_required=True)
        # The built-in mailbox dates its mails by the clock of this machine.
        self._receiver = Receiver(
            MAILBOX, check=check, tokens=mails, sent=mails, clock=SystemClock()
        )

    async def say(self, line: str) -> Told:
        """Write a mail, and read the one that answers it."""
        mail = self._street.mail
        mail.write(
            Letter(
                sender=self.sender,
                to=MAILBOX,
                subject="hello",
                text=f"!{line}\n",
                answers=self._answers,
            )
        )
        raw = mail.folder(MAILBOX).mails[-1].raw
        assert await self._inbox.take(await self._receiver.receive(raw))
        await self._street.settle()
        told = await self._street.delivered("email")
        self._answers = mail.received(self.sender)[-1].raw
        _require_three_parts(parse(self._answers), told)
        return told

    def texts(self) -> Sequence[str]:
        """Tell the text of each mail that came back."""
        received = self._street.mail.received(self.sender)
        return [_parts(each.mail)["text/plain"].get_content() for each in received]


def _read(message: SlackMessage) -> str:
    return "\n".join((message.text, *_strings(list(message.blocks))))


def _strings(shown: Json) -> Iterator[str]:
    """Yield every text of a Slack block, in the order it stands there."""
    if isinstance(shown, Mapping):
        for name, value in shown.items():
            if name == "text" and isinstance(value, str):
                yield value
            else:
                yield from _strings(value)
    elif isinstance(shown, list):
        for each in shown:
            yield from _strings(each)


def _parts(mail: EmailMessage) -> Mapping[str, EmailMessage]:
    return {part.get_content_type(): part for part in mail.walk()}


def _require_three_parts(mail: EmailMessage, told: Told) -> None:
    """Hold a mail against the reply that it is: text, HTML, and the same data."""
    parts = _parts(mail)
    assert parts["text/plain"].get_content().strip()
    assert "<html" in parts["text/html"].get_content()
    attached = orjson.loads(parts["application/json"].get_content())
    assert attached["data"] == told["data"]
    assert mail["In-Reply-To"]
    assert mail["Auto-Submitted"] == "auto-replied"
