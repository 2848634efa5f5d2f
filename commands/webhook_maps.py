"""What a webhook may run: checked when it is made, and tried without effect."""

from pydantic import TypeAdapter, ValidationError

from commands import bus
from commands.context import Context
from commands.names import index_of, suggestions
from commands.parser import parse_call
from commands.plan import plan_of, unknown_field
from commands.registry import Command, Danger
from commands.schema import Kind, Parameter
from core.hooks import mapping
from core.hooks.mapping import Call
from core.hooks.model import PayloadMap
from core.kernel.jsons import Json, to_json
from core.kernel.principal import Principal
from core.kernel.problems import InvalidArgument, NotRunnable, Problem, UnknownCommand


def require_possible(
    ctx: Context, payload_map: PayloadMap, *, by: str = "webhook"
) -> None:
    """Refuse a map that names what does not exist, or more than its maker may do.

    Shape:  `by` is what the map is for, as people know it.
    Raises: UnknownCommand, UnknownFlag, MissingScope, InvalidArgument.
    """
    mapped = ctx.registry.find(payload_map.command)
    if mapped is None:
        close = suggestions(index_of(ctx.registry), payload_map.command.split())
        raise UnknownCommand(
            f"{payload_map.command[:80]!r} is not a command",
            fix=close or ["help"],
            suggestions=close,
        )
    require_runnable(ctx, mapped, by=by)
    _require_arguments(mapped, payload_map)


def require_runnable(ctx: Context, mapped: Command, *, by: str) -> None:
    """Refuse a command that no machine may run, or that its maker may not run.

    Raises: MissingScope, AssuranceTooLow, NotRunnable.
    """
    if mapped.danger is Danger.DESTRUCTIVE:
        raise NotRunnable(
            f"{mapped.name} cannot be taken back, so no {by} may run it",
            fix=["choose a command that is not destructive"],
            argument="command",
        )
    if mapped.is_macro:
        raise NotRunnable(
            f"{mapped.name} stands for another command, which a {by} cannot foresee",
            fix=["name that command itself"],
            argument="command",
        )
    if mapped.is_personal:
        raise NotRunnable(
            f"{mapped.name} is for a person to decide, so no {by} may run it",
            fix=["choose another command"],
            argument="command",
        )
    bus.authorise(mapped, ctx.principal)


def _require_arguments(mapped: Command, payload_map: PayloadMap) -> None:
    for name in payload_map.names:
        if mapped.parameter(name) is None and name != "reason":
            raise unknown_field(plan_of(mapped), name)
    for name, value in payload_map.fixed.items():
        if parameter := mapped.parameter(name):
            _require_fitting(parameter, value)
    for name in payload_map.templates:
        parameter = mapped.parameter(name)
        if parameter and (parameter.kind is not Kind.TEXT or parameter.is_list):
            raise InvalidArgument(
                f"{name} of {mapped.name} is no text, so it takes no template",
                fix=["use --arguments or --fixed for it"],
                argument=name,
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


def _require_fitting(parameter: Parameter, value: Json) -> None:
    """Refuse a fixed value that every delivery would fail with."""
    try:
        TypeAdapter(parameter.annotation).validate_json(to_json(value), strict=True)
    except ValidationError as fault:
        reason = fault.errors(include_url=False, include_context=False)[0]["msg"]
        raise InvalidArgument(
            f"the fixed value of {parameter.name} does not fit: {reason}",
            fix=['write it as JSON has it, a list as ["tests","docs"]'],
            argument=parameter.name,
        ) from fault


def try_call(
    ctx: Context, name: str, args: dict[str, Json], *, as_: Principal | None = None
) -> dict[str, Json]:
    """Understand one call as its delivery would, and say how that ended.

    Shape:  `as_` is in whose name it would run, the caller unless said otherwise.
    """
    whose = as_ or ctx.principal
    line, problem = "", ""
    try:
        line = parse_call(
            name,
            args,
            ctx.registry,
            now=ctx.tx.now,
            timezone=ctx.origin.timezone,
            me=whose.name,
        ).canonical
    except Problem as refused:
        problem = refused.detail
    return {"command": name, "args": args, "line": line, "problem": problem}


def try_found(
    ctx: Context, call: Call, *, webhook: str, as_: Principal | None = None
) -> dict[str, Json]:
    """Understand one call as `try_call` does, unless its expressions found too little."""
    asked = ctx.registry.find(call.rule.command)
    parameters = asked.parameters if asked else ()
    needed = [each.name for each in parameters if each.is_required]
    try:
        mapping.require_found(call, needed, webhook=webhook)
    except InvalidArgument as lack:
        return {
            "command": call.rule.command,
            "args": call.args,
            "line": "",
            "problem": lack.detail,
        }
    return try_call(ctx, call.rule.command, call.args, as_=as_)
