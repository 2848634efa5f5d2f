"""What the e-mail door is made of; imported only where a mailbox is set.

This is the one place from which aioimaplib (GPL-3.0, the extra `email`) is reached.
"""

import os
import platform
from datetime import timedelta
from functools import partial

from channels.base import Health
from channels.email import SPEC
from channels.email.adapter import MailReader
from channels.email.authentication import SenderCheck
from channels.email.courier import MailCourier
from channels.email.imap import connect as imap_connect
from channels.email.prober import MailProber
from channels.email.reading import MAIL_BYTES
from channels.email.receiving import Receiver
from channels.email.servers import parse_imap, parse_smtp
from channels.email.smtp import SmtpSender
from channels.email.wire import EmailWire
from core.delivery.mail.model import MailFolder
from core.kernel.principal import DEFAULT_TENANT
from gateway.doors.door import Door, Hall
from gateway.doors.email import NOTES, address_of
from gateway.mail_memory import StoredCursors, StoredMails
from gateway.settings import EmailSettings, Settings

_SLACK_BYTES = 1_048_576


def build(hall: Hall) -> Door:
    """Build the door of the one mailbox."""
    settings, core = hall.core.settings, hall.core
    address = address_of(settings.email)
    imap = parse_imap(settings.email.imap_url.get_secret_value())
    sender = SmtpSender(parse_smtp(settings.email.smtp_url.get_secret_value()))
    mails = StoredMails(core.db, address, tenant=DEFAULT_TENANT)
    health = Health(account=address)
    connect = partial(imap_connect, most_bytes=MAIL_BYTES + _SLACK_BYTES)
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
                address,
                check=_check(settings.email),
                tokens=mails,
                sent=mails,
                clock=core.clock,
                kept=timedelta(days=settings.keep.inbox_days),
            ),
            inbox=hall.inbox,
            health=health,
            clock=core.clock,
        ),
        prober=MailProber(
            address, imap, connect=connect, sender=sender, clock=core.clock
        ),
    )


def _check(settings: EmailSettings) -> SenderCheck:
    return SenderCheck(
        authserv_id=settings.authserv_id, is_required=settings.require_authentication
    )


def _reader(settings: Settings) -> str:
    """Name this gateway so that it is the same one after a restart.

    On a port of its own choice it cannot be told from others, so it is a new one.
    """
    place = f"{platform.node()}:{settings.data.absolute()}:{settings.port}"
    return place if settings.port else f"{place}:{os.getpid()}"
