"""Reads one plugin, from a file or as installed, into what it offers."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

from commands.plugins import PluginKind
from core.kernel.clock import Clock
from gateway.plugins.aside import aside, wait_aside
from gateway.plugins.checks import check_command
from gateway.plugins.faults import failed, fault_of
from gateway.plugins.folder import Source
from gateway.plugins.guard import guarded
from gateway.plugins.importing import Imported, import_plugin
from gateway.plugins.installed import load_installed
from gateway.plugins.model import Offer, Plugin, PluginFault
from gateway.supervisor import Failed

_log = logging.getLogger(__name__)

# Told a plugin's key, and the line that says what a handler of it raised.
Count = Callable[[str, str], None]


class Reader:
    """Turns sources into offers; whatever goes wrong becomes the offer's fault."""

    def __init__(self, folder: Path, *, count: Count, clock: Clock) -> None:
        self._folder = folder
        self._count = count
        self._clock = clock

    async def read(self, source: Source, *, before: Sequence[str]) -> Offer:
        """Import what lies in the folder."""
        outcome = await aside(partial(_import, source), name=source.name)
        return self._of_file(source, outcome, before)

    def read_now(self, source: Source) -> Offer:
        """Import what lies in the folder, while nobody else waits."""
        outcome = wait_aside(partial(_import, source), name=source.name)
        return self._of_file(source, outcome, ())

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
        return self._working(offer, outcome)

    def _of_file(
        self, source: Source, outcome: Imported | Failed, before: Sequence[str]
    ) -> Offer:
        offer = Offer(
            name=source.name,
            kind=PluginKind.FILE,
            place=str(source.place.relative_to(self._folder.parent)),
            home=self._folder,
            before=before,
            loaded_at=self._clock.now(),
        )
        if isinstance(outcome, Failed):
            return failed(offer, outcome.fault)
        brings = Plugin(commands=outcome.commands)
        return self._working(replace(offer, module=outcome.module), brings)

    def _working(self, offer: Offer, brings: Plugin) -> Offer:
        def note(fault: BaseException) -> None:
            self._count(offer.key, fault_of(fault, offer.home).text)

        _log.info("plugin.loaded", extra={"plugin": offer.name})
        commands = tuple(guarded(each, note) for each in brings.commands)
        return replace(
            offer, brings=Plugin(commands=commands, channels=brings.channels)
        )


def _import(source: Source) -> Imported:
    if source.fault:
        raise PluginFault(source.fault)
    return import_plugin(source, check_command)


def _load(point: EntryPoint) -> Plugin:
    plugin = load_installed(point)
    for each in plugin.commands:
        check_command(each)
    return plugin


def _home_of(point: EntryPoint) -> Path:
    """Find the package, or the one file, in which an entry point's code lies."""
    top = point.module.partition(".")[0]
    root = Path(str(point.dist.locate_file(""))) if point.dist else Path()
    package = root.absolute() / top
    return package if package.is_dir() else package.with_suffix(".py")
