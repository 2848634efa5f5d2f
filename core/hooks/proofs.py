"""The secret of an endpoint, in the form that its kind of sender wants."""

from collections.abc import Callable, Mapping
from secrets import token_bytes, token_hex

from core.hooks.model import HookAuth, key_of, new_secret
from core.kernel.problems import InvalidArgument, Problem, Unavailable
from core.secrets.model import check_secret

LEAST_CHARS = 16
_MOST_CHARS = 200

_MAKE: Mapping[HookAuth, Callable[[], str]] = {
    HookAuth.KEY: str,
    HookAuth.STANDARD: new_secret,
    HookAuth.GITHUB: lambda: token_hex(32),
    HookAuth.GITLAB: new_secret,
    HookAuth.STRIPE: lambda: f"whsec_{token_hex(24)}",
    HookAuth.SLACK: lambda: token_bytes(16).hex(),
    HookAuth.GRAFANA: lambda: token_hex(32),
}


def make_secret(auth: HookAuth) -> str:
    """Make a secret for a kind of sender; "" for one that shows API keys."""
    return _MAKE[auth]()


def require_secret(auth: HookAuth, text: str) -> str:
    """Return a secret that the sender chose, when it is worth the name.

    Units:  16 to 200 printable characters of ASCII; for Standard Webhooks at least 24
            bytes in base64 after `whsec_`.
    Raises: InvalidArgument, which never says what the secret was.
    """
    if auth is HookAuth.KEY:
        raise InvalidArgument(
            "senders with API keys share no secret",
            fix=["leave --secret out", "choose another --auth"],
            argument="secret",
        )
    check_secret("secret", text, least=LEAST_CHARS)
    is_plain = text.isascii() and text.isprintable() and text == text.strip()
    if not is_plain or len(text) > _MOST_CHARS:
        raise InvalidArgument(
            "the secret has blanks around it, or characters that no header takes",
            fix=[f"use {LEAST_CHARS} to {_MOST_CHARS} printable characters of ASCII"],
            argument="secret",
        )
    if auth is HookAuth.STANDARD:
        _require_standard(text)
    return text


def signing_key(auth: HookAuth, secret: str) -> bytes:
    """Read the bytes that a kind of sender signs with out of its secret.

    Raises: Unavailable when there are none worth the name: nobody could then be told
            from anybody else.
    """
    try:
        text = require_secret(auth, secret)
        return key_of(text) if auth is HookAuth.STANDARD else text.encode()
    except Problem as fault:
        raise Unavailable(
            "this webhook has no usable secret", fix=["webhook rotate"]
        ) from fault


def _require_standard(text: str) -> None:
    try:
        key_of(text)
    except Unavailable as fault:
        raise InvalidArgument(
            "the secret is not one of Standard Webhooks",
            fix=["use whsec_ and at least 24 bytes in base64, or leave --secret out"],
            argument="secret",
        ) from fault
