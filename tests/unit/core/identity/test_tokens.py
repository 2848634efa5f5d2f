"""Tokens: one algorithm, two types that never stand in for each other (R-61)."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.identity.tokens import ACCESS_TTL, SigningKeys, Tokens, TokenType
from core.kernel.ids import UserId
from core.kernel.principal import TenantId
from core.kernel.problems import Unauthenticated

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
SECRET = b"1" * 32
ISSUED = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": "opswire",
    "aud": "opswire",
    "sub": "U-1",
    "ten": "default",
    "sid": "se_1",
    "jti": "j1",
    "typ": "access",
    "iat": ISSUED,
    "nbf": ISSUED,
    "exp": ISSUED + 900,
}


def an_issuer(current: str = "k1", **secrets: bytes) -> Tokens:
    keys = SigningKeys(current=current, secrets=secrets or {"k1": SECRET})
    return Tokens(lambda: keys)


def forge(
    claims: dict[str, Any] | None = None,
    *,
    secret: bytes = SECRET,
    algorithm: str = "HS256",
    **headers: Any,
) -> str:
    """Sign whatever an attacker who knows the format would sign."""
    return jwt.encode(
        CLAIMS | (claims or {}), secret, algorithm, headers={"kid": "k1", **headers}
    )


def without(name: str) -> str:
    claims = {key: value for key, value in CLAIMS.items() if key != name}
    return jwt.encode(claims, SECRET, "HS256", headers={"kid": "k1"})


def raw(header: object, claims: object = CLAIMS, signature: bytes = b"") -> str:
    """Assemble a token that no library would make."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts
    )


def issue(tokens: Tokens) -> tuple[str, str]:
    pair = tokens.issue(
        UserId("U-1"), TenantId("acme"), session="se_1", jti="j1", now=NOW
    )
    return pair.access, pair.refresh


def test_a_token_says_who_it_was_issued_to() -> None:
    access, refresh = issue(an_issuer())

    claims = an_issuer().verify(access, TokenType.ACCESS, now=NOW)
    other = an_issuer().verify(refresh, TokenType.REFRESH, now=NOW)

    assert (claims.user_id, claims.tenant, claims.session) == ("U-1", "acme", "se_1")
    assert (other.jti, other.session) == ("j1", "se_1")


@pytest.mark.parametrize(
    ("index", "wanted"), [(0, TokenType.REFRESH), (1, TokenType.ACCESS)]
)
def test_types_are_never_interchangeable(index: int, wanted: TokenType) -> None:
    """R-61: refresh is not access."""
    with pytest.raises(Unauthenticated):
        an_issuer().verify(issue(an_issuer())[index], wanted, now=NOW)


@pytest.mark.parametrize(
    ("wanted", "ttl"),
    [(TokenType.ACCESS, ACCESS_TTL), (TokenType.REFRESH, timedelta(days=30))],
)
def test_a_token_ends_when_its_time_is_up(wanted: TokenType, ttl: timedelta) -> None:
    token = issue(an_issuer())[0 if wanted is TokenType.ACCESS else 1]

    an_issuer().verify(token, wanted, now=NOW + ttl - timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        an_issuer().verify(token, wanted, now=NOW + ttl)


def test_a_forgery_with_the_right_secret_is_what_we_sign() -> None:
    """The attacks below fail for their own reason, not for a slip in the forging."""
    assert an_issuer().verify(forge(), TokenType.ACCESS, now=NOW).user_id == "U-1"


ATTACKS: dict[str, Callable[[], str]] = {
    "alg none": lambda: raw({"alg": "none", "typ": "JWT", "kid": "k1"}),
    "alg None": lambda: raw({"alg": "None", "kid": "k1"}),
    "alg NONE": lambda: raw({"alg": "NONE", "kid": "k1"}),
    "alg empty": lambda: raw({"alg": "", "kid": "k1"}),
    "alg missing": lambda: raw({"kid": "k1"}),
    "alg a number": lambda: raw({"alg": 1, "kid": "k1"}),
    "alg a list": lambda: raw({"alg": ["HS256"], "kid": "k1"}),
    "alg hs384": lambda: forge(secret=SECRET * 2, algorithm="HS384"),
    "alg hs512 with our secret": lambda: forge(secret=SECRET * 2, algorithm="HS512"),
    "alg rs256": lambda: raw({"alg": "RS256", "kid": "k1"}, signature=b"x" * 256),
    "no signature": lambda: forge().rpartition(".")[0] + ".",
    "no third part": lambda: forge().rpartition(".")[0],
    "four parts": lambda: forge() + ".x",
    "signature of another": lambda: (
        forge({"sub": "U-2"}).rpartition(".")[0] + "." + forge().rpartition(".")[2]
    ),
    "another secret": lambda: forge(secret=b"2" * 32),
    "kid unknown": lambda: forge(kid="k9"),
    "kid a path": lambda: forge(kid="../../dev/null"),
    "kid sql": lambda: forge(kid="k1' OR '1'='1"),
    "kid missing": lambda: jwt.encode(CLAIMS, SECRET, "HS256"),
    "kid a list": lambda: raw({"alg": "HS256", "kid": ["k1"]}),
    "jwk in the header": lambda: forge(jwk={"kty": "oct", "k": "eA"}),
    "jku in the header": lambda: forge(jku="https://example.org/keys"),
    "x5u in the header": lambda: forge(x5u="https://example.org/cert"),
    "crit in the header": lambda: forge(crit=["exp"]),
    "b64 in the header": lambda: forge(b64=False),
    "iss of another": lambda: forge({"iss": "someone"}),
    "aud of another": lambda: forge({"aud": "someone"}),
    "aud a list": lambda: forge({"aud": ["opswire", "someone"]}),
    "exp past": lambda: forge({"exp": ISSUED - 1}),
    "exp now": lambda: forge({"exp": ISSUED}),
    "exp a text": lambda: forge({"exp": str(ISSUED + 900)}),
    "exp a float": lambda: forge({"exp": ISSUED + 900.5}),
    "exp true": lambda: forge({"exp": True}),
    "exp null": lambda: forge({"exp": None}),
    "nbf ahead": lambda: forge({"nbf": ISSUED + 3600}),
    "iat ahead": lambda: forge({"iat": ISSUED + 3600}),
    "sub a number": lambda: raw({"alg": "HS256", "kid": "k1"}, CLAIMS | {"sub": 1}),
    "ten a list": lambda: forge({"ten": ["default"]}),
    "typ refresh": lambda: forge({"typ": "refresh"}),
    "typ unknown": lambda: forge({"typ": "admin"}),
    "typ a list": lambda: forge({"typ": ["access"]}),
    "claims a list": lambda: raw({"alg": "HS256", "kid": "k1"}, [1]),
    "header a list": lambda: raw([1]),
    "too long": lambda: forge({"pad": "x" * 4096}),
    "not ascii": lambda: forge() + "é",
    "line break": lambda: forge() + "\n",
    "empty": lambda: "",
    "dots": lambda: "..",
    "deep": lambda: raw({"alg": "HS256", "kid": "k1"}, "x") + "[" * 1000,
    **{
        f"{name} missing": lambda name=name: without(name)  # type: ignore[misc]
        for name in CLAIMS
    },
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused(attack: str) -> None:
    """R-61."""
    with pytest.raises(Unauthenticated) as refusal:
        an_issuer().verify(ATTACKS[attack](), TokenType.ACCESS, now=NOW)

    assert refusal.value.fix


@settings(deadline=None)
@given(st.data())
def test_one_changed_character_is_noticed(data: st.DataObject) -> None:
    token = forge()
    place = data.draw(st.integers(0, len(token) - 2))
    wrong = data.draw(st.sampled_from("Ab0_-").filter(lambda one: one != token[place]))

    with pytest.raises(Unauthenticated):
        an_issuer().verify(
            token[:place] + wrong + token[place + 1 :], TokenType.ACCESS, now=NOW
        )


def test_a_clock_that_is_a_little_behind_still_agrees() -> None:
    access, _ = issue(an_issuer())

    an_issuer().verify(access, TokenType.ACCESS, now=NOW - timedelta(seconds=5))


def test_rotation_keeps_old_tokens_until_their_key_is_retired() -> None:
    """R-61: a new kid signs, the old one verifies, a retired one does not."""
    access, _ = issue(an_issuer())
    rotated = an_issuer("k2", k1=SECRET, k2=b"2" * 32)
    retired = an_issuer("k2", k2=b"2" * 32)

    rotated.verify(access, TokenType.ACCESS, now=NOW)
    retired.verify(issue(rotated)[0], TokenType.ACCESS, now=NOW)
    with pytest.raises(Unauthenticated):
        retired.verify(access, TokenType.ACCESS, now=NOW)
