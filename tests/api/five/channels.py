"""The five doors by which the admin speaks."""

import asyncio
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Any, Protocol

import orjson
from starlette.types import Message

from channels.email.authentication import SenderCheck
from channels.email.receiving import Receiver
from channels.testing.mailbox import Letter, parse
from channels.testing.webhook import sign
from core.hooks.model import key_of
from core.kernel.clock import SystemClock
from core.kernel.principal import DEFAULT_TENANT
from gateway.doors.door import DoorInbox
from gateway.mail_memory import StoredMails
from tests.api.five.doors import (
    ADDRESS,
    ENDPOINT,
    MAILBOX,
    SLACK_STRANGER,
    SLACK_USER,
    Reply,
    Street,
)

CHANNEL = "C0OPS0001"


class Channel(Protocol):
    """Says lines as the admin, by one channel; its sender may be somebody else."""

    name: str
    sender: str

    async def say(self, line: str) -> Reply:
        """Say a line, and give the whole answer."""


class Rest:
    """POST /v1/commands."""

    name = sender = "rest"

    def __init__(self, street: Street) -> None:
        self._street = street

    async def say(self, line: str) -> Reply:
        answer = await self._street.admin.say(line, x_opswire_conversation="c1")
        reply: Reply = answer.body
        return reply


class Socket:
    """Frames of a WebSocket, without the network."""

    name = sender = "websocket"

    def __init__(self, street: Street) -> None:
        self._street = street
        self._heard: asyncio.Queue[Message] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()
        self._serving: asyncio.Task[None] | None = None
        self._count = 0

    async def say(self, line: str) -> Reply:
        if self._serving is None:
            await self._connect()
        self._count += 1
        frame = {"t": "exec", "id": f"x-{self._count}", "line": line}
        await self._send({"type": "websocket.receive", "text": _text(frame)})
        reply: Reply = (await self._take("reply"))["reply"]
        return reply

    async def close(self) -> None:
        if self._serving is not None:
            await self._send({"type": "websocket.disconnect", "code": 1000})
            await self._serving

    async def _connect(self) -> None:
        token = f"Bearer {self._street.token}".encode()
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
        async with asyncio.timeout(10):
            while True:
                message = await self._heard.get()
                assert message["type"] in ("websocket.accept", "websocket.send"), (
                    message
                )
                frame = orjson.loads(message.get("text") or "{}")
                if frame.get("t") == kind:
                    return dict(frame)


class Slack:
    """`/ops …` over Socket Mode; the answer is a message in the workspace."""

    name = "slack"

    def __init__(self, street: Street) -> None:
        self.sender = SLACK_USER
        self._street = street

    async def say(self, line: str) -> Reply:
        street, home = self._street, self._street.slack.home
        typed = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        answered = await street.slack.people.slash(self.sender, CHANNEL, typed)
        assert answered.is_ok
        await street.settle()
        shown = len(home.answers())
        reply = await street.delivered("slack")
        # The fake refuses what slack_sdk's validators refuse, and so would the courier.
        assert len(home.answers()) == shown + 1
        assert home.answers()[-1].blocks
        return reply


class Mail:
    """A mail with one `!` line, in one thread with those before it."""

    name = "email"

    def __init__(self, street: Street) -> None:
        self.sender = ADDRESS
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

    async def say(self, line: str) -> Reply:
        mail = self._street.mail
        mail.write(
            Letter(
                sender=self.sender,
                to=MAILBOX,
                subject="golden",
                text=f"!{line}\n",
                answers=self._answers,
            )
        )
        raw = mail.folder(MAILBOX).mails[-1].raw
        assert await self._inbox.take(await self._receiver.receive(raw))
        await self._street.settle()
        reply = await self._street.delivered("email")
        self._answers = mail.received(self.sender)[-1].raw
        _require_three_parts(parse(self._answers), reply)
        return reply


class Webhook:
    """A delivery whose endpoint runs the case's command with the payload's values."""

    name = sender = "webhook"

    def __init__(self, street: Street) -> None:
        self._street = street

    async def say(self, line: str) -> Reply:
        """Say what comes before; a machine has nobody to say it for it."""
        return await Rest(self._street).say(line)

    async def make(self, command: str, names: list[str]) -> Reply:
        """Make the endpoint of a command whose arguments come from the payload."""
        arguments = orjson.dumps({name: f'"{name}"' for name in names}).decode()
        line = (
            f'webhook create {ENDPOINT} --command "{command}" --arguments {arguments}'
        )
        reply = await self.say(line)
        if reply["status"] == "needs_confirmation":
            reply = await self.say(f"{line} --confirm {reply['data']['token']}")
        return reply

    async def deliver(self, made: Reply, payload: dict[str, Any]) -> Reply:
        """Deliver a payload, signed, and read what became of it."""
        gateway, body = self._street.gateway, orjson.dumps(payload)
        key = key_of(made["data"]["secret"])
        headers = sign(body.decode(), key=key, now=gateway.clock.now())
        path = f"/v1/channels/webhook/{ENDPOINT}"
        receipt = await gateway.send("POST", path, body, headers)
        assert receipt.status == 202, receipt
        await self._street.settle()
        request_id = receipt.body["request_id"]
        answer = await self._street.admin.get(f"/v1/commands/{request_id}")
        reply: Reply = answer.body
        return reply


CHANNELS: Sequence[Callable[[Street], Channel]] = (Rest, Socket, Slack, Mail, Webhook)

# Senders of whom the gateway knows nothing, where there can be such.
STRANGERS = {"slack": SLACK_STRANGER, "email": "eve@example.org"}


def _text(frame: dict[str, Any]) -> str:
    return orjson.dumps(frame).decode()


def _require_three_parts(mail: EmailMessage, reply: Reply) -> None:
    """Hold a mail against the reply that it is: text, HTML, and the same data."""
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert parts["text/plain"].get_content().strip()
    assert "<html" in parts["text/html"].get_content()
    told = orjson.loads(parts["application/json"].get_content())
    assert told["data"] == reply["data"]
    assert mail["In-Reply-To"]
    assert mail["Auto-Submitted"] == "auto-replied"
