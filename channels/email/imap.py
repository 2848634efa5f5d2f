"""One connection to a mailbox, in which nothing is waited for without an end.

Every step is raced against the loss of the connection and a deadline; whichever comes
first ends the step, and the connection with it.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any, TypeVar

from channels.email.imap_protocol import FAULTS, WatchedClient
from channels.email.mailbox import MailboxLost, MailboxRefused, Selected
from channels.email.servers import MailServer, Tls

DEADLINE_SECONDS = 20.0
GOODBYE_SECONDS = 2.0

_T = TypeVar("_T")
_UID_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d{1,12})\]", re.IGNORECASE)
_UID_NEXT = re.compile(rb"\[UIDNEXT (\d{1,12})\]", re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d{1,12})", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d{1,12})", re.IGNORECASE)
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class ImapConnection:
    """A mailbox that is open. Made by `connect`.

    Units:  `deadline` is the seconds that one answer may take.
    """

    def __init__(
        self, client: WatchedClient, lost: asyncio.Future[str], *, deadline: float
    ) -> None:
        self._client = client
        self._lost = lost
        self._deadline = deadline

    async def greet(self, server: MailServer, context: ssl.SSLContext | None) -> None:
        """Wait for the greeting and, where it has to be, make the connection private."""
        await self._race(self._client.wait_hello_from_server())
        if server.tls is Tls.STARTTLS:
            assert context is not None
            await self._race(self._client.start_tls(context))

    async def log_in(self, server: MailServer) -> None:
        """Sign in.

        Raises: MailboxLost, MailboxRefused when the server does not take the password.
        """
        client = self._client
        signing = (
            client.xoauth2(server.user, server.token)
            if server.token
            else client.login(_quoted(server.user), server.password)
        )
        answer = await self._race(signing)
        if answer.result != "OK":
            raise MailboxRefused(
                "the mail server does not take the user name and password",
                fix="set OPSWIRE_EMAIL__IMAP_URL to the right user and password",
            )
        await self._race(client.protocol.capability())

    async def select(self, folder: str) -> Selected:
        """Open a mailbox.

        Raises: MailboxLost, MailboxRefused when there is no such mailbox.
        """
        answer = await self._race(self._client.select(_quoted(folder)))
        said = b"\n".join(bytes(line) for line in answer.lines)
        validity, following = _UID_VALIDITY.search(said), _UID_NEXT.search(said)
        if answer.result != "OK" or not validity:
            raise MailboxRefused(
                f"there is no mailbox {folder}",
                fix="name a mailbox that exists at the end of OPSWIRE_EMAIL__IMAP_URL",
            )
        return Selected(
            uid_validity=int(validity[1]),
            uid_next=int(following[1]) if following else 1,
        )

    async def list_after(self, uid: int) -> list[int]:
        """List the mails with a higher number, the lowest first."""
        found = await self._search("UID", f"{uid + 1}:*")
        # The range ends with the last mail, whichever end of it that is.
        return [each for each in found if each > uid]

    async def list_since(self, day: date) -> list[int]:
        """List the mails that arrived on a day or later, the lowest number first."""
        month = _MONTHS[day.month - 1]
        return await self._search("SINCE", f"{day.day:02}-{month}-{day.year}")

    async def size(self, uid: int) -> int | None:
        """Ask how many bytes a mail has; None when it is gone."""
        answer = await self._fetch(uid, "(UID RFC822.SIZE)")
        for line in answer:
            size = _SIZE.search(line)
            if size and _is_about(line, uid):
                return int(size[1])
        return None

    async def fetch(self, uid: int, *, most_bytes: int) -> bytes | None:
        """Fetch a mail, or as much as is allowed, unread; None when it is gone."""
        return await self._fetch_part(uid, f"BODY.PEEK[]<0.{most_bytes}>")

    async def fetch_head(self, uid: int, *, most_bytes: int) -> bytes | None:
        """Fetch the headers of a mail alone; None when it is gone."""
        return await self._fetch_part(uid, f"BODY.PEEK[HEADER]<0.{most_bytes}>")

    async def wait(self, seconds: float) -> bool:
        """Wait by IDLE until something may be new; then see that the server lives.

        Shape:  without IDLE it just waits. True when the server told of news.
        """
        client, news = self._client, self._client.protocol.news
        if not client.has_capability("IDLE"):
            await self._pause(seconds)
            await self._race(client.noop())
            return news.is_set()
        # Told while we were busy, and not told again by IDLE.
        if not news.is_set():
            idle = await self._race(client.idle_start(timeout=2 * seconds))
            await self._wait_for(news, seconds)
            client.idle_done()
            await self._race(asyncio.wait_for(idle, self._deadline))
        if not news.is_set():
            await self._race(client.noop())
        return news.is_set()

    async def log_out(self) -> None:
        """Say goodbye, if the server listens."""
        await self._race(self._client.logout())

    # ── steps ─────────────────────────────────────────────────────────────────
    async def _search(self, *criteria: str) -> list[int]:
        self._client.protocol.news.clear()
        answer = await self._race(self._client.uid_search(*criteria, charset=None))
        if answer.result != "OK":
            raise MailboxLost("the server refuses to search")
        numbers = [
            int(word)
            for line in answer.lines[:-1]
            for word in bytes(line).split()
            if word.isdigit()
        ]
        return sorted(set(numbers))

    async def _fetch(self, uid: int, items: str) -> Sequence[bytes]:
        answer = await self._race(self._client.uid("FETCH", str(uid), items))
        if answer.result != "OK":
            raise MailboxLost("the server refuses to fetch")
        return [line for line in answer.lines if isinstance(line, bytes)]

    async def _fetch_part(self, uid: int, part: str) -> bytes | None:
        answer = await self._race(self._client.uid("FETCH", str(uid), f"(UID {part})"))
        if answer.result != "OK":
            raise MailboxLost("the server refuses to fetch")
        # aioimaplib gives literals as bytearrays, and everything else as bytes.
        bodies = [bytes(line) for line in answer.lines if isinstance(line, bytearray)]
        return bodies[0] if bodies else None

    async def _wait_for(self, news: asyncio.Event, seconds: float) -> None:
        waiting = asyncio.ensure_future(news.wait())
        ends: list[asyncio.Future[Any]] = [waiting, self._lost]
        try:
            await asyncio.wait(
                ends,
                timeout=seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            waiting.cancel()
        self._require_alive()

    async def _pause(self, seconds: float) -> None:
        await asyncio.wait([self._lost], timeout=seconds)
        self._require_alive()

    async def _race(self, step: Coroutine[Any, Any, _T]) -> _T:
        """Take one step, unless the connection or the deadline ends before it."""
        task = asyncio.ensure_future(step)
        ends: list[asyncio.Future[Any]] = [task, self._lost]
        try:
            await asyncio.wait(
                ends,
                timeout=self._deadline,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if task.done():
                return await task
            self._require_alive()
            raise MailboxLost(f"no answer within {self._deadline:g} s")
        except FAULTS as fault:
            raise MailboxLost(_told(fault)) from fault
        finally:
            if not task.done():
                # It may wait for a lock that the greeting's task holds: end that first.
                self._client.protocol.abort()
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _require_alive(self) -> None:
        if self._lost.done():
            raise MailboxLost(self._lost.result())


@asynccontextmanager
async def connect(
    server: MailServer, *, most_bytes: int, deadline: float = DEADLINE_SECONDS
) -> AsyncIterator[ImapConnection]:
    """Connect to a server and hear its greeting; the connection ends with the block.

    Units:  `most_bytes` bounds what one answer may hold, so that no server floods us.
    Raises: MailboxLost when there is nobody, or nobody who speaks IMAP in time.
    """
    # It would write whole mails, and tokens in base64, into a log that is verbose.
    logging.getLogger("aioimaplib").setLevel(logging.WARNING)
    context = ssl.create_default_context() if server.tls is not Tls.NONE else None
    lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    client = WatchedClient(
        server.host,
        server.port,
        lost=lambda reason: None if lost.done() else lost.set_result(reason),
        most_bytes=most_bytes,
        tls=context if server.tls is Tls.DIRECT else None,
    )
    connection = ImapConnection(client, lost, deadline=deadline)
    try:
        await connection.greet(server, context)
        yield connection
        with suppress(MailboxLost, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await connection.log_out()
    finally:
        await client.close_now()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_about(line: bytes, uid: int) -> bool:
    found = _UID.search(line)
    return found is not None and int(found[1]) == uid


def _told(fault: Exception) -> str:
    """Say what went wrong in a few words; never what we sent."""
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror
    if isinstance(fault, TimeoutError):
        return "the server does not answer in time"
    if isinstance(fault, ConnectionError):
        return str(fault) or "the connection broke"
    return "the server does not follow the rules of IMAP"
