"""Commands over webhooks: endpoints whose deliveries run one fixed command."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

from typing_extensions import TypedDict

from commands import blocks, bus
from commands.context import Context
from commands.names import index_of, suggestions
from commands.parser import parse_call
from commands.plan import plan_of, unknown_field
from commands.registry import Command, Danger, command
from commands.schema import Doc, Kind, Ref
from core.database import Tx
from core.hooks import deliveries as received
from core.hooks import mapping
from core.hooks import service as hooks
from core.hooks.deliveries import Delivery
from core.hooks.mapping import Skipped
from core.hooks.model import (
    OVERLAP,
    Endpoint,
    HookAuth,
    NewEndpoint,
    PayloadMap,
    Vault,
    path_of,
)
from core.identity.users import service as users
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, Problem, UnknownCommand
from core.kernel.reply import Code, Reply

WebhookRef = Annotated[str, Ref("W")]


class WebhookData(TypedDict):
    """An endpoint and its map; never its secret."""

    id: str
    name: str
    path: str
    auth: str
    command: str
    arguments: dict[str, str]
    fixed: dict[str, Json]
    templates: dict[str, str]
    filter: str
    each: str
    created_at: str
    created_by: str
    previous_secret_until: str | None


class WebhookSecretData(WebhookData):
    """An endpoint with its secret, which is shown only now; "" when it takes keys."""

    secret: str


class WebhookPageData(TypedDict):
    """A page of endpoints, the oldest first."""

    items: list[WebhookData]
    next: str | None


class DeliveryData(TypedDict):
    """A delivery; `took_ms` is null while it waits."""

    id: str
    reply_id: str
    received_at: str
    outcome: str
    took_ms: int | None
    size_bytes: int
    command: str
    summary: str
    code: str


class DeliveryPageData(TypedDict):
    """A page of deliveries, the newest first."""

    items: list[DeliveryData]
    next: str | None


class WebhookCallData(TypedDict):
    """A command that a payload would run; `problem` says why it could not."""

    command: str
    args: dict[str, Json]
    line: str
    problem: str


class WebhookTestData(TypedDict):
    """What a payload would do."""

    id: str
    skipped: str
    calls: list[WebhookCallData]


class _Secretive:
    """The handlers that make secrets, and so need the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def create(
        self,
        ctx: Context,
        name: Annotated[str, Doc("a-z, 0-9 and -; it stands in the address.")],
        *,
        command: Annotated[str, Doc("What every delivery runs, such as task create.")],
        auth: Annotated[HookAuth, Doc("How senders prove themselves.")] = HookAuth.STANDARD,
        arguments: Annotated[
            dict[str, str] | None, Doc("An argument's name to a JMESPath expression.")
        ] = None,
        fixed: Annotated[
            dict[str, Any] | None, Doc("An argument's name to its value.")
        ] = None,
        templates: Annotated[
            dict[str, str] | None, Doc("An argument's name to text with {expression}.")
        ] = None,
        filter: Annotated[str, Doc("JMESPath that must find something true.")] = "",
        each: Annotated[str, Doc("JMESPath to a list; one command per element.")] = "",
    ) -> Reply:
        """Make an address whose deliveries run one command in your name."""
        payload_map = PayloadMap(
            command=command.replace(".", " "), arguments=arguments or {},
            fixed=fixed or {}, templates=templates or {}, filter=filter, each=each,
        )
        _require_possible(ctx, payload_map)
        new = hooks.create(ctx.tx, name, payload_map, auth=auth, vault=self._vault)
        return _secret_reply(ctx, new, f"Created {new.endpoint.id} ({name})")

    def rotate(
        self,
        ctx: Context,
        webhook: WebhookRef,
        *,
        overlap: Annotated[timedelta, Doc("How long the old secret still counts.")] = OVERLAP,
    ) -> Reply:
        """Give a webhook a new secret; the old one counts for a while longer."""
        new = hooks.rotate(ctx.tx, webhook, vault=self._vault, overlap=overlap)
        return _secret_reply(ctx, new, f"{new.endpoint.id} has a new secret")


@command(
    "webhook list", scope="webhooks:read", http="GET /v1/webhooks", result=WebhookPageData,
    examples=["webhook list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List webhooks, the oldest first."""
    page = hooks.list_(ctx.tx, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No webhooks", ("How to make one", "help webhook create"))
    return Reply(
        summary=blocks.count(len(page.items), "webhook"),
        blocks=(blocks.table(
            ("id", "name", "auth", "command"),
            [(each.id, each.name, each.auth, each.map.command) for each in page.items],
            next=page.next,
        ),),
        data={"items": [_shown(ctx.tx, each) for each in page.items], "next": page.next},
    )


@command(
    "webhook show", scope="webhooks:read", http="GET /v1/webhooks/{webhook}",
    target="webhook", result=WebhookData, examples=["webhook show W-3"],
)
def show(ctx: Context, webhook: WebhookRef) -> Reply:
    """Show a webhook's address and what its deliveries become."""
    found = hooks.get_(ctx.tx, webhook)
    data = _shown(ctx.tx, found)
    return Reply(
        summary=f"{found.id}: {found.name} runs {found.map.command}"[:150],
        blocks=(
            blocks.fields(*((name, data[name]) for name in ("path", "auth", "created_by"))),
            Code(text=_written(found.map), lang="text"),
            blocks.actions(("Deliveries", f"webhook deliveries {found.id}")),
        ),
        data=data,
    )


@command(
    "webhook test", scope="webhooks:read", http="POST /v1/webhooks/{webhook}/test",
    target="webhook", result=WebhookTestData,
    examples=['webhook test W-3 --payload {"alert":{"name":"disk"}}'],
)
def test(
    ctx: Context,
    webhook: WebhookRef,
    *,
    payload: Annotated[Any, Doc("What a sender would deliver.")],
) -> Reply:
    """Show what a payload would run, without running it."""
    endpoint = hooks.get_(ctx.tx, webhook)
    calls = mapping.extract(endpoint.map, payload)
    if isinstance(calls, Skipped):
        data: dict[str, Json] = {"id": endpoint.id, "skipped": calls.reason, "calls": []}
        return Reply(summary=f"Would be skipped: {calls.reason}"[:150], data=data)
    tried: list[Json] = [_tried(ctx, endpoint.map.command, args) for args in calls]
    return Reply(
        summary=f"Would run {blocks.count(len(tried), 'command')}",
        blocks=(Code(text="\n".join(_lines(tried))),),
        data={"id": endpoint.id, "skipped": "", "calls": tried},
    )


@command(
    "webhook deliveries", scope="webhooks:read", target="webhook",
    http="GET /v1/webhooks/{webhook}/deliveries", result=DeliveryPageData,
    examples=["webhook deliveries W-3"],
)
def deliveries(
    ctx: Context, webhook: WebhookRef, *, limit: int = 25, cursor: str = ""
) -> Reply:
    """List what a webhook received and what became of it, the newest first."""
    endpoint = hooks.get_(ctx.tx, webhook)
    page = received.list_(ctx.tx, endpoint.id, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No deliveries yet", ("Show", f"webhook show {endpoint.id}"))
    return Reply(
        summary=f"{len(page.items)} deliveries to {endpoint.id}",
        blocks=(blocks.table(
            ("id", "received", "outcome", "ms", "summary"),
            [
                (each.id, to_iso(each.received_at), each.outcome, each.took_ms, each.summary)
                for each in page.items
            ],
            next=page.next,
        ),),
        data={"items": [_delivery(each) for each in page.items], "next": page.next},
    )


@command(
    "webhook delete", scope="webhooks:write", danger="destructive", target="webhook",
    http="DELETE /v1/webhooks/{webhook}", result=WebhookData,
    examples=["webhook delete W-3 --confirm W-3"],
)
def delete(ctx: Context, webhook: WebhookRef) -> Reply:
    """Remove a webhook; its address answers 404 from then on."""
    shown = _shown(ctx.tx, hooks.get_(ctx.tx, webhook))
    deleted = hooks.delete(ctx.tx, webhook)
    return Reply(summary=f"Deleted {deleted.id} ({deleted.name})", data=shown)


def webhook_commands(vault: Vault) -> Sequence[Command]:
    """List these commands; those that make secrets seal them in `vault`."""
    secretive = _Secretive(vault)
    create = command(
        "webhook create", scope="webhooks:write", danger="risky",
        http="POST /v1/webhooks", status=201, result=WebhookSecretData,
        examples=[
            'webhook create alerts --command "task create" '
            '--templates {"title":"Alert {labels.alertname}"} --each alerts'
        ],
    )(secretive.create)
    rotate = command(
        "webhook rotate", scope="webhooks:write", danger="risky", target="webhook",
        http="POST /v1/webhooks/{webhook}/rotate", result=WebhookSecretData,
        examples=["webhook rotate W-3 --overlap 2h"],
    )(secretive.rotate)
    return create, list_, show, test, deliveries, rotate, delete


def _require_possible(ctx: Context, payload_map: PayloadMap) -> None:
    """Refuse a map that names what does not exist, or more than its maker may do.

    Raises: UnknownCommand, UnknownFlag, MissingScope, InvalidArgument.
    """
    mapped = ctx.registry.find(payload_map.command)
    if mapped is None:
        close = suggestions(index_of(ctx.registry), payload_map.command.split())
        raise UnknownCommand(
            f"{payload_map.command[:80]!r} is not a command", fix=close or ["help"],
            suggestions=close,
        )
    if mapped.danger is Danger.DESTRUCTIVE:
        raise InvalidArgument(
            f"{mapped.name} cannot be taken back, so no webhook may run it",
            fix=["choose a command that is not destructive"], argument="command",
        )
    bus.authorise(mapped, ctx.principal)
    _require_arguments(mapped, payload_map)


def _require_arguments(mapped: Command, payload_map: PayloadMap) -> None:
    for name in payload_map.names:
        if mapped.parameter(name) is None and name != "reason":
            raise unknown_field(plan_of(mapped), name)
    for name in payload_map.templates:
        parameter = mapped.parameter(name)
        if parameter and (parameter.kind is not Kind.TEXT or parameter.is_list):
            raise InvalidArgument(
                f"{name} of {mapped.name} is no text, so it takes no template",
                fix=["use --arguments or --fixed for it"], argument=name,
            )
    missing = [
        each.name
        for each in mapped.parameters
        if each.is_required and each.name not in payload_map.names
    ]
    if missing:
        raise InvalidArgument(
            f"{mapped.name} needs {missing[0]}, which the map does not set",
            fix=[f"set {missing[0]} with --arguments, --templates or --fixed"],
            argument=missing[0],
        )


def _tried(ctx: Context, name: str, args: dict[str, Json]) -> dict[str, Json]:
    """Understand one call as its delivery would, and say how that ended."""
    line, problem = "", ""
    try:
        line = parse_call(
            name, args, ctx.registry, now=ctx.tx.now, timezone=ctx.timezone,
            me=ctx.principal.name,
        ).canonical
    except Problem as refused:
        problem = refused.detail
    return {"command": name, "args": args, "line": line, "problem": problem}


def _lines(tried: Sequence[Json]) -> list[str]:
    return [
        str(each["line"] or each["problem"]) for each in tried if isinstance(each, dict)
    ]


def _secret_reply(ctx: Context, new: NewEndpoint, summary: str) -> Reply:
    data = _shown(ctx.tx, new.endpoint)
    shown_once = (("secret, shown only now", new.secret),) if new.secret else ()
    return Reply(
        summary=summary,
        blocks=(
            blocks.fields(("address", data["path"]), *shown_once),
            blocks.actions(("Show", f"webhook show {new.endpoint.id}")),
        ),
        data={**data, "secret": new.secret},
    )


def _shown(tx: Tx, endpoint: Endpoint) -> dict[str, Json]:
    until = endpoint.previous_until
    is_rotating = until is not None and tx.now < until
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "path": path_of(tx.tenant, endpoint.name),
        "auth": endpoint.auth.value,
        **asdict(endpoint.map),
        "created_at": to_iso(endpoint.created_at),
        "created_by": users.get_(tx, endpoint.creator_id).name,
        "previous_secret_until": to_iso(until) if until and is_rotating else None,
    }


def _written(payload_map: PayloadMap) -> str:
    """Write a map for people, one argument per line."""
    lines = [payload_map.command]
    lines += [f"  {name} = {path}" for name, path in payload_map.arguments.items()]
    lines += [f'  {name} = "{text}"' for name, text in payload_map.templates.items()]
    lines += [f"  {name} is {value!r}" for name, value in payload_map.fixed.items()]
    lines += [f"each {payload_map.each}"] if payload_map.each else []
    lines += [f"if {payload_map.filter}"] if payload_map.filter else []
    return "\n".join(lines)


def _delivery(each: Delivery) -> dict[str, Json]:
    return {
        "id": each.id,
        "reply_id": each.reply_id,
        "received_at": to_iso(each.received_at),
        "outcome": each.outcome.value,
        "took_ms": each.took_ms,
        "size_bytes": each.size_bytes,
        "command": each.command,
        "summary": each.summary,
        "code": each.code,
    }
