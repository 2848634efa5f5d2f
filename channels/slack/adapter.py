"""What Slack sends, over either way in: stored, then acknowledged, and nothing else.

Nothing here calls Slack or looks anybody up before the acknowledgement. What only opens
a window or fills the home tab goes on beside it, in tasks of the adapter's own.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import orjson
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from channels.base import Inbox
from channels.slack.pages import Pages
from channels.slack.teams import Team, Teams, mark_down
from channels.slack.wire import Kind, storable
from core.kernel.clock import Clock
from core.kernel.problems import Problem

Body = Mapping[str, Any]
Next = Callable[[], Awaitable[object]]

_ANY = re.compile(".*")
ERRANDS_LIMIT = 200

_MALFORMED = (AttributeError, LookupError, TypeError, ValueError)

_log = logging.getLogger(__name__)


class SlackAdapter:
    """Listens on a Bolt app that is fed by signed HTTP, by sockets, or both."""

    def __init__(
        self, inbox: Inbox, teams: Teams, *, pages: Pages, clock: Clock
    ) -> None:
        self._inbox = inbox
        self._teams = teams
        self._pages = pages
        self._clock = clock
        self._errands: asyncio.Queue[Coroutine[Any, Any, object]] = asyncio.Queue(
            ERRANDS_LIMIT
        )
        self._app = AsyncApp(
            name="opswire",
            logger=_quiet_logger(),
            # Otherwise Bolt looks every 10 ms whether somebody has acknowledged.
            process_before_response=True,
            before_authorize=self._admit,
            authorize=_authorize,
            # The raw bytes were verified before Bolt parsed anything.
            request_verification_enabled=False,
        )
        self._listen()

    async def dispatch(
        self, body: str | Body, headers: Mapping[str, str], *, is_socket: bool = False
    ) -> BoltResponse:
        """Take one verified request; a status other than 200 is no acknowledgement."""
        try:
            request = AsyncBoltRequest(
                body=body if isinstance(body, str) else dict(body),
                headers=dict(headers),
                mode="socket_mode" if is_socket else "http",
            )
            return await self._app.async_dispatch(request)
        except _MALFORMED as fault:
            return await _refuse(fault)

    async def dispatch_envelope(self, payload: Body) -> Body | None:
        """Take one envelope of a socket; None when it must not be acknowledged."""
        answer = await self.dispatch(payload, {}, is_socket=True)
        if answer.status != 200:
            return None
        return _parsed(answer.body)

    # ── before any listener ───────────────────────────────────────────────────
    async def _admit(
        self, body: Body, context: AsyncBoltContext, next_: Next
    ) -> BoltResponse | None:
        """Let in what an installed workspace sends; the rest is answered and forgotten."""
        if body.get("type") == "url_verification":
            await next_()
            return None
        team_id = str(context.team_id or "")
        team = self._teams.find(team_id, str(context.enterprise_id or ""))
        if team is None and not self._teams.is_settled:
            # It may be one that Slack has not vouched for yet: have it sent again.
            return BoltResponse(status=503)
        if team is None:
            self._teams.note_unknown(team_id)
            return BoltResponse(status=200)
        team.health.last_in = self._clock.now()
        context["team"] = team
        await next_()
        return None

    # ── listeners ─────────────────────────────────────────────────────────────
    def _listen(self) -> None:
        app = self._app
        app.error(_refuse)
        app.command(_ANY)(self._on_slash)
        app.event(_ANY)(self._on_event)
        app.action(_ANY)(self._on_action)
        app.view(_ANY)(self._on_submit)
        app.shortcut(_ANY)(self._on_shortcut)
        app.options(_ANY)(self._on_options)

    async def _on_slash(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        return await self._store(Kind.SLASH, body, context)

    async def _on_event(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        event = body["event"]
        kind = event.get("type")
        if kind == "app_mention":
            return await self._store(Kind.MENTION, body, context)
        if kind == "message" and event.get("channel_type") == "im":
            return await self._store(Kind.DM, body, context)
        if kind == "app_home_opened":
            self._beside(self._pages.show_home(_team(context), str(event["user"])))
        elif kind == "app_uninstalled" or _has_lost_bot(event):
            fix = "install the app again and set the new bot token"
            mark_down(_team(context), "the app was removed from the workspace", fix)
        return BoltResponse(status=200)

    async def _on_action(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        stored = await self._store(Kind.BUTTON, body, context)
        if storable(Kind.BUTTON, body, account="") is None:
            self._beside(self._pages.act(_team(context), body))
        return stored

    async def _on_submit(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        return await self._store(Kind.MODAL, body, context)

    async def _on_shortcut(self, body: Body, context: AsyncBoltContext) -> BoltResponse:
        self._beside(self._pages.take_shortcut(_team(context), body))
        return BoltResponse(status=200)

    async def _on_options(self, body: Body) -> BoltResponse:
        return BoltResponse(status=200, body={"options": self._pages.suggest(body)})

    async def _store(
        self, kind: Kind, body: Body, context: AsyncBoltContext
    ) -> BoltResponse:
        """Acknowledge what is on disk; what could not be stored is sent again."""
        team = _team(context)
        delivery = storable(kind, body, account=team.account)
        if delivery is None:
            return BoltResponse(status=200)
        known = self._pages.people.find(team, delivery.sender)
        facts = known.facts() if known else {}
        try:
            await self._inbox.take(
                replace(delivery, payload={**delivery.payload, **facts})
            )
        except Problem as problem:
            _log.warning("slack.not_stored", extra={"reason": problem.detail})
            return BoltResponse(status=503)
        if known is None:
            self._learn(team, delivery.sender)
        return BoltResponse(status=200)

    # ── beside ────────────────────────────────────────────────────────────────
    def _beside(self, errand: Coroutine[Any, Any, object]) -> None:
        """Have something done that nobody's acknowledgement waits for."""
        try:
            self._errands.put_nowait(errand)
        except asyncio.QueueFull:
            errand.close()
            _log.warning("slack.busy")

    def _learn(self, team: Team, user: str) -> None:
        """Ask about somebody new, unless there is somebody being asked about."""
        if self._pages.people.is_free and self._errands.empty():
            self._beside(self._pages.people.learn(team, user))

    async def run_errands(self) -> None:
        """Open windows and home tabs, one after the other, until cancelled."""
        while True:
            errand = await self._errands.get()
            try:
                await errand
            except _MALFORMED:
                _log.exception("slack.window_failed")


def _has_lost_bot(event: Body) -> bool:
    """Tell whether our own token was revoked; those of people are none of ours."""
    revoked = event.get("tokens") if event.get("type") == "tokens_revoked" else None
    return bool((revoked or {}).get("bot"))


async def _refuse(error: Exception) -> BoltResponse:
    """Answer what is no message of Slack's; any other fault is ours."""
    if isinstance(error, _MALFORMED):
        _log.warning("slack.malformed", extra={"reason": type(error).__name__})
        return BoltResponse(status=400)
    _log.error("slack.failed", exc_info=error)
    return BoltResponse(status=503)


async def _authorize(context: AsyncBoltContext) -> AuthorizeResult:
    """Tell Bolt who we are in a workspace, from memory."""
    team = _team(context)
    assert team.identity is not None
    return AuthorizeResult(
        enterprise_id=team.identity.enterprise_id or None,
        team_id=team.identity.team_id,
        bot_user_id=team.identity.bot_user_id,
        bot_id=team.identity.bot_id,
        bot_token=team.token,
    )


def _team(context: AsyncBoltContext) -> Team:
    team = context["team"]
    assert isinstance(team, Team)
    return team


def _parsed(body: str | None) -> Body:
    found = orjson.loads(body) if body else {}
    return found if isinstance(found, dict) else {}


def _quiet_logger() -> logging.Logger:
    """Give Bolt a logger that says what broke, and nothing of what is everyday."""
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)
    return logger
