"""People in the fake Slack: they type, press, fill in windows and open their home tab."""

from collections.abc import Mapping
from typing import Any

from channels.testing.slack import payloads
from channels.testing.slack.api import Desk, ResponseUrl
from channels.testing.slack.delivery import Answered
from channels.testing.slack.outside import Outside
from channels.testing.slack.workspace import (
    FakeWorkspace,
    Payload,
    SlackMessage,
    dm_of,
    new_ts,
)


class People:
    """What the people of one workspace do, and how Slack tells the app of it."""

    def __init__(self, desk: Desk, outside: Outside, home: FakeWorkspace) -> None:
        self._desk = desk
        self._outside = outside
        self._home = home

    # ── typing ────────────────────────────────────────────────────────────────
    async def slash(self, user: str, channel: str, text: str) -> Answered:
        """Type `/ops <text>`."""
        payload = payloads.slash(
            self._home, user, channel, text, **self._ways(user, channel)
        )
        return await self._outside.deliver("slash_commands", payload)

    async def mention(
        self, user: str, channel: str, text: str, *, thread: str = ""
    ) -> Answered:
        """Write `@ops <text>` in a channel, or in a thread there."""
        named = f"<@{self._home.bot_user_id}> {text}"
        message = self.write(user, channel, named, thread=thread)
        return await self.tell(payloads.message_event(message, is_dm=False))

    async def dm(self, user: str, text: str) -> Answered:
        """Write to the app alone."""
        message = self.write(user, dm_of(user), text)
        return await self.tell(payloads.message_event(message, is_dm=True))

    def write(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread: str = "",
        only_for: str = "",
    ) -> SlackMessage:
        """Put a message on the board without telling the app."""
        now = self._desk.now()
        return self._home.keep(
            SlackMessage(
                channel=channel,
                ts=new_ts(now),
                user=user,
                text=text,
                at=now,
                thread_ts=thread,
                only_for=only_for,
            )
        )

    async def tell(self, event: Payload, *, times: int = 1) -> Answered:
        """Send an event, each time under another event id as Slack sometimes does."""
        answered = Answered(status=0)
        for _ in range(times):
            wrapped = payloads.event(self._home, event, at=self._desk.now())
            answered = await self._outside.deliver("events_api", wrapped)
        return answered

    async def open_home(self, user: str) -> Answered:
        """Open the app's home tab."""
        opened = {
            "type": "app_home_opened",
            "user": user,
            "channel": dm_of(user),
            "tab": "home",
        }
        return await self.tell(opened)

    # ── pressing ──────────────────────────────────────────────────────────────
    async def press(
        self, user: str, message: SlackMessage, index: int, *, is_sure: bool = True
    ) -> Answered:
        """Press a message's button by its number; who is not sure stops at a dialog."""
        button = message.buttons()[index]
        if "confirm" in button and not is_sure:
            return Answered(status=0)
        pressed = payloads.press(message, button, at=self._desk.now())
        channel = {"id": message.channel, "name": self._named(message.channel)}
        ways = self._ways(user, message.channel, message_ts=message.ts)
        return await self._interact(
            user, "block_actions", channel=channel, **ways, **pressed
        )

    async def press_home(self, user: str, index: int) -> Answered:
        """Press a button of one's home tab by its number."""
        view = self._home.homes[user]
        shown = SlackMessage(
            channel="", ts="", user=user, text="", at=0, blocks=view["blocks"]
        )
        action = {**shown.buttons()[index], "action_ts": new_ts(self._desk.now())}
        return await self._interact(
            user,
            "block_actions",
            trigger_id=self._desk.new_trigger(user),
            container={"type": "view", "view_id": "V0HOME"},
            view={**view, "id": "V0HOME", "hash": "h0"},
            actions=[action],
        )

    async def choose(
        self, user: str, view: Payload, *, action_id: str, block_id: str, value: str
    ) -> Answered:
        """Choose an entry of a list in a window, which tells the app at once."""
        option = {"text": {"type": "plain_text", "text": value}, "value": value}
        action = {
            "type": "external_select",
            "action_id": action_id,
            "block_id": block_id,
            "selected_option": option,
            "action_ts": new_ts(self._desk.now()),
        }
        return await self._interact(
            user,
            "block_actions",
            trigger_id=self._desk.new_trigger(user),
            container={"type": "view", "view_id": view["id"]},
            view=payloads.submitted_view(self._home, view, {}),
            actions=[action],
        )

    async def submit(
        self, user: str, view: Payload, values: Mapping[str, Any]
    ) -> Answered:
        """Send a window; `values` maps a block id to what its elements hold."""
        answered = await self._interact(
            user,
            "view_submission",
            trigger_id=self._desk.new_trigger(user),
            view=payloads.submitted_view(self._home, view, dict(values)),
            response_urls=[],
        )
        if answered.is_ok and answered.body.get("response_action") is None:
            self._home.views.pop(view["id"], None)
        return answered

    async def shortcut(self, user: str, callback_id: str) -> Answered:
        """Take a shortcut of the app from the menu that is everywhere."""
        return await self._interact(
            user,
            "shortcut",
            callback_id=callback_id,
            trigger_id=self._desk.new_trigger(user),
            action_ts=new_ts(self._desk.now()),
        )

    async def message_shortcut(
        self, user: str, message: SlackMessage, callback_id: str
    ) -> Answered:
        """Take a shortcut of the app from a message's menu."""
        return await self._interact(
            user,
            "message_action",
            callback_id=callback_id,
            channel={"id": message.channel, "name": self._named(message.channel)},
            message_ts=message.ts,
            message=message.shown(),
            action_ts=new_ts(self._desk.now()),
            **self._ways(user, message.channel),
        )

    async def suggest(
        self, user: str, view: Payload, *, action_id: str, block_id: str, typed: str
    ) -> list[Payload]:
        """Type into a list of a window; give the entries that the app offers."""
        answered = await self._interact(
            user,
            "block_suggestion",
            container={"type": "view", "view_id": view["id"]},
            action_id=action_id,
            block_id=block_id,
            value=typed,
            view=payloads.submitted_view(self._home, view, {}),
        )
        options: list[Payload] = answered.body.get("options", [])
        return options

    def window_of(self, user: str) -> Payload | None:
        """Find the newest window that somebody has open."""
        return next(self._home.views_of(user), None)

    # ── the way there ─────────────────────────────────────────────────────────
    async def _interact(self, user: str, kind: str, **fields: Any) -> Answered:
        payload = payloads.interaction(self._home, user, kind, **fields)
        return await self._outside.deliver("interactive", payload)

    def _ways(self, user: str, channel: str, *, message_ts: str = "") -> dict[str, str]:
        place = ResponseUrl(
            workspace=self._home,
            channel=channel,
            user=user,
            made_at=self._desk.now(),
            message_ts=message_ts,
        )
        return {
            "trigger_id": self._desk.new_trigger(user),
            "response_url": self._desk.new_response_url(place),
        }

    def _named(self, channel: str) -> str:
        return self._home.channels.get(channel, "directmessage")
