"""Link an account on a channel to a person, from both sides.

Either the sender asks on the channel and gets a code, which the person, signed in
elsewhere, types there; or the person asks and types the code on the channel. Both ways
the channel shows whose the account is, the sign-in who they are, and the code that the
two are one. Source: docs/how-to/link-accounts.md
"""

from collections.abc import Sequence
from datetime import datetime

from core.database import Tx
from core.events.service import append
from core.identity.links import store
from core.identity.links.model import (
    ATTEMPT_WINDOW,
    CODE_TTL,
    OPEN_CODES,
    Account,
    Attempts,
    Identity,
    LinkCode,
    LinkRefusal,
    Refused,
    fold_code,
    hash_code,
    new_code,
)
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.problems import AlreadyExists, NotFound, RateLimited


def request(tx: Tx, account: Account) -> LinkCode:
    """Give an unlinked sender a code for ten minutes.

    Raises: AlreadyExists when linked, RateLimited with three codes open.
    """
    if store.find(tx, account) is not None:
        raise AlreadyExists("this account is linked already", fix=["whoami", "unlink"])
    store.purge_codes(tx)
    _require_room(tx, store.list_open(tx, account), scope="this account")
    code = LinkCode(text=new_code(), expires_at=tx.now + CODE_TTL)
    store.add_code(tx, account, hash_code(code.text), expires_at=code.expires_at)
    return code


def invite(tx: Tx, channel: str) -> LinkCode:
    """Give the caller a code for ten minutes, to be typed on one channel.

    Raises: NotFound when the caller is no user, RateLimited with three codes open.
    """
    user = users.get_(tx, tx.principal.id)
    store.purge_codes(tx)
    _require_room(tx, store.list_open_invitations(tx, user.id), scope=user.name)
    code = LinkCode(text=new_code(), expires_at=tx.now + CODE_TTL)
    hashed = hash_code(code.text)
    store.add_invitation(tx, user.id, channel, hashed, expires_at=code.expires_at)
    return code


def confirm(tx: Tx, code: str) -> Identity | Refused:
    """Link the account that asked for this code to the caller.

    Shape:  a wrong code is returned, not raised: its try must be committed, or there
            would be no end of guessing. Five wrong ones shut for ten minutes.
    Raises: NotFound when the caller is no user of this tenant.
    """
    user = users.get_(tx, tx.principal.id)
    attempts = store.find_attempts(tx, user.id)
    if attempts.is_spent(tx.now):
        return _spent(tx, attempts)
    hashed = hash_code(fold_code(code))
    account = store.find_code(tx, hashed)
    if account is None:
        _count_wrong_code(tx, user.id, attempts)
        return Refused(reason=LinkRefusal.UNKNOWN)
    store.use_code(tx, hashed)
    if store.find(tx, account) is not None:
        return Refused(reason=LinkRefusal.TAKEN)
    return _link(tx, account, user)


def accept(tx: Tx, account: Account, code: str) -> Identity | Refused:
    """Link the account that types a code to the person who asked for it.

    Shape:  as `confirm`; the wrong codes of this account count.
    Raises: AlreadyExists when the account is linked.
    """
    if store.find(tx, account) is not None:
        raise AlreadyExists("this account is linked already", fix=["whoami", "unlink"])
    attempts = store.find_attempts(tx, tx.principal.id)
    if attempts.is_spent(tx.now):
        return _spent(tx, attempts)
    hashed = hash_code(fold_code(code))
    user_id = store.find_invitation(tx, account.channel, hashed)
    user = users.get_(tx, user_id) if user_id else None
    if user is None or not user.is_active:
        _count_wrong_code(tx, tx.principal.id, attempts)
        return Refused(reason=LinkRefusal.UNKNOWN)
    store.use_code(tx, hashed)
    return _link(tx, account, user)


def find_identity(tx: Tx, account: Account) -> Identity | None:
    """Find whom an account is linked to."""
    return store.find(tx, account)


def find_user(tx: Tx, account: Account) -> User | None:
    """Find the person that an account is linked to; None for a disabled one."""
    user = store.find_user(tx, account)
    return user if user is not None and user.is_active else None


def list_(tx: Tx, user_id: str) -> Sequence[Identity]:
    """List a person's linked accounts, oldest first."""
    return store.list_of(tx, user_id)


def unlink(tx: Tx, account: Account) -> Identity:
    """Undo a link.

    Raises: NotFound when the account is not linked.
    """
    identity = store.find(tx, account)
    if identity is None:
        raise NotFound("this link", fix=["whoami"])
    store.remove(tx, account)
    append(
        tx,
        "identity_unlinked",
        target=identity.user_id,
        channel=account.channel,
        account=account.account,
        sender=account.sender,
    )
    return identity


def _link(tx: Tx, account: Account, user: User) -> Identity:
    store.add(tx, account, user.id)
    append(
        tx,
        "identity_linked",
        target=user.id,
        channel=account.channel,
        account=account.account,
        sender=account.sender,
    )
    return Identity(account=account, user_id=user.id, linked_at=tx.now)


def _require_room(tx: Tx, open_codes: Sequence[datetime], *, scope: str) -> None:
    if len(open_codes) >= OPEN_CODES:
        raise RateLimited(
            f"{OPEN_CODES} open codes",
            scope=scope,
            retry_after=(open_codes[0] - tx.now).total_seconds(),
        )


def _spent(tx: Tx, attempts: Attempts) -> Refused:
    return Refused(reason=LinkRefusal.TOO_MANY, retry_after=attempts.until - tx.now)


def _count_wrong_code(tx: Tx, who: str, attempts: Attempts) -> None:
    is_same_window = tx.now < attempts.until
    store.save_attempts(
        tx,
        who,
        Attempts(
            count=attempts.count + 1 if is_same_window else 1,
            until=attempts.until if is_same_window else tx.now + ATTEMPT_WINDOW,
        ),
    )
