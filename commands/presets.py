"""Commands over presets: named beginnings of jobs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.preset_views import PresetData, PresetPageData, preset_view
from commands.registry import Command, command
from commands.schema import Doc
from core.jobs.model import Format
from core.jobs.presets import service as presets
from core.jobs.presets.model import Preset
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Code, Reply

_PROMPT = (
    "What is asked, with {{ input.name }}, {{ title }} and {{ description }} in it."
)
_INPUT = "What is put in unless a job says otherwise."
_TOOLS = "Names of tools that jobs are given; see tool list."
_VARIANTS = "How many variants, 1 to 8."
_FORMAT = "What the texts are."


@command(
    "preset create",
    scope="jobs:write",
    danger="write",
    http="POST /v1/presets",
    status=201,
    result=PresetData,
    examples=[
        'preset create weekly --prompt "Sum up: {{ input.news }}" --variants 3',
        "preset create my-changelog --like changelog --variants 1",
    ],
)
def create(
    ctx: Context,
    name: Annotated[str, Doc("a-z, 0-9 and -.")],
    *,
    like: Annotated[str, Doc("A preset to begin with.")] = "",
    prompt: Annotated[str, Doc(_PROMPT)] = "",
    description: Annotated[str, Doc("What it is for.")] = "",
    input: Annotated[dict[str, Any] | None, Doc(_INPUT)] = None,
    variants: Annotated[int, Doc(_VARIANTS)] = 2,
    format: Annotated[Format, Doc(_FORMAT)] = Format.MD,
    tools: Annotated[Sequence[str], Doc(_TOOLS)] = (),
) -> Reply:
    """Give a beginning of jobs a name."""
    values: dict[str, Any] = {
        "prompt": prompt,
        "description": description,
        "input": input or {},
        "variants": variants,
        "format": format,
        "tools": tuple(tools),
    }
    if like:
        kept = presets.get_(ctx.tx, like)
        given = {key: each for key, each in values.items() if key in ctx.given}
        made = presets.create(ctx.tx, replace(kept, name=name, **given))
    else:
        made = presets.create(ctx.tx, Preset(name=name, **values))
    return _told(made, "Created")


@command(
    "preset list",
    scope="jobs:read",
    http="GET /v1/presets",
    result=PresetPageData,
    examples=["preset list"],
)
def list_(ctx: Context) -> Reply:
    """List the presets: those that are built in, then the team's own."""
    known = presets.list_(ctx.tx)
    rows = [
        (
            each.name,
            each.description,
            each.variants,
            each.format,
            "Opswire" if each.is_builtin else each.author,
        )
        for each in known
    ]
    return Reply(
        summary=blocks.count(len(known), "preset"),
        blocks=(
            blocks.table(("name", "what it is for", "variants", "format", "by"), rows),
            blocks.actions(
                ("Use the first", f'job create "…" --preset {known[0].name}')
            ),
        ),
        data={"items": [preset_view(each) for each in known], "next": None},
    )


@command(
    "preset show",
    scope="jobs:read",
    http="GET /v1/presets/{preset}",
    target="preset",
    result=PresetData,
    examples=["preset show changelog"],
)
def show(ctx: Context, preset: str) -> Reply:
    """Show the prompt of a preset, and what is put into it."""
    return _told(presets.get_(ctx.tx, preset))


@command(
    "preset set",
    scope="jobs:write",
    danger="write",
    http="PATCH /v1/presets/{preset}",
    target="preset",
    result=PresetData,
    examples=['preset set weekly --description "For Mondays"'],
)
def set_(
    ctx: Context,
    preset: str,
    *,
    prompt: Annotated[str, Doc(_PROMPT)] = "",
    description: Annotated[str, Doc("What it is for.")] = "",
    input: Annotated[dict[str, Any] | None, Doc(_INPUT)] = None,
    variants: Annotated[int, Doc(_VARIANTS)] = 2,
    format: Annotated[Format, Doc(_FORMAT)] = Format.MD,
    tools: Annotated[Sequence[str], Doc(_TOOLS)] = (),
) -> Reply:
    """Change what is given of a preset; jobs that began with it stay as they are."""
    values: dict[str, Any] = {
        "prompt": prompt,
        "description": description,
        "input": input or {},
        "variants": variants,
        "format": format,
        "tools": tuple(tools),
    }
    given = {name: value for name, value in values.items() if name in ctx.given}
    if not given:
        raise InvalidArgument(
            "nothing says what is to change",
            fix=[f'preset set {preset} --prompt "…"', f"preset show {preset}"],
        )
    known = presets.require_own(ctx.tx, preset)
    return _told(presets.change(ctx.tx, replace(known, **given)), "Changed")


@command(
    "preset delete",
    scope="jobs:write",
    danger="destructive",
    http="DELETE /v1/presets/{preset}",
    target="preset",
    result=PresetData,
    examples=["preset delete weekly --confirm weekly"],
)
def delete(ctx: Context, preset: str) -> Reply:
    """Remove a preset; jobs that began with it stay as they are."""
    return _told(presets.delete(ctx.tx, preset), "Deleted")


COMMANDS: Sequence[Command] = (create, list_, show, set_, delete)


def _told(preset: Preset, happened: str = "") -> Reply:
    told = f": {preset.description}" if preset.description else ""
    values: Json = dict(preset.input)
    return Reply(
        summary=f"{happened} {preset.name}{'' if happened else told}".strip()[:150],
        blocks=(
            Code(text=preset.prompt, lang="text"),
            blocks.fields(
                ("what it is for", preset.description),
                ("put in", canonical_json(values).decode() if preset.input else ""),
                ("variants", preset.variants),
                ("format", preset.format),
                ("tools", ", ".join(preset.tools)),
                ("by", "Opswire" if preset.is_builtin else preset.author),
            ),
            blocks.actions(("Presets", "preset list")),
        ),
        data=preset_view(preset),
    )
