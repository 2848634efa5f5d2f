"""A mail server of one's own: SMTP in, IMAP out, people who write, faults on demand."""

from channels.testing.mailbox.faults import Faults, ImapFault, SmtpFault
from channels.testing.mailbox.people import Letter, compose, parse
from channels.testing.mailbox.simulator import MailboxSimulator, Received
from channels.testing.mailbox.store import Folder, Mailboxes, StoredMail

__all__ = [
    "Faults",
    "Folder",
    "ImapFault",
    "Letter",
    "MailboxSimulator",
    "Mailboxes",
    "Received",
    "SmtpFault",
    "StoredMail",
    "compose",
    "parse",
]
