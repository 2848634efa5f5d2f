"""The Slack door as the gateway sees it; what it is made of is loaded beside the start.

Bolt and aiohttp take a third of a second to import. Nobody waits for that: commands of
other doors are served meanwhile, and who does not use Slack never loads them.
"""

import asyncio
from collections.abc import Sequence
from importlib import import_module

from pydantic import SecretStr
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from channels.base import Health, Parcel, Postponed, Step
from channels.slack import SPEC
from channels.slack.manifest import EVENTS_PATH
from channels.slack.wire import SlackWire
from core.secrets.model import check_secret
from gateway.doors.door import Builder, Door, Hall
from gateway.http.asgi import respond

LOADING_SECONDS = 2.5


def open_slack(hall: Hall) -> Door | None:
    """Build the door; none when neither a token nor a signing secret is set.

    Raises: InvalidArgument for a signing secret that anybody could guess.
    """
    settings = hall.core.settings.slack
    secrets = (settings.bot_token, settings.app_token, settings.signing_secret)
    if not any(map(_text, secrets)):
        return None
    if secret := _text(settings.signing_secret):
        check_secret("OPSWIRE_SLACK__SIGNING_SECRET", secret)
    slack = LoadedLater(hall)
    return Door(
        spec=SPEC,
        wire=SlackWire(),
        courier=slack,
        healths=slack.healths,
        channel=slack,
        routes=(Route(EVENTS_PATH, slack, methods=["POST"], name="slack"),),
        prober=slack,
        close=slack.close,
    )


class LoadedLater:
    """Stands in for the door's parts until they are loaded, then hands on to them."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._door: Door | None = None
        self._is_loaded = asyncio.Event()

    async def run(self) -> None:
        """Load what is missing, then stay connected until cancelled."""
        if self._door is None:
            parts = await asyncio.to_thread(import_module, "gateway.doors.slack_parts")
            build: Builder = parts.build
            self._door = build(self._hall)
            self._is_loaded.set()
        assert self._door is not None
        assert self._door.channel is not None
        await self._door.channel.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of Slack's; one that comes during the start waits a little."""
        try:
            async with asyncio.timeout(LOADING_SECONDS):
                await self._is_loaded.wait()
        except TimeoutError:
            await respond(send, 503, b"{}")
            return
        assert self._door is not None
        [route] = self._door.routes
        assert isinstance(route, Route)
        await route.app(scope, receive, send)

    async def deliver(self, parcel: Parcel) -> str:
        """Deliver one; give what a later edit must name.

        Raises: Postponed when it may work later, Undeliverable when it never will.
        """
        if self._door is None:
            raise Postponed("Slack is being loaded", retry_after=1)
        return await self._door.courier.deliver(parcel)

    def healths(self) -> Sequence[Health]:
        """Tell how each workspace fares."""
        return self._door.healths() if self._door else ()

    async def probe(self, account: str) -> list[Step]:
        """Try step by step, and stop at the first that fails; never raises."""
        if self._door is None or self._door.prober is None:
            fix = "try again in a second"
            return [Step(name="loaded", is_ok=False, waited_ms=0, fix=fix)]
        return await self._door.prober.probe(account)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._door is not None and self._door.close is not None:
            await self._door.close()


def _text(setting: SecretStr) -> str:
    return setting.get_secret_value().strip()
