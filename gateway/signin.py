"""Signing in and out: by password or link, refreshing, ending a session."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, assert_never

from core.audit.model import AuditDraft, Verdict
from core.database import Database, Tx
from core.identity.logins import service as logins
from core.identity.logins.model import link_refused, tenant_of
from core.identity.sessions import service as sessions
from core.identity.sessions.model import Standing
from core.identity.tenants import service as tenants
from core.identity.tokens import Claims, TokenPair, Tokens, TokenType
from core.identity.users import service as users
from core.identity.users import store as user_store
from core.identity.users.model import User, to_principal
from core.identity.users.passwords import (
    NO_PASSWORD,
    PasswordHash,
    hash_password,
    is_password,
)
from core.kernel.clock import Clock
from core.kernel.principal import (
    DEFAULT_TENANT,
    Assurance,
    Principal,
    TenantId,
    system,
)
from core.kernel.problems import (
    Conflict,
    Forbidden,
    NotFound,
    Unauthenticated,
    Unavailable,
)

LOGIN = "auth login"
REFRESH = "auth refresh"
LOGOUT = "auth logout"
CHANGE = "auth password"

_PASSWORDS_AT_ONCE = 2

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Where somebody signs in, as the audit tells it; `address` is that of the socket."""

    request_id: str = ""
    channel: str = "rest"
    address: str = ""


class SignIn:
    """Turns proofs of identity into token pairs.

    Shape:  whatever is wrong with a name or a password, the answer and its time are
            the same. Nothing is written for somebody who did not prove who they are;
            what succeeds is audited in the unit that does it.
    """

    def __init__(self, db: Database, tokens: Tokens, *, clock: Clock) -> None:
        self._db = db
        self._tokens = tokens
        self._clock = clock
        self._hashing = asyncio.Semaphore(_PASSWORDS_AT_ONCE)

    async def by_password(
        self,
        name: str,
        password: str,
        *,
        tenant: TenantId = DEFAULT_TENANT,
        visit: Visit = Visit(),
    ) -> TokenPair:
        """Sign in with a name and a password.

        Raises: Unauthenticated.
        """
        user, stored = await self._db.read(
            lambda tx: users.find_password(tx, name), by=system(tenant)
        )
        is_right = await self._hash(lambda: is_password(password, stored))
        if user is None or not is_right:
            raise Unauthenticated(
                "the name or the password is wrong", fix=["check both", "ask an admin"]
            )
        return await self._db.write(
            lambda tx: self._begin(tx, user, visit),
            by=to_principal(user, Assurance.SECRET),
        )

    async def by_link(
        self,
        token: str,
        *,
        visit: Visit = Visit(),
    ) -> TokenPair:
        """Sign in with a one-time link.

        Raises: Unauthenticated.
        """
        user = await self._db.read(
            lambda tx: logins.find_link_user(tx, token), by=system(tenant_of(token))
        )
        if user is None:
            raise link_refused()

        def use(tx: Tx) -> TokenPair:
            pair = logins.use_link(tx, token, self._tokens)
            _note(tx, LOGIN, user.name, visit=visit, reason="by link")
            return pair

        return await self._db.write(use, by=to_principal(user, Assurance.SECRET))

    async def refresh(
        self,
        token: str,
        *,
        visit: Visit = Visit(),
    ) -> TokenPair:
        """Swap a refresh token for a new pair; the old one no longer works.

        Raises: Unauthenticated; a token that comes back ends its session.
        """
        claims = self._refresh_claims(token)

        def swap(tx: Tx) -> TokenPair | Standing:
            outcome = logins.refresh(tx, claims, self._tokens)
            if not isinstance(outcome, Standing):
                _note(tx, REFRESH, _name_of(tx, claims), visit=visit)
            return outcome

        outcome = await self._db.write(swap, by=system(claims.tenant))
        if isinstance(outcome, Standing):
            raise _refused(outcome)
        return outcome

    async def end(
        self,
        token: str,
        *,
        visit: Visit = Visit(),
    ) -> Claims:
        """Sign out: end the session of a refresh token; tell whose it was.

        Raises: Unauthenticated.
        """
        claims = self._refresh_claims(token)

        def end(tx: Tx) -> None:
            sessions.end(tx, claims.session)
            _note(tx, LOGOUT, _name_of(tx, claims), visit=visit)

        await self._db.write(end, by=system(claims.tenant))
        return claims

    async def change_password(
        self, principal: Principal, *, current: str, new: str, visit: Visit
    ) -> TokenPair:
        """Set a signed-in person's password; all other sessions of theirs end.

        Shape:  a key cannot do this, for its owner may be allowed more than it is.
        Raises: Forbidden without a session or with a wrong `current`, which somebody
                without a password need not give; InvalidArgument, Conflict.
        """
        if not principal.session:
            raise Forbidden(
                "only somebody who signed in can set a password", fix=["ops login"]
            )
        stored = await self._db.read(
            lambda tx: _password_of(tx, principal), by=principal
        )
        if stored != NO_PASSWORD and not await self._hash(
            lambda: is_password(current, stored)
        ):
            raise Forbidden("the current password is wrong", fix=["send it as current"])
        hashed = await self._hash(lambda: hash_password(new))

        def replace(tx: Tx) -> TokenPair:
            if _password_of(tx, principal) != stored:
                raise Conflict("the password was changed meanwhile", fix=["try again"])
            user = users.set_password(tx, principal.id, hashed)
            _note(tx, CHANGE, user.name, visit=visit)
            return logins.sign_in(tx, user, self._tokens)

        return await self._db.write(replace, by=principal)

    async def home_of(self, tenant: str) -> TenantId:
        """Name the tenant that is to hear of a failed sign-in: its own, if there is one."""
        try:
            found = await self._db.read(
                lambda tx: tenants.get_(tx, tenant), by=system()
            )
        except (NotFound, Unavailable):
            return DEFAULT_TENANT
        return found.id

    def _begin(self, tx: Tx, user: User, visit: Visit) -> TokenPair:
        pair = logins.sign_in(tx, user, self._tokens)
        _note(tx, LOGIN, user.name, visit=visit, reason="by password")
        return pair

    def _refresh_claims(self, token: str) -> Claims:
        return self._tokens.verify(token, TokenType.REFRESH, now=self._clock.now())

    async def _hash(self, work: Callable[[], Made]) -> Made:
        """Do argon2's work on a thread; it takes 64 MiB, so few at a time."""
        async with self._hashing:
            return await asyncio.to_thread(work)


def _password_of(tx: Tx, principal: Principal) -> PasswordHash:
    return users.find_password(tx, principal.name)[1]


def _name_of(tx: Tx, claims: Claims) -> str:
    user = user_store.find(tx, claims.user_id)
    return user.name if user else claims.user_id


def _note(tx: Tx, action: str, actor: str, *, visit: Visit, reason: str = "") -> None:
    tx.record(
        AuditDraft(
            action=action,
            actor=actor,
            channel=visit.channel,
            account=visit.address,
            target=actor,
            verdict=Verdict.ALLOWED,
            reason=reason,
            request_id=visit.request_id,
        )
    )


def _refused(standing: Standing) -> Unauthenticated:
    match standing:
        case Standing.REUSED:
            detail = "this refresh token was used before, so its session was ended"
        case Standing.EXPIRED:
            detail = "this session has expired"
        case Standing.ENDED | Standing.CURRENT:
            detail = "this session has ended"
        case _:
            assert_never(standing)
    return Unauthenticated(detail, fix=["sign in again"])
