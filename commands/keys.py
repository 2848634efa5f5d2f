"""Commands over API keys."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref
from commands.suggest import nearest
from commands.views import KeyData, KeyPageData, NewKeyData
from core.database import Tx
from core.identity.keys import service as keys
from core.identity.keys.model import Key, NewKey
from core.identity.scopes import covers, parse_scopes
from core.identity.users import service as users
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.principal import ROLE_SCOPES, Role
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.reply import Reply, Text

KeyRef = Annotated[str, Ref("K")]


@command(
    "key create",
    scope="keys:write",
    danger="write",
    http="POST /v1/keys",
    status=201,
    result=NewKeyData,
    hides=("key",),
    examples=["key create ci --scopes tasks:read,tasks:write --ttl 90d"],
)
def create(
    ctx: Context,
    name: str,
    *,
    scopes: Annotated[
        Sequence[str], Doc("Fewer rights than yours; all of them if empty.")
    ] = (),
    ttl: Annotated[
        timedelta | None, Doc("How long it works; for ever if empty.")
    ] = None,
    user: Annotated[str, Doc("For somebody else, by name.")] = "",
) -> Reply:
    """Make an API key; its text is shown only now."""
    owner = users.find_by_name(ctx.tx, user) if user else None
    if user and owner is None:
        raise NotFound(f"the user {user[:40]}", fix=["user list"])
    _require_known(ctx, scopes)
    made = keys.create(
        ctx.tx, name, scopes=scopes, ttl=ttl, user_id=owner.id if owner else ""
    )
    return _new(made)


@command(
    "key list",
    scope="keys:read",
    http="GET /v1/keys",
    result=KeyPageData,
    examples=["key list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List the API keys, without their texts."""
    page = keys.list_(ctx.tx, limit=limit, cursor=cursor)
    return Reply(
        summary=blocks.count(len(page.items), "key"),
        blocks=(
            blocks.table(
                ("id", "name", "begins", "owner", "last used", "state"),
                [
                    (
                        each.id,
                        each.name,
                        each.prefix,
                        each.user_id,
                        blocks.age(each.last_used_at, ctx.tx.now)
                        if each.last_used_at
                        else "never",
                        "revoked" if each.revoked_at else "active",
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [_view(each) for each in page.items], "next": page.next},
    )


@command(
    "key show",
    scope="keys:read",
    http="GET /v1/keys/{key}",
    target="key",
    result=KeyData,
    examples=["key show K-2"],
)
def show(ctx: Context, key: KeyRef) -> Reply:
    """Show one API key, without its text."""
    return _one(keys.get_(ctx.tx, key))


@command(
    "key rotate",
    scope="keys:write",
    danger="write",
    http="POST /v1/keys/{key}/rotate",
    target="key",
    result=NewKeyData,
    hides=("key",),
    alters="rights",
    examples=["key rotate K-2 --overlap 1h"],
)
def rotate(
    ctx: Context,
    key: KeyRef,
    *,
    overlap: Annotated[
        timedelta, Doc("How long the old one still works.")
    ] = keys.OVERLAP,
) -> Reply:
    """Make a successor with the same rights; the old key works a while longer."""
    return _new(keys.rotate(ctx.tx, key, overlap=overlap))


def _standing(tx: Tx, key_id: str) -> str:
    """What consent to a revocation is bound to: that the key still works."""
    return f"{keys.get_(tx, key_id).revoked_at is None}"


@command(
    "key revoke",
    scope="keys:write",
    danger="risky",
    http="POST /v1/keys/{key}/revoke",
    target="key",
    fingerprint=_standing,
    result=KeyData,
    alters="rights",
    examples=['key revoke K-2 --reason "leaked"'],
)
def revoke(ctx: Context, key: KeyRef) -> Reply:
    """End a key now and for good; whoever uses it is shut out within seconds."""
    return _one(keys.revoke(ctx.tx, key))


COMMANDS: Sequence[Command] = (create, list_, show, rotate, revoke)


def _require_known(ctx: Context, scopes: Sequence[str]) -> None:
    """Refuse scopes that open nothing; a mistyped one would only show when it fails.

    Raises: InvalidArgument with the nearest scope that there is.
    """
    known = {scope for role in Role for scope in ROLE_SCOPES[role]}
    known |= {each.scope for each in ctx.registry if each.scope}
    for scope in parse_scopes(scopes):
        if not any(covers(frozenset({scope}), frozenset({each})) for each in known):
            close = nearest(scope, sorted(known))
            raise InvalidArgument(
                f"no command needs the scope {scope}",
                fix=[f"--scopes {each}" for each in close] or ["help --all"],
                argument="scopes",
            )


def _view(key: Key) -> dict[str, Json]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "user": key.user_id,
        "scopes": list[Json](sorted(key.scopes)),
        "created_at": to_iso(key.created_at),
        "expires_at": _iso(key.expires_at),
        "last_used_at": _iso(key.last_used_at),
        "revoked_at": _iso(key.revoked_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return to_iso(moment) if moment else None


def _one(key: Key) -> Reply:
    return Reply(
        summary=f"{key.id} {key.name}, {'revoked' if key.revoked_at else 'active'}"[
            :150
        ],
        blocks=(
            blocks.fields(
                ("begins", key.prefix),
                ("owner", key.user_id),
                ("scopes", ", ".join(sorted(key.scopes)) or "all of the owner's"),
            ),
        ),
        data=_view(key),
    )


def _new(made: NewKey) -> Reply:
    return Reply(
        summary=f"{made.key.id} {made.key.name}: copy the key now, it is not shown again"[
            :150
        ],
        blocks=(Text(md=f"`{made.text}`"),),
        data={**_view(made.key), "key": made.text},
    )
