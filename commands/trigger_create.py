"""The command that makes a trigger, and what it refuses to make."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from commands import bus
from commands.context import Context
from commands.registry import command
from commands.schema import Doc, Person, Ref
from commands.trigger_views import TriggerData, one_of
from commands.webhook_maps import require_possible
from core.events import service as events
from core.events.model import EventFilter
from core.hooks.model import PayloadMap
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import When, parse_when
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import Assurance
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.reply import Block, Reply, Text


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
    owner = _owner(ctx, as_)
    _require_able(ctx, when, rule, owner)
    made = triggers.create(ctx.tx, name, when, rule, owner=owner)
    reply = one_of(ctx, made, f"Created {made.id} ({made.name})")
    return replace(reply, blocks=(*_doubts(ctx, when), *reply.blocks))


def _doubts(ctx: Context, when: When) -> Sequence[Block]:
    """Point at types of events that nobody has seen, for they may be misspelt."""
    unseen = [
        each
        for each in sorted(when.events - events.RESERVED)
        if not events.list_last(ctx.tx, EventFilter(types=frozenset({each})), limit=1)
    ]
    if not unseen:
        return ()
    names = ", ".join(f"`{each}`" for each in unseen)
    return (Text(md=f"Not seen so far: {names}. `event tail` shows what happens."),)


def _owner(ctx: Context, name: str) -> User:
    """Find in whose name a trigger is to run.

    Raises: NotFound.
    """
    if not name:
        return users.get_(ctx.tx, ctx.principal.id)
    found = users.find_by_name(ctx.tx, name)
    if found is None:
        raise NotFound(f"the user {name[:40]}", fix=["user list"])
    return found


def _require_able(ctx: Context, when: When, rule: PayloadMap, owner: User) -> None:
    """Refuse a trigger whose every fire would be denied.

    Raises: MissingScope, AssuranceTooLow, Forbidden, InvalidArgument.
    """
    scopes = triggers.rights_for(ctx.tx, owner)
    able = to_principal(owner, Assurance.SECRET, scopes=scopes)
    triggers.require_sight(able, when)
    mapped = ctx.registry.find(rule.command)
    if mapped is None:
        return
    bus.authorise(mapped, able)
    if mapped.tells_secret:
        raise InvalidArgument(
            f"{mapped.name} tells a secret, and nobody hears what a trigger is told",
            fix=["choose another command"],
            argument="command",
        )
