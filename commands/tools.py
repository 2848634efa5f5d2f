"""Commands over tools: what jobs may be given to work with."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.preset_views import ToolData, ToolPageData, tool_view
from commands.registry import Command, command
from commands.schema import Doc
from core.jobs.presets import service as presets
from core.jobs.tools import service as tools
from core.jobs.tools.model import ANYTHING, Tool, ToolKind
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Code, Reply

_KIND = "How it is reached: function, api or mcp."
_PARAMETERS = 'A JSON schema of an object: {"type":"object",…}.'


@command(
    "tool create",
    scope="jobs:write",
    danger="write",
    http="POST /v1/tools",
    status=201,
    result=ToolData,
    examples=[
        (
            'tool create search-docs --description "Searches the manual" --parameters '
            '{"type":"object","properties":{"query":{"type":"string"}}}'
        )
    ],
)
def create(
    ctx: Context,
    name: Annotated[str, Doc("a-z, 0-9 and -.")],
    *,
    description: Annotated[str, Doc("What it does, for whoever may use it.")] = "",
    kind: Annotated[ToolKind, Doc(_KIND)] = ToolKind.FUNCTION,
    parameters: Annotated[dict[str, Any] | None, Doc(_PARAMETERS)] = None,
    enabled: Annotated[bool, Doc("Whether jobs are given it.")] = True,
) -> Reply:
    """Register a tool; presets name it, and their jobs are given it."""
    tool = Tool(
        name=name,
        description=description,
        kind=kind,
        is_enabled=enabled,
        parameters=ANYTHING if parameters is None else parameters,
    )
    return _told(tools.create(ctx.tx, tool), "Created")


@command(
    "tool list",
    scope="jobs:read",
    http="GET /v1/tools",
    result=ToolPageData,
    examples=["tool list"],
)
def list_(ctx: Context) -> Reply:
    """List the tools by name."""
    known = tools.list_(ctx.tx)
    if not known:
        return blocks.empty("No tools", ("How to make one", "help tool create"))
    rows = [
        (each.name, each.description, each.kind, "on" if each.is_enabled else "off")
        for each in known
    ]
    return Reply(
        summary=blocks.count(len(known), "tool"),
        blocks=(blocks.table(("name", "what it does", "kind", "state"), rows),),
        data={"items": [tool_view(each) for each in known], "next": None},
    )


@command(
    "tool show",
    scope="jobs:read",
    http="GET /v1/tools/{tool}",
    target="tool",
    result=ToolData,
    examples=["tool show search-docs"],
)
def show(ctx: Context, tool: str) -> Reply:
    """Show what a tool does and takes."""
    return _told(tools.get_(ctx.tx, tool))


@command(
    "tool set",
    scope="jobs:write",
    danger="write",
    http="PATCH /v1/tools/{tool}",
    target="tool",
    result=ToolData,
    examples=["tool set search-docs --no-enabled"],
)
def set_(
    ctx: Context,
    tool: str,
    *,
    description: Annotated[str, Doc("What it does, for whoever may use it.")] = "",
    kind: Annotated[ToolKind, Doc(_KIND)] = ToolKind.FUNCTION,
    parameters: Annotated[dict[str, Any] | None, Doc(_PARAMETERS)] = None,
    enabled: Annotated[bool, Doc("Whether jobs are given it.")] = True,
) -> Reply:
    """Change what is given of a tool; jobs that have it already keep it as it was."""
    values: dict[str, Any] = {
        "description": description,
        "kind": kind,
        "parameters": parameters,
        "is_enabled": enabled,
    }
    names = {"is_enabled" if each == "enabled" else each for each in ctx.given}
    given = {name: value for name, value in values.items() if name in names}
    if not given or given.get("parameters", {}) is None:
        raise InvalidArgument(
            "nothing says what is to change",
            fix=[f"tool set {tool} --no-enabled", f"tool show {tool}"],
        )
    known = tools.get_(ctx.tx, tool)
    changed = tools.change(ctx.tx, replace(known, **given))
    back = f"tool set {tool} --{'' if known.is_enabled else 'no-'}enabled"
    reply = _told(changed, "Changed")
    is_switch = set(given) == {"is_enabled"} and changed.is_enabled != known.is_enabled
    return replace(reply, undo=blocks.undo(ctx, back)) if is_switch else reply


@command(
    "tool delete",
    scope="jobs:write",
    danger="destructive",
    http="DELETE /v1/tools/{tool}",
    target="tool",
    result=ToolData,
    examples=["tool delete search-docs --confirm search-docs"],
)
def delete(ctx: Context, tool: str) -> Reply:
    """Remove a tool that no preset names."""
    presets.require_unnamed(ctx.tx, tool)
    return _told(tools.delete(ctx.tx, tool), "Deleted")


COMMANDS: Sequence[Command] = (create, list_, show, set_, delete)


def _told(tool: Tool, happened: str = "") -> Reply:
    told = f": {tool.description}" if tool.description else ""
    schema: Json = dict(tool.parameters)
    return Reply(
        summary=f"{happened} {tool.name}{'' if happened else told}".strip()[:150],
        blocks=(
            blocks.fields(
                ("what it does", tool.description),
                ("kind", tool.kind),
                ("state", "on" if tool.is_enabled else "off"),
                ("by", tool.author),
            ),
            Code(text=canonical_json(schema).decode(), lang="json"),
            blocks.actions(("Tools", "tool list")),
        ),
        data=tool_view(tool),
    )
