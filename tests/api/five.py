"""The five channels of one gateway, and the admin who speaks by each of them."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.kernel.principal import Role
from gateway.settings import EmailSettings, SlackSettings
from gateway.testing.channels import Channel, Mail, Rest, Slack, Socket
from gateway.testing.street import Resident, Street, street
from gateway.testing.webhook import Webhook
from tests.api.conftest import Serve
from tests.api.gateway import Gateway
from tests.conftest import FakeClock

# Senders of whom the gateway knows nothing, where there can be such.
STRANGERS = {"slack": "U0EVE0001", "email": "eve@example.org"}

CHANNELS: Sequence[Callable[[Street, Resident], Channel]] = (
    Rest,
    Socket,
    Slack,
    Mail,
    Webhook,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A street of this suite, whose gateway a test may also look into."""

    gateway: Gateway
    street: Street
    admin: Resident

    @property
    def rest(self) -> Rest:
        """What the admin asks beside the channel that is tried."""
        return Rest(self.street, self.admin)


@asynccontextmanager
async def staged(serve: Serve, clock: FakeClock) -> AsyncIterator[Stage]:
    """Set a street up, with the admin in it."""
    gateways: list[Gateway] = []

    def start(slack: SlackSettings, email: EmailSettings) -> Gateway:
        gateways.append(serve(slack=slack, email=email))
        return gateways[0]

    async with street(start, clock=clock) as there:
        there.slack.home.users[STRANGERS["slack"]] = "eve"
        admin = await there.move_in("admin", Role.ADMIN)
        yield Stage(gateway=gateways[0], street=there, admin=admin)
