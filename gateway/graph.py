"""Everything that runs in one gateway process, and how it starts and stops."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from commands.registry import Registry
from core.database import Database
from core.kernel.clock import Clock
from gateway.auth import Authenticator
from gateway.core import Core
from gateway.doors.door import Door
from gateway.figures import LiveFigures
from gateway.health import Readiness
from gateway.http.websocket import WebSocketDoor
from gateway.intake import Intake
from gateway.mirror import Mirror
from gateway.outward import Outward
from gateway.pipeline import Pipeline
from gateway.plugins.plugins import Plugins
from gateway.settings import Settings
from gateway.simulators import Simulators
from gateway.streams import Streams
from gateway.supervisor import Supervisor
from gateway.tails import Tails
from gateway.workers.hosts import Hosts


@dataclass(slots=True, kw_only=True)
class Graph:
    """One gateway: the core, and what runs beside its commands."""

    core: Core
    readiness: Readiness
    mirror: Mirror
    tails: Tails
    intake: Intake
    sockets: WebSocketDoor
    streams: Streams
    figures: LiveFigures
    outward: Outward
    plugins: Plugins
    hosts: Hosts
    doors: Sequence[Door] = ()
    simulators: Simulators | None = None
    supervisor: Supervisor = field(default_factory=Supervisor)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self.core.settings

    @property
    def clock(self) -> Clock:
        """Where the time comes from."""
        return self.core.clock

    @property
    def db(self) -> Database:
        """The database."""
        return self.core.db

    @property
    def auth(self) -> Authenticator:
        """Who verifies credentials."""
        return self.core.auth

    @property
    def pipeline(self) -> Pipeline:
        """The one road."""
        return self.core.pipeline

    @property
    def registry(self) -> Registry:
        """The commands that run here."""
        return self.core.registry

    async def start(self) -> None:
        """Read what must be known before the first command, then start the tickers."""
        await self.core.channels.reload()
        await self.core.aliases.reload()
        await self.mirror.start()
        await self.outward.reactor.begin()
        await self.plugins.start()
        self.intake.start()
        self.supervisor.start()

    def end_streams(self) -> None:
        """End the answers that would otherwise stay open, and turn readiness off."""
        self.readiness.is_closing = True
        self.hosts.stop()
        self.streams.close()
        self.tails.close()

    async def stop(self) -> None:
        """Refuse new work, finish what is queued, let go of everything."""
        self.end_streams()
        await self.hosts.finish()
        await self.outward.postman.close()
        await self.supervisor.stop()
        await self.hosts.close()
        for door in self.doors:
            if door.close is not None:
                await door.close()
        if self.simulators is not None:
            self.simulators.close()
        await self.intake.stop()
        self.pipeline.floods.flush()
        await self.mirror.stop()
        self.db.close()
