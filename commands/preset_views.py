"""The shapes of what commands over presets and tools answer, and how they are filled."""

from typing import Any

from typing_extensions import TypedDict

from core.jobs.presets.model import Preset
from core.jobs.tools.model import Tool
from core.kernel.clock import to_iso
from core.kernel.jsons import Json


class PresetData(TypedDict):
    """A preset; one that `is_builtin` comes with Opswire."""

    name: str
    description: str
    prompt: str
    input: dict[str, Any]
    variants: int
    format: str
    tools: list[str]
    author: str
    changed_at: str | None
    is_builtin: bool


class PresetPageData(TypedDict):
    """All presets: those that are built in, then the team's own, by name."""

    items: list[PresetData]
    next: str | None


class ToolData(TypedDict):
    """A tool; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    kind: str
    parameters: dict[str, Any]
    enabled: bool
    author: str
    changed_at: str | None


class ToolPageData(TypedDict):
    """All tools by name."""

    items: list[ToolData]
    next: str | None


def preset_view(preset: Preset) -> dict[str, Json]:
    """Show a preset."""
    return {
        "name": preset.name,
        "description": preset.description,
        "prompt": preset.prompt,
        "input": dict(preset.input),
        "variants": preset.variants,
        "format": preset.format.value,
        "tools": list(preset.tools),
        "author": preset.author,
        "changed_at": to_iso(preset.changed_at) if preset.changed_at else None,
        "is_builtin": preset.is_builtin,
    }


def tool_view(tool: Tool) -> dict[str, Json]:
    """Show a tool."""
    return {
        "name": tool.name,
        "description": tool.description,
        "kind": tool.kind.value,
        "parameters": dict(tool.parameters),
        "enabled": tool.is_enabled,
        "author": tool.author,
        "changed_at": to_iso(tool.changed_at) if tool.changed_at else None,
    }
