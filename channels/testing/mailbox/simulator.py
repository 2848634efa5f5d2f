"""The built-in mailbox: an SMTP and an IMAP server, and people who use them."""

from dataclasses import dataclass
from email.message import EmailMessage
from secrets import token_urlsafe
from socket import socket

from channels.testing.mailbox.faults import Faults
from channels.testing.mailbox.imap_server import ImapServer
from channels.testing.mailbox.people import Letter, compose, parse
from channels.testing.mailbox.smtp_server import AUTHSERV_ID, SmtpServer, results_of
from channels.testing.mailbox.store import Folder, Mailboxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One mail that somebody received, by its number in their inbox."""

    uid: int
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed."""
        return parse(self.raw)


class MailboxSimulator:
    """A mail server of one's own on loopback, with an inbox for every address.

    Shape:  `write` is a person who is signed in, so the server vouches for them;
            `inject` delivers raw bytes as they are.
    """

    authserv_id = AUTHSERV_ID

    def __init__(self, boxes: Mailboxes | None = None) -> None:
        self.boxes = boxes or Mailboxes()
        self.faults = Faults()
        self.imap = ImapServer(self.boxes, self.faults)
        self.smtp = SmtpServer(self.boxes, self.faults)

    async def start(
        self, *, imap: socket | None = None, smtp: socket | None = None
    ) -> None:
        """Serve sockets that listen, or listen on two free ports of loopback."""
        await self.imap.start(imap)
        await self.smtp.start(smtp)

    async def stop(self) -> None:
        """Hang up; the mails stay as long as this object."""
        await self.imap.stop()
        await self.smtp.stop()

    # ── for the gateway ───────────────────────────────────────────────────────
    def imap_url(self, address: str) -> str:
        """Return where the mail of an address is read."""
        return f"imap://{self._login(address)}@127.0.0.1:{self.imap.port}/INBOX"

    def smtp_url(self, address: str) -> str:
        """Return where an address sends its mail."""
        return f"smtp://{self._login(address)}@127.0.0.1:{self.smtp.port}"

    def _login(self, address: str) -> str:
        password = self.boxes.passwords.setdefault(address.lower(), token_urlsafe(12))
        return f"{address.replace('@', '%40')}:{password}"

    # ── for people ────────────────────────────────────────────────────────────
    def write(self, letter: Letter) -> EmailMessage:
        """Send a letter as a person; it is delivered when this returns."""
        mail = compose(letter)
        content = mail.as_bytes()
        path = f"Return-Path: <{letter.sender}>\r\n".encode()
        self.inject(letter.to, path + results_of(letter.sender, content) + content)
        return mail

    def inject(self, address: str, raw: bytes) -> None:
        """Deliver raw bytes, headers and all."""
        self.boxes.deliver(address, raw)

    def received(self, address: str) -> list[Received]:
        """List what somebody received, the oldest first."""
        mails = self.folder(address).mails
        return [Received(uid=mail.uid, raw=mail.raw) for mail in mails]

    def folder(self, address: str) -> Folder:
        """Open somebody's inbox."""
        return self.boxes.folder(address)

    def renumber(self, address: str) -> None:
        """Number somebody's mails anew, as a restore does; all readers are cut off."""
        self.folder(address).renumber()
        self.imap.cut()
