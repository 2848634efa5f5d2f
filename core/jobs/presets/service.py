"""Make, change, list and remove presets; those that come with Opswire stay."""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.jobs.presets import store
from core.jobs.presets.builtin import PRESETS
from core.jobs.presets.model import COLLECTION, MOST, Preset, checked, unknown
from core.jobs.tools import service as tools
from core.kernel.problems import AlreadyExists, Conflict

_MOST_NAMED = 10


def create(tx: Tx, preset: Preset) -> Preset:
    """Make a preset; its name must be free.

    Raises: InvalidArgument, AlreadyExists, NotFound for a tool, Conflict when there are
            two hundred.
    """
    made = _ours(tx, preset)
    if made.name in PRESETS or store.find(tx, made.name) is not None:
        raise AlreadyExists(
            f"the preset {made.name} exists already", fix=[f"preset show {made.name}"]
        )
    if len(store.list_(tx, most=MOST)) == MOST:
        raise Conflict(
            f"there are {MOST} presets already, and a team has no more",
            fix=["preset list", "preset delete <name>"],
        )
    store.add(tx, made)
    return _tell(tx, "preset_created", made)


def change(tx: Tx, preset: Preset) -> Preset:
    """Put another preset in the place of the one with its name.

    Raises: InvalidArgument, NotFound for it or a tool, Conflict for one that is built in.
    """
    require_own(tx, preset.name)
    changed = _ours(tx, preset)
    store.update(tx, changed)
    return _tell(tx, "preset_changed", changed)


def delete(tx: Tx, name: str) -> Preset:
    """Remove a preset; jobs that began with it stay as they are.

    Raises: NotFound, Conflict for one that is built in.
    """
    preset = require_own(tx, name)
    store.delete(tx, name)
    return _tell(tx, "preset_deleted", preset)


def get_(tx: Tx, name: str) -> Preset:
    """Get a preset by its name, whoever made it.

    Raises: NotFound.
    """
    found = PRESETS.get(name) or store.find(tx, name)
    if found is None:
        raise unknown(name)
    return found


def list_(tx: Tx) -> Sequence[Preset]:
    """List the presets by name, those that are built in first."""
    return [*PRESETS.values(), *store.list_(tx, most=MOST)]


def require_own(tx: Tx, name: str) -> Preset:
    """Get a preset that may be changed.

    Raises: NotFound, Conflict for one that is built in.
    """
    found = get_(tx, name)
    if found.is_builtin:
        raise Conflict(
            f"{name} comes with Opswire and stays as it is",
            fix=[f"preset create my-{name} --like {name}"],
        )
    return found


def require_unnamed(tx: Tx, tool: str) -> None:
    """Refuse to let a tool go that presets name: they could begin no job.

    Raises: Conflict naming the presets.
    """
    naming = [each for each in store.list_(tx, most=MOST) if tool in each.tools]
    if naming:
        names = [each.name for each in naming]
        raise Conflict(
            f"{tool} is named by {'the preset' if len(names) == 1 else 'the presets'}"
            f" {', '.join(names[:_MOST_NAMED])}{' …' if names[_MOST_NAMED:] else ''}",
            fix=[
                f"preset set {names[0]} --tools <the others>",
                f"preset delete {names[0]}",
                f"tool set {tool} --no-enabled",
            ],
            presets=names,
        )


def _ours(tx: Tx, preset: Preset) -> Preset:
    for name in preset.tools:
        tools.get_(tx, name)
    return replace(
        checked(preset), author=tx.principal.name, changed_at=tx.now, is_builtin=False
    )


def _tell(tx: Tx, event: str, preset: Preset) -> Preset:
    tx.bump(COLLECTION)
    append(tx, event, target=preset.name)
    return preset
