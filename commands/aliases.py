"""Commands over aliases: a team's own words for one command."""

from collections.abc import Sequence
from typing import Annotated, Any

from commands import blocks
from commands.alias_book import Heard, book_of
from commands.alias_checks import claimant_of, require_possible
from commands.alias_lines import invoke
from commands.alias_replies import acknowledged
from commands.alias_views import (
    AliasData,
    AliasPageData,
    AliasTestData,
    fixed_line,
    settings_of,
    view_of,
    written,
)
from commands.context import Context
from commands.names import index_of
from commands.registry import Command, command
from commands.schema import Doc
from commands.tokens import command_start, tokenise
from commands.values import Caller
from commands.words import shown
from core.aliases import service as aliases
from core.aliases.model import Alias, Definition, Format
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, UnknownCommand
from core.kernel.reply import Code, Reply, Text

_MATCH = "How it is written: deploy {app} [to] {env=staging}."
_COMMAND = 'The command, with {app} where values go: task create "Deploy {app}".'
_FIXED = "An argument's or flag's name to the value it always has."
_ACK = "Told while it runs; text with {expression}."
_RESULT = "Told in place of the summary; text with {expression}."
_DISPLAY = "How people are told to write each --match."


@command(
    "alias create",
    scope="aliases:write",
    danger="risky",
    http="POST /v1/aliases",
    status=201,
    alters="aliases",
    result=AliasData,
    examples=[
        (
            'alias create deploy --match "deploy {app} [to] {env=staging}" '
            '--command "task create \\"Deploy {app} to {env}\\" --lane B"'
        )
    ],
)
def create(
    ctx: Context,
    name: Annotated[str, Doc("a-z, 0-9 and -.")],
    *,
    match: Annotated[Sequence[str], Doc(_MATCH)],
    command: Annotated[str, Doc(_COMMAND)],
    fixed: Annotated[dict[str, Any] | None, Doc(_FIXED)] = None,
    ack: Annotated[str, Doc(_ACK)] = "",
    result: Annotated[str, Doc(_RESULT)] = "",
    display: Annotated[Sequence[str], Doc(_DISPLAY)] = (),
    description: Annotated[str, Doc("What it is for.")] = "",
) -> Reply:
    """Give the whole team words of its own for one command."""
    definition = Definition(
        formats=_formats(match, display),
        command=command,
        fixed=fixed or {},
        ack=ack,
        result=result,
        description=description,
    )
    require_possible(ctx, definition)
    return _told(ctx, aliases.create(ctx.tx, name, definition), "Created")


@command(
    "alias list",
    scope="aliases:read",
    http="GET /v1/aliases",
    result=AliasPageData,
    examples=["alias list"],
)
def list_(ctx: Context) -> Reply:
    """List the team's aliases by name, and what is in the way of any."""
    index = index_of(ctx.registry)
    known = aliases.list_(ctx.tx)
    if not known:
        return blocks.empty("No aliases", ("How to make one", "help alias create"))
    views = [view_of(each, index) for each in known]
    rows = [
        (
            each.name,
            written(each.definition),
            each.definition.command,
            str(view["problem"]),
        )
        for each, view in zip(known, views, strict=True)
    ]
    return Reply(
        summary="1 alias" if len(known) == 1 else f"{len(known)} aliases",
        blocks=(blocks.table(("name", "written", "command", "problem"), rows),),
        data={"items": list[Json](views), "next": None},
    )


@command(
    "alias show",
    scope="aliases:read",
    http="GET /v1/aliases/{alias}",
    target="alias",
    result=AliasData,
    examples=["alias show deploy"],
)
def show(ctx: Context, alias: str) -> Reply:
    """Show how an alias is written, and what it stands for."""
    found = aliases.get_(ctx.tx, alias)
    data = view_of(found, index_of(ctx.registry))
    problem = str(data["problem"])
    return Reply(
        summary=f"{found.name}: {problem or found.definition.command}"[:150],
        blocks=(
            Code(text=written(found.definition), lang="text"),
            blocks.fields(
                ("command", found.definition.command),
                ("fixed", fixed_line(found.definition.fixed)),
                *settings_of(found.definition),
                ("made by", found.created_by),
                ("problem", problem),
            ),
        ),
        data=data,
    )


@command(
    "alias set",
    scope="aliases:write",
    danger="risky",
    http="PATCH /v1/aliases/{alias}",
    target="alias",
    alters="aliases",
    result=AliasData,
    examples=['alias set deploy --description "Asks for a deployment"'],
)
def set_(
    ctx: Context,
    alias: str,
    *,
    match: Annotated[Sequence[str], Doc(_MATCH)] = (),
    command: Annotated[str | None, Doc(_COMMAND)] = None,
    fixed: Annotated[dict[str, Any] | None, Doc(_FIXED)] = None,
    ack: Annotated[str | None, Doc(_ACK)] = None,
    result: Annotated[str | None, Doc(_RESULT)] = None,
    display: Annotated[Sequence[str], Doc(_DISPLAY)] = (),
    description: Annotated[str | None, Doc("What it is for.")] = None,
) -> Reply:
    """Change what is given of an alias; the rest stays as it is."""
    known = aliases.get_(ctx.tx, alias).definition
    matches = match or [each.match for each in known.formats]
    is_kept = not (match or display)
    definition = Definition(
        formats=known.formats if is_kept else _formats(matches, display),
        command=known.command if command is None else command,
        fixed=known.fixed if fixed is None else fixed,
        ack=known.ack if ack is None else ack,
        result=known.result if result is None else result,
        description=known.description if description is None else description,
    )
    # What only says something else stays possible when the command is gone.
    if ctx.given & {"match", "command", "fixed"}:
        require_possible(ctx, definition)
    return _told(ctx, aliases.redefine(ctx.tx, alias, definition), "Changed")


@command(
    "alias delete",
    scope="aliases:write",
    danger="risky",
    http="DELETE /v1/aliases/{alias}",
    target="alias",
    alters="aliases",
    result=AliasData,
    examples=["alias delete deploy"],
)
def delete(ctx: Context, alias: str) -> Reply:
    """Remove an alias; the command that it stood for stays."""
    return _told(ctx, aliases.delete(ctx.tx, alias), "Deleted")


@command(
    "alias test",
    scope="aliases:read",
    http="POST /v1/aliases/test",
    result=AliasTestData,
    examples=['alias test "deploy web to prod"'],
)
def test(ctx: Context, text: Annotated[str, Doc("What somebody would say.")]) -> Reply:
    """Show which alias a line is, and what would run; nothing is run."""
    book, index = book_of(ctx.tx), index_of(ctx.registry)
    start, _ = command_start(text)
    scan = tokenise(text, start)
    if scan.tokens and (claimed := index.find(scan.tokens)):
        return _no_alias(text, f"the command {claimed[0].command.name}", ())
    begun = book.beginning(scan.tokens)
    if begun and (claimant := claimant_of(index, begun[0].pattern.first)):
        return _no_alias(text, f"no alias, for it begins the command {claimant}", ())
    try:
        heard = book.hear(text, scan)
    except UnknownCommand as problem:
        return _no_alias(text, "no alias", problem.fix[:-1])
    if heard is None:
        near = book.near(scan.tokens[0].text) if scan.tokens else ()
        return _no_alias(text, "no alias", near)
    return _heard(ctx, text, heard)


COMMANDS: Sequence[Command] = (create, list_, show, set_, delete, test)


def _formats(match: Sequence[str], display: Sequence[str]) -> Sequence[Format]:
    if len(display) > len(match):
        raise InvalidArgument(
            f"there are {len(display)} displays for {len(match)} formats",
            fix=["give --display once for each --match"],
            argument="display",
        )
    shown_as = [*display, *[""] * (len(match) - len(display))]
    return [
        Format(match=each, display=text)
        for each, text in zip(match, shown_as, strict=True)
    ]


def _told(ctx: Context, alias: Alias, verb: str) -> Reply:
    displays = written(alias.definition)
    return Reply(
        summary=f"{verb} {alias.name}: {alias.definition.formats[0].shown}"[:150],
        blocks=(
            Code(text=displays, lang="text"),
            Text(md=f"stands for `{alias.definition.command}`"),
        ),
        data=view_of(alias, index_of(ctx.registry)),
    )


def _heard(ctx: Context, text: str, heard: Heard) -> Reply:
    """Show a line as it was understood, down to the command that would run."""
    alias, index = heard.spelling.alias, index_of(ctx.registry)
    caller = Caller(ctx.tx.now, ctx.origin.timezone, ctx.principal.name)
    asked = invoke(heard, index, caller)
    values = {name: value.text for name, value in heard.values.items()}
    fixed, result = alias.definition.fixed, alias.definition.result
    running = acknowledged(asked, actor=ctx.principal.name)
    ack = running.summary if running else ""
    return Reply(
        summary=f"{alias.name}: {asked.canonical}"[:150],
        blocks=(
            Code(text=asked.canonical, lang="ops"),
            blocks.fields(
                ("alias", alias.name),
                ("format", heard.spelling.format.match),
                *values.items(),
                ("fixed", fixed_line(fixed)),
                ("ack", ack),
                ("result", result),
            ),
        ),
        data={
            "text": text,
            "alias": alias.name,
            "format": heard.spelling.format.match,
            "values": dict[str, Json](values),
            "line": asked.canonical,
            "fixed": dict(fixed),
            "ack": ack,
            "result": result,
            "nearest": [],
        },
    )


def _no_alias(text: str, what: str, near: Sequence[str]) -> Reply:
    lines = "\n".join(near)
    return Reply(
        summary=f"{shown(text)} is {what}",
        blocks=(Text(md="The nearest are:"), Code(text=lines)) if near else (),
        data={
            "text": text,
            "alias": "",
            "format": "",
            "values": {},
            "line": "",
            "fixed": {},
            "ack": "",
            "result": "",
            "nearest": list[Json](near),
        },
    )
