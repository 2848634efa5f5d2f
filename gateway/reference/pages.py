"""The reference pages as files: commands, API, events, errors, settings."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from commands.registry import Command, Registry
from commands.schema import Parameter
from gateway.error_list import error_entries
from gateway.every_command import described_commands
from gateway.http.openapi import document
from gateway.reference.events import event_entries
from gateway.reference.settings import render_environment, setting_entries

_WRITTEN = "Written by `ops docs` from the code; do not edit it.\n"


def pages() -> Mapping[Path, str]:
    """Write all of them, by their path in the checkout."""
    folder = Path("docs/reference")
    return {
        folder / "commands.md": _page(
            "Commands", "".join(map(_command, described_commands()))
        ),
        folder / "api.md": _page("The HTTP API", _api()),
        folder / "events.md": _page("Events", _events()),
        folder / "errors.md": _page("Errors", _errors()),
        folder / "settings.md": _page("Settings", _settings()),
        Path(".env.example"): render_environment(),
    }


def write(root: Path) -> list[Path]:
    """Write what differs below a folder; return the paths."""
    changed = stale(root)
    for path, text in pages().items():
        if path in changed:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, "utf-8")
    return changed


def stale(root: Path) -> list[Path]:
    """List the pages that are missing below a folder, or say something else."""
    return [path for path, text in pages().items() if _read(root / path) != text]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _page(title: str, body: str) -> str:
    return f"# {title}\n\n{_WRITTEN}\n{body.strip()}\n"


def _command(command: Command) -> str:
    facts = [
        f"Scope `{command.scope}`" if command.scope else "No scope",
        command.dangers,
    ]
    facts += [f"`{route.method} {route.path}`" for route in command.routes]
    rows = [_argument(each) for each in command.parameters]
    examples = "".join(f"    {line}\n" for line in command.examples)
    return "\n".join(
        [
            f"## {command.name}\n",
            f"{command.doc}\n",
            f"{', '.join(facts)}.\n",
            *([_table(("argument", "kind", "unless given", ""), rows)] if rows else []),
            *([examples] if examples else []),
            "",
        ]
    )


def _argument(parameter: Parameter) -> Sequence[str]:
    name = parameter.name if parameter.is_positional else parameter.flag
    kind = (
        "one of " + ", ".join(parameter.choices)
        if parameter.choices
        else parameter.kind
    )
    default = "required" if parameter.is_required else _default(parameter.default)
    return (
        f"`{name}`",
        f"{kind}, many" if parameter.is_list else kind,
        default,
        parameter.doc,
    )


def _default(value: Any) -> str:
    return "" if value in (None, "", ()) else f"`{value}`"


def _api() -> str:
    described = document(Registry.of(described_commands()), version="")
    rows = [
        (
            f"`{method.upper()} {path}`",
            operation["summary"],
            f"`{scope}`"
            if (scope := operation.get("x-scope"))
            else _credential(operation),
            " ".join(sorted(operation["responses"])),
        )
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    heads = ("operation", "", "scope", "answers")
    return (
        "`/openapi.json` has the whole of it, `/docs` shows it. Every refusal is\n"
        "`application/problem+json`, but for `/v1/commands`, which answers a Reply.\n\n"
        + _table(heads, rows)
    )


def _credential(operation: Mapping[str, Any]) -> str:
    security = operation.get("security", [])
    return "any" if security and {} not in security else "open"


def _events() -> str:
    rows = [
        (f"`{each.type}`", ", ".join(each.details), f"`{each.module}`")
        for each in event_entries()
    ]
    return _table(("event", "details", "appended by"), rows)


def _errors() -> str:
    rows = [
        (f"`{each.code}`", str(each.status), each.title, each.doc)
        for each in error_entries()
    ]
    return _table(("code", "status", "title", ""), rows)


def _settings() -> str:
    rows = [
        (
            f"`{each.variable}`",
            f"`{each.default}`" if each.default else "",
            each.description,
        )
        for each in setting_entries()
    ]
    return _table(("variable", "unless set", ""), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(_lines(heads, rows))


def _lines(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |\n"
    yield f"|{'---|' * len(heads)}\n"
    for row in rows:
        cells = [cell.replace("|", "\\|").replace("\n", " ") for cell in row]
        yield f"| {' | '.join(cells)} |\n"
