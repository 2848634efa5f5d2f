"""Commands over webhooks: endpoints whose deliveries run one fixed command."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from commands import blocks
from commands.callbacks import Callback, chosen_callback
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref, Secret
from commands.webhook_rules import (
    Arguments,
    Each,
    Filter,
    Fixed,
    Rules,
    Templates,
    Wish,
    chosen_auth,
    chosen_rules,
)
from commands.webhook_views import (
    WebhookData,
    WebhookPageData,
    WebhookSecretData,
    view_of,
    written,
)
from core.hooks import service as hooks
from core.hooks.model import (
    OVERLAP,
    Endpoint,
    HookAuth,
    NewEndpoint,
    PayloadMap,
    Vault,
)
from core.hooks.presets import PresetName
from core.kernel.reply import Code, Reply

_KEEPS = "keeps and shows what it receives"
WebhookRef = Annotated[str, Ref("W")]


class _Secretive:
    """The handlers that make secrets, and so need the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def create(
        self,
        ctx: Context,
        name: Annotated[str, Doc("a-z, 0-9 and -; it stands in the address.")],
        *,
        command: Annotated[str, Doc("What every delivery runs, as task create.")] = "",
        preset: Annotated[
            PresetName | None, Doc("A sender that is known: its proof, and its rules.")
        ] = None,
        auth: Annotated[
            HookAuth, Doc("How senders prove themselves.")
        ] = HookAuth.STANDARD,
        arguments: Arguments = None,
        fixed: Fixed = None,
        templates: Templates = None,
        filter: Filter = "",
        each: Each = "",
        rules: Rules = (),
        secret: Annotated[
            str, Doc("One that the sender chose; else one is made."), Secret()
        ] = "",
        callback: Callback = "",
    ) -> Reply:
        """Make an address whose deliveries run fixed commands in your name."""
        own = PayloadMap(
            command=command.replace(".", " "),
            arguments=arguments or {},
            fixed=fixed or {},
            templates=templates or {},
            filter=filter,
            each=each,
        )
        wish = Wish(own=own if command else None, rules=rules, preset=preset, auth=auth)
        new = hooks.create(
            ctx.tx,
            name,
            chosen_rules(ctx, wish),
            auth=chosen_auth(ctx, wish),
            vault=self._vault,
            callback=chosen_callback(ctx, callback),
            secret=secret if "secret" in ctx.given else None,
        )
        return _secret_reply(ctx, new, f"Created {new.endpoint.id} ({name})")

    def rotate(
        self,
        ctx: Context,
        webhook: WebhookRef,
        *,
        overlap: Annotated[
            timedelta, Doc("How long the old secret still counts.")
        ] = OVERLAP,
        secret: Annotated[
            str, Doc("One that the sender chose; else one is made."), Secret()
        ] = "",
    ) -> Reply:
        """Give a webhook a new secret; the old one counts for a while longer."""
        new = hooks.rotate(
            ctx.tx,
            webhook,
            vault=self._vault,
            overlap=overlap,
            secret=secret if "secret" in ctx.given else None,
        )
        return _secret_reply(ctx, new, f"{new.endpoint.id} has a new secret")


@command(
    "webhook list",
    scope="webhooks:read",
    http="GET /v1/webhooks",
    result=WebhookPageData,
    examples=["webhook list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List webhooks, the oldest first."""
    page = hooks.list_(ctx.tx, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No webhooks", ("How to make one", "help webhook create"))
    return Reply(
        summary=blocks.count(len(page.items), "webhook"),
        blocks=(
            blocks.table(
                ("id", "name", "auth", "commands"),
                [
                    (each.id, each.name, each.auth, _commands(each))
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={
            "items": [view_of(ctx.tx, each) for each in page.items],
            "next": page.next,
        },
    )


@command(
    "webhook show",
    scope="webhooks:read",
    http="GET /v1/webhooks/{webhook}",
    target="webhook",
    result=WebhookData,
    examples=["webhook show W-3"],
)
def show(ctx: Context, webhook: WebhookRef) -> Reply:
    """Show a webhook's address and what its deliveries become."""
    found = hooks.get_(ctx.tx, webhook)
    data = view_of(ctx.tx, found)
    return Reply(
        summary=f"{found.id}: {found.name} runs {_commands(found)}"[:150],
        blocks=(
            blocks.fields(
                *(
                    (name, data[name])
                    for name in ("path", "auth", "created_by", "callback")
                )
            ),
            Code(text="\n\n".join(map(written, found.rules)) or _KEEPS, lang="text"),
            blocks.actions(("Deliveries", f"webhook deliveries {found.id}")),
        ),
        data=data,
    )


@command(
    "webhook delete",
    scope="webhooks:write",
    danger="destructive",
    target="webhook",
    http="DELETE /v1/webhooks/{webhook}",
    result=WebhookData,
    examples=["webhook delete W-3 --confirm W-3"],
)
def delete(ctx: Context, webhook: WebhookRef) -> Reply:
    """Remove a webhook; its address answers 404 from then on."""
    shown = view_of(ctx.tx, hooks.get_(ctx.tx, webhook))
    deleted = hooks.delete(ctx.tx, webhook)
    return Reply(summary=f"Deleted {deleted.id} ({deleted.name})", data=shown)


def webhook_commands(vault: Vault) -> Sequence[Command]:
    """List these commands; those that make secrets seal them in `vault`."""
    secretive = _Secretive(vault)
    create = command(
        "webhook create",
        scope="webhooks:write",
        danger="risky",
        http="POST /v1/webhooks",
        status=201,
        result=WebhookSecretData,
        hides=("secret",),
        examples=[
            (
                'webhook create alerts --command "task create" --each alerts '
                '--templates {"title":"Alert {labels.alertname}"}'
            ),
            "webhook create shop --preset github",
        ],
    )(secretive.create)
    rotate = command(
        "webhook rotate",
        scope="webhooks:write",
        danger="risky",
        target="webhook",
        http="POST /v1/webhooks/{webhook}/rotate",
        result=WebhookSecretData,
        hides=("secret",),
        examples=["webhook rotate W-3 --overlap 2h"],
    )(secretive.rotate)
    return create, list_, show, rotate, delete


def _commands(endpoint: Endpoint) -> str:
    """Name what deliveries may become, each command once."""
    names = dict.fromkeys(each.command for each in endpoint.rules)
    return ", ".join(names) or "nothing"


def _secret_reply(ctx: Context, new: NewEndpoint, summary: str) -> Reply:
    data = view_of(ctx.tx, new.endpoint)
    once = "; copy the secret now, it is not shown again" if new.secret else ""
    return Reply(
        summary=f"{summary}{once}"[:150],
        blocks=(
            blocks.fields(("address", data["path"]), ("secret", new.secret)),
            blocks.actions(("Show", f"webhook show {new.endpoint.id}")),
        ),
        data={**data, "secret": new.secret},
    )
