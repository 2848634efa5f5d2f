"""A gateway for tests of a channel of one's own: who writes there, and what leaves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from core.database import Tx
from core.identity.links.model import Account
from core.kernel.principal import Role, system
from gateway.settings import LimitSettings
from gateway.testing.gateway import Gateway, OwnSettings, Person
from gateway.testing.people import link, somebody

ADMIN_KEY = "a-key-of-tests-that-opens-nothing-else"
PLENTY = "100000000/minute"


class MovedClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self._moment = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the moment at which it stands."""
        return self._moment

    def move(self, step: timedelta) -> None:
        """Move on."""
        self._moment += step


class Doorstep:
    """A gateway with what is installed, channels too; `admin` asks it over REST.

    Shape:  nothing happens by itself: neither does time go by, nor does an answer
            leave, before `settle` or `wait`.
    """

    def __init__(self, gateway: Gateway, clock: MovedClock) -> None:
        self.gateway = gateway
        self._clock = clock
        self.admin = Person(gateway, ADMIN_KEY)

    def link(self, account: Account, name: str, role: Role = Role.OPERATOR) -> None:
        """Link an account on a channel to somebody, as both sides would have done."""

        def work(tx: Tx) -> None:
            link(tx, account, somebody(tx, name, role))

        self.gateway.graph.db.run(work, by=system())

    async def settle(self) -> None:
        """Have everything run, delivered and noted that is due now."""
        graph = self.gateway.graph
        await graph.intake.settle()
        await graph.outward.reactor.react_to_news()
        while await graph.outward.postman.deliver_due():
            """Another one may be due by now."""
        await graph.outward.notes.note()

    async def wait(self, step: timedelta) -> None:
        """Let some time go by, and have everything done that is due by then."""
        self._clock.move(step)
        await self.settle()


@asynccontextmanager
async def doorstep(data: Path) -> AsyncIterator[Doorstep]:
    """Run a gateway over a data folder of its own."""
    settings = OwnSettings(
        data=data,
        flags_file=data / "flags.json",
        plugins_folder=data / "plugins",
        bootstrap_admin_key=SecretStr(ADMIN_KEY),
        limits=LimitSettings(default=PLENTY),
    )
    clock = MovedClock()
    gateway = Gateway(settings, clock=clock)
    gateway.graph.intake.start()
    try:
        yield Doorstep(gateway, clock)
    finally:
        await gateway.stop()
