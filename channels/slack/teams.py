"""The workspaces that a process serves: who they are, and how each fares."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from channels.base import Health, Link, Postponed
from channels.slack.web import Pool, Refused, call
from core.kernel.problems import Problem

RELOAD_SECONDS = 2.0
_ASK_AGAIN_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a token belongs to, in Slack's own words."""

    team_id: str
    enterprise_id: str
    bot_user_id: str
    bot_id: str
    name: str
    is_whole_enterprise: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A bot token under an account's name; the first of two for one team counts.

    Shape:  `identity` is what Slack said of the token before, so that messages are
            taken while its Web API is down; None when it was never asked.
    """

    account: str
    token: str = field(repr=False)
    identity: Identity | None = None


class Installations(Protocol):
    """Where bot tokens are kept."""

    async def list_(self) -> Sequence[Installation]:
        """List them, the oldest first."""

    async def note(self, account: str, identity: Identity | None, fault: str) -> None:
        """Keep what Slack said about one of them."""


@dataclass(slots=True, kw_only=True, eq=False)
class Team:
    """One workspace in service.

    Shape:  `identity` is None until Slack has answered; a token that it refused needs
            somebody to mend it.
    """

    account: str
    token: str = field(repr=False)
    client: AsyncWebClient
    health: Health
    identity: Identity | None = None
    asked_at: float | None = None
    is_refused: bool = False


class Connection:
    """How the socket fares that all workspaces share; silent about one never opened."""

    def __init__(self) -> None:
        self.health = Health()

    def is_open(self) -> None:
        """Note that a socket said hello."""
        if self.health.error:
            _log.info("slack.connected")
        self.health.reconnects += self.health.link is not Link.OFF
        self.health.is_up()

    def is_lost(self, reason: str, fix: str) -> None:
        """Note that there is no socket now, logged once."""
        if self.health.is_down(reason, fix=fix):
            _log.warning("slack.disconnected", extra={"reason": reason})


class Teams:
    """All workspaces of a process, kept in step with their installations.

    Shape:  what comes in is looked up in memory: by the id that Slack gave itself when
            it was asked with the workspace's token, never by what an installer said.
    """

    def __init__(self, installations: Installations, pool: Pool) -> None:
        self._installations = installations
        self._pool = pool
        self._teams: dict[str, Team] = {}
        self._unknown: dict[str, Health] = {}
        self._is_loaded = False
        self.connection = Connection()

    def find(self, team_id: str, enterprise_id: str = "") -> Team | None:
        """Find the workspace that an event comes from."""
        for team in self._known():
            if team.identity is not None and team.identity.team_id == team_id:
                return team
        for team in self._known():
            identity = team.identity
            if (
                identity is not None
                and identity.is_whole_enterprise
                and enterprise_id
                and identity.enterprise_id == enterprise_id
            ):
                return team
        return None

    def of(self, account: str) -> Team | None:
        """Find a workspace by its account."""
        return self._teams.get(account)

    @property
    def is_loaded(self) -> bool:
        """Tell whether the installations were read at all."""
        return self._is_loaded

    @property
    def is_settled(self) -> bool:
        """Tell whether every workspace is known, so that another is really unknown."""
        return self._is_loaded and all(
            team.identity is not None or team.is_refused
            for team in self._teams.values()
        )

    @property
    def accounts(self) -> Sequence[str]:
        """The accounts in service."""
        return list(self._teams)

    def healths(self) -> Sequence[Health]:
        """Tell how each fares, and which workspaces wrote without being installed."""
        if not self._is_loaded:
            return [Health.starting()]
        return [
            *(self._shown(team.health) for team in self._teams.values()),
            *self._unknown.values(),
        ]

    def _shown(self, health: Health) -> Health:
        """Add how the shared socket fares; what is wrong with the token says more."""
        shared = self.connection.health
        shown = replace(health, reconnects=shared.reconnects)
        if shared.error and not health.error:
            shown.is_down(shared.error, fix=shared.fix)
        return shown

    def note_unknown(self, team_id: str) -> None:
        """Remember that a workspace wrote which is not installed; log it once."""
        if team_id in self._unknown or len(self._unknown) >= 20:
            return
        health = Health(account=f"team {team_id[:20]}")
        health.is_down(
            f"the workspace {team_id[:20]} is not installed here",
            fix="workspace add, with the bot token of that workspace",
        )
        self._unknown[team_id] = health
        _log.warning("slack.unknown_workspace", extra={"team": team_id[:20]})

    async def keep(self) -> None:
        """Follow the installations until cancelled."""
        while True:
            await asyncio.sleep(RELOAD_SECONDS)
            await self.try_reload()

    async def try_reload(self) -> None:
        """Reload, or go on with what is known while the database does not answer."""
        try:
            await self.reload()
        except Problem as problem:
            _log.warning("slack.not_reloaded", extra={"reason": problem.detail})

    async def reload(self) -> None:
        """Take in what was installed, let go of what was removed, ask who is new."""
        installed = {each.account: each for each in await self._installations.list_()}
        for account in [each for each in self._teams if each not in installed]:
            del self._teams[account]
        for each in installed.values():
            known = self._teams.get(each.account)
            if known is None or known.token != each.token:
                self._teams[each.account] = self._open(each)
        self._is_loaded = True
        async with asyncio.TaskGroup() as group:
            for team in list(self._teams.values()):
                if self._is_due(team):
                    group.create_task(self._ask(team))

    def _open(self, installation: Installation) -> Team:
        return Team(
            account=installation.account,
            token=installation.token,
            client=self._pool.client(installation.token),
            health=Health(account=installation.account),
            identity=installation.identity,
        )

    def _is_due(self, team: Team) -> bool:
        if team.asked_at is None:
            return True
        is_settled = team.identity is not None and not team.health.error
        waited = asyncio.get_running_loop().time() - team.asked_at
        return not is_settled and waited >= _ASK_AGAIN_SECONDS

    async def _ask(self, team: Team) -> None:
        """Ask Slack who a token belongs to; nothing is believed before."""
        is_new = team.asked_at is None
        team.asked_at = asyncio.get_running_loop().time()
        try:
            identity = await identify(team.client)
        except Refused as refused:
            team.is_refused = True
            mark_down(team, refused.reason, refused.fix)
            await self._installations.note(team.account, None, refused.reason)
            return
        except Postponed as postponed:
            mark_down(team, postponed.reason, "wait: it is tried again every minute")
            return
        team.is_refused = self._is_taken(identity, team)
        if team.is_refused:
            reason = f"{identity.name} is installed under another name already"
            mark_down(team, reason, f"workspace remove {team.account}")
            await self._installations.note(team.account, None, reason)
            return
        team.identity = identity
        self._unknown.pop(identity.team_id, None)
        mark_up(team)
        if is_new:
            await self._installations.note(team.account, identity, "")

    def _is_taken(self, identity: Identity, by: Team) -> bool:
        others = (team for team in self._teams.values() if team is not by)
        return any(
            other.identity is not None and other.identity.team_id == identity.team_id
            for other in others
        )

    def _known(self) -> Iterable[Team]:
        return self._teams.values()


async def identify(client: AsyncWebClient) -> Identity:
    """Ask Slack who a token belongs to.

    Raises: Postponed, Refused.
    """
    said = await call(client.auth_test)
    return Identity(
        team_id=str(said.get("team_id") or ""),
        enterprise_id=str(said.get("enterprise_id") or ""),
        bot_user_id=str(said.get("user_id") or ""),
        bot_id=str(said.get("bot_id") or ""),
        name=str(said.get("team") or ""),
        is_whole_enterprise=bool(said.get("is_enterprise_install")),
    )


def mark_down(team: Team, error: str, fix: str) -> None:
    """Note an outage of one workspace, logged once."""
    if team.health.is_down(error, fix=fix):
        _log.warning("slack.down", extra={"account": team.account, "reason": error})


def mark_up(team: Team) -> None:
    """Note that a workspace works, logged once."""
    if team.health.error:
        _log.info("slack.up", extra={"account": team.account})
    team.health.is_up()
