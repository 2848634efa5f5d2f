"""The built-in mail server behind the page of simulators; loaded only where served."""

import logging
from collections.abc import Iterator
from datetime import datetime
from email.message import EmailMessage
from secrets import randbelow

from channels.testing.mailbox import Letter, MailboxSimulator, StoredMail, parse
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import NotFound
from gateway.simulators.acts import Person, WrittenMail
from gateway.simulators.stands import MAILBOX, MailStand, address_of

SHOWN_MAILS = 30
SHOWN_CHARS = 40_000

_SENT = "Sent"
_PARTS = {"text/plain": "text", "text/html": "html", "application/json": "json"}


class MailDesk:
    """One mail server, the gateway's mailbox, and the inboxes of two people."""

    def __init__(self, stand: MailStand) -> None:
        # It logs each line that is said to it, and that is nobody's business here.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self._stand = stand
        self._server = MailboxSimulator()
        boxes = self._server.boxes
        boxes.passwords[MAILBOX] = stand.password
        # What a gateway remembers of an earlier run must not hide the mails of this one.
        boxes.folder(MAILBOX).uid_validity = 1 + randbelow(2**31)
        self._read: dict[tuple[str, str, int], dict[str, Json]] = {}

    async def start(self) -> None:
        """Serve."""
        await self._server.start(
            imap=self._stand.imap.take(), smtp=self._stand.smtp.take()
        )

    async def stop(self) -> None:
        """Let go of everything."""
        await self._server.stop()

    def show(self, who: Person) -> dict[str, Json]:
        """Show the newest mails that somebody received or sent, the oldest first."""
        mails = sorted(self._mails(who), key=lambda each: each[0])[-SHOWN_MAILS:]
        return {
            "address": address_of(who),
            "mailbox": MAILBOX,
            "mails": [shown for _, shown in mails],
        }

    def write(self, mail: WrittenMail) -> dict[str, Json]:
        """Send a mail to the gateway, as a person who is signed in to the server.

        Raises: NotFound when there is no such mail to answer.
        """
        address = address_of(mail.who)
        letter = Letter(
            sender=address,
            to=MAILBOX,
            subject=mail.subject,
            text=mail.text,
            answers=self._raw(address, mail.answers) if mail.answers else b"",
        )
        written = self._server.write(letter)
        self._server.boxes.folder(address, _SENT).add(written.as_bytes())
        return {"is_ok": True, "message_id": str(written["Message-ID"])}

    def _raw(self, address: str, uid: int) -> bytes:
        for mail in self._server.folder(address).mails:
            if mail.uid == uid:
                return mail.raw
        raise NotFound("this mail")

    def _mails(self, who: Person) -> Iterator[tuple[datetime, dict[str, Json]]]:
        address = address_of(who)
        for box in ("INBOX", _SENT):
            for mail in self._server.boxes.folder(address, box).mails[-SHOWN_MAILS:]:
                key = address, box, mail.uid
                if key not in self._read:
                    self._read[key] = _shown(mail, is_sent=box == _SENT)
                yield mail.arrived_at, self._read[key]


def _shown(stored: StoredMail, *, is_sent: bool) -> dict[str, Json]:
    """Write one mail for the page: who, what, and its parts by kind."""
    mail = parse(stored.raw)
    chain = str(mail["References"] or mail["Message-ID"] or "").split()
    return {
        "uid": stored.uid,
        "is_sent": is_sent,
        "from": str(mail["From"] or ""),
        "to": str(mail["To"] or ""),
        "subject": str(mail["Subject"] or ""),
        "at": to_iso(stored.arrived_at),
        "thread": chain[0] if chain else "",
        **_parts(mail),
    }


def _parts(mail: EmailMessage) -> dict[str, Json]:
    found: dict[str, Json] = dict.fromkeys(_PARTS.values(), "")
    attached: list[Json] = []
    for part in mail.walk():
        kind = part.get_content_type()
        name = _PARTS.get(kind, "")
        if part.get_filename() and kind != "application/json":
            attached.append({"name": part.get_filename(), "type": kind})
        elif name and not found[name]:
            found[name] = _text_of(part)[:SHOWN_CHARS]
    return {**found, "attachments": attached}


def _text_of(part: EmailMessage) -> str:
    content = part.get_content()
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else content
