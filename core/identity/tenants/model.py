"""What a tenant is, and how one may be called."""

import re
from dataclasses import dataclass
from datetime import datetime

from core.kernel.principal import TenantId
from core.kernel.problems import InvalidArgument

_SLUG = re.compile(r"[a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant. `id` is its slug and never changes; `name` is for people."""

    id: TenantId
    name: str
    created_at: datetime


def is_tenant_id(text: str) -> bool:
    """Tell whether a text could be a tenant's slug."""
    return _SLUG.fullmatch(text) is not None


def parse_tenant_id(text: str) -> TenantId:
    """Read a tenant's slug.

    Raises: InvalidArgument when it is none.
    """
    if not is_tenant_id(text):
        raise InvalidArgument(
            f"{text[:80]!r} is not a tenant's name",
            fix=["use 1 to 40 of a-z, 0-9 and -, such as acme"],
        )
    return TenantId(text)
