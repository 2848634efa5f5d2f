"""Calls to Slack's Web API, each with the token of one workspace.

There is no client that all workspaces share: a token that was left in one would be used
for the next. They share a connection pool, which keeps no cookies.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from channels.base import Postponed, Undeliverable

DEADLINE_SECONDS = 10.0

Call = Callable[[], Awaitable[AsyncSlackResponse]]

_HOOKS = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
_TRANSIENT = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "ratelimited",
        "rate_limited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
TOKEN_FIXES: Mapping[str, str] = {
    "invalid_auth": "set the bot token that Slack shows under OAuth & Permissions",
    "not_authed": "set a bot token",
    "token_revoked": "install the app again and set the new bot token",
    "token_expired": "install the app again and set the new bot token",
    "account_inactive": "install the app again: its bot user is gone",
    "missing_scope": "add the scope under OAuth & Permissions, then install again",
    "not_allowed_token_type": "set the bot token, which begins with xoxb-",
    "org_login_required": "the workspace is moving into an organisation: wait for it",
    "ekm_access_denied": "ask the workspace's admins for access",
    "team_access_not_granted": "ask the workspace's admins to approve the app",
}
"""Errors that concern a whole workspace, and what mends each."""
FIX_WAY_IN = "set OPSWIRE_SLACK__APP_TOKEN to one with connections:write"
"""What mends whatever Slack has against the token that opens sockets."""

_PLACE_FIXES: Mapping[str, str] = {
    "channel_not_found": "invite the app into the channel: /invite @ops",
    "not_in_channel": "invite the app into the channel: /invite @ops",
    "user_not_in_channel": "ask again in a channel that you both are in",
    "is_archived": "ask in a channel that is not archived",
    "restricted_action": "ask an admin to let apps write in this channel",
    "cannot_dm_bot": "ask as a person",
    "user_disabled": "the person has left the workspace",
    "msg_too_long": "ask for less, such as --limit 10",
    "msg_blocks_too_long": "ask for less, such as --limit 10",
    "no_text": "this is a fault of ours: please report it",
    "invalid_blocks": "this is a fault of ours: please report it",
    "message_not_found": "ask again",
    "cant_update_message": "ask again",
    "trigger_expired": "press it again: the window has to open within 3 seconds",
    "expired_trigger_id": "press it again: the window has to open within 3 seconds",
    "invalid_trigger_id": "press it again: the window has to open within 3 seconds",
}


class Refused(Undeliverable):
    """Slack said no for good; `error` is its own word."""

    def __init__(self, error: str, *, detail: str = "") -> None:
        fix = TOKEN_FIXES.get(error) or _PLACE_FIXES.get(error, "")
        super().__init__(f"Slack refused it: {error}{detail}", fix=fix)
        self.error = error

    @property
    def concerns_token(self) -> bool:
        """Whether nothing else would work in this workspace either."""
        return self.error in TOKEN_FIXES


class Pool:
    """Connections to one Web API, opened when first needed."""

    def __init__(self, api_url: str, *, deadline: float = DEADLINE_SECONDS) -> None:
        self.api_url = api_url if api_url.endswith("/") else f"{api_url}/"
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None
        # What is sent and received is nobody's to read in a log.
        self._logger = logging.getLogger("slack_sdk")
        self._logger.setLevel(logging.WARNING)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections; those of this event loop."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._deadline),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def client(self, token: str) -> AsyncWebClient:
        """Make the client of one workspace; what fails is tried again by the outbox."""
        return AsyncWebClient(
            token=token,
            base_url=self.api_url,
            session=self.session,
            retry_handlers=[],
            logger=self._logger,
        )

    def is_slack(self, url: str) -> bool:
        """Tell whether an address is one of Slack's own, to which answers may go."""
        origin = self.api_url.removesuffix("api/")
        return url.startswith((*_HOOKS, origin))

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()


async def call(request: Call) -> AsyncSlackResponse:
    """Make one call, and tell what may work later from what never will.

    Raises: Postponed for limits, outages and silence; Refused for the rest.
    """
    try:
        return await request()
    except SlackApiError as fault:
        raise _reading(fault) from fault
    except (aiohttp.ClientError, OSError, TimeoutError) as fault:
        raise Postponed(f"Slack was not reached: {_named(fault)}") from fault
    except (SlackClientError, json.JSONDecodeError) as fault:
        raise Postponed(f"Slack answered nonsense: {_named(fault)}") from fault


def retry_after_of(headers: Mapping[str, Any]) -> float:
    """Read how many seconds to wait; 0 when it does not say."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(float(value), 0.0)
            except ValueError:
                return 0.0
    return 0.0


def _reading(fault: SlackApiError) -> Postponed | Refused:
    answer = fault.response
    status = int(getattr(answer, "status_code", 0) or getattr(answer, "status", 0))
    found = getattr(answer, "data", None)
    said = found if isinstance(found, Mapping) else {}
    error = str(said.get("error", ""))
    if status == 429 or error in ("ratelimited", "rate_limited"):
        wait = retry_after_of(answer.headers)
        return Postponed("Slack asked to slow down", retry_after=wait or 1.0)
    if status >= 500 or not error or error in _TRANSIENT:
        return Postponed(f"Slack is out of order: {error or status}")
    needed = said.get("needed")
    return Refused(error, detail=f" ({needed})" if needed else "")


def _named(fault: BaseException) -> str:
    return str(fault) or type(fault).__name__
