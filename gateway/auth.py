"""Credentials to a Principal: API keys, access tokens and the bootstrap key.

A credential that was verified within the last seconds costs one hash and one look-up.
Nothing that a client says about itself is believed: tenant, roles and scopes come from
the database, and again every few seconds, so that a revocation is live on every
process within five.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest

from core.database import Database
from core.identity.keys import service as keys
from core.identity.keys.model import KEY_PREFIX, hash_key, is_key_text
from core.identity.scopes import meet
from core.identity.tokens import SigningKeys, Tokens, TokenType
from core.identity.users.model import User
from core.kernel.clock import Clock
from core.kernel.principal import (
    HOW_TO_PAIR,
    Assurance,
    Principal,
    Role,
    TenantId,
    system,
)
from core.kernel.problems import Unauthenticated, Unavailable
from core.secrets.model import Keystore, Purpose, check_secret
from gateway import proofs
from gateway.principals import Principals, Ticks, digest
from gateway.proofs import NEW_KEY, Verified
from gateway.settings import BOOTSTRAP_LEAST_CHARS

BOOTSTRAP_KEY_ID = "bootstrap"
TOUCH_EVERY = timedelta(minutes=1)

_BEARER = "Bearer "
_CREDENTIAL_CHARS = 4096
_HOW = (
    "send the header Authorization: Bearer <key or token>",
    "or send the header X-API-Key: <key>",
    "in a terminal: set OPSWIRE_API_KEY, or run: ops login <link>",
)


_HOW_BOTH = (
    "send the header Authorization: Bearer <token>",
    "and send the header X-API-Key: <key> of the same person",
)


class BootstrapKey:
    """The admin key that the settings name; it needs no row and outlives every one."""

    def __init__(self, text: str, admin: User) -> None:
        check_secret("bootstrap_admin_key", text, least=BOOTSTRAP_LEAST_CHARS)
        self._digest = digest(text)
        self.principal = Principal(
            id=admin.id,
            name=admin.name,
            tenant=admin.tenant,
            roles=frozenset({Role.ADMIN}),
            scopes=frozenset({"*"}),
            assurance=Assurance.SECRET,
            key_id=BOOTSTRAP_KEY_ID,
            timezone=admin.timezone,
        )

    def is_key(self, hashed: bytes) -> bool:
        """Compare with the digest of what was sent, in constant time."""
        return compare_digest(hashed, self._digest)


class Authenticator:
    """Finds the principal of a credential, and whether it still is one."""

    def __init__(
        self,
        db: Database,
        tokens: Tokens,
        *,
        clock: Clock,
        bootstrap: BootstrapKey | None = None,
        ticks: Ticks = time.monotonic,
        wants_pairs: bool = False,
    ) -> None:
        self._db = db
        self._tokens = tokens
        self._clock = clock
        self._bootstrap = bootstrap
        self._ticks = ticks
        self._wants_pairs = wants_pairs
        self._principals = Principals(ticks)

    def recall(self, header: str) -> Principal | None:
        """Return the principal of a credential verified a moment ago, without waiting.

        Shape:  takes the value of Authorization or of X-API-Key; None means ask
                `authenticate`, and is no refusal.
        """
        credential = header[7:] if header[:7] == _BEARER else header
        return self._principals.recall(digest(credential))

    async def authenticate(
        self, authorization: str = "", api_key: str = ""
    ) -> Principal:
        """Return the principal of a credential; Authorization goes before X-API-Key.

        Shape:  where pairs are wanted, two that came are both looked at.
        Raises: Unauthenticated saying what is wrong with it and how to mend that;
                Unavailable when it cannot be checked.
        """
        if self._wants_pairs and authorization and api_key:
            return await self.authenticate_both(authorization, api_key)
        credential = _bearer(authorization) if authorization else api_key.strip()
        if not credential or len(credential) > _CREDENTIAL_CHARS:
            raise Unauthenticated("no credential was sent", fix=_HOW)
        hashed = digest(credential)
        known = self._principals.recall(hashed)
        return known or await self._verify(credential, hashed)

    async def authenticate_both(self, authorization: str, api_key: str) -> Principal:
        """Demand an access token and an API key of the same person.

        Shape:  the principal may do what both allow.
        Raises: Unauthenticated naming the one that is missing, or that they differ.
        """
        if not authorization or not api_key:
            missing = "X-API-Key" if authorization else "Authorization"
            raise Unauthenticated(
                f"this needs the header {missing} as well",
                fix=[HOW_TO_PAIR[missing]] if authorization or api_key else _HOW_BOTH,
            )
        person = await self.authenticate(authorization)
        holder = await self.authenticate(api_key=api_key)
        if person.key_id or not holder.key_id:
            raise Unauthenticated(
                "this needs an access token and an API key", fix=_HOW_BOTH
            )
        if (person.tenant, person.id) != (holder.tenant, holder.id):
            raise Unauthenticated(
                "the token and the API key belong to different people",
                fix=["use a key of your own"],
            )
        return replace(
            holder,
            scopes=meet(person.scopes, holder.scopes),
            session=person.session,
            lacks="",
        )

    async def is_still_valid(self, principal: Principal) -> bool:
        """Tell whether an open connection may go on: key, session, user and rights."""
        if principal.key_id == BOOTSTRAP_KEY_ID:
            return self._bootstrap is not None
        if not principal.linked:
            return True
        return await self._db.read(
            lambda tx: proofs.is_still_valid(tx, principal), by=principal
        )

    def forget(self, tenant: TenantId, subject: str) -> None:
        """Ask the database again about a key or a user, by id, from now on."""
        self._principals.forget(tenant, subject)

    def invalidate_all(self) -> None:
        """Ask the database again about everybody; may be called from any thread."""
        self._principals.clear()

    async def reread(self) -> None:
        """Do the same after a command that changed somebody's rights."""
        self.invalidate_all()

    async def _verify(self, credential: str, hashed: bytes) -> Principal:
        self._principals.require_unrefused(hashed)
        self._principals.lend(hashed)
        read_at, generation = self._ticks(), self._principals.generation
        try:
            verified = await self._look_up(credential, hashed)
        except Unauthenticated as refusal:
            self._principals.refuse(hashed, refusal)
            raise
        principal = self._marked(verified.principal)
        if generation == self._principals.generation:
            self._principals.keep(
                hashed, principal, read_at=read_at, lasts=self._lasts(verified)
            )
        return principal

    def _marked(self, principal: Principal) -> Principal:
        """Note which credential is missing, where two are wanted for some commands."""
        if not self._wants_pairs:
            return principal
        return replace(
            principal, lacks="Authorization" if principal.key_id else "X-API-Key"
        )

    async def _look_up(self, credential: str, hashed: bytes) -> Verified:
        if self._bootstrap is not None and self._bootstrap.is_key(hashed):
            return Verified(principal=self._bootstrap.principal)
        if credential.startswith(KEY_PREFIX):
            return await self._look_up_key(credential)
        if credential.count(".") == 2:
            return await self._look_up_token(credential)
        raise Unauthenticated("this is neither an API key nor a token", fix=_HOW)

    async def _look_up_key(self, text: str) -> Verified:
        if not is_key_text(text):
            raise Unauthenticated(
                "this API key is mistyped: its checksum does not fit",
                fix=["copy the whole key again", NEW_KEY],
            )
        hashed = hash_key(text)
        verified = await self._db.read(
            lambda tx: proofs.verify_key(tx, hashed), by=system()
        )
        self._note_use(verified)
        return verified

    async def _look_up_token(self, token: str) -> Verified:
        claims = self._tokens.verify(token, TokenType.ACCESS, now=self._clock.now())
        return await self._db.read(
            lambda tx: proofs.verify_claims(tx, claims), by=system(claims.tenant)
        )

    def _note_use(self, verified: Verified) -> None:
        """Write down that a key is in use, at most once a minute, waiting for nobody."""
        last, key_id = verified.last_used_at, verified.principal.key_id
        if last is None or self._clock.now() - last >= TOUCH_EVERY:
            # A database too busy to note this is no reason to turn the key away.
            with suppress(Unavailable):
                self._db.post(lambda tx: keys.touch(tx, key_id), by=verified.principal)

    def _lasts(self, verified: Verified) -> float:
        if verified.expires_at is None:
            return float("inf")
        return (verified.expires_at - self._clock.now()).total_seconds()


def signing_keys(keystore: Keystore) -> Callable[[], SigningKeys]:
    """Give tokens the keystore's present keys, so that a rotation is live at once."""

    def present() -> SigningKeys:
        ring = keystore.ring(Purpose.SIGN)
        return SigningKeys(current=ring.current, secrets=ring.keys)

    return present


def _bearer(authorization: str) -> str:
    scheme, _, credential = authorization.strip().partition(" ")
    if scheme.casefold() != "bearer" or not credential.strip():
        raise Unauthenticated("the Authorization header is not Bearer", fix=_HOW)
    return credential.strip()
