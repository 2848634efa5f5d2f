"""JSON Web Tokens: HS256 and nothing else, access and refresh never interchangeable.

PyJWT checks the signature, audience and issuer. The times are compared here, with
the caller's `now`, and only as whole numbers: a token is either ours or refused.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt

from core.identity.sessions.model import SESSION_TTL, new_jti
from core.kernel.ids import UserId
from core.kernel.principal import TenantId
from core.kernel.problems import Unauthenticated

ACCESS_TTL = timedelta(minutes=15)
ISSUER = "opswire"
AUDIENCE = "opswire"
TOKEN_CHARS = 2048

_ALGORITHM = "HS256"
_HEADER = frozenset({"alg", "typ", "kid"})
_TEXTS = ("iss", "aud", "sub", "ten", "sid", "jti", "typ")
_TIMES = ("iat", "nbf", "exp")
_SKEW_SECONDS = 10
_SIGN_IN = ("sign in again",)


class TokenType(StrEnum):
    """What a token is good for."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeys:
    """The secrets that tokens are signed with; `current` names the one for new tokens."""

    current: str
    secrets: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a verified token says; rights are not in it, they are looked up.

    Units:  `expires_at` is whole seconds since 1970.
    """

    type: TokenType
    user_id: UserId
    tenant: TenantId
    session: str
    jti: str
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What a sign-in or a refresh gives; `expires_in` is of the access token."""

    access: str
    refresh: str
    expires_in: timedelta = ACCESS_TTL


class Tokens:
    """Issues and verifies tokens with whatever keys are in force at that moment."""

    def __init__(self, keys: Callable[[], SigningKeys]) -> None:
        self._keys = keys

    def issue(
        self,
        user_id: UserId,
        tenant: TenantId,
        *,
        session: str,
        jti: str,
        now: datetime,
    ) -> TokenPair:
        """Issue both tokens of a session; `jti` is the refresh token's id."""
        who = {"sub": user_id, "ten": tenant, "sid": session}
        return TokenPair(
            access=self._sign({**who, "jti": new_jti()}, TokenType.ACCESS, now=now),
            refresh=self._sign({**who, "jti": jti}, TokenType.REFRESH, now=now),
        )

    def verify(self, token: str, wanted: TokenType, *, now: datetime) -> Claims:
        """Read a token of the wanted type.

        Raises: Unauthenticated saying whether it is expired or not valid at all.
        """
        claims = self._decode(token)
        if claims["typ"] != wanted.value:
            raise Unauthenticated(
                f"this is no {wanted} token", fix=[f"send the {wanted} token"]
            )
        _require_time(claims, int(now.timestamp()))
        return Claims(
            type=wanted,
            user_id=UserId(claims["sub"]),
            tenant=TenantId(claims["ten"]),
            session=claims["sid"],
            jti=claims["jti"],
            expires_at=claims["exp"],
        )

    def _sign(
        self, claims: Mapping[str, str], kind: TokenType, *, now: datetime
    ) -> str:
        keys = self._keys()
        issued = int(now.timestamp())
        ttl = ACCESS_TTL if kind is TokenType.ACCESS else SESSION_TTL
        body = {
            **claims,
            "typ": kind.value,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(ttl.total_seconds()),
        }
        return jwt.encode(
            body, keys.secrets[keys.current], _ALGORITHM, headers={"kid": keys.current}
        )

    def _decode(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret_of(token),
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": [*_TEXTS, *_TIMES],
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as fault:
            raise _invalid() from fault
        are_texts = all(type(claims[name]) is str for name in _TEXTS)
        are_times = all(type(claims[name]) is int for name in _TIMES)
        if not (are_texts and are_times):
            raise _invalid()
        return claims

    def _secret_of(self, token: str) -> bytes:
        if len(token) > TOKEN_CHARS or not token.isascii():
            raise _invalid()
        header = jwt.get_unverified_header(token)
        secret = self._keys().secrets.get(str(header.get("kid")))
        if secret is None or not _HEADER.issuperset(header):
            raise _invalid()
        return secret


def _require_time(claims: Mapping[str, int], now: int) -> None:
    if now >= claims["exp"]:
        raise Unauthenticated("the token has expired", fix=["refresh it", *_SIGN_IN])
    if now + _SKEW_SECONDS < max(claims["nbf"], claims["iat"]):
        raise Unauthenticated(
            "the token is not valid yet", fix=["check the clocks of the gateways"]
        )


def _invalid() -> Unauthenticated:
    return Unauthenticated("the token is not valid", fix=_SIGN_IN)
