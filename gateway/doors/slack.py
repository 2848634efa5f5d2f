"""The Slack door as the gateway sees it; what it is made of is loaded beside the start.

Bolt and aiohttp take a third of a second to import. Nobody waits for that: commands of
other doors are served meanwhile, and who does not use Slack never loads them.
"""

import asyncio
from collections.abc import Callable
from urllib.parse import urlencode

from pydantic import SecretStr
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from channels.slack import SPEC
from channels.slack.manifest import EVENTS_PATH, SCOPES
from channels.slack.wire import SlackWire
from core.secrets.model import check_secret
from gateway.doors.door import Door, Hall
from gateway.doors.loaded import LoadedLater
from gateway.http.asgi import respond
from gateway.settings import Settings

LOADING_SECONDS = 2.5
REDIRECT_PATH = "/slack/oauth_redirect"


def open_slack(hall: Hall) -> Door | None:
    """Build the door; none when neither a token nor a secret of Slack is set.

    Raises: InvalidArgument for a signing secret that anybody could guess.
    """
    settings = hall.core.settings.slack
    secrets = (
        settings.bot_token,
        settings.app_token,
        settings.signing_secret,
        settings.client_secret,
    )
    if not any(map(_text, secrets)):
        return None
    if secret := _text(settings.signing_secret):
        check_secret("OPSWIRE_SLACK__SIGNING_SECRET", secret)
    slack = LoadedSlack(hall, module="gateway.doors.slack_parts")
    return Door(
        spec=SPEC,
        wire=SlackWire(),
        courier=slack,
        healths=slack.healths,
        channel=slack,
        routes=(
            Route(EVENTS_PATH, slack, methods=["POST"], name="slack"),
            Route(REDIRECT_PATH, slack, methods=["GET"], name="slack-installed"),
        ),
        prober=slack,
        close=slack.close,
    )


def consent_url_of(settings: Settings) -> Callable[[str], str] | None:
    """Make what writes where Slack asks for consent; None without a client of Slack."""
    slack = settings.slack
    if not (slack.client_id.strip() and _text(slack.client_secret)):
        return None
    home = f"{slack.api_url.rstrip('/').removesuffix('/api')}/oauth/v2/authorize"

    def consent_url(state: str) -> str:
        asked = {
            "client_id": slack.client_id.strip(),
            "scope": ",".join(SCOPES),
            "redirect_uri": f"{settings.public_url}{REDIRECT_PATH}",
            "state": state,
        }
        return f"{home}?{urlencode(asked)}"

    return consent_url


class LoadedSlack(LoadedLater):
    """Also answers what Slack posts, once the parts are loaded."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of Slack's; one that comes during the start waits a little."""
        try:
            async with asyncio.timeout(LOADING_SECONDS):
                door = await self.loaded()
        except TimeoutError:
            await respond(send, 503, b"{}")
            return
        for route in door.routes:
            if isinstance(route, Route) and route.path == scope["path"]:
                await route.app(scope, receive, send)


def _text(setting: SecretStr) -> str:
    return setting.get_secret_value().strip()
