"""The e-mail door: one mailbox, read in turns by whichever gateway is up."""

from importlib.util import find_spec

from channels.base import Health, Parcel, Postponed, Step
from channels.email import SPEC
from channels.email.servers import parse_imap, parse_smtp
from channels.email.wire import EmailWire, NoteCommand
from core.kernel.problems import InvalidArgument
from gateway.doors.door import Door, Hall
from gateway.doors.loaded import LoadedLater
from gateway.settings import EmailSettings

# Where what somebody writes beside their commands is kept, by the kind of object.
NOTES = (NoteCommand(prefix="T", command="task.note", of="task", text="text"),)


def open_email(hall: Hall) -> Door | None:
    """Build the door, or none while no mailbox is set.

    Raises: InvalidArgument when an address of the mailbox cannot be read.
    """
    settings = hall.core.settings.email
    if not settings.is_set:
        return None
    address_of(settings)
    parse_imap(settings.imap_url.get_secret_value())
    parse_smtp(settings.smtp_url.get_secret_value())
    if find_spec("aioimaplib") is None:
        return _unread(Absent(Health(account=settings.address)))
    mail = LoadedLater(hall, module="gateway.doors.email_parts")
    return Door(
        spec=SPEC,
        wire=EmailWire(NOTES),
        courier=mail,
        healths=mail.healths,
        channel=mail,
        prober=mail,
    )


class Absent:
    """Stands in for a mailbox that nothing here can read."""

    def __init__(self, health: Health) -> None:
        self.health = health
        health.is_down(
            "the extra that reads mailboxes is not installed",
            fix="pip install 'opswire[email]', or unset OPSWIRE_EMAIL__ADDRESS",
        )

    async def deliver(self, parcel: Parcel) -> str:
        """Deliver nothing: who is not read is not written to.

        Raises: Postponed.
        """
        raise Postponed(self.health.error, is_account_wide=True)

    async def probe(self, account: str) -> list[Step]:
        """Say what is missing."""
        missing = Step(
            name="aioimaplib",
            is_ok=False,
            waited_ms=0,
            detail=self.health.error,
            fix=self.health.fix,
        )
        return [missing]


def _unread(absent: Absent) -> Door:
    return Door(
        spec=SPEC,
        wire=EmailWire(NOTES),
        courier=absent,
        healths=lambda: [absent.health],
        prober=absent,
    )


def address_of(settings: EmailSettings) -> str:
    """Read the address that people write to, in lower case.

    Raises: InvalidArgument when it is none.
    """
    address = settings.address.strip().lower()
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isascii() or " " in address:
        raise InvalidArgument(
            f"OPSWIRE_EMAIL__ADDRESS is no address: {address[:80]!r}",
            fix=["write it as ops@example.org"],
        )
    return address
