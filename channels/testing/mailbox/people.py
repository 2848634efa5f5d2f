"""Mails as the people of the built-in mailbox write them; pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a person writes.

    Shape:  `answers` is the mail that this one replies to, raw; its thread goes on.
    """

    sender: str
    to: str
    subject: str = ""
    text: str = ""
    html: str = ""
    answers: bytes = b""


def compose(letter: Letter) -> EmailMessage:
    """Write a letter as a mail program does."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = letter.sender
    mail["To"] = letter.to
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain=letter.sender.rpartition("@")[2])
    if letter.answers:
        _join_thread(mail, letter.answers)
    mail.set_content(letter.text or "\n")
    if letter.html:
        mail.add_alternative(letter.html, subtype="html")
    return mail


def _join_thread(mail: EmailMessage, answered: bytes) -> None:
    before = parse(answered)
    message_id = str(before["Message-ID"] or "")
    chain = f"{before['References'] or ''} {message_id}".split()
    mail["In-Reply-To"] = message_id
    mail["References"] = " ".join(chain)


def parse(raw: bytes) -> EmailMessage:
    """Parse a mail the modern way."""
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail
