"""Mail in memory: one folder per address, numbered as IMAP numbers it."""

from asyncio import Event
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

MOST_MAILS = 500

_SEEN = "\\Seen"


@dataclass(slots=True, kw_only=True)
class StoredMail:
    """One mail in a folder."""

    uid: int
    raw: bytes
    arrived_at: datetime
    flags: set[str] = field(default_factory=set)


class Folder:
    """The mails of one address, the oldest first; beyond 500 the oldest go.

    Shape:  `changed` are the bells of those who wait for something to happen here.
    """

    def __init__(self, uid_validity: int = 1) -> None:
        self.uid_validity = uid_validity
        self.uid_next = 1
        self.mails: list[StoredMail] = []
        self.changed: set[Event] = set()

    def add(self, raw: bytes) -> StoredMail:
        """Deliver a mail."""
        mail = StoredMail(uid=self.uid_next, raw=raw, arrived_at=datetime.now(UTC))
        self.uid_next += 1
        self.mails.append(mail)
        del self.mails[:-MOST_MAILS]
        self._ring()
        return mail

    def renumber(self) -> None:
        """Give every mail another number under another UIDVALIDITY, as restores do."""
        self.uid_validity += 1
        self.uid_next = 1
        for mail in self.mails:
            mail.uid = self.uid_next
            self.uid_next += 1
        self._ring()

    def mark_seen(self) -> None:
        """Mark everything as read, as a person with another program does."""
        for mail in self.mails:
            mail.flags.add(_SEEN)
        self._ring()

    def remove(self, which: Callable[[StoredMail], bool]) -> list[StoredMail]:
        """Take mails out, as an expunge or a move does, and give them."""
        gone = [mail for mail in self.mails if which(mail)]
        self.mails = [mail for mail in self.mails if mail not in gone]
        self._ring()
        return gone

    def _ring(self) -> None:
        for bell in self.changed:
            bell.set()


class Mailboxes:
    """The folders of all addresses; one is made when it is first asked for."""

    def __init__(self) -> None:
        self._folders: dict[tuple[str, str], Folder] = {}
        self.passwords: dict[str, str] = {}

    def folder(self, address: str, name: str = "INBOX") -> Folder:
        """Open a folder of an address; INBOX in any case is INBOX."""
        known = name.upper() if name.upper() == "INBOX" else name
        return self._folders.setdefault((address.lower(), known), Folder())

    def deliver(self, address: str, raw: bytes) -> StoredMail:
        """Put a mail into the inbox of an address; a plus part does not count."""
        local, _, domain = address.lower().partition("@")
        return self.folder(f"{local.partition('+')[0]}@{domain}").add(raw)

    def is_login(self, address: str, password: str) -> bool:
        """Tell whether this is the password of that address."""
        return bool(password) and self.passwords.get(address.lower()) == password
