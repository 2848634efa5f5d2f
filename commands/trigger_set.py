"""The command that has a trigger look at something else, or do something else."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from commands.context import Context
from commands.registry import command
from commands.schema import Doc, Person, Ref
from commands.trigger_rules import doubts, owner_named, require_able
from commands.trigger_views import TriggerData, one_of
from commands.webhook_maps import require_possible
from commands.webhook_rules import Arguments, Fixed, Templates
from core.database import Tx
from core.hooks.model import PayloadMap
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import Trigger, When, parse_when
from core.kernel.jsons import canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply


def _standing(tx: Tx, reference: str) -> str:
    """What consent to a change is bound to: what the trigger is now."""
    found = triggers.get_(tx, reference)
    when = [sorted(found.when.events), sorted(found.when.targets), found.when.webhook]
    whose = [found.owner_id, sorted(found.scopes)]
    return canonical_json([when, found.rule, whose]).decode()


@command(
    "trigger set",
    scope="triggers:write",
    danger="risky",
    is_personal=True,
    target="trigger",
    fingerprint=_standing,
    http="PATCH /v1/triggers/{trigger}",
    result=TriggerData,
    examples=["trigger set G-2 --filter \"details.status=='review'\""],
)
def set_(
    ctx: Context,
    trigger: Annotated[str, Ref("G")],
    *,
    command: Annotated[str, Doc("What it runs; its mapping is set anew.")] = "",
    on: Annotated[Sequence[str], Doc("Types of events that set it off.")] = (),
    target: Annotated[Sequence[str], Doc("Only events about these.")] = (),
    webhook: Annotated[
        str, Ref("W"), Doc("The webhook whose deliveries set it off.")
    ] = "",
    arguments: Arguments = None,
    fixed: Fixed = None,
    templates: Templates = None,
    filter: Annotated[
        str | None, Doc("JMESPath that must find something true; none for all.")
    ] = None,
    each: Annotated[
        str | None, Doc("JMESPath to a list; one command per element.")
    ] = None,
    as_: Annotated[
        str, Person(), Doc("In whose name it runs; yours unless you manage people.")
    ] = "",
) -> Reply:
    """Change what is given of a trigger; it runs in your name then, or another's."""
    if not ctx.given - {"trigger"}:
        raise InvalidArgument(
            "nothing says what is to change",
            fix=["--filter target", "--on task_created", '--command "task note"'],
        )
    found = triggers.get_(ctx.tx, trigger)
    # A mapping belongs to its command: another command begins without one.
    before = PayloadMap(command=command, filter=found.rule.filter)
    kept = before if command else found.rule
    rule = PayloadMap(
        command=kept.command.replace(".", " "),
        arguments=kept.arguments if arguments is None else arguments,
        fixed=kept.fixed if fixed is None else fixed,
        templates=kept.templates if templates is None else templates,
        filter=kept.filter if filter is None else filter,
        each=kept.each if each is None else each,
    )
    when = _when(found, on, target=target, webhook=webhook)
    require_possible(ctx, rule, by="trigger")
    owner = owner_named(ctx, as_)
    require_able(ctx, when, rule, owner)
    changed = triggers.redefine(ctx.tx, found.id, when, rule, owner=owner)
    reply = one_of(ctx, changed, f"Changed {changed.id} ({changed.name})")
    return replace(reply, blocks=(*doubts(ctx, when), *reply.blocks))


def _when(
    found: Trigger, on: Sequence[str], *, target: Sequence[str], webhook: str
) -> When:
    """Say what sets it off from now on.

    Raises: InvalidArgument.
    """
    if webhook:
        return parse_when(on, targets=target, webhook=webhook)
    if not (on or target):
        return found.when
    events = on or sorted(found.when.events)
    return parse_when(events, targets=target or sorted(found.when.targets))
