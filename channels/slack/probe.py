"""Walks through what Slack needs to work, and says what to do where it does not."""

import time
from collections.abc import Awaitable, Callable

from slack_sdk.web.async_client import AsyncWebClient

from channels.base import Postponed, Step, Undeliverable
from channels.slack.manifest import SCOPES
from channels.slack.teams import Teams
from channels.slack.web import FIX_WAY_IN, Pool, Refused, call

Probing = Callable[[], Awaitable[str]]


class Lacking(Exception):
    """Something is missing, and `fix` supplies it."""

    def __init__(self, reason: str, *, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class SlackProber:
    """Tries one workspace: token, rights, the way in, and a message to itself."""

    def __init__(
        self, teams: Teams, pool: Pool, *, app_token: str, has_secret: bool
    ) -> None:
        self._teams = teams
        self._pool = pool
        self._app_token = app_token
        self._has_secret = has_secret

    async def probe(self, account: str) -> list[Step]:
        """Try step by step, and stop at the first that fails; never raises."""
        team = self._teams.of(account)
        if team is None:
            fix = "try again in a second"
            if self._teams.is_loaded:
                fix = "set OPSWIRE_SLACK__BOT_TOKEN, or: workspace add"
            return [Step(name="installed", is_ok=False, waited_ms=0, fix=fix)]
        probings: list[tuple[str, Probing]] = [
            ("token works", lambda: self._test_token(team.client)),
            ("rights are granted", lambda: self._test_scopes(team.client)),
            ("messages can come in", self._test_way_in),
        ]
        steps = [Step(name="installed", is_ok=True, waited_ms=0, detail=account)]
        for name, probing in probings:
            steps.append(await _timed(name, probing))
            if not steps[-1].is_ok:
                break
        return steps

    async def _test_token(self, client: AsyncWebClient) -> str:
        said = await call(client.auth_test)
        return f"{said.get('user')} in {said.get('team')}"

    async def _test_scopes(self, client: AsyncWebClient) -> str:
        said = await call(client.auth_test)
        granted = {
            each.strip()
            for name, value in said.headers.items()
            if name.lower() == "x-oauth-scopes"
            for each in str(value).split(",")
        }
        missing = sorted(set(SCOPES) - granted)
        if missing:
            raise Lacking(
                f"missing {', '.join(missing)}",
                fix="add them under OAuth & Permissions, then install the app again",
            )
        return f"{len(granted)} scopes"

    async def _test_way_in(self) -> str:
        if not self._app_token:
            if self._has_secret:
                return "signed requests to /slack/events"
            raise Lacking(
                "neither an app token nor a signing secret is set",
                fix="set OPSWIRE_SLACK__APP_TOKEN or OPSWIRE_SLACK__SIGNING_SECRET",
            )
        client = self._pool.client(self._app_token)
        try:
            await call(lambda: client.apps_connections_open(app_token=self._app_token))
        except Refused as refused:
            raise Lacking(refused.reason, fix=FIX_WAY_IN) from refused
        if self._teams.connection.health.error:
            raise Lacking(self._teams.connection.health.error, fix="wait")
        return "Socket Mode"


async def _timed(name: str, probing: Probing) -> Step:
    began = time.perf_counter()
    detail = fix = ""
    is_ok = False
    try:
        detail = await probing()
        is_ok = True
    except Lacking as lacking:
        detail, fix = lacking.reason, lacking.fix
    except Undeliverable as refused:
        detail, fix = refused.reason, refused.fix or "look the error up in Slack's docs"
    except Postponed as postponed:
        detail, fix = postponed.reason, "try again in a minute"
    waited = round((time.perf_counter() - began) * 1000)
    return Step(name=name, is_ok=is_ok, waited_ms=waited, detail=detail, fix=fix)
