"""Walks a round trip through the mailbox: in, out, and a mail to oneself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from secrets import token_hex

from channels.base import Postponed, Step, Undeliverable
from channels.email.heads import Unclear, domain_of, parse_head
from channels.email.mailbox import Connect, MailboxLost, MailboxRefused, OpenMailbox
from channels.email.servers import MailServer
from channels.email.smtp import FIX_SERVER, ServerLost, SmtpSender
from core.kernel.clock import Clock

ARRIVAL_SECONDS = 30.0
LOOK_SECONDS = 2.0

_HEAD_BYTES = 65_536
_FIX_IMAP = "see that OPSWIRE_EMAIL__IMAP_URL names the right host, port and user"


class _Failed(Exception):
    """A step did not pass; what follows cannot either."""


class MailProber:
    """Tries one mailbox. The mail it sends is its own, so it is never run."""

    def __init__(
        self,
        address: str,
        server: MailServer,
        *,
        connect: Connect,
        sender: SmtpSender,
        clock: Clock,
    ) -> None:
        self._address = address
        self._server = server
        self._connect = connect
        self._sender = sender
        self._clock = clock
        self._before = 0

    async def probe(self, account: str) -> list[Step]:
        """Try step by step, and stop at the first that fails; never raises."""
        steps: list[Step] = []
        try:
            await self._walk(steps)
        except _Failed:
            pass
        except MailboxLost as fault:
            steps.append(_step("imap connect", 0, error=str(fault), fix=_FIX_IMAP))
        return steps

    async def _walk(self, steps: list[Step]) -> None:
        begun = time.perf_counter()
        async with self._connect(self._server) as mailbox:
            steps.append(_step("imap connect", begun))
            await _take(
                steps, "imap login", lambda: mailbox.log_in(self._server), fix=_FIX_IMAP
            )
            await _take(
                steps, "imap folder", lambda: self._select(mailbox), fix=_FIX_IMAP
            )
            await _take(steps, "smtp login", self._sender.check, fix=FIX_SERVER)
            message_id = f"<{token_hex(16)}.probe@{domain_of(self._address)}>"
            await _take(
                steps, "smtp send", lambda: self._send(message_id), fix=FIX_SERVER
            )
            await _take(
                steps,
                "arrival",
                lambda: self._see(mailbox, message_id),
                fix="see that mail to this address is delivered into this folder",
            )

    async def _select(self, mailbox: OpenMailbox) -> None:
        selected = await mailbox.select(self._server.folder)
        self._before = selected.uid_next - 1

    async def _send(self, message_id: str) -> None:
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = mail["To"] = self._address
        mail["Subject"] = "Opswire tries its mailbox"
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = message_id
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("This mail may be deleted.\n")
        await self._sender.send(mail.as_bytes(), sender=self._address, to=self._address)

    async def _see(self, mailbox: OpenMailbox, message_id: str) -> None:
        """Wait until the mail is in the folder."""
        async with asyncio.timeout(ARRIVAL_SECONDS):
            while not await self._has_arrived(mailbox, message_id):
                await mailbox.wait(LOOK_SECONDS)

    async def _has_arrived(self, mailbox: OpenMailbox, message_id: str) -> bool:
        for uid in await mailbox.list_after(self._before):
            raw = await mailbox.fetch_head(uid, most_bytes=_HEAD_BYTES)
            self._before = uid
            if raw is not None and message_id in _ids(raw):
                return True
        return False


async def _take(
    steps: list[Step], name: str, step: Callable[[], Awaitable[None]], *, fix: str
) -> None:
    """Take one step and note how it went.

    Raises: _Failed when it did not pass.
    """
    begun = time.perf_counter()
    error = ""
    try:
        await step()
    except (MailboxRefused, ServerLost) as fault:
        error, fix = fault.reason, fault.fix
    except Undeliverable as fault:
        error, fix = fault.reason, fault.fix or fix
    except (MailboxLost, Postponed) as fault:
        error = str(fault)
    except TimeoutError:
        error = f"nothing came within {ARRIVAL_SECONDS:g} s"
    steps.append(_step(name, begun, error=error, fix=fix))
    if error:
        raise _Failed


def _ids(raw: bytes) -> list[str]:
    try:
        return parse_head(raw).values("message-id")
    except Unclear:
        return []


def _step(name: str, begun: float, *, error: str = "", fix: str = "") -> Step:
    """Note how a step went; `begun` is 0 when it never did."""
    waited = time.perf_counter() - begun if begun else 0.0
    return Step(
        name=name,
        is_ok=not error,
        waited_ms=round(waited * 1000),
        detail=error,
        fix=fix if error else "",
    )
