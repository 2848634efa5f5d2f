"""The help ladder: what there is, what a noun can do, how one command is written."""

from collections.abc import Sequence

from commands.names import disabled_by, index_of, suggestions
from commands.registry import Command, Registry
from commands.schema import Kind, Parameter
from commands.words import shown
from core.kernel.jsons import Json
from core.kernel.principal import Principal
from core.kernel.problems import CommandDisabled
from core.kernel.reply import Block, Code, Fields, Link, Reply, Table, Text

# With the summary, the column heads and the hint this makes 25 lines at most.
_MOST_ROWS = 22
_REFERENCE = "/docs"


def overview(registry: Registry, principal: Principal) -> Reply:
    """Show what the principal may run, a line for each noun, 25 lines at most."""
    allowed = [each for each in registry if _may(principal, each)]
    verbs: dict[str, list[str]] = {}
    for each in allowed:
        group = verbs.setdefault(each.noun if each.verb else "", [])
        group.append(each.verb or each.name)
    alone = verbs.pop("", [])
    rows = [(noun, ", ".join(names)) for noun, names in sorted(verbs.items())]
    rows += [("alone", ", ".join(sorted(alone)))] if alone else []
    items: list[Json] = [_item(each, principal) for each in allowed]
    return Reply(
        summary=f"{len(allowed)} commands you may run",
        blocks=(
            Table(columns=("noun", "verbs"), rows=_folded(rows)),
            Text(md="`help <noun> [verb]` says more, `help --all` shows all."),
        ),
        data={"items": items, "next": None},
    )


def of_noun(registry: Registry, noun: str, principal: Principal) -> Reply:
    """Show the commands of a noun, plural or not, with the scope that is missing.

    Shape:  an unknown noun is answered too, with the commands it may have meant.
    """
    index = index_of(registry)
    known = index.nouns.get(noun.lower(), "")
    commands = [each for each in registry if each.noun == known]
    if not commands and (disabled := disabled_by(index, [noun.lower()])):
        return _of_disabled(disabled)
    if not commands:
        commands = _found(registry, suggestions(index, noun[:200].lower().split()))
        summary = f"There is no {shown(noun)}" + (", but there is:" if commands else "")
    else:
        summary = f"{known}: {_count(commands)}"
    rows = [
        (
            each.name,
            each.summary,
            "" if _may(principal, each) else f"needs {each.scope}",
        )
        for each in commands
    ]
    table = Table(columns=("command", "what", "you"), rows=rows, total=len(rows))
    hint = f"`help {commands[0].name}` says more." if commands else "`help` shows all."
    return Reply(
        summary=summary[:150],
        blocks=(*((table,) if rows else ()), Text(md=hint)),
        data={"items": [_item(each, principal) for each in commands], "next": None},
    )


def _of_disabled(disabled: CommandDisabled) -> Reply:
    """Say why there is no help: what would give it has failed."""
    return Reply(
        summary=disabled.detail[:150],
        blocks=(Text(md=f"`{disabled.fix[0]}` says more."),),
        data={"items": [], "next": None},
    )


def of_command(command: Command) -> Reply:
    """Explain one command: example first, what it does, arguments, danger and scope."""
    blocks: list[Block] = [
        Code(text="\n".join(command.examples or (usage(command),)), lang="ops"),
        Text(md=command.doc),
    ]
    if command.parameters:
        blocks.append(
            Table(
                columns=("argument", "type", "default", "what"),
                rows=[
                    (_how(each), _type(each), _default(each), each.doc)
                    for each in command.parameters
                ],
            )
        )
    blocks += [
        Fields(
            pairs=(
                ("usage", usage(command)),
                ("danger", command.dangers),
                ("scope", command.scope or "none"),
            )
        ),
    ]
    if command.routes:
        anchor = command.name.replace(" ", "-")
        blocks.append(Link(label="Reference", url=f"{_REFERENCE}#{anchor}"))
    return Reply(
        summary=f"{command.name}: {command.summary}"[:150],
        blocks=blocks,
        data=_described(command),
    )


def everything(registry: Registry) -> Reply:
    """Show how each command is written, by name."""
    commands = sorted(registry, key=lambda each: each.name)
    lines = [f"{usage(each)}\n    {each.summary}" for each in commands]
    return Reply(
        summary=f"All {_count(commands)}",
        blocks=(Code(text="\n".join(lines)),),
        data={"items": [_described(each) for each in commands], "next": None},
    )


def usage(command: Command) -> str:
    """Write how a command is written: `task create <title> [--lane A|B|C|D]`."""
    return " ".join((command.name, *(_usage(each) for each in command.parameters)))


def _usage(parameter: Parameter) -> str:
    if parameter.is_positional:
        word = parameter.name.replace("_", "-") + ("..." if parameter.is_list else "")
        return f"<{word}>" if parameter.is_required else f"[{word}]"
    if parameter.kind is Kind.FLAG:
        is_on = parameter.default is True
        written = parameter.flag.replace("--", "--no-", 1) if is_on else parameter.flag
    else:
        written = f"{parameter.flag} {_type(parameter)}"
    return written if parameter.is_required else f"[{written}]"


def _may(principal: Principal, command: Command) -> bool:
    return command.is_open or principal.may(command.scope)


def _count(commands: Sequence[Command]) -> str:
    return f"{len(commands)} command{'' if len(commands) == 1 else 's'}"


def _found(registry: Registry, names: Sequence[str]) -> list[Command]:
    return [registry.names[name] for name in names]


def _folded(rows: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Keep what fits; the nouns that do not share the last row."""
    if len(rows) <= _MOST_ROWS:
        return rows
    kept, folded = rows[: _MOST_ROWS - 1], rows[_MOST_ROWS - 1 :]
    return [*kept, ("more", ", ".join(noun for noun, _ in folded))]


def _how(parameter: Parameter) -> str:
    return parameter.name if parameter.is_positional else parameter.flag


def _type(parameter: Parameter) -> str:
    """Name what a parameter takes: its choices, or its kind."""
    if parameter.choices:
        name = "|".join(parameter.choices)
    elif parameter.kind is Kind.REF:
        name = f"{parameter.prefix}-12" if parameter.prefix else "id"
    else:
        name = parameter.kind.value
    return f"{name},..." if parameter.is_list else name


def _default(parameter: Parameter) -> str:
    if parameter.is_required:
        return "required"
    default = parameter.default
    if default is None or default in ("", (), []):
        return ""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ",".join(map(str, default)) if parameter.is_list else str(default)


def _item(command: Command, principal: Principal) -> dict[str, Json]:
    return {
        "name": command.name,
        "summary": command.summary,
        "danger": command.danger.value,
        "scope": command.scope,
        "allowed": _may(principal, command),
    }


def _described(command: Command) -> dict[str, Json]:
    return {
        "name": command.name,
        "usage": usage(command),
        "summary": command.summary,
        "doc": command.doc,
        "danger": command.danger.value,
        "scope": command.scope,
        "examples": list(command.examples),
        "parameters": [_parameter(each) for each in command.parameters],
        "routes": [f"{each.method} {each.path}" for each in command.routes],
    }


def _parameter(parameter: Parameter) -> dict[str, Json]:
    return {
        "name": parameter.name,
        "type": _type(parameter),
        "kind": parameter.kind.value,
        "positional": parameter.is_positional,
        "required": parameter.is_required,
        "list": parameter.is_list,
        "default": _default(parameter),
        "choices": list(parameter.choices),
        "doc": parameter.doc,
    }
