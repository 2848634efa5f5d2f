"""The fake Slack behind the page of simulators; loaded only where it is served."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_never

from channels.testing.slack import Answered, FakeSlack, Secrets, SlackMessage
from channels.testing.slack.workspace import Payload, dm_of
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, NotFound
from gateway.simulators.acts import (
    Choose,
    Close,
    Home,
    Person,
    Press,
    Send,
    Shortcut,
    SlackAct,
    Suggest,
    Type,
)
from gateway.simulators.stands import SLACK_IDS, SlackStand

SHOWN_MESSAGES = 60

_SLASH, _MENTION = "/ops", "@ops"


class SlackDesk:
    """One fake Slack and the two people in front of it."""

    def __init__(self, stand: SlackStand) -> None:
        self._stand = stand
        self._fake = FakeSlack(
            secrets=Secrets(
                signing_secret=stand.signing_secret,
                app_token=stand.app_token,
                bot_token=stand.bot_token,
            )
        )

    async def start(self) -> None:
        """Serve."""
        await self._fake.start(listening=self._stand.port.take())

    async def stop(self) -> None:
        """Let go of everything."""
        await self._fake.stop()

    # ── what somebody sees ────────────────────────────────────────────────────
    def show(self, who: Person) -> dict[str, Json]:
        """Show the channels, the newest messages, and what is open."""
        home, user = self._fake.home, SLACK_IDS[who]
        places = {**home.channels, dm_of(user): ""}
        seen = [each for each in home.messages(to=user) if each.channel in places]
        return {
            "team": home.name,
            "is_connected": self._fake.sockets.is_open,
            "channels": [{"id": each, "name": name} for each, name in places.items()],
            "messages": [self._message(each) for each in seen[-SHOWN_MESSAGES:]],
            "view": self._fake.people.window_of(user),
            "home": home.homes.get(user),
        }

    def _message(self, message: SlackMessage) -> dict[str, Json]:
        home = self._fake.home
        return {
            "ts": message.ts,
            "channel": message.channel,
            "thread": message.thread_ts,
            "who": home.users.get(message.user, "opswire"),
            "is_bot": message.user == home.bot_user_id,
            "is_private": bool(message.only_for),
            "is_edited": message.edits > 0,
            "at": to_iso(datetime.fromtimestamp(message.at, UTC)),
            "text": message.text,
            "blocks": list[Json](message.blocks),
        }

    # ── what somebody does ────────────────────────────────────────────────────
    async def act(self, act: SlackAct) -> dict[str, Json]:
        """Do something, and tell what Slack's client would show of it.

        Raises: InvalidArgument, NotFound.
        """
        user = SLACK_IDS[act.who]
        if isinstance(act, Send | Suggest | Choose | Close):
            return await self._in_window(user, act)
        match act:
            case Type():
                return await self._type(user, act)
            case Press():
                return await self._press(user, act)
            case Shortcut():
                return await self._shortcut(user, act)
            case Home():
                return await self._home(user, act)
            case _:
                assert_never(act)

    async def _in_window(
        self, user: str, act: Send | Suggest | Choose | Close
    ) -> dict[str, Json]:
        people, view = self._fake.people, self._view(user, act.view)
        match act:
            case Send():
                return _told(await people.submit(user, view, act.values))
            case Suggest():
                at = {"action_id": act.action, "block_id": act.block}
                options = await people.suggest(user, view, **at, typed=act.typed)
                return {"is_ok": True, "options": list[Json](options)}
            case Choose():
                at = {"action_id": act.action, "block_id": act.block}
                return _told(await people.choose(user, view, **at, value=act.value))
            case Close():
                del self._fake.home.views[act.view]
                return {"is_ok": True}
            case _:
                assert_never(act)

    async def _type(self, user: str, act: Type) -> dict[str, Json]:
        people = self._fake.people
        channel = act.channel or dm_of(user)
        text = _escaped(act.text)
        word, _, rest = text.partition(" ")
        if word == _SLASH and act.thread:
            raise InvalidArgument(
                "Slack takes no slash commands in threads", fix=[f"{_MENTION} {rest}"]
            )
        if word == _SLASH:
            # Slack shows nobody what was typed; here it is left to be read.
            people.write(user, channel, text, only_for=user)
            return _told(await people.slash(user, channel, rest.strip()))
        if channel == dm_of(user):
            return _told(await people.dm(user, text))
        if word == _MENTION:
            return _told(
                await people.mention(user, channel, rest.strip(), thread=act.thread)
            )
        if channel not in self._fake.home.channels:
            raise NotFound("this channel")
        people.write(user, channel, text, thread=act.thread)
        return {"is_ok": True}

    async def _press(self, user: str, act: Press) -> dict[str, Json]:
        message = self._message_at(user, act.channel, act.ts)
        if act.index >= len(message.buttons()):
            raise NotFound("this button")
        return _told(await self._fake.people.press(user, message, act.index))

    async def _shortcut(self, user: str, act: Shortcut) -> dict[str, Json]:
        people = self._fake.people
        if not act.ts:
            return _told(await people.shortcut(user, act.callback))
        message = self._message_at(user, act.channel, act.ts)
        return _told(await people.message_shortcut(user, message, act.callback))

    async def _home(self, user: str, act: Home) -> dict[str, Json]:
        people = self._fake.people
        if act.index is None:
            return _told(await people.open_home(user))
        if user not in self._fake.home.homes:
            raise NotFound("this home tab")
        return _told(await people.press_home(user, act.index))

    # ── what is there ─────────────────────────────────────────────────────────
    def _message_at(self, user: str, channel: str, ts: str) -> SlackMessage:
        found = self._fake.home.find(channel, ts)
        if found is None or found.only_for not in ("", user):
            raise NotFound("this message")
        return found

    def _view(self, user: str, view_id: str) -> Payload:
        found = self._fake.home.views.get(view_id)
        if found is None or found["user"] != user:
            raise NotFound("this window", fix=["it was closed; open it again"])
        return found


def _escaped(text: str) -> str:
    """Write what was typed as Slack keeps it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _told(answered: Answered) -> dict[str, Json]:
    """Tell what Slack's client learns: whether the app answered, and its objections."""
    body: Mapping[str, Json] = answered.body
    told: dict[str, Json] = {"is_ok": answered.is_ok}
    if errors := body.get("errors"):
        told["errors"] = errors
    if not answered.is_ok:
        told["error"] = (
            "operation_timeout" if not answered.status else "dispatch_failed"
        )
    return told
