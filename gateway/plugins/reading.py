"""Reads one plugin, from a file or as installed, into what it offers."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

from commands.plugins import PluginKind
from commands.registry import Route
from core.kernel.clock import Clock
from gateway.plugins.aside import wait_aside
from gateway.plugins.checks import check_command
from gateway.plugins.faults import failed, fault_of
from gateway.plugins.folder import Source
from gateway.plugins.guard import Guard
from gateway.plugins.importing import Imported, import_plugin
from gateway.plugins.installed import load_installed
from gateway.plugins.loops import OwnLoop
from gateway.plugins.model import Offer, Plugin, PluginFault
from gateway.plugins.shelf import Shelf
from gateway.supervisor import Failed

_log = logging.getLogger(__name__)


class Reader:
    """Turns sources into offers; whatever goes wrong becomes the offer's fault."""

    def __init__(self, folder: Path, *, shelf: Shelf, clock: Clock) -> None:
        self._folder = folder
        self._shelf = shelf
        self._clock = clock

    def read_now(self, source: Source) -> Offer:
        """Import what lies in the folder, while nobody else waits."""
        outcome = wait_aside(partial(import_source, source), name=source.name)
        return self.of_file(source, outcome)

    def read_installed(self, point: EntryPoint) -> Offer:
        """Load what an entry point names, while nobody else waits."""
        offer = Offer(
            name=point.name,
            kind=PluginKind.INSTALLED,
            place=point.value,
            home=_home_of(point),
            loaded_at=self._clock.now(),
        )
        outcome = wait_aside(partial(_load, point), name=point.name)
        if isinstance(outcome, Failed):
            return failed(offer, outcome.fault)
        return self._working(offer, outcome, edition=_version_of(point))

    def of_file(
        self,
        source: Source,
        outcome: Imported | Failed,
        *,
        before: Sequence[str] = (),
        routes_before: Sequence[Route] = (),
    ) -> Offer:
        """Make an offer of what became of an import."""
        offer = Offer(
            name=source.name,
            kind=PluginKind.FILE,
            place=str(source.place.relative_to(self._folder.parent)),
            home=self._folder,
            before=before,
            routes_before=routes_before,
            loaded_at=self._clock.now(),
        )
        if isinstance(outcome, Failed):
            return failed(offer, outcome.fault)
        brings = Plugin(commands=outcome.commands)
        offer = replace(offer, module=outcome.module)
        return self._working(offer, brings, edition=outcome.edition)

    def _working(self, offer: Offer, brings: Plugin, *, edition: str) -> Offer:
        _log.info("plugin.loaded", extra={"plugin": offer.name})
        loop = OwnLoop(f"plugin-{offer.name}")
        guard = Guard(
            key=offer.key,
            plugin=offer.name,
            edition=edition,
            calls=self._shelf.calls,
            loop=loop,
            fault_of=partial(fault_of, home=offer.home),
            failed=partial(self._shelf.count, offer.key),
            slow=partial(self._shelf.slow, offer.key),
        )
        commands = tuple(guard.watch(each) for each in brings.commands)
        return replace(
            offer,
            loop=loop,
            brings=Plugin(commands=commands, channels=brings.channels),
        )


def import_source(source: Source) -> Imported:
    """Import what lies in the folder.

    Raises: whatever its code or the check of its commands raises.
    """
    if source.fault:
        raise PluginFault(source.fault)
    return import_plugin(source, check_command)


def _load(point: EntryPoint) -> Plugin:
    plugin = load_installed(point)
    for each in plugin.commands:
        check_command(each)
    return plugin


def _version_of(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _home_of(point: EntryPoint) -> Path:
    """Find the package, or the one file, in which an entry point's code lies."""
    top = point.module.partition(".")[0]
    root = Path(str(point.dist.locate_file(""))) if point.dist else Path()
    package = root.absolute() / top
    return package if package.is_dir() else package.with_suffix(".py")
