"""Link an account on a channel to a person, from both sides.

The sender asks on the channel and gets a code; the person, signed in elsewhere, types
it. So the channel shows that the account is theirs, and the sign-in who they are.
"""

from collections.abc import Sequence

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
    open_codes = store.list_open(tx, account)
    if len(open_codes) >= OPEN_CODES:
        raise RateLimited(
            f"{OPEN_CODES} open codes",
            scope="this account",
            retry_after=(open_codes[0] - tx.now).total_seconds(),
        )
    code = LinkCode(text=new_code(), expires_at=tx.now + CODE_TTL)
    store.add_code(tx, account, hash_code(code.text), expires_at=code.expires_at)
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
        return Refused(reason=LinkRefusal.TOO_MANY, retry_after=attempts.until - tx.now)
    hashed = hash_code(fold_code(code))
    account = store.find_code(tx, hashed)
    if account is None:
        _count_wrong_code(tx, user, attempts)
        return Refused(reason=LinkRefusal.UNKNOWN)
    store.use_code(tx, hashed)
    if store.find(tx, account) is not None:
        return Refused(reason=LinkRefusal.TAKEN)
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


def _count_wrong_code(tx: Tx, user: User, attempts: Attempts) -> None:
    is_same_window = tx.now < attempts.until
    store.save_attempts(
        tx,
        user.id,
        Attempts(
            count=attempts.count + 1 if is_same_window else 1,
            until=attempts.until if is_same_window else tx.now + ATTEMPT_WINDOW,
        ),
    )
