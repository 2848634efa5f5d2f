"""Reads one mailbox for ever: connects, catches up, waits for news, connects again."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from random import uniform

from channels.base import Delivery, Health, Inbox, Link
from channels.email.mailbox import (
    Connect,
    MailboxLost,
    MailboxRefused,
    OpenMailbox,
    Selected,
)
from channels.email.memory import Cursors
from channels.email.reading import MAIL_BYTES
from channels.email.receiving import Receiver
from channels.email.servers import MailServer
from core.kernel.clock import Clock
from core.kernel.problems import Unavailable

HEAD_BYTES = 262_144
ROOM_BYTES = MAIL_BYTES
AT_ONCE = 8

_FIRST_LOOK = timedelta(days=1)
_OVERLAP = timedelta(days=2)

# What a parser raises for a mail that nobody thought of; it must not stop the next one.
_UNREADABLE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a mailbox is looked at.

    Units:  all in seconds. A mailbox without news is looked at after `idle`; a server
            that fails is tried again after `first_pause`, then twice as long each time
            up to `longest_pause`; who does not have the turn asks again after `turn`.
    """

    idle: float = 20.0
    first_pause: float = 0.5
    longest_pause: float = 60.0
    turn: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A mail as it came; with a `fault` its headers alone."""

    raw: bytes
    fault: str = ""


class MailReader:
    """Brings what arrives in one folder to the inbox, each mail once.

    Shape:  the cursor moves only after a mail is on disk, so a mail may be fetched
            twice and is never missed; that it is run once is the inbox's promise. Only
            numbers count: what others mark as read is read all the same.
    """

    def __init__(  # noqa: PLR0913 - what a reader is made of
        self,
        server: MailServer,
        *,
        connect: Connect,
        cursors: Cursors,
        receiver: Receiver,
        inbox: Inbox,
        health: Health,
        clock: Clock,
        pace: Pace = Pace(),
    ) -> None:
        self._server = server
        self.connect = connect
        self._cursors = cursors
        self._receiver = receiver
        self._inbox = inbox
        self._health = health
        self._clock = clock
        self.pace = pace
        self._failures = 0
        self._is_down = False

    async def run(self) -> None:
        """Read until cancelled; an outage is logged when it begins and when it ends."""
        try:
            while True:
                is_lost = not await self._stay()
                await asyncio.sleep(self._backoff() if is_lost else self.pace.turn)
        finally:
            self._health.link = Link.OFF
            with suppress(Unavailable):
                await self._cursors.end_turn()

    def _backoff(self) -> float:
        self._failures += 1
        self._health.reconnects += 1
        doubled = self.pace.first_pause * 2 ** min(self._failures - 1, 10)
        longest = min(doubled, self.pace.longest_pause)
        return uniform(longest / 2, longest)  # noqa: S311 - it only spreads the load

    async def _stay(self) -> bool:
        """Keep a connection for as long as it lasts; True when it is another's turn."""
        try:
            if not await self._cursors.take_turn():
                self._health.link = Link.OFF
                self._health.error = "another gateway reads this mailbox"
                return True
            async with self.connect(self._server) as mailbox:
                await mailbox.log_in(self._server)
                selected = await mailbox.select(self._server.folder)
                await self._follow(mailbox, selected)
                return True
        except MailboxLost as fault:
            self._down(
                f"the mail server does not answer: {fault}",
                fix="see that the host and port of OPSWIRE_EMAIL__IMAP_URL are right",
            )
        except MailboxRefused as fault:
            self._down(fault.reason, fix=fault.fix)
        except Unavailable as fault:
            self._down(fault.detail, fix="ops doctor")
        return False

    async def _follow(self, mailbox: OpenMailbox, selected: Selected) -> None:
        """Take what is new, again and again, while it is our turn."""
        while await self._cursors.take_turn():
            await self._catch_up(mailbox, selected)
            self._up()
            await mailbox.wait(self.pace.idle)

    async def _catch_up(self, mailbox: OpenMailbox, selected: Selected) -> None:
        validity = selected.uid_validity
        cursor = await self._cursors.load()
        if cursor is not None and cursor.uid_validity == validity:
            uids = await mailbox.list_after(cursor.uid)
        else:
            # Numbers of before mean nothing here. What was read already comes again
            # and changes nothing; mail from long ago is left alone.
            begin = (
                cursor.read_at - _OVERLAP if cursor else self._clock.now() - _FIRST_LOOK
            )
            uids = await mailbox.list_since(begin.date())
        is_renumbered = cursor is None or cursor.uid_validity != validity
        if is_renumbered and not uids:
            await self._cursors.advance(
                uid_validity=validity, uid=selected.uid_next - 1
            )
        while uids:
            taken, fetched = await self._fetch_some(mailbox, uids)
            await self._bring(fetched)
            await self._cursors.advance(uid_validity=validity, uid=uids[taken - 1])
            uids = uids[taken:]

    async def _fetch_some(
        self, mailbox: OpenMailbox, uids: Sequence[int]
    ) -> tuple[int, Sequence[Fetched]]:
        """Fetch the first few mails, until they are enough to be kept in memory."""
        fetched: list[Fetched] = []
        for taken, uid in enumerate(uids[:AT_ONCE], 1):
            mail = await _fetch(mailbox, uid)
            if mail is not None:
                fetched.append(mail)
            if (
                taken == len(uids)
                or sum(len(each.raw) for each in fetched) > ROOM_BYTES
            ):
                return taken, fetched
        return min(AT_ONCE, len(uids)), fetched

    async def _bring(self, fetched: Sequence[Fetched]) -> None:
        """Bring mails to the inbox in their order; they are opened at the same time.

        To prove a sender may mean to wait for somebody's slow name server, and who
        wrote the next mail has no part in that.
        """
        opening = (self._open(each) for each in fetched)
        outcomes = await asyncio.gather(*opening, return_exceptions=True)
        for mail, outcome in zip(fetched, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            await self._store(mail, outcome)
            self._health.last_in = self._clock.now()

    async def _open(self, mail: Fetched) -> Delivery:
        try:
            return await self._receiver.receive(mail.raw, fault=mail.fault)
        except _UNREADABLE:
            _log.exception("email.unreadable")
            return self._aside(mail)

    async def _store(self, mail: Fetched, delivery: Delivery) -> None:
        try:
            await self._inbox.take(delivery)
        except TypeError:  # what orjson raises for what is no text
            _log.exception("email.unstorable")
            await self._inbox.take(self._aside(mail))

    def _aside(self, mail: Fetched) -> Delivery:
        return self._receiver.set_aside(mail.raw, silence="it could not be read")

    def _up(self) -> None:
        """Note that reading works; what the sending side told stays."""
        self._failures = 0
        if self._is_down:
            _log.info("email.recovered", extra={"account": self._health.account})
        if self._is_down or self._health.link is Link.OFF:
            self._health.is_up()
        self._is_down = False

    def _down(self, error: str, *, fix: str) -> None:
        self._is_down = True
        if self._health.is_down(error, fix=fix):
            _log.warning(
                "email.down", extra={"account": self._health.account, "reason": error}
            )


async def _fetch(mailbox: OpenMailbox, uid: int) -> Fetched | None:
    """Fetch one mail; one that is gone is nobody's any more."""
    size = await mailbox.size(uid)
    if size is None:
        return None
    if size <= MAIL_BYTES:
        raw = await mailbox.fetch(uid, most_bytes=MAIL_BYTES)
        return None if raw is None else Fetched(raw=raw)
    raw = await mailbox.fetch_head(uid, most_bytes=HEAD_BYTES)
    fault = f"the mail has more than {MAIL_BYTES >> 20} MiB"
    return None if raw is None else Fetched(raw=raw, fault=fault)
