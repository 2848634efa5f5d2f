"""Sign people in and keep them signed in."""

from core.database import Tx
from core.events.service import append
from core.identity.logins import store
from core.identity.logins.model import (
    LINK_TTL,
    LoginLink,
    hash_token,
    link_refused,
    new_token,
)
from core.identity.scopes import require_cover
from core.identity.sessions import service as sessions
from core.identity.sessions.model import Standing
from core.identity.tokens import Claims, TokenPair, Tokens
from core.identity.users import service as users
from core.identity.users import store as user_store
from core.identity.users.model import User
from core.kernel.problems import Forbidden, Unauthenticated


def create_link(tx: Tx, user_id: str) -> LoginLink:
    """Make a link that lets a person in once, within fifteen minutes.

    Raises: NotFound, Forbidden when disabled, MissingScope when the person may do
            more than the caller.
    """
    user = users.get_(tx, user_id)
    require_cover(tx.principal, user.scopes)
    if not user.is_active:
        raise Forbidden(f"{user.name} is disabled", fix=[f"user enable {user.id}"])
    link = LoginLink(token=new_token(tx.tenant), expires_at=tx.now + LINK_TTL)
    store.add(tx, hash_token(link.token), user.id, expires_at=link.expires_at)
    append(tx, "login_link_created", target=user.id)
    return link


def find_link_user(tx: Tx, token: str) -> User | None:
    """Find whom an unused link would let in, without using it."""
    user = user_store.find(tx, store.find_user_id(tx, hash_token(token)))
    return user if user is not None and user.is_active else None


def use_link(tx: Tx, token: str, tokens: Tokens) -> TokenPair:
    """Use a link up and sign its person in.

    Raises: Unauthenticated when it is used, expired or unknown.
    """
    user = find_link_user(tx, token)
    if user is None or not store.use(tx, hash_token(token)):
        raise link_refused()
    return sign_in(tx, user, tokens)


def sign_in(tx: Tx, user: User, tokens: Tokens) -> TokenPair:
    """Begin a session for a person who has proved who they are.

    Raises: Unauthenticated when the user was disabled or removed meanwhile.
    """
    current = user_store.find(tx, user.id)
    if current is None or not current.is_active:
        raise Unauthenticated("this user cannot sign in", fix=["ask an admin"])
    session, jti = sessions.begin(tx, user.id)
    return tokens.issue(user.id, tx.tenant, session=session.id, jti=jti, now=tx.now)


def refresh(tx: Tx, claims: Claims, tokens: Tokens) -> TokenPair | Standing:
    """Swap a verified refresh token for a new pair.

    Shape:  a refusal is returned, not raised: the end of a session whose token was
            reused must be committed.
    """
    user = user_store.find(tx, claims.user_id)
    if user is None or not user.is_active:
        return Standing.ENDED
    standing, jti = sessions.refresh(tx, claims.session, claims.jti)
    if standing is not Standing.CURRENT:
        return standing
    return tokens.issue(user.id, tx.tenant, session=claims.session, jti=jti, now=tx.now)
