"""Signing in and out: by password or link, refreshing, ending a session."""

import asyncio
from typing import assert_never

from core.database import Database
from core.identity.logins import service as logins
from core.identity.logins.model import link_refused, tenant_of
from core.identity.sessions import service as sessions
from core.identity.sessions.model import Standing
from core.identity.tokens import TokenPair, Tokens, TokenType
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.identity.users.passwords import is_password
from core.kernel.clock import Clock
from core.kernel.principal import DEFAULT_TENANT, Assurance, TenantId, system
from core.kernel.problems import Unauthenticated

_PASSWORDS_AT_ONCE = 2


class SignIn:
    """Turns proofs of identity into token pairs.

    Shape:  whatever is wrong with a name or a password, the answer and its time are
            the same. Nothing is written for somebody who did not prove who they are.
    """

    def __init__(self, db: Database, tokens: Tokens, *, clock: Clock) -> None:
        self._db = db
        self._tokens = tokens
        self._clock = clock
        self._hashing = asyncio.Semaphore(_PASSWORDS_AT_ONCE)

    async def by_password(
        self, name: str, password: str, *, tenant: TenantId = DEFAULT_TENANT
    ) -> TokenPair:
        """Sign in with a name and a password.

        Raises: Unauthenticated.
        """
        user, stored = await self._db.read(
            lambda tx: users.find_password(tx, name), by=system(tenant)
        )
        async with self._hashing:
            is_right = await asyncio.to_thread(is_password, password, stored)
        if user is None or not is_right:
            raise Unauthenticated(
                "the name or the password is wrong", fix=["check both", "ask an admin"]
            )
        return await self._begin(user)

    async def by_link(self, token: str) -> TokenPair:
        """Sign in with a one-time link.

        Raises: Unauthenticated.
        """
        user = await self._db.read(
            lambda tx: logins.find_link_user(tx, token), by=system(tenant_of(token))
        )
        if user is None:
            raise link_refused()
        return await self._db.write(
            lambda tx: logins.use_link(tx, token, self._tokens),
            by=to_principal(user, Assurance.SECRET),
        )

    async def refresh(self, token: str) -> TokenPair:
        """Swap a refresh token for a new pair; the old one no longer works.

        Raises: Unauthenticated; a token that comes back ends its session.
        """
        claims = self._tokens.verify(token, TokenType.REFRESH, now=self._clock.now())
        outcome = await self._db.write(
            lambda tx: logins.refresh(tx, claims, self._tokens),
            by=system(claims.tenant),
        )
        if isinstance(outcome, Standing):
            raise _refused(outcome)
        return outcome

    async def end(self, token: str) -> None:
        """Sign out: end the session of a refresh token.

        Raises: Unauthenticated.
        """
        claims = self._tokens.verify(token, TokenType.REFRESH, now=self._clock.now())
        await self._db.write(
            lambda tx: sessions.end(tx, claims.session), by=system(claims.tenant)
        )

    async def _begin(self, user: User) -> TokenPair:
        return await self._db.write(
            lambda tx: logins.sign_in(tx, user, self._tokens),
            by=to_principal(user, Assurance.SECRET),
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
