"""`ops collab`: look after the collaboration files of this machine."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from sqlalchemy import make_url

from core.collab.replay import View
from core.database import Database
from core.identity.tenants.model import parse_tenant_id
from core.kernel.clock import SystemClock
from core.kernel.jsons import Json, canonical_json
from core.kernel.principal import DEFAULT_TENANT, Principal, system
from gateway.bootstrap import build
from gateway.cli.exits import Exit
from gateway.cli.terminal import Terminal
from gateway.cli.verbs._settings import settings_with
from gateway.graph import Graph
from gateway.mirror import Mirror, is_followed
from gateway.mirror.edits import Edit, parse_tasks, plan
from gateway.mirror.imports import Importer
from gateway.mirror.rebuild import rebuild_tasks
from gateway.mirror.verify import Comparison, Verdict, compare_all, export_all
from gateway.opening import open_database
from gateway.settings import LimitSettings, Settings

FOLDER = "collaboration"
_TRIES = 15
_TRY_SECONDS = 0.2
_WIDTH = 60
_UNLIMITED = LimitSettings(default="1000000000/second")

_existing = click.Path(exists=True, dir_okay=False, path_type=Path)
_data: Callable[..., Any] = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the gateway writes to.",
)


@click.group()
def collab() -> None:
    """Compare the collaboration files with the database, write and import them."""


@collab.command()
@_data
@click.pass_obj
def verify(terminal: Terminal, data: Path | None) -> Exit:
    """Compare every file with the database, byte for byte; fail if one differs.

    While a gateway runs, its files may be up to a second behind, so it is asked again.
    """
    settings = _settings(data)
    folder = settings.data / FOLDER
    with closing(open_database(settings)) as db:
        found = compare_all(db.look, folder)
        for _ in range(_TRIES if is_followed(folder) else 0):
            if _is_same(found):
                break
            terminal.pause(_TRY_SECONDS)
            found = compare_all(db.look, folder)
    for each in found:
        terminal.print(f"{each.verdict:<10}{each.path}  {each.tag}".rstrip() + "\n")
    return Exit.OK if _is_same(found) else Exit.FAILED


@collab.command()
@_data
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write copies to this folder instead.",
)
@click.option("--force", is_flag=True, help="Set edited files aside first.")
@click.pass_obj
def export(
    terminal: Terminal, *, data: Path | None, to: Path | None, force: bool
) -> Exit:
    """Write the files again from the database.

    Without --force, a file that somebody edited stays as it is.
    """
    settings = _settings(data)
    with closing(open_database(settings)) as db:
        if to is not None:
            for path in export_all(db.look, to):
                terminal.print(f"{path}\n")
            return Exit.OK
        return _export_here(terminal, settings, db, is_forced=force)


@collab.command("import")
@_data
@click.argument("file", type=_existing)
@click.option("--tenant", default=DEFAULT_TENANT, help="Whose tasks they are.")
@click.option("--apply/--dry-run", "is_real", help="Change the tasks, or only say how.")
@click.pass_obj
def import_(
    terminal: Terminal, *, data: Path | None, file: Path, tenant: str, is_real: bool
) -> Exit:
    """Change tasks to what an edited copy of tasks.json says.

    Every change is a command like any other; a task that somebody changed since the
    copy was made is refused.
    """
    settings = _settings(data).model_copy(update={"limits": _UNLIMITED})
    by = system(parse_tenant_id(tenant), name="import")
    wanted = parse_tasks(file.read_bytes())
    graph = build(settings)
    if not is_real:
        return asyncio.run(_preview(terminal, graph, wanted, by))
    return asyncio.run(_import(terminal, graph, wanted, by=by, file=file))


@collab.command()
@click.option("--from", "source", type=_existing, required=True, help="events.jsonl")
@click.pass_obj
def rebuild(terminal: Terminal, source: Path) -> Exit:
    """Print the tasks.json that the events alone lead to, byte for byte."""
    with source.open("rb") as lines:
        terminal.print(rebuild_tasks(lines).decode())
    return Exit.OK


def _settings(data: Path | None) -> Settings:
    settings = settings_with(data=data)
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise click.ClickException(f"there is no database at {url.database}")
    return settings


def _is_same(found: Sequence[Comparison]) -> bool:
    return all(each.verdict is Verdict.SAME for each in found)


def _export_here(
    terminal: Terminal, settings: Settings, db: Database, *, is_forced: bool
) -> Exit:
    folder = settings.data / FOLDER
    with closing(Mirror(db, folder, SystemClock())) as mirror:
        for aside in mirror.put_back() if is_forced else ():
            terminal.say(f"the edit is kept as {aside}")
        if not mirror.follow(is_final=True):
            terminal.say(
                "a gateway keeps these files; it writes within a second or two"
            )
            return Exit.OK
        found = compare_all(db.look, folder)
    for each in found:
        if each.verdict is not Verdict.SAME:
            terminal.say(f"{each.path} was edited; import it, or use --force")
    return Exit.OK if _is_same(found) else Exit.FAILED


async def _preview(
    terminal: Terminal, graph: Graph, wanted: Sequence[View], by: Principal
) -> Exit:
    try:
        edits = await graph.db.read(lambda tx: plan(tx, wanted), by=by)
        return _show_plan(terminal, edits)
    finally:
        await graph.stop()


async def _import(
    terminal: Terminal,
    graph: Graph,
    wanted: Sequence[View],
    *,
    by: Principal,
    file: Path,
) -> Exit:
    try:
        edits = await graph.db.read(lambda tx: plan(tx, wanted), by=by)
        code = await _apply(terminal, graph, edits, by)
        if code is Exit.OK:
            await asyncio.to_thread(_settle, terminal, graph, file)
        return code
    finally:
        await graph.stop()


def _show_plan(terminal: Terminal, edits: Sequence[Edit]) -> Exit:
    for edit in edits:
        _show(terminal, edit, edit.refusal)
    refused = sum(bool(each.refusal) for each in edits)
    terminal.say(
        f"{len(edits) - refused} to change, {refused} refused; nothing was done"
    )
    return Exit.CONFLICT if refused else Exit.OK


async def _apply(
    terminal: Terminal, graph: Graph, edits: Sequence[Edit], by: Principal
) -> Exit:
    await graph.core.channels.reload()
    refused = 0
    async for edit, refusal in Importer(graph.pipeline, by, graph.clock).apply(edits):
        _show(terminal, edit, refusal)
        refused += bool(refusal)
    terminal.say(f"{len(edits) - refused} changed, {refused} refused")
    return Exit.CONFLICT if refused else Exit.OK


def _settle(terminal: Terminal, graph: Graph, file: Path) -> None:
    """Let the mirror write again where the imported edit stood."""
    for aside in graph.mirror.put_back(only=file):
        terminal.say(f"the edit is kept as {aside}")
    graph.mirror.follow(is_final=True)


def _show(terminal: Terminal, edit: Edit, refusal: str) -> None:
    for change in edit.changes:
        before, after = _short(change.before), _short(change.after)
        terminal.print(f"{edit.task_id}  {change.name}: {before} -> {after}\n")
    if refusal:
        terminal.print(f"{edit.task_id}  refused: {refusal}\n")


def _short(value: Json) -> str:
    text = canonical_json(value).decode()
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
