"""The command that makes a trigger, and what it refuses to make."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from commands.context import Context
from commands.registry import command
from commands.schema import Doc, Person, Ref
from commands.trigger_rules import doubts, owner_named, require_able
from commands.trigger_views import TriggerData, one_of
from commands.webhook_maps import require_possible
from core.hooks.model import PayloadMap
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import parse_when
from core.kernel.reply import Reply


@command(
    "trigger create",
    scope="triggers:write",
    danger="risky",
    is_personal=True,
    http="POST /v1/triggers",
    status=201,
    result=TriggerData,
    examples=[
        (
            'trigger create tell-qa --on status_changed --filter "details.status=='
            '\'blocked\'" --command "task note" --fixed {"task":"T-12"} '
            '--templates {"text":"{target} is blocked"}'
        )
    ],
)
def create(
    ctx: Context,
    name: Annotated[str, Doc("a-z, 0-9 and -.")],
    *,
    command: Annotated[str, Doc("What it runs, such as task note.")],
    on: Annotated[Sequence[str], Doc("Types of events that set it off.")] = (),
    target: Annotated[Sequence[str], Doc("Only events about these.")] = (),
    webhook: Annotated[
        str, Ref("W"), Doc("The webhook whose deliveries set it off.")
    ] = "",
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
    as_: Annotated[
        str, Person(), Doc("In whose name it runs; yours unless you manage people.")
    ] = "",
) -> Reply:
    """Have a command run whenever something happens, in your name or another's."""
    rule = PayloadMap(
        command=command.replace(".", " "),
        arguments=arguments or {},
        fixed=fixed or {},
        templates=templates or {},
        filter=filter,
        each=each,
    )
    when = parse_when(on, targets=target, webhook=webhook)
    require_possible(ctx, rule, by="trigger")
    owner = owner_named(ctx, as_)
    require_able(ctx, when, rule, owner)
    made = triggers.create(ctx.tx, name, when, rule, owner=owner)
    reply = one_of(ctx, made, f"Created {made.id} ({made.name})")
    return replace(reply, blocks=(*doubts(ctx, when), *reply.blocks))
