"""The built-in SMTP server on a loopback port: whatever it takes is delivered at once."""

import asyncio
import contextlib
import logging
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from socket import socket

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.testing.mailbox.faults import Faults, SmtpFault
from channels.testing.mailbox.store import Mailboxes

AUTHSERV_ID = "mx.opswire.test"
SIZE_LIMIT_BYTES = 40_000_000

_FOREVER = 3600.0
_ANSWERS = {
    SmtpFault.CLOSING: "421 4.3.2 closing, try later",
    SmtpFault.BUSY: "450 4.2.0 mailbox busy",
    SmtpFault.LOCAL_ERROR: "451 4.3.0 local error",
    SmtpFault.NO_MAILBOX: "550 5.1.1 no such mailbox",
    SmtpFault.REJECTED: "554 5.7.1 rejected",
}
_DATA_FAULTS = (
    SmtpFault.CLOSING,
    SmtpFault.BUSY,
    SmtpFault.LOCAL_ERROR,
    SmtpFault.NO_MAILBOX,
    SmtpFault.REJECTED,
)


class SmtpServer:
    """Takes mail for every address, and notes what it knows of the sender.

    Like the server of a company it writes an Authentication-Results header on top:
    whoever signed in as the address in From passes, everybody else fails.
    """

    def __init__(self, boxes: Mailboxes, faults: Faults) -> None:
        self.port = 0
        self._boxes = boxes
        self._faults = faults
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()

    async def start(self, listening: socket | None = None) -> None:
        """Serve a socket that listens, or listen; on the port of before, if any."""
        # aiosmtpd warns of itself at every login.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        if listening is not None:
            self._server = await loop.create_server(self._session, sock=listening)
        else:
            self._server = await loop.create_server(
                self._session, "127.0.0.1", self.port
            )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody and stop listening."""
        if self._server is None:
            return
        self._server.close()
        for session in [*self._sessions]:
            await session.hang_up()
        await self._server.wait_closed()
        self._server = None

    # ── what aiosmtpd calls ───────────────────────────────────────────────────
    async def handle_DATA(  # noqa: N802 - aiosmtpd looks for this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Deliver a mail to all of its recipients."""
        for fault in _DATA_FAULTS:
            if self._faults.take(fault):
                return _ANSWERS[fault]
        content = envelope.content
        assert isinstance(content, bytes)
        is_drop = self._faults.take(SmtpFault.DROP_AFTER_DATA)
        user = str(session.auth_data or "")
        for recipient in envelope.rcpt_tos:
            path = f"Return-Path: <{envelope.mail_from or ''}>\r\n".encode()
            self._boxes.deliver(recipient, path + results_of(user, content) + content)
        if is_drop:
            _abort(server)
        return "250 2.0.0 delivered"

    def authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        login: object,
    ) -> AuthResult:
        """Let in who knows the password of an address."""
        assert isinstance(login, LoginPassword)
        address = login.login.decode("utf-8", "replace")
        is_ok = self._boxes.is_login(address, login.password.decode("utf-8", "replace"))
        return AuthResult(success=is_ok, auth_data=address, handled=False)

    def _session(self) -> "_Session":
        session = _Session(
            self,
            hostname=AUTHSERV_ID,
            data_size_limit=SIZE_LIMIT_BYTES,
            authenticator=self.authenticate,
            auth_require_tls=False,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        session.faults, session.sessions = self._faults, self._sessions
        return session


class _Session(SMTP):
    """One connection, which may misbehave from its first word on."""

    faults: Faults
    sessions: "set[_Session]"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve a client."""
        self.sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget a client."""
        self.sessions.discard(self)
        super().connection_lost(error)

    async def hang_up(self) -> None:
        """End the connection and whatever it was about to say."""
        _abort(self)
        task = self._handler_coroutine
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _handle_client(self) -> None:
        assert self._writer is not None
        try:
            if self.faults.take(SmtpFault.HANG):
                await asyncio.sleep(_FOREVER)
            if self.faults.take(SmtpFault.GARBAGE):
                self._writer.write(b"\x00\xff not smtp at all\r\n" * 3)
                return
            with contextlib.suppress(ConnectionError):
                await super()._handle_client()
        finally:
            self._writer.close()


def _abort(server: SMTP) -> None:
    if isinstance(server.transport, asyncio.WriteTransport):
        server.transport.abort()


def results_of(user: str, content: bytes) -> bytes:
    """Write what this server found out about a mail's sender."""
    head = BytesHeaderParser().parsebytes(content.partition(b"\r\n\r\n")[0])
    claimed = parseaddr(str(head.get("From", "")))[1].lower()
    domain = claimed.rpartition("@")[2] or "unknown.invalid"
    is_pass = bool(user) and user.lower() == claimed
    result = "pass" if is_pass else "fail"
    return (
        f"Authentication-Results: {AUTHSERV_ID};"
        f" dmarc={result} header.from={domain}\r\n"
    ).encode()
