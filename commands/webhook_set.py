"""The command that has a webhook's deliveries become something else."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.webhook_deliveries import WebhookRef
from commands.webhook_rules import (
    Arguments,
    Each,
    Filter,
    Fixed,
    Rules,
    Templates,
    Wish,
    chosen_rules,
)
from commands.webhook_views import WebhookData, view_of, written
from core.database import Tx
from core.hooks import service as hooks
from core.hooks import store
from core.hooks.model import HookAuth, PayloadMap
from core.hooks.presets import PresetName
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Code, Reply


def _standing(tx: Tx, reference: str) -> str:
    """What consent to other rules is bound to: those of now."""
    return store.render_rules(hooks.get_(tx, reference).rules)


@command(
    "webhook set",
    scope="webhooks:write",
    danger="risky",
    is_personal=True,
    target="webhook",
    fingerprint=_standing,
    http="PATCH /v1/webhooks/{webhook}",
    result=WebhookData,
    examples=[
        (
            'webhook set W-3 --command "task create" '
            '--templates {"title":"Alert {labels.alertname}"}'
        )
    ],
)
def set_(
    ctx: Context,
    webhook: WebhookRef,
    *,
    command: Annotated[str, Doc("What every delivery runs, as task create.")] = "",
    preset: Annotated[
        PresetName | None, Doc("The rules for a sender that is known.")
    ] = None,
    arguments: Arguments = None,
    fixed: Fixed = None,
    templates: Templates = None,
    filter: Filter = "",
    each: Each = "",
    rules: Rules = (),
) -> Reply:
    """Give a webhook other rules instead of its own; they run in your name."""
    if not ctx.given & {"command", "preset", "rules"}:
        raise InvalidArgument(
            "nothing says what deliveries are to become",
            fix=['--command "task create"', "--preset github", "--rules [...]"],
        )
    own = PayloadMap(
        command=command.replace(".", " "),
        arguments=arguments or {},
        fixed=fixed or {},
        templates=templates or {},
        filter=filter,
        each=each,
    )
    wish = Wish(
        own=own if command else None, rules=rules, preset=preset, auth=HookAuth.STANDARD
    )
    changed = hooks.set_rules(ctx.tx, webhook, chosen_rules(ctx, wish))
    return Reply(
        summary=f"{changed.id} ({changed.name}) has new rules, in your name",
        blocks=(
            Code(text="\n\n".join(map(written, changed.rules)), lang="text"),
            blocks.actions(
                ("Show", f"webhook show {changed.id}"),
                ("Replay what failed", f"webhook replay {changed.id} --failed"),
            ),
        ),
        data=view_of(ctx.tx, changed),
    )


COMMANDS: Sequence[Command] = (set_,)
