"""The imports that are going on, each by itself: one that hangs keeps no other waiting."""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

from gateway.plugins.aside import DEADLINE, begin_aside, late
from gateway.plugins.folder import Source
from gateway.plugins.importing import Imported, forget
from gateway.plugins.model import PluginFault
from gateway.supervisor import Failed

MOST_HUNG = 8

Outcome = Imported | Failed


@dataclass(frozen=True, slots=True)
class _Import:
    source: Source
    future: Future[Outcome]
    begun: float


class Imports:
    """Begins imports in threads, and hands out what has become of them.

    Shape:  a thread cannot be ended, so one that is given up, or whose file has changed
            or gone, is left behind; above `MOST_HUNG` of these nothing new is begun.
    """

    def __init__(self, deadline: timedelta = DEADLINE) -> None:
        self._deadline = deadline
        self._going: dict[str, _Import] = {}
        self._hung: list[Future[Outcome]] = []

    @property
    def names(self) -> Collection[str]:
        """The plugins that are being imported."""
        return self._going.keys()

    def is_reading(self, source: Source) -> bool:
        """Tell whether just this version is being imported."""
        going = self._going.get(source.name)
        return going is not None and going.source == source

    def begin(self, source: Source, work: Callable[[], Imported]) -> None:
        """Begin an import, in the place of an older one of that name."""
        self.drop(source.name)
        self._hung = [each for each in self._hung if not each.done()]
        future: Future[Outcome]
        if len(self._hung) < MOST_HUNG:
            future = begin_aside(work, source.name)
        else:
            future = Future()
            future.set_result(Failed(_too_many()))
        self._going[source.name] = _Import(source, future, time.monotonic())

    def drop(self, name: str) -> None:
        """Want no more to know what becomes of an import."""
        if going := self._going.pop(name, None):
            self._leave(going)

    async def ready(self, patience: timedelta) -> Mapping[Source, Outcome]:
        """Give what is done or late by now; wait a little for what was just begun."""
        seconds = patience.total_seconds()
        new = [
            asyncio.wrap_future(each.future)
            for each in self._going.values()
            if time.monotonic() - each.begun < seconds
        ]
        if new:
            await asyncio.wait(new, timeout=seconds)
        ready: dict[Source, Outcome] = {}
        for name, each in list(self._going.items()):
            is_late = time.monotonic() - each.begun >= self._deadline.total_seconds()
            if each.future.done():
                ready[each.source] = each.future.result()
                del self._going[name]
            elif is_late:
                ready[each.source] = late(self._deadline)
                self.drop(name)
        return ready

    def _leave(self, going: _Import) -> None:
        self._hung.append(going.future)
        going.future.add_done_callback(_forget_late)


def _forget_late(future: Future[Outcome]) -> None:
    """Unload what came when nobody wanted it any more."""
    outcome = future.result()
    if isinstance(outcome, Imported):
        forget(outcome.module)


def _too_many() -> PluginFault:
    return PluginFault(
        f"{MOST_HUNG} imports do not end already; restart the gateway to have it read"
    )
