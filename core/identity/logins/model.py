"""What a login link is; its token names its tenant, so that we look there only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from core.identity.tenants.model import parse_tenant_id
from core.kernel.principal import TenantId
from core.kernel.problems import InvalidArgument, Unauthenticated

LINK_TTL = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLink:
    """A way in for one person, once; the only copy of its token."""

    token: str
    expires_at: datetime


def new_token(tenant: TenantId) -> str:
    """Make the token of a link: the tenant, then 256 random bits."""
    return f"{tenant}.{token_urlsafe(32)}"


def tenant_of(token: str) -> TenantId:
    """Read where to look a token up; nothing else is believed of it.

    Raises: Unauthenticated when it is no token of ours.
    """
    try:
        return parse_tenant_id(token.partition(".")[0])
    except InvalidArgument as fault:
        raise link_refused() from fault


def hash_token(token: str) -> str:
    """Hash a token as it is stored."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def link_refused() -> Unauthenticated:
    """Say that a link lets nobody in; not why, for it may be somebody else's."""
    return Unauthenticated(
        "this login link is used up, expired or mistyped", fix=["ask for a new link"]
    )
