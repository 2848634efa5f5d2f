"""Windows and the home tab: what is opened beside the road, and changes nothing."""

import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from channels.base import Postponed
from channels.slack import modals
from channels.slack.home import LAUNCH, home
from channels.slack.manifest import LAUNCHER, TASK_FROM_MESSAGE
from channels.slack.people import People
from channels.slack.render import Profile
from channels.slack.teams import Team
from channels.slack.web import Refused, call
from channels.slack.wire import CHANNEL
from core.kernel.catalog import Catalog
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Assurance
from core.kernel.reply import Reply

Body = Mapping[str, Any]
Ask = Callable[[Envelope], Awaitable[Reply]]

HOME_SECTIONS: Sequence[tuple[str, str]] = (
    ("Needs you", "needs"),
    ("My tasks", "task list --assignee me"),
    ("Now", "status"),
)
"""What stands on the home tab: headings, and the lines that answer below them."""

_log = logging.getLogger(__name__)


class Pages:
    """Opens windows while their trigger lasts, and fills home tabs.

    Shape:  nothing here has an effect: a window that is sent comes back as a message,
            and the home tab asks as the person who opened it.
    """

    def __init__(
        self, ask: Ask, catalog: Callable[[], Catalog], *, clock: Clock
    ) -> None:
        self._ask = ask
        self._catalog = catalog
        self._clock = clock
        self.people = People(clock)

    def suggest(self, body: Body) -> list[Json]:
        """List what may be meant by what somebody is typing."""
        if body.get("action_id") != modals.CHOICE:
            return []
        return modals.suggest(self._catalog(), str(body.get("value") or ""))

    async def take_shortcut(self, team: Team, body: Body) -> None:
        """Open what a shortcut of ours is for."""
        chosen = body.get("callback_id")
        if chosen == LAUNCHER:
            await self._open(team, body, modals.launcher({}))
        elif chosen == TASK_FROM_MESSAGE:
            view = modals.task_from_message(self._catalog(), body)
            if view is not None:
                await self._open(team, body, view)

    async def act(self, team: Team, body: Body) -> None:
        """Do what a press wants that has no effect by itself."""
        pressed = (body.get("actions") or [{}])[0]
        action = pressed.get("action_id")
        if action == LAUNCH:
            await self._open(team, body, modals.launcher({}))
        elif action == modals.CHOICE:
            chosen = (pressed.get("selected_option") or {}).get("value")
            await self._show_form(team, body, str(chosen or ""))
        elif (view := modals.typed_id(body)) is not None:
            await self._open(team, body, view)

    async def show_home(self, team: Team, user: str) -> None:
        """Fill somebody's home tab with what they may see."""
        who = await self._ask(self._as(team, user, "whoami"))
        is_linked = who.data.get("linked") is True
        sections = [
            (heading, await self._ask(self._as(team, user, line)))
            for heading, line in (HOME_SECTIONS if is_linked else ())
        ]
        known = None if is_linked else await self.people.learn(team, user)
        view = home(
            [each for each in sections if each[1].error is None],
            is_linked=is_linked,
            address=known.address if known else "",
            profile=Profile(catalog=self._catalog()),
        )
        await self._try(team, user, team.client.views_publish(user_id=user, view=view))

    # ── windows ───────────────────────────────────────────────────────────────
    async def _open(self, team: Team, body: Body, view: modals.View) -> None:
        trigger = str(body.get("trigger_id") or "")
        opening = team.client.views_open(trigger_id=trigger, view=view)
        await self._try(team, _user_of(body), opening)

    async def _show_form(self, team: Team, body: Body, command: str) -> None:
        """Turn the launcher into the form of the command that was chosen."""
        entry = self._catalog().find(command)
        view = body.get("view") or {}
        if entry is None or not entry.is_offered:
            return
        about = _about(str(view.get("private_metadata") or ""))
        changing = team.client.views_update(
            view_id=str(view.get("id") or ""),
            hash=str(view.get("hash") or ""),
            view=modals.form(entry, about),
        )
        await self._try(team, _user_of(body), changing)

    async def _try(
        self, team: Team, user: str, calling: Coroutine[Any, Any, Any]
    ) -> None:
        """Make a call that somebody is looking at; tell them when it fails for good."""

        async def once() -> Any:
            return await calling

        try:
            await call(once)
        except Postponed as postponed:
            _log.warning("slack.window_failed", extra={"reason": postponed.reason})
        except Refused as refused:
            _log.warning("slack.window_failed", extra={"reason": refused.reason})
            if refused.fix and not refused.concerns_token:
                await self._tell(team, user, f"{refused.reason}. {refused.fix}.")

    async def _tell(self, team: Team, user: str, text: str) -> None:
        message = {"channel": user, "text": text}
        try:
            await call(lambda: team.client.api_call("chat.postMessage", json=message))
        except (Postponed, Refused) as fault:
            _log.warning("slack.not_told", extra={"reason": fault.reason})

    def _as(self, team: Team, user: str, line: str) -> Envelope:
        return Envelope(
            channel=CHANNEL,
            account=team.account,
            sender=user,
            text=line,
            received_at=self._clock.now(),
            assurance=Assurance.SECRET,
        )


def _user_of(body: Body) -> str:
    return str((body.get("user") or {}).get("id") or "")


def _about(metadata: str) -> dict[str, Json]:
    try:
        found = json.loads(metadata or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
