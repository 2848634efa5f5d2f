"""Who asks: a person, a key of theirs, or the system itself."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import NewType

TenantId = NewType("TenantId", str)

DEFAULT_TENANT = TenantId("default")


class Assurance(IntEnum):
    """How well the channel proved who sent the message."""

    UNVERIFIED = 0
    SENDER = 1
    SECRET = 2
    STEP_UP = 3


class Role(StrEnum):
    """A named set of scopes."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


ROLE_SCOPES: dict[Role, frozenset[str]] = {
    Role.VIEWER: frozenset({"*:read"}),
    Role.OPERATOR: frozenset(
        {
            "*:read",
            "tasks:write",
            "leases:write",
            "events:write",
            "agents:write",
            "approvals:write",
            "jobs:write",
            "runs:write",
            "schedules:write",
            "workflows:execute",
            "improvements:write",
            "outcomes:write",
            "multimodal:write",
            "chat:write",
        }
    ),
    Role.ADMIN: frozenset({"*"}),
}


HOW_TO_PAIR = {
    "Authorization": "send the header Authorization: Bearer <token> as well",
    "X-API-Key": "send the header X-API-Key: <key> as well",
}
"""How to send the second of two credentials, by its header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """One verified caller, with exactly the rights it may use.

    `name` is what people read and what tasks and leases are assigned to; `id` is
    stable. `key_id` names the API key that was used, if one was. `lacks` names the
    header of the second credential, where two are wanted for some commands and one came.
    """

    id: str
    name: str
    tenant: TenantId
    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    assurance: Assurance = Assurance.UNVERIFIED
    key_id: str = ""
    linked: bool = True
    timezone: str = "UTC"
    session: str = field(default="", compare=False)
    lacks: str = field(default="", compare=False)

    def may(self, scope: str) -> bool:
        """Tell whether this principal holds `scope` (`""` is open to everybody)."""
        if not scope or scope in self.scopes or "*" in self.scopes:
            return True
        family, _, verb = scope.partition(":")
        return f"{family}:*" in self.scopes or f"*:{verb}" in self.scopes


def system(tenant: TenantId = DEFAULT_TENANT, *, name: str = "system") -> Principal:
    """Build the principal under which the gateway's own work is recorded."""
    return Principal(
        id=name,
        name=name,
        tenant=tenant,
        scopes=frozenset({"*"}),
        assurance=Assurance.STEP_UP,
    )
