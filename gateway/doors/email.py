"""The e-mail door: one mailbox, read in turns by whichever gateway is up.

aioimaplib is GPL-3.0 and comes with the extra `email`: only who reads a mailbox loads
it, and who has not installed it is told how.
"""

import os
import platform
from functools import partial
from importlib import import_module

from channels.base import Health
from channels.email import SPEC
from channels.email.adapter import MailReader
from channels.email.authentication import SenderCheck
from channels.email.courier import MailCourier
from channels.email.mailbox import Connect
from channels.email.prober import MailProber
from channels.email.reading import MAIL_BYTES
from channels.email.receiving import Receiver
from channels.email.servers import parse_imap, parse_smtp
from channels.email.smtp import SmtpSender
from channels.email.wire import EmailWire, NoteCommand
from core.delivery.mail.model import MailFolder
from core.kernel.principal import DEFAULT_TENANT
from core.kernel.problems import InvalidArgument
from gateway.doors.door import Door, Hall
from gateway.mail_memory import StoredCursors, StoredMails
from gateway.settings import EmailSettings, Settings

# Where what somebody writes beside their commands is kept, by the kind of object.
NOTES = (NoteCommand(prefix="T", command="task.note", of="task", text="text"),)

_SLACK_BYTES = 1_048_576


def open_email(hall: Hall) -> Door | None:
    """Build the door, or none while no mailbox is set.

    Raises: InvalidArgument when an address of the mailbox cannot be read, or the
            library that reads mailboxes is not installed.
    """
    settings, core = hall.core.settings, hall.core
    if not settings.email.is_set:
        return None
    address = _address(settings.email)
    imap = parse_imap(settings.email.imap_url.get_secret_value())
    sender = SmtpSender(parse_smtp(settings.email.smtp_url.get_secret_value()))
    mails = StoredMails(core.db, address, tenant=DEFAULT_TENANT)
    health, connect = Health(account=address), _connector()
    return Door(
        spec=SPEC,
        wire=EmailWire(NOTES),
        courier=MailCourier(
            address, sender, sent=mails, tokens=mails, health=health, clock=core.clock
        ),
        healths=lambda: [health],
        channel=MailReader(
            imap,
            connect=connect,
            cursors=StoredCursors(
                core.db,
                MailFolder(account=address, folder=imap.folder),
                tenant=DEFAULT_TENANT,
                reader=_reader(settings),
            ),
            receiver=Receiver(
                address, check=_check(settings.email), tokens=mails, sent=mails
            ),
            inbox=hall.inbox,
            health=health,
            clock=core.clock,
        ),
        prober=MailProber(
            address, imap, connect=connect, sender=sender, clock=core.clock
        ),
    )


def _address(settings: EmailSettings) -> str:
    address = settings.address.strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isascii() or " " in address:
        raise InvalidArgument(
            f"OPSWIRE_EMAIL__ADDRESS is no address: {address[:80]!r}",
            fix=["write it as ops@example.org"],
        )
    return address


def _check(settings: EmailSettings) -> SenderCheck:
    return SenderCheck(
        authserv_id=settings.authserv_id, is_required=settings.require_authentication
    )


def _connector() -> Connect:
    """Load what connects to mailboxes.

    Raises: InvalidArgument when it is not installed.
    """
    try:
        connect = import_module("channels.email.imap").connect
    except ImportError as fault:
        raise InvalidArgument(
            "a mailbox is set, but the extra that reads it is not installed",
            fix=["pip install 'opswire[email]'", "unset OPSWIRE_EMAIL__ADDRESS"],
        ) from fault
    return partial(connect, most_bytes=MAIL_BYTES + _SLACK_BYTES)


def _reader(settings: Settings) -> str:
    """Name this gateway so that it is the same one after a restart.

    On a port of its own choice it cannot be told from others, so it is a new one.
    """
    place = f"{platform.node()}:{settings.data.absolute()}:{settings.port}"
    return place if settings.port else f"{place}:{os.getpid()}"
