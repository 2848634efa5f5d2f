"""What a workspace is, how its account is named, and what a bot token looks like."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.identity.tenants.model import parse_tenant_id
from core.kernel.principal import DEFAULT_TENANT, TenantId
from core.kernel.problems import InvalidArgument, NotFound, Unauthenticated

DEFAULT_ACCOUNT = "default"
CONSENT_TTL = timedelta(minutes=15)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TOKEN = re.compile(r"xox[be](?:\.xox[bp])?-[A-Za-z0-9-]{10,400}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who a token belongs to, as Slack said when it was asked with that token."""

    team_id: str
    enterprise_id: str
    bot_user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One installation of the app.

    Shape:  `token` is sealed. `team` is None until Slack was asked with the token: what
            an installer says about themselves is never believed. `fault` says why the
            token does not work, "" when it does or was not tried yet.
    """

    name: str
    token: str
    installed_by: str
    created_at: datetime
    team: Team | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What an admin of ours asked for, and an admin of a workspace may agree to."""

    name: str
    asked_by: str


def tenant_of_state(state: str) -> TenantId:
    """Read where to look a state up; nothing else is believed of it.

    Raises: Unauthenticated when it is none of ours.
    """
    try:
        return parse_tenant_id(state.partition(".")[0])
    except InvalidArgument as fault:
        raise consent_refused() from fault


def consent_refused() -> Unauthenticated:
    """Say that nothing is installed; not why, for it may be somebody else's."""
    return Unauthenticated(
        "this installation is used up, expired or mistyped", fix=["workspace install"]
    )


def parse_name(text: str) -> str:
    """Read a workspace's name.

    Raises: InvalidArgument.
    """
    if not _NAME.fullmatch(text) or text == DEFAULT_ACCOUNT:
        raise InvalidArgument(
            f"{text[:80]!r} is not a name for a workspace",
            fix=[f"use 1 to 40 of a-z, 0-9 and -, but not {DEFAULT_ACCOUNT}"],
            argument="name",
        )
    return text


def parse_token(text: str) -> str:
    """Read a bot token; whoever sees the refusal does not learn what was sent.

    Raises: InvalidArgument.
    """
    if not _TOKEN.fullmatch(text):
        raise InvalidArgument(
            "this is no bot token",
            fix=["copy the Bot User OAuth Token, which begins with xoxb-"],
            argument="token",
        )
    return text


def account_of(tenant: TenantId, name: str) -> str:
    """Name a workspace's account, which no other tenant's workspace has."""
    return name if tenant == DEFAULT_TENANT else f"{tenant}.{name}"


def tenant_of(account: str) -> TenantId:
    """Tell which tenant an account serves."""
    tenant, dot, _ = account.rpartition(".")
    return TenantId(tenant) if dot else DEFAULT_TENANT


def unknown(name: str) -> NotFound:
    """Say that there is no such workspace."""
    return NotFound(f"the workspace {name[:40]}", fix=["workspace list"])
