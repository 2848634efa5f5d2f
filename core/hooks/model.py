"""What a webhook endpoint is, how it is addressed, and the secret it is signed with."""

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from secrets import token_bytes
from typing import NamedTuple, Protocol

from core.kernel.ids import WebhookId
from core.kernel.jsons import Json
from core.kernel.names import require_name
from core.kernel.principal import DEFAULT_TENANT, TenantId
from core.kernel.problems import (
    AlreadyExists,
    NotFound,
    Unavailable,
)

CHANNEL = "webhook"
PATH = "/v1/channels/webhook"
DELIVER_SCOPE = "webhooks:deliver"
WRITE_SCOPE = "webhooks:write"
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=30)

_SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix that marks secrets, and none itself)
_SECRET_BYTES = 32
_LEAST_SECRET_BYTES = 24
# At an endpoint's address these would be the channel's own commands.
_TAKEN = frozenset({"disable", "enable", "limit", "test"})
ECHO = "echo"
_ADDRESS = re.compile(r"(?:([a-z0-9-]{1,40})\.)?([A-Za-z0-9-]{1,40})")


class HookAuth(StrEnum):
    """How a sender proves itself: an API key, or a signature of one of these kinds."""

    KEY = "key"
    STANDARD = "standard"
    GITHUB = "github"
    GITLAB = "gitlab"
    STRIPE = "stripe"
    SLACK = "slack"
    GRAFANA = "grafana"


class Vault(Protocol):
    """Keeps secrets that must be read again."""

    def seal(self, plaintext: bytes, *, context: str) -> str:
        """Encrypt a secret for one place."""

    def open_(self, sealed: str, *, context: str) -> bytes:
        """Decrypt a secret in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadMap:
    """What a payload becomes: always the same command, with values picked out of it.

    Shape:  `arguments` maps an argument to a JMESPath expression, `templates` one to a
            text with `{expression}` in it, `fixed` one to a value. `filter` must find
            something true in the payload, "" lets every one pass. `each` finds a list;
            the command then runs once per element, and the expressions look at that.
    """

    command: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Json] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    filter: str = ""
    each: str = ""

    @property
    def names(self) -> list[str]:
        """Every argument that is set, as often as it is."""
        return [*self.arguments, *self.fixed, *self.templates]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address that others deliver to.

    Shape:  each of `rules` looks at a delivery by itself; without any, deliveries are
            only kept and shown. `callback` is the subscription that is told of each
            answer, "" for none. `secret` and `previous_secret` are sealed; both are ""
            unless deliveries are signed, and the previous one counts until
            `previous_until`. `creator_scopes` is what the creator could do then; it
            runs with what of it is left.
    """

    id: WebhookId
    name: str
    auth: HookAuth
    rules: tuple[PayloadMap, ...]
    creator_id: str
    creator_scopes: frozenset[str]
    created_at: datetime
    callback: str = ""
    secret: str = ""
    previous_secret: str = ""
    previous_until: datetime | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether it is the one that everybody has and nobody made."""
        return self.id == ECHO


def echo() -> Endpoint:
    """Return the endpoint for trying things out, which only keeps and shows."""
    return Endpoint(
        id=WebhookId(ECHO),
        name=ECHO,
        auth=HookAuth.KEY,
        rules=(),
        creator_id="",
        creator_scopes=frozenset(),
        created_at=datetime.fromtimestamp(0, UTC),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """An endpoint with the only readable copy of its secret; "" when it has none."""

    endpoint: Endpoint
    secret: str


class Address(NamedTuple):
    """Whose endpoint is meant, and which one, by name or id."""

    tenant: TenantId
    reference: str


def parse_name(text: str) -> str:
    """Read an endpoint's name, which stands in its address.

    Raises: InvalidArgument, AlreadyExists.
    """
    if text == ECHO:
        raise AlreadyExists(
            f"the webhook {ECHO} is there for everybody, for trying things out",
            fix=["choose another name", f"webhook show {ECHO}"],
        )
    return require_name("a webhook", text, such_as="deploys", taken=_TAKEN)


def path_of(tenant: TenantId, name: str) -> str:
    """Write the path that others deliver to; other tenants' names carry the tenant."""
    prefix = "" if tenant == DEFAULT_TENANT else f"{tenant}."
    return f"{PATH}/{prefix}{name}"


def parse_address(text: str) -> Address:
    """Read the last part of a path.

    Raises: NotFound when no endpoint could have this address.
    """
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise unknown(text)
    return Address(TenantId(found[1] or DEFAULT_TENANT), found[2])


def unknown(reference: str) -> NotFound:
    """Say that there is no such endpoint, in the same words whatever the reason."""
    return NotFound(f"the webhook {reference[:40]}", fix=["webhook list"])


def new_secret() -> str:
    """Make a secret in the form that Standard Webhooks senders take."""
    return _SECRET_PREFIX + b64encode(token_bytes(_SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Read the signing key out of a secret.

    Raises: Unavailable when there is none worth the name: nobody could then be told
            from anybody else.
    """
    try:
        key = b64decode(secret.removeprefix(_SECRET_PREFIX), validate=True)
    except (Error, ValueError):
        key = b""
    if len(key) < _LEAST_SECRET_BYTES:
        raise Unavailable("this webhook has no usable secret", fix=["webhook rotate"])
    return key
