"""Commands over users and tenants."""

from collections.abc import Sequence
from dataclasses import replace

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.views import TenantData, TenantPageData, UserData, UserPageData
from core.database import Tx
from core.identity.logins import service as logins
from core.identity.tenants import service as tenants
from core.identity.tenants.model import Tenant
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.principal import Role
from core.kernel.problems import NotFound
from core.kernel.reply import Reply, Text


@command(
    "user create",
    scope="users:write",
    danger="write",
    http="POST /v1/users",
    status=201,
    result=UserData,
    examples=["user create ann --roles operator --email ann@example.org"],
)
def create(
    ctx: Context,
    name: str,
    *,
    roles: Sequence[Role] = (Role.VIEWER,),
    email: str = "",
    timezone: str = "UTC",
) -> Reply:
    """Make a person known; a login link lets them in."""
    user = users.create(ctx.tx, name, roles=roles, email=email, timezone=timezone)
    return Reply(
        summary=f"Created {user.id} {user.name}",
        blocks=(
            blocks.actions(
                ("Login link", f"user invite {user.name}"),
                ("Show", f"user show {user.name}"),
            ),
        ),
        data=_view(user),
    )


@command(
    "user list",
    scope="users:read",
    http="GET /v1/users",
    result=UserPageData,
    examples=["user list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List the people of this tenant."""
    page = users.list_(ctx.tx, cursor=cursor, limit=limit)
    return Reply(
        summary=blocks.count(len(page.items), "user"),
        blocks=(
            blocks.table(
                ("id", "name", "roles", "state"),
                [
                    (
                        each.id,
                        each.name,
                        ", ".join(sorted(each.roles)),
                        "active" if each.is_active else "disabled",
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [_view(each) for each in page.items], "next": page.next},
    )


@command(
    "user show",
    scope="users:read",
    http="GET /v1/users/{user}",
    target="user",
    result=UserData,
    examples=["user show ann"],
)
def show(ctx: Context, user: str) -> Reply:
    """Show a person, by name or id."""
    return _one(_find(ctx.tx, user))


@command(
    "user invite",
    scope="users:write",
    danger="write",
    http="POST /v1/users/{user}/invite",
    target="user",
    hides=("token",),
    examples=["user invite ann"],
)
def invite(ctx: Context, user: str) -> Reply:
    """Make a one-time login link, good for fifteen minutes and shown only now."""
    found = _find(ctx.tx, user)
    link = logins.create_link(ctx.tx, found.id)
    return Reply(
        summary=f"{found.name} can sign in once until {link.expires_at:%H:%M} UTC",
        blocks=(blocks.fields(("open", f"/auth/link#{link.token}")),),
        data={
            "user": found.id,
            "token": link.token,
            "path": "/auth/link",
            "expires_at": to_iso(link.expires_at),
        },
    )


@command(
    "user set",
    scope="users:write",
    danger="write",
    http="PATCH /v1/users/{user}",
    target="user",
    result=UserData,
    alters="rights",
    examples=["user set ann --roles operator,viewer"],
)
def set_(
    ctx: Context, user: str, *, roles: Sequence[Role] = (), timezone: str = ""
) -> Reply:
    """Change a person's roles or zone; keys and sessions follow within seconds."""
    found = _find(ctx.tx, user)
    if "roles" in ctx.given:
        found = users.set_roles(ctx.tx, found.id, roles)
    if "timezone" in ctx.given:
        found = users.set_timezone(ctx.tx, found.id, timezone)
    return _one(found)


def _standing(tx: Tx, name: str) -> str:
    """What consent to shutting somebody out is bound to: who it is, and what they may."""
    user = _find(tx, name)
    return f"{user.id}/{user.is_active}/{sorted(user.roles)}"


@command(
    "user disable",
    scope="users:write",
    danger="risky",
    target="user",
    result=UserData,
    fingerprint=_standing,
    alters="rights",
    http="POST /v1/users/{user}/disable",
    examples=['user disable bob --reason "left"'],
)
def disable(ctx: Context, user: str) -> Reply:
    """Shut a person out: sessions end, keys stop working."""
    return _one(users.disable(ctx.tx, _find(ctx.tx, user).id))


@command(
    "user enable",
    scope="users:write",
    danger="write",
    target="user",
    result=UserData,
    alters="rights",
    http="POST /v1/users/{user}/enable",
    examples=["user enable bob"],
)
def enable(ctx: Context, user: str) -> Reply:
    """Let a disabled person in again."""
    return _one(users.enable(ctx.tx, _find(ctx.tx, user).id))


@command(
    "tenant create",
    scope="tenants:write",
    danger="write",
    http="POST /v1/tenants",
    status=201,
    result=TenantData,
    examples=['tenant create acme --name "Acme Inc"'],
)
def create_tenant(ctx: Context, tenant: str, *, name: str = "") -> Reply:
    """Open a tenant, which sees nothing of the others."""
    made = tenants.create(ctx.tx, tenant, name=name)
    way_in = f"On the gateway's machine: `ops key create first --tenant {made.id}`"
    return replace(_tenant(made), blocks=(Text(md=way_in),))


@command(
    "tenant list",
    scope="tenants:read",
    http="GET /v1/tenants",
    result=TenantPageData,
    examples=["tenant list"],
)
def list_tenants(ctx: Context) -> Reply:
    """List the tenants that you may see."""
    found = tenants.list_(ctx.tx)
    return Reply(
        summary=blocks.count(len(found), "tenant"),
        blocks=(
            blocks.table(("id", "name"), [(each.id, each.name) for each in found]),
        ),
        data={"items": [_tenant_view(each) for each in found], "next": None},
    )


@command(
    "tenant show",
    scope="tenants:read",
    http="GET /v1/tenants/{tenant}",
    target="tenant",
    result=TenantData,
    examples=["tenant show acme"],
)
def show_tenant(ctx: Context, tenant: str) -> Reply:
    """Show one tenant."""
    return _tenant(tenants.get_(ctx.tx, tenant))


COMMANDS: Sequence[Command] = (
    create,
    list_,
    show,
    invite,
    set_,
    disable,
    enable,
    create_tenant,
    list_tenants,
    show_tenant,
)


def _find(tx: Tx, name: str) -> User:
    """Find a person by id or by any spelling of the name.

    Raises: NotFound.
    """
    if name[:2].upper() == "U-":
        return users.get_(tx, name.upper())
    user = users.find_by_name(tx, name)
    if user is None:
        raise NotFound(f"the user {name[:40]}", fix=["user list"])
    return user


def _view(user: User) -> dict[str, Json]:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "roles": [role.value for role in sorted(user.roles)],
        "scopes": list[Json](sorted(user.scopes)),
        "timezone": user.timezone,
        "is_active": user.is_active,
        "created_at": to_iso(user.created_at),
    }


def _one(user: User) -> Reply:
    return Reply(
        summary=f"{user.name}: {', '.join(sorted(user.roles)) or 'no role'}",
        blocks=(
            blocks.fields(
                ("id", user.id),
                ("email", user.email),
                ("zone", user.timezone),
                ("state", "active" if user.is_active else "disabled"),
            ),
        ),
        data=_view(user),
    )


def _tenant_view(tenant: Tenant) -> dict[str, Json]:
    return {
        "id": tenant.id,
        "name": tenant.name,
        "created_at": to_iso(tenant.created_at),
    }


def _tenant(tenant: Tenant) -> Reply:
    return Reply(summary=f"Tenant {tenant.id}", data=_tenant_view(tenant))
