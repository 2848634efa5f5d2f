"""Queries over the mail channel's memory."""

from sqlalchemy import bindparam, func, literal_column, select

from core.database import Prepared, Tx
from core.delivery.mail.model import MailCursor, MailFolder, SentMail
from core.delivery.mail.tables import mail_cursors, mail_sent, mail_tokens
from core.kernel.clock import from_micros

_FOLDER = (
    mail_cursors.c.tenant_id == bindparam("tenant"),
    mail_cursors.c.account == bindparam("of_account"),
    mail_cursors.c.folder == bindparam("of_folder"),
)
_CURSOR = Prepared(
    select(
        mail_cursors.c.uid_validity, mail_cursors.c.uid, mail_cursors.c.read_at
    ).where(*_FOLDER)
)
_TURN = Prepared(
    mail_cursors.update()
    .where(
        *_FOLDER,
        (mail_cursors.c.reader == bindparam("me"))
        | (mail_cursors.c.reader_until < bindparam("now")),
    )
    .values(reader=bindparam("me"), reader_until=bindparam("until"))
)
_MOVE = Prepared(
    mail_cursors.update()
    .where(*_FOLDER, mail_cursors.c.reader == bindparam("me"))
    .values(
        uid_validity=bindparam("new_validity"),
        uid=bindparam("new_uid"),
        read_at=bindparam("now"),
        reader_until=bindparam("until"),
    )
)
_OWN_SENT = (
    mail_sent.c.tenant_id == bindparam("tenant"),
    mail_sent.c.account == bindparam("of_account"),
)
_OTHERS = (*_OWN_SENT, mail_sent.c.message_id != bindparam("but"))
_COUNT_TO = Prepared(
    select(func.count(), func.min(mail_sent.c.sent_at)).where(
        *_OTHERS,
        mail_sent.c.recipient == bindparam("to"),
        mail_sent.c.sent_at > bindparam("since"),
        mail_sent.c.is_urgent == bindparam("urgent"),
    )
)
_COUNT_IN = Prepared(
    select(func.count()).where(
        *_OTHERS,
        mail_sent.c.thread == bindparam("in_thread"),
        mail_sent.c.sent_at > bindparam("since"),
    )
)
_NOTICES = Prepared(
    select(func.count()).where(
        *_OTHERS,
        mail_sent.c.recipient == bindparam("to"),
        mail_sent.c.sent_at > bindparam("since"),
        mail_sent.c.is_notice == literal_column("1"),
    )
)
_ABOUT = Prepared(
    select(mail_sent.c.message_id)
    .where(
        *_OTHERS,
        mail_sent.c.recipient == bindparam("to"),
        mail_sent.c.sent_at > bindparam("since"),
        mail_sent.c.subject == bindparam("of_subject"),
    )
    .order_by(mail_sent.c.sent_at.desc())
)
_OF_MESSAGE = (*_OWN_SENT, mail_sent.c.message_id == bindparam("of_message"))
_HAS = Prepared(select(mail_sent.c.parcel_id).where(*_OF_MESSAGE))
_BOUNCE = Prepared(
    mail_sent.update()
    .where(*_OF_MESSAGE, mail_sent.c.bounced_at == literal_column("0"))
    .values(bounced_at=bindparam("now"))
)
_TELL = Prepared(
    mail_sent.update().where(*_OF_MESSAGE).values(subject=bindparam("told"))
)
_RELEASE = Prepared(mail_sent.delete().where(*_OF_MESSAGE))
_FORGET_SENT = Prepared(
    mail_sent.delete().where(
        mail_sent.c.tenant_id == bindparam("tenant"),
        mail_sent.c.sent_at < bindparam("before"),
    )
)
_TOKEN = Prepared(
    select(mail_tokens.c.thread).where(
        mail_tokens.c.tenant_id == bindparam("tenant"),
        mail_tokens.c.account == bindparam("of_account"),
        mail_tokens.c.token_hash == bindparam("hashed"),
        mail_tokens.c.sender == bindparam("of_sender"),
        mail_tokens.c.expires_at > bindparam("now"),
    )
)
_FORGET_TOKENS = Prepared(
    mail_tokens.delete().where(
        mail_tokens.c.tenant_id == bindparam("tenant"),
        mail_tokens.c.expires_at <= bindparam("now"),
    )
)


# ── cursors ───────────────────────────────────────────────────────────────────
def find_cursor(tx: Tx, of: MailFolder) -> MailCursor | None:
    """Find how far a folder was read; None when it never was."""
    rows = tx.run(_CURSOR, of_account=of.account, of_folder=of.folder)
    if not rows or not rows[0][2]:
        return None
    uid_validity, uid, read_at = rows[0]
    return MailCursor(uid_validity=uid_validity, uid=uid, read_at=from_micros(read_at))


def has_folder(tx: Tx, of: MailFolder) -> bool:
    """Tell whether somebody has ever asked to read a folder."""
    return bool(tx.run(_CURSOR, of_account=of.account, of_folder=of.folder))


def add_folder(tx: Tx, of: MailFolder, *, reader: str, until: int) -> None:
    """Begin with a folder that nobody has read."""
    tx.insert(
        mail_cursors,
        {
            "account": of.account,
            "folder": of.folder,
            "uid_validity": 0,
            "uid": 0,
            "read_at": 0,
            "reader": reader,
            "reader_until": until,
        },
    )


def take_turn(tx: Tx, of: MailFolder, *, reader: str, until: int) -> bool:
    """Take or keep the turn; the row's lock lets one reader through at a time."""
    values = {"of_account": of.account, "of_folder": of.folder, "me": reader}
    return tx.change(_TURN, **values, now=tx.micros, until=until) == 1


def move_cursor(
    tx: Tx, of: MailFolder, *, reader: str, uid_validity: int, uid: int, until: int
) -> bool:
    """Move a cursor; only whoever has the turn can."""
    moved = tx.change(
        _MOVE,
        of_account=of.account,
        of_folder=of.folder,
        me=reader,
        new_validity=uid_validity,
        new_uid=uid,
        now=tx.micros,
        until=until,
    )
    return moved == 1


# ── mails that left ───────────────────────────────────────────────────────────
def count_to(tx: Tx, mail: SentMail, *, since: int) -> tuple[int, int]:
    """Count other mails as urgent to the same person, and tell when the first left."""
    [(count, first)] = tx.run(
        _COUNT_TO,
        to=mail.recipient,
        since=since,
        urgent=int(mail.is_urgent),
        **_but(mail),
    )
    return int(count), int(first or 0)


def count_in(tx: Tx, mail: SentMail, *, since: int) -> int:
    """Count other mails in the same thread."""
    [(count,)] = tx.run(_COUNT_IN, in_thread=mail.thread, since=since, **_but(mail))
    return int(count)


def count_notices(tx: Tx, mail: SentMail, *, since: int) -> int:
    """Count other notices to the same person."""
    [(count,)] = tx.run(_NOTICES, to=mail.recipient, since=since, **_but(mail))
    return int(count)


def find_about(tx: Tx, mail: SentMail, *, since: int) -> str:
    """Find the newest other mail to the same person on the same subject, or ""."""
    rows = tx.run(
        _ABOUT,
        to=mail.recipient,
        of_subject=mail.subject,
        since=since,
        **_but(mail),
    )
    return str(rows[0][0]) if rows else ""


def find_parcel(tx: Tx, account: str, message_id: str) -> str | None:
    """Find which delivery a mail was; None when it is none of ours."""
    rows = tx.run(_HAS, of_account=account, of_message=message_id)
    return str(rows[0][0]) if rows else None


def add_sent(tx: Tx, mail: SentMail) -> None:
    """Store a mail that is about to leave; it is about nothing yet."""
    tx.insert(
        mail_sent,
        {
            "account": mail.account,
            "message_id": mail.message_id,
            "parcel_id": mail.parcel_id,
            "recipient": mail.recipient,
            "thread": mail.thread,
            "subject": "",
            "is_notice": int(mail.is_notice),
            "is_urgent": int(mail.is_urgent),
            "sent_at": tx.micros,
            "bounced_at": 0,
        },
    )


def set_subject(tx: Tx, mail: SentMail) -> None:
    """Note what a mail told of."""
    tx.change(
        _TELL, of_account=mail.account, of_message=mail.message_id, told=mail.subject
    )


def delete_sent(tx: Tx, mail: SentMail) -> None:
    """Delete a mail that never left."""
    tx.change(_RELEASE, of_account=mail.account, of_message=mail.message_id)


def mark_bounced(tx: Tx, account: str, message_id: str) -> bool:
    """Note that a mail never arrived; True the first time."""
    return (
        tx.change(_BOUNCE, of_account=account, of_message=message_id, now=tx.micros)
        == 1
    )


def forget_sent(tx: Tx, *, before: int) -> int:
    """Delete what is known of mails that left long ago."""
    return tx.change(_FORGET_SENT, before=before)


# ── reply tokens ──────────────────────────────────────────────────────────────
def add_token(
    tx: Tx, account: str, hashed: str, *, sender: str, thread: str, expires_at: int
) -> None:
    """Store a token by its hash."""
    tx.insert(
        mail_tokens,
        {
            "account": account,
            "token_hash": hashed,
            "sender": sender,
            "thread": thread,
            "expires_at": expires_at,
        },
    )


def find_thread(tx: Tx, account: str, hashed: str, *, sender: str) -> str:
    """Find the thread in which a sender was given a token; "" when they were not."""
    rows = tx.run(
        _TOKEN, of_account=account, hashed=hashed, of_sender=sender, now=tx.micros
    )
    return str(rows[0][0]) if rows else ""


def forget_tokens(tx: Tx) -> int:
    """Delete tokens that have expired."""
    return tx.change(_FORGET_TOKENS, now=tx.micros)


def _but(mail: SentMail) -> dict[str, str]:
    return {"of_account": mail.account, "but": mail.message_id}
