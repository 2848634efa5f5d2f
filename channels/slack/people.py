"""What Slack knows of people: their zone and language, so that `9am` is theirs."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.base import Postponed
from channels.slack.teams import Team
from channels.slack.web import Refused, call
from core.kernel.clock import Clock
from core.kernel.jsons import Json

KEPT_FOR = timedelta(days=1)
_MOST_PEOPLE = 10_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person as Slack describes them; what it does not tell is empty."""

    timezone: str = ""
    locale: str = ""
    address: str = ""

    def facts(self) -> dict[str, Json]:
        """What a stored message says of whoever sent it."""
        return {"timezone": self.timezone, "locale": self.locale}


class People:
    """Remembers people for a day, and asks about one of them at a time.

    A message never waits for this: the first one of a person goes without.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[Known, datetime]] = {}
        self._is_asking = False

    def find(self, team: Team, user: str) -> Known | None:
        """Find what is remembered of a person."""
        known, until = self._known.get((team.account, user), (None, None))
        return known if until and self._clock.now() < until else None

    @property
    def is_free(self) -> bool:
        """Whether nobody is being asked about."""
        return not self._is_asking

    async def learn(self, team: Team, user: str) -> Known:
        """Ask Slack about a person; nothing is known when it does not answer."""
        self._is_asking = True
        try:
            known = await self._ask(team, user)
        finally:
            self._is_asking = False
        while len(self._known) >= _MOST_PEOPLE:
            self._known.pop(next(iter(self._known)))
        self._known[team.account, user] = (known, self._clock.now() + KEPT_FOR)
        return known

    async def _ask(self, team: Team, user: str) -> Known:
        try:
            answer = await call(
                lambda: team.client.users_info(user=user, include_locale=True)
            )
        except (Postponed, Refused) as fault:
            _log.info("slack.person_unknown", extra={"reason": str(fault)})
            return Known()
        return _read(answer.get("user") or {})


def _read(user: Mapping[str, Any]) -> Known:
    profile = user.get("profile") or {}
    return Known(
        timezone=str(user.get("tz") or ""),
        locale=str(user.get("locale") or ""),
        address=str(profile.get("email") or ""),
    )
