"""What all plugins offer at the moment, and what of it is live."""

import logging
from collections.abc import Iterable, Mapping, Sequence, Set

from commands.plugins import PluginKind, PluginStanding
from commands.registry import Registry, Route
from gateway.plugins.compose import Composed, Composer
from gateway.plugins.faults import failed
from gateway.plugins.importing import forget
from gateway.plugins.model import Fault, Offer, Plugin
from gateway.plugins.shelf import Shelf
from gateway.verbs import VERBS

_log = logging.getLogger(__name__)


class Stock:
    """Holds the offers, and puts the registry in step with them.

    Shape:  of two that clash the one stays that was there first, and the other comes
            to life when that one goes.
    """

    def __init__(self, registry: Registry, shelf: Shelf) -> None:
        self.shelf = shelf
        self._registry = registry
        self._composer = Composer(registry)
        self._offers: dict[str, Offer] = {}
        self._faults: Mapping[str, Fault] = {}
        self._live: frozenset[str] = frozenset()

    def put(self, offers: Iterable[Offer]) -> None:
        """Have new offers in the place of those with their keys, and of their rank."""
        for offer in offers:
            if known := self._offers.get(offer.key):
                self._retire(known)
            self._offers[offer.key] = offer

    def drop(self, key: str) -> None:
        """Let go of an offer and of its code."""
        if known := self._offers.pop(key, None):
            self._live -= {key}
            self._retire(known)

    def disable(self, offer: Offer, fault: BaseException) -> None:
        """Have a plugin bring nothing, because something of it failed."""
        self._offers[offer.key] = failed(offer, fault)
        self.adopt(self.compose())

    def live(self) -> Sequence[Offer]:
        """List the offers that are live."""
        return [each for each in self._ordered() if each.key in self._live]

    def commands_of(self, key: str) -> Sequence[str]:
        """Name the commands that a plugin has, or had when it last worked."""
        known = self._offers.get(key)
        if known is None:
            return ()
        return [each.name for each in known.brings.commands] or known.before

    def routes_of(self, key: str) -> Sequence[Route]:
        """List the REST paths that a plugin has, or had when it last worked."""
        known = self._offers.get(key)
        return known.routes if known else ()

    def compose(self) -> Composed:
        """Work out what fits together; this may take a while, in whichever thread."""
        return self._composer.compose(self._ordered())

    def adopt(self, composed: Composed) -> None:
        """Have what fits be what runs here, at once."""
        for key in composed.faults.keys() - self._faults.keys():
            offer = self._offers[key]
            if offer.fault is None:
                told = {"plugin": offer.name, "error": composed.faults[key].text}
                _log.error("plugin.disabled", extra=told)
        self._faults = composed.faults
        self._live = frozenset(self._offers) - composed.faults.keys()
        self._registry.adopt(composed.registry)
        self.shelf.put({each.key: self._standing(each) for each in self._ordered()})

    def _retire(self, offer: Offer) -> None:
        """Let go of a version; what runs of it goes on, and keeps what it needs."""
        forget(offer.module)
        self.shelf.calls.retire(offer.key)
        if offer.loop is not None:
            offer.loop.retire()

    def _ordered(self) -> Sequence[Offer]:
        return sorted(
            self._offers.values(),
            key=lambda each: (
                each.key not in self._live,
                each.kind is PluginKind.FILE,
                each.name,
            ),
        )

    def _standing(self, offer: Offer) -> PluginStanding:
        fault = self._faults.get(offer.key)
        brings = Plugin() if fault else offer.brings
        return PluginStanding(
            name=offer.name,
            kind=offer.kind,
            place=offer.place,
            commands=[each.name for each in brings.commands],
            channels=list(brings.channels),
            fault=fault.text if fault else "",
            note=_note({each.noun for each in brings.commands}),
            loaded_at=offer.loaded_at,
        )


def _note(nouns: Set[str]) -> str:
    """Say how to ask from a shell for what the program `ops` takes for itself."""
    taken = sorted(nouns & VERBS.keys())
    if not taken:
        return ""
    return (
        f"`ops {taken[0]}` is a verb of this machine; from a shell: "
        f"echo '{taken[0]} …' | ops -"
    )
