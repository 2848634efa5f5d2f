"""What a reader needs of an open mailbox, whatever protocol brings it."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from channels.email.servers import MailServer


class MailboxLost(Exception):
    """The connection ended, or the server did not answer in time."""


class MailboxRefused(Exception):
    """The server will not have us; `fix` says what a person has to mend."""

    def __init__(self, reason: str, *, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A folder as it was when it was opened.

    Shape:  numbers of mails only mean something together with their `uid_validity`.
    """

    uid_validity: int
    uid_next: int


class OpenMailbox(Protocol):
    """A connection to a mail server, somebody signed in or about to.

    Every method may raise MailboxLost, after which the connection is of no use.
    """

    async def log_in(self, server: MailServer) -> None:
        """Sign in.

        Raises: MailboxRefused when the server does not take the password.
        """

    async def select(self, folder: str) -> Selected:
        """Open a folder.

        Raises: MailboxRefused when there is no such folder.
        """

    async def list_after(self, uid: int) -> list[int]:
        """List the mails with a higher number, the lowest first."""

    async def list_since(self, day: date) -> list[int]:
        """List the mails that arrived on a day or later, the lowest number first."""

    async def size(self, uid: int) -> int | None:
        """Ask how many bytes a mail has; None when it is gone."""

    async def fetch(self, uid: int, *, most_bytes: int) -> bytes | None:
        """Fetch a mail, or as much as is allowed, unread; None when it is gone."""

    async def fetch_head(self, uid: int, *, most_bytes: int) -> bytes | None:
        """Fetch the headers of a mail alone; None when it is gone."""

    async def wait(self, seconds: float) -> bool:
        """Wait until something may be new, then see that the server lives."""


class Connect(Protocol):
    """Opens a connection to a mail server for the length of a block."""

    def __call__(
        self, server: MailServer, *, deadline: float = ...
    ) -> AbstractAsyncContextManager[OpenMailbox]:
        """Connect and hear the greeting.

        Units:  `deadline` is the seconds that one answer may take.
        Raises: MailboxLost, when the block is entered.
        """
