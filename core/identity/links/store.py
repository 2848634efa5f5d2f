"""Queries over linked accounts, open codes and wrong tries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal_column, select

from core.database import Prepared, Row, Tx
from core.identity.links.model import Account, Attempts, Identity
from core.identity.links.tables import channel_identities, link_attempts, link_codes
from core.identity.users.model import User
from core.identity.users.store import COLUMNS as USER_COLUMNS
from core.identity.users.store import to_user
from core.identity.users.tables import users
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import UserId

_IDENTITY = (
    channel_identities.c.channel,
    channel_identities.c.account,
    channel_identities.c.sender,
    channel_identities.c.user_id,
    channel_identities.c.created_at,
)
_OWN = channel_identities.c.tenant_id == bindparam("tenant")
_ONE = (
    _OWN,
    channel_identities.c.channel == bindparam("door"),
    channel_identities.c.account == bindparam("instance"),
    channel_identities.c.sender == bindparam("who"),
)
_ALL = channel_identities.select().with_only_columns(*_IDENTITY)
_FIND = Prepared(_ALL.where(*_ONE))
_OF_USER = Prepared(
    _ALL.where(_OWN, channel_identities.c.user_id == bindparam("whose")).order_by(
        channel_identities.c.created_at,
        channel_identities.c.channel,
        channel_identities.c.account,
        channel_identities.c.sender,
    )
)
_USER = Prepared(
    select(*USER_COLUMNS)
    .join_from(
        channel_identities,
        users,
        (users.c.tenant_id == channel_identities.c.tenant_id)
        & (users.c.id == channel_identities.c.user_id),
    )
    .where(*_ONE)
)
_UNLINK = Prepared(channel_identities.delete().where(*_ONE))

_CODES_OWN = link_codes.c.tenant_id == bindparam("tenant")
_OPEN = Prepared(
    link_codes.select()
    .with_only_columns(link_codes.c.expires_at)
    .where(
        _CODES_OWN,
        link_codes.c.channel == bindparam("door"),
        link_codes.c.account == bindparam("instance"),
        link_codes.c.sender == bindparam("who"),
        link_codes.c.user_id == literal_column("''"),
        link_codes.c.expires_at > bindparam("now"),
    )
    .order_by(link_codes.c.expires_at)
)
_CODE = Prepared(
    link_codes.select()
    .with_only_columns(link_codes.c.channel, link_codes.c.account, link_codes.c.sender)
    .where(
        _CODES_OWN,
        link_codes.c.hash == bindparam("hashed"),
        link_codes.c.user_id == literal_column("''"),
        link_codes.c.expires_at > bindparam("now"),
    )
)
_INVITATION = Prepared(
    link_codes.select()
    .with_only_columns(link_codes.c.user_id)
    .where(
        _CODES_OWN,
        link_codes.c.hash == bindparam("hashed"),
        link_codes.c.channel == bindparam("door"),
        link_codes.c.user_id != literal_column("''"),
        link_codes.c.expires_at > bindparam("now"),
    )
)
_OPEN_INVITATIONS = Prepared(
    link_codes.select()
    .with_only_columns(link_codes.c.expires_at)
    .where(
        _CODES_OWN,
        link_codes.c.user_id == bindparam("whose"),
        link_codes.c.expires_at > bindparam("now"),
    )
    .order_by(link_codes.c.expires_at)
)
_USE = Prepared(
    link_codes.delete().where(_CODES_OWN, link_codes.c.hash == bindparam("hashed"))
)
_PURGE = Prepared(
    link_codes.delete().where(_CODES_OWN, link_codes.c.expires_at <= bindparam("now"))
)

_MINE = (
    link_attempts.c.tenant_id == bindparam("tenant"),
    link_attempts.c.user_id == bindparam("whose"),
)
_ATTEMPTS = Prepared(
    link_attempts.select()
    .with_only_columns(link_attempts.c.count, link_attempts.c.until)
    .where(*_MINE)
)
_FORGET = Prepared(link_attempts.delete().where(*_MINE))


def add(tx: Tx, account: Account, user_id: str) -> None:
    """Store a link."""
    tx.insert(
        channel_identities,
        {
            "channel": account.channel,
            "account": account.account,
            "sender": account.sender,
            "user_id": user_id,
        },
    )


def find(tx: Tx, account: Account) -> Identity | None:
    """Find whom an account is linked to."""
    rows = tx.run(_FIND, **_keys(account))
    return _to_identity(rows[0]) if rows else None


def find_user(tx: Tx, account: Account) -> User | None:
    """Find the person that an account is linked to."""
    rows = tx.run(_USER, **_keys(account))
    return to_user(rows[0]) if rows else None


def list_of(tx: Tx, user_id: str) -> Sequence[Identity]:
    """List a person's accounts, oldest first."""
    return [_to_identity(row) for row in tx.run(_OF_USER, whose=user_id)]


def remove(tx: Tx, account: Account) -> None:
    """Delete a link."""
    tx.change(_UNLINK, **_keys(account))


def add_code(tx: Tx, account: Account, code_hash: str, *, expires_at: datetime) -> None:
    """Store an open code."""
    tx.insert(
        link_codes,
        {
            "hash": code_hash,
            "channel": account.channel,
            "account": account.account,
            "sender": account.sender,
            "expires_at": to_micros(expires_at),
        },
    )


def add_invitation(
    tx: Tx, user_id: str, channel: str, code_hash: str, *, expires_at: datetime
) -> None:
    """Store an open code that a person takes to a channel."""
    tx.insert(
        link_codes,
        {
            "hash": code_hash,
            "channel": channel,
            "account": "",
            "sender": "",
            "user_id": user_id,
            "expires_at": to_micros(expires_at),
        },
    )


def list_open_invitations(tx: Tx, user_id: str) -> Sequence[datetime]:
    """List when a person's open codes expire, soonest first."""
    rows = tx.run(_OPEN_INVITATIONS, whose=user_id, now=tx.micros)
    return [from_micros(row[0]) for row in rows]


def find_invitation(tx: Tx, channel: str, code_hash: str) -> str | None:
    """Find who asked for an open code that is to be typed on a channel."""
    rows = tx.run(_INVITATION, door=channel, hashed=code_hash, now=tx.micros)
    return str(rows[0][0]) if rows else None


def list_open(tx: Tx, account: Account) -> Sequence[datetime]:
    """List when a sender's open codes expire, soonest first."""
    rows = tx.run(_OPEN, now=tx.micros, **_keys(account))
    return [from_micros(row[0]) for row in rows]


def find_code(tx: Tx, code_hash: str) -> Account | None:
    """Find the sender who asked for an open code."""
    rows = tx.run(_CODE, hashed=code_hash, now=tx.micros)
    if not rows:
        return None
    channel, account, sender = rows[0]
    return Account(channel=channel, account=account, sender=sender)


def use_code(tx: Tx, code_hash: str) -> None:
    """Delete a code, for it works once."""
    tx.change(_USE, hashed=code_hash)


def purge_codes(tx: Tx) -> None:
    """Delete the codes that have expired."""
    tx.change(_PURGE, now=tx.micros)


def find_attempts(tx: Tx, user_id: str) -> Attempts:
    """Read how often a person typed a wrong code lately."""
    rows = tx.run(_ATTEMPTS, whose=user_id)
    if not rows:
        return Attempts(count=0, until=tx.now)
    return Attempts(count=rows[0][0], until=from_micros(rows[0][1]))


def save_attempts(tx: Tx, user_id: str, attempts: Attempts) -> None:
    """Replace the count of a person's wrong codes."""
    tx.change(_FORGET, whose=user_id)
    tx.insert(
        link_attempts,
        {
            "user_id": user_id,
            "count": attempts.count,
            "until": to_micros(attempts.until),
        },
    )


def _keys(account: Account) -> dict[str, str]:
    return {
        "door": account.channel,
        "instance": account.account,
        "who": account.sender,
    }


def _to_identity(row: Row) -> Identity:
    channel, account, sender, user_id, created_at = row
    return Identity(
        account=Account(channel=channel, account=account, sender=sender),
        user_id=UserId(user_id),
        linked_at=from_micros(created_at),
    )
