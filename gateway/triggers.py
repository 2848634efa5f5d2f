"""Has triggers react to events, and hurries what they put into the inbox."""

from collections.abc import Awaitable, Callable

from core.database import Tx
from core.events.model import Event, EventFilter
from core.hooks.triggers import fires
from gateway.bell import Bell
from gateway.trigger_notices import tell_people


class Triggers:
    """The consumer that sets triggers off; the fires are run by the intake.

    Shape:  a fire is a row in the inbox, stored in the unit that moves the cursor. So
            it happens once, and running it is a hint away.
    """

    name = "triggers"

    def __init__(self) -> None:
        self._bell = Bell()
        self._has_news = False

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what some trigger waits for."""
        return fires.wanted(tx)

    def react(self, tx: Tx, event: Event) -> None:
        """Set off what waits for this, and tell of those that were disabled by it."""
        self.expect()
        for trigger in fires.set_off(tx, event):
            tell_people(tx, trigger)

    def expect(self) -> None:
        """Say that a reaction may have put something into the inbox."""
        self._has_news = True

    def ring(self) -> None:
        """Wake whoever hurries, if there was a reaction since the last time."""
        if self._has_news:
            self._has_news = False
            self._bell.ring()

    async def hurry(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Have the inbox drained after every reaction, for ever.

        Raises: Unavailable, or what the drain raised; nothing is lost by it.
        """
        while True:
            await self._bell.wait()
            await drain()
