"""From the commands of Opswire and what plugins offer to the registry of them all."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from commands.catalog import catalog_of
from commands.names import index_of
from commands.registry import Command, Outage, Registry
from gateway.plugins.claims import Claims
from gateway.plugins.model import Fault, Offer


class Composed(NamedTuple):
    """A registry, and why some of the offers are not in it, by their keys."""

    registry: Registry
    faults: Mapping[str, Fault]


class Composer:
    """Knows the commands of Opswire, which no plugin can take away."""

    def __init__(self, own: Iterable[Command]) -> None:
        self._own = tuple(own)
        self._claims: Claims | None = None

    def compose(self, offers: Sequence[Offer]) -> Composed:
        """Put together what fits; of two plugins that clash the first one stays.

        Shape:  what every line needs is made here already, so that the first one after
                the change is answered as fast as all others.
        """
        if self._claims is None:
            self._claims = Claims.of(self._own)
        claims, commands = self._claims, [*self._own]
        faults: dict[str, Fault] = {}
        for offer in offers:
            taken = claims.copy()
            fault = offer.fault or _take(taken, offer)
            if fault is None:
                claims = taken
                commands.extend(offer.brings.commands)
            else:
                faults[offer.key] = fault
        outages = _outages(offers, faults, nouns={each.noun for each in commands})
        registry = Registry.of(commands, outages=outages)
        index_of(registry)
        catalog_of(registry)
        return Composed(registry, faults)


def _take(claims: Claims, offer: Offer) -> Fault | None:
    owner = f"the plugin {offer.name}"
    for each in offer.brings.commands:
        if clash := claims.clash(each, owner):
            return Fault(text=clash, brief=clash)
        claims.take(each, owner)
    return None


def _outages(
    offers: Sequence[Offer], faults: Mapping[str, Fault], *, nouns: Set[str]
) -> Mapping[str, Outage]:
    """Say of a failed plugin's commands why they are gone.

    Shape:  what begins with its own name is answered as well, for nobody knows the
            commands of one that never worked; unless other commands begin so.
    """
    outages: dict[str, Outage] = {}
    for offer in offers:
        if fault := faults.get(offer.key):
            why = f"plugin {offer.name} failed: {fault.brief}"
            outage = Outage(
                why=why, fix=f"plugin show {offer.name}", routes=offer.routes
            )
            named = {each.name for each in offer.brings.commands} or {*offer.before}
            named |= {offer.name.replace("_", "-")} - nouns
            outages |= dict.fromkeys(named, outage)
    return outages
