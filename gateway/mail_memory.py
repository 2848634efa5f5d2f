"""The mail channel's memory in the database, for one mailbox of one tenant."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from channels.email.memory import Cursor, History, Sent
from core.database import Database, Tx
from core.delivery.mail import service as mail
from core.delivery.mail.model import MailCounts, MailFolder, SentMail
from core.delivery.outbox import dispatch
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Unavailable


class StoredCursors:
    """How far one folder was read, and whose turn it is to read it.

    Shape:  `reader` names this process; the same name again is the same reader, so
            that a gateway that was killed goes on at once.
    """

    def __init__(
        self, db: Database, folder: MailFolder, *, tenant: TenantId, reader: str
    ) -> None:
        self._db = db
        self._folder = folder
        self._reader = reader
        self._by = _mailbox(tenant)

    async def take_turn(self) -> bool:
        """Become or stay the one who reads; False while somebody else does.

        Raises: Unavailable.
        """
        return await self._db.write(
            lambda tx: mail.take_turn(tx, self._folder, reader=self._reader),
            by=self._by,
        )

    async def end_turn(self) -> None:
        """Let the next one read at once."""
        await self._db.write(
            lambda tx: mail.end_turn(tx, self._folder, reader=self._reader),
            by=self._by,
        )

    async def load(self) -> Cursor | None:
        """Read the cursor; None before the first time."""
        found = await self._db.read(
            lambda tx: mail.find_cursor(tx, self._folder), by=self._by
        )
        if found is None:
            return None
        return Cursor(
            uid_validity=found.uid_validity, uid=found.uid, read_at=found.read_at
        )

    async def advance(self, *, uid_validity: int, uid: int) -> None:
        """Move the cursor, which says that all before is stored."""
        await self._db.write(
            lambda tx: mail.advance(
                tx,
                self._folder,
                reader=self._reader,
                uid_validity=uid_validity,
                uid=uid,
            ),
            by=self._by,
        )


class StoredMails:
    """What was sent to whom, and the tokens that their answers will carry."""

    def __init__(self, db: Database, account: str, *, tenant: TenantId) -> None:
        self._db = db
        self._account = account
        self._by = _mailbox(tenant)

    async def reserve(self, sent: Sent, *, fits: Callable[[History], bool]) -> History:
        """Keep a mail's place if it fits what was sent before, and give that."""
        stored = self._stored(sent)
        return await self._db.write(
            lambda tx: _history(
                mail.reserve(
                    tx, stored, fits=lambda counts: fits(_history(counts, tx.now))
                ),
                tx.now,
            ),
            by=self._by,
        )

    async def note_accepted(self, sent: Sent) -> None:
        """Note that the server took a mail; that it left does not hang on our database."""
        stored = self._stored(sent)
        with suppress(Unavailable):
            await self._db.write(lambda tx: mail.note_accepted(tx, stored), by=self._by)

    async def release(self, sent: Sent) -> None:
        """Give the place of a mail back; where that fails, it counts a while longer."""
        stored = self._stored(sent)
        with suppress(Unavailable):
            await self._db.write(lambda tx: mail.release(tx, stored), by=self._by)

    async def bounce(self, message_id: str) -> bool:
        """Note that a mail never arrived; True when it was one of ours."""
        return await self._db.write(
            lambda tx: _bounce(tx, self._account, message_id), by=self._by
        )

    async def issue(self, *, sender: str, thread: str) -> str:
        """Make a token that only counts from this sender in this thread."""
        return await self._db.write(
            lambda tx: mail.issue_token(
                tx, self._account, sender=sender, thread=thread
            ),
            by=self._by,
        )

    async def find_thread(self, token: str, *, sender: str) -> str:
        """Find the thread for which this sender was given a token, "" if they were not."""
        return await self._db.read(
            lambda tx: mail.find_thread(tx, self._account, token, sender=sender),
            by=self._by,
        )

    def _stored(self, sent: Sent) -> SentMail:
        return SentMail(
            account=self._account,
            message_id=sent.message_id,
            parcel_id=sent.parcel_id,
            recipient=sent.to,
            thread=sent.thread,
            subject=sent.subject,
            is_notice=sent.is_notice,
            is_urgent=sent.is_urgent,
        )


def _history(counts: MailCounts, now: datetime) -> History:
    return History(
        last_hour=counts.last_hour,
        room_in=mail.room_in(counts, now).total_seconds(),
        thread_day=counts.thread_day,
        has_notice=counts.has_notice,
        about=counts.about,
    )


def _bounce(tx: Tx, account: str, message_id: str) -> bool:
    parcel_id = mail.bounce(tx, account, message_id)
    return bool(parcel_id) and dispatch.note_returned(
        tx,
        parcel_id,
        error="the mail came back: the address does not take it",
        fix="see that the address exists, then: outbox replay",
    )


def _mailbox(tenant: TenantId) -> Principal:
    return system(tenant, name="mailbox")
