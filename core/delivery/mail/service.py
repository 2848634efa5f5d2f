"""Read a folder in turns, count what leaves, and know the answers to it again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import choice

from core.database import Tx
from core.delivery.mail import store
from core.delivery.mail.model import (
    MEMORY,
    TOKEN_TTL,
    TURN,
    MailCounts,
    MailCursor,
    MailFolder,
    SentMail,
)
from core.kernel.clock import from_micros, to_micros

_TOKEN_CHARS = 26
# Crockford's letters; mail programs keep neither case nor much else of an address.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def take_turn(tx: Tx, of: MailFolder, *, reader: str) -> bool:
    """Let one reader have a folder for 30 s; guaranteed to be True for one only."""
    until = to_micros(tx.now + TURN)
    if store.has_folder(tx, of):
        return store.take_turn(tx, of, reader=reader, until=until)
    store.add_folder(tx, of, reader=reader, until=until)
    return True


def end_turn(tx: Tx, of: MailFolder, *, reader: str) -> None:
    """Let the next reader have a folder at once."""
    store.take_turn(tx, of, reader=reader, until=0)


def find_cursor(tx: Tx, of: MailFolder) -> MailCursor | None:
    """Find how far a folder was read; None when it never was."""
    return store.find_cursor(tx, of)


def advance(
    tx: Tx, of: MailFolder, *, reader: str, uid_validity: int, uid: int
) -> bool:
    """Move a folder's cursor and keep the turn; False when it is another's by now."""
    return store.move_cursor(
        tx,
        of,
        reader=reader,
        uid_validity=uid_validity,
        uid=uid,
        until=to_micros(tx.now + TURN),
    )


def reserve(
    tx: Tx, mail: SentMail, *, fits: Callable[[MailCounts], bool]
) -> MailCounts:
    """Count what left before, and keep a place among it for a mail if it fits.

    Guaranteed together: of two mails for which there is one place, one gets it. A mail
    that is tried again counts once. It has told nobody anything until `note_accepted`.
    """
    store.forget_sent(tx, before=to_micros(tx.now - MEMORY))
    counts = _count(tx, mail)
    is_known = store.find_parcel(tx, mail.account, mail.message_id) is not None
    if not is_known and fits(counts):
        store.add_sent(tx, mail)
    return counts


def note_accepted(tx: Tx, mail: SentMail) -> None:
    """Note that the server took a mail: what it is about has been told."""
    store.set_subject(tx, mail)


def release(tx: Tx, mail: SentMail) -> None:
    """Give the place of a mail back that was not taken."""
    store.delete_sent(tx, mail)


def _count(tx: Tx, mail: SentMail) -> MailCounts:
    hour, day = to_micros(tx.now - _HOUR), to_micros(tx.now - _DAY)
    last_hour, first = store.count_to(tx, mail, since=hour)
    about = store.find_about(tx, mail, since=0) if mail.subject else ""
    return MailCounts(
        last_hour=last_hour,
        oldest_at=from_micros(first) if first else None,
        thread_day=store.count_in(tx, mail, since=day),
        has_notice=store.count_notices(tx, mail, since=day) > 0,
        about=about,
    )


def room_in(counts: MailCounts, now: datetime) -> timedelta:
    """Tell how long it takes until the oldest mail of the hour counts no more."""
    if counts.oldest_at is None:
        return timedelta()
    return max(counts.oldest_at + _HOUR - now, timedelta(seconds=1))


def bounce(tx: Tx, account: str, message_id: str) -> str:
    """Note that a mail never arrived; give the delivery it was, the first time only."""
    if not store.mark_bounced(tx, account, message_id):
        return ""
    return store.find_parcel(tx, account, message_id) or ""


def issue_token(tx: Tx, account: str, *, sender: str, thread: str) -> str:
    """Make a token for 30 days, and return the only copy of its text."""
    store.forget_tokens(tx)
    token = "r" + "".join(choice(_ALPHABET) for _ in range(_TOKEN_CHARS))
    store.add_token(
        tx,
        account,
        _hash(token),
        sender=sender,
        thread=thread,
        expires_at=to_micros(tx.now + TOKEN_TTL),
    )
    return token


def find_thread(tx: Tx, account: str, token: str, *, sender: str) -> str:
    """Find the thread for which a sender was given a token that still counts, or ""."""
    return store.find_thread(tx, account, _hash(token), sender=sender)


def _hash(token: str) -> str:
    return sha256(token.lower().encode("utf-8", "surrogatepass")).hexdigest()
