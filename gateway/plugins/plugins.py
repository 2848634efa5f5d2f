"""The plugins of a gateway: read at its start, and again whenever their files change."""

import asyncio
from collections.abc import Iterable, Mapping, Set
from datetime import timedelta
from functools import partial
from pathlib import Path

from commands.plugins import PluginKind
from core.kernel.clock import Clock
from gateway.health import Check
from gateway.plugins.aside import DEADLINE
from gateway.plugins.faults import failed
from gateway.plugins.folder import Source, scan
from gateway.plugins.imports import Imports
from gateway.plugins.installed import find_installed
from gateway.plugins.model import Offer, PluginFault
from gateway.plugins.reading import Reader, import_source
from gateway.plugins.stock import Stock
from gateway.supervisor import contain

# A change is read once it has looked the same twice, and is to be alive within 2 s.
EVERY = timedelta(milliseconds=400)
PATIENCE = timedelta(milliseconds=500)


class Plugins:
    """Keeps the stock in step with what is installed and with a folder.

    Shape:  a plugin that fails is disabled by itself; the others and all commands of
            Opswire go on, and the next change of its file is another chance.
    """

    def __init__(
        self,
        stock: Stock,
        *,
        folder: Path,
        clock: Clock,
        patience: timedelta = PATIENCE,
        deadline: timedelta = DEADLINE,
    ) -> None:
        self.stock = stock
        self._folder = folder.absolute()
        self._reader = Reader(self._folder, shelf=stock.shelf, clock=clock)
        self._imports = Imports(deadline)
        self._patience = patience
        self._deadline = deadline
        self._read: dict[str, Source] = {}
        self._seen: Mapping[str, Source] = {}

    def load_installed(self) -> None:
        """Load what entry points name, before anything is served."""
        offers: dict[str, Offer] = {}
        for point in find_installed():
            offer = self._reader.read_installed(point)
            if offer.key in offers:
                twice = f"two distributions bring a plugin {point.name!r}"
                offer = failed(offer, PluginFault(twice))
            offers[offer.key] = offer
        if offers:
            self.stock.put(offers.values())
            self.stock.adopt(self.stock.compose())

    def read_folder(self) -> None:
        """Read everything that lies in the folder now, and wait for it.

        Raises: OSError when the folder cannot be listed.
        """
        found = self._seen = scan(self._folder)
        self._forget(self._read.keys() - found.keys())
        self.stock.put(self._reader.read_now(each) for each in found.values())
        self._read |= found
        self.stock.adopt(self.stock.compose())

    async def start(self) -> None:
        """Read everything that is there before the first command is served."""
        await contain(self._start(), event="plugins.unread")

    async def look(self) -> None:
        """Read again what has changed since, and has come to rest.

        Shape:  a file that is written in two goes, or put in another's place, is never
                read as half of itself or taken for deleted.
        Raises: OSError when the folder cannot be listed.
        """
        self.stock.shelf.watch()
        found = await asyncio.to_thread(scan, self._folder)
        before, self._seen = self._seen, found
        known = self._read.keys() | self._imports.names
        self._begin(
            each
            for name, each in found.items()
            if self._read.get(name) != each and before.get(name) == each
        )
        await self._take_in(known - found.keys() - before.keys(), self._patience)

    async def check(self) -> Check:
        """Say how many are live; a plugin that is disabled keeps nobody from work."""
        return Check(is_ok=True, detail=self.stock.shelf.summary())

    async def _start(self) -> None:
        found = self._seen = await asyncio.to_thread(scan, self._folder)
        self._begin(found.values())
        await self._take_in(set(), self._deadline)

    def _begin(self, changed: Iterable[Source]) -> None:
        for each in changed:
            if not self._imports.is_reading(each):
                self._imports.begin(each, partial(import_source, each))

    async def _take_in(self, gone: Set[str], patience: timedelta) -> None:
        """Have what is ready live at once; the next look finds the rest."""
        ready = await self._imports.ready(patience)
        if not (ready or gone):
            return
        self._forget(gone)
        self.stock.put(
            self._reader.of_file(
                source,
                outcome,
                before=self.stock.commands_of(_key(source.name)),
                routes_before=self.stock.routes_of(_key(source.name)),
            )
            for source, outcome in ready.items()
        )
        self._read |= {each.name: each for each in ready}
        self.stock.adopt(await asyncio.to_thread(self.stock.compose))

    def _forget(self, names: Set[str]) -> None:
        for name in names:
            self._imports.drop(name)
            self._read.pop(name, None)
            self.stock.drop(_key(name))


def _key(name: str) -> str:
    return f"{PluginKind.FILE.value}:{name}"
