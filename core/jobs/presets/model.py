"""A preset: what a job begins with, under a name; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.jobs.model import Format
from core.jobs.presets.prompt import check_prompt
from core.kernel.jsons import Json, canonical_json
from core.kernel.names import require_name
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.texts import require_line
from core.providers.model import MOST_DRAFTS

COLLECTION = "presets"
MOST = 200
DEFAULT_VARIANTS = 2
MOST_TOOLS = 10
INPUT_BYTES = 65_536

_DESCRIPTION_LIMIT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named beginning of jobs.

    Shape:  `prompt` is a text with `{{ input.name }}` in it; `input` holds what is put
            in when a job says nothing else. `tools` are names of the tools' registry.
            One that `is_builtin` comes with Opswire and stays as it is.
    """

    name: str
    description: str = ""
    prompt: str
    input: Mapping[str, Json] = field(default_factory=dict)
    variants: int = DEFAULT_VARIANTS
    format: Format = Format.MD
    tools: Sequence[str] = ()
    author: str = ""
    changed_at: datetime | None = None
    is_builtin: bool = False


def checked(preset: Preset) -> Preset:
    """Return a preset that can be stored and used.

    Raises: InvalidArgument naming the field and the fix.
    """
    require_name("a preset", preset.name, such_as="weekly-report")
    require_line("description", preset.description, limit=_DESCRIPTION_LIMIT, least=0)
    check_prompt(preset.prompt)
    require_count(preset.variants)
    require_input(preset.input)
    if len(preset.tools) > MOST_TOOLS:
        raise InvalidArgument(
            f"a preset names at most {MOST_TOOLS} tools",
            fix=["leave some out"],
            argument="tools",
        )
    return replace(preset, tools=tuple(dict.fromkeys(preset.tools)))


def require_count(variants: int) -> int:
    """Return a number of variants that a provider can be asked for.

    Raises: InvalidArgument.
    """
    if not 1 <= variants <= MOST_DRAFTS:
        raise InvalidArgument(
            f"{variants} variants cannot be made",
            fix=[f"use 1 to {MOST_DRAFTS}"],
            argument="variants",
        )
    return variants


def require_input(values: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return an input that is not too large to be kept with a job and its run.

    Raises: InvalidArgument.
    """
    size = len(canonical_json(dict(values)))
    if size > INPUT_BYTES:
        raise InvalidArgument(
            f"the input has {size} bytes",
            fix=[f"use at most {INPUT_BYTES}", "name files instead of quoting them"],
            argument="input",
        )
    return values


def unknown(name: str) -> NotFound:
    """Say that there is no such preset."""
    return NotFound(f"the preset {name[:40]}", fix=["preset list"])
