"""What Slack sends, as we store it, and what is stored, as commands; pure."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from channels.base import Delivery, Inbound
from channels.slack.escapes import unescape
from channels.slack.values import arguments, read_values
from core.kernel.clock import to_iso
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Assurance

CHANNEL = "slack"
ANSWER_WINDOW = timedelta(minutes=30)  # for which a response_url takes posts

_SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})
_BUTTON = re.compile(r"rp_[0-9A-Z]{1,40}\.[0-9]{1,3}")
_SAYINGS: Mapping[str, str] = {
    "status": "status",
    "mine": "task list --assignee me",
    "help": "help",
    "link": "link",
}


class Kind(StrEnum):
    """How a person reached us."""

    SLASH = "slash"
    MENTION = "mention"
    DM = "dm"
    BUTTON = "button"
    MODAL = "modal"


class Press(StrEnum):
    """What a button of ours does; its action_id begins so.

    `look` may be pressed again and again; `sure` asked in its own dialog; `type` opens
    a form for the id, and that is submitted; `say` is a fixed line of the home tab.
    """

    DO = "press"
    LOOK = "look"
    SURE = "sure"
    TYPE = "type"
    SAY = "say"


class Form(StrEnum):
    """What a submitted window is; its callback_id."""

    COMMAND = "command"
    TYPED_ID = "typed_id"


def storable(
    kind: Kind | str, body: Mapping[str, Any], *, account: str
) -> Delivery | None:
    """Turn what Slack sent, verified, into what the inbox keeps.

    Shape:  None when it asks nothing of us: our own messages, those of other bots,
            changes of old ones, and presses that only open something. The key is the
            same whenever Slack delivers the same thing again.
    """
    found = _STORABLE[Kind(kind)](body)
    if found is None:
        return None
    sender, key, payload = found
    return Delivery(account=account, sender=sender, key=key, payload=payload)


_Stored = tuple[str, str, dict[str, Json]]


def _slash(body: Mapping[str, Any]) -> _Stored:
    return (
        str(body["user_id"]),
        f"slash:{body['trigger_id']}",
        {
            "kind": "slash",
            "text": str(body.get("text") or ""),
            "user": str(body["user_id"]),
            "channel": str(body["channel_id"]),
            "response_url": str(body.get("response_url") or ""),
        },
    )


def _message(body: Mapping[str, Any]) -> _Stored | None:
    event = body["event"]
    bot = _bot_of(body)
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    is_bot = event.get("bot_id") or event.get("bot_profile") or user == bot
    is_spoken = str(event.get("subtype") or "") in _SPOKEN and not event.get("hidden")
    if is_bot or not is_spoken or not (user and channel and ts):
        return None
    return (
        str(user),
        f"message:{channel}:{ts}:{user}",
        {
            "kind": "message",
            "text": str(event.get("text") or ""),
            "user": str(user),
            "channel": str(channel),
            "ts": str(ts),
            "thread_ts": str(event.get("thread_ts") or ""),
            "bot": bot,
        },
    )


def _bot_of(body: Mapping[str, Any]) -> str:
    """Name our own user in the workspace, as Slack states it with every event."""
    for each in body.get("authorizations") or ():
        if each.get("is_bot", True) and each.get("user_id"):
            return str(each["user_id"])
    return ""


def _button(body: Mapping[str, Any]) -> _Stored | None:
    pressed = (body.get("actions") or [{}])[0]
    how = str(pressed.get("action_id") or "").partition(":")[0]
    value = str(pressed.get("value") or "")
    if how not in (Press.DO, Press.LOOK, Press.SURE, Press.SAY):
        return None
    container = body.get("container") or {}
    message = body.get("message") or {}
    is_single = how in (Press.DO, Press.SURE)
    key = f"press:{value}" if is_single else f"{how}:{value}:{body.get('trigger_id')}"
    return (
        str(body["user"]["id"]),
        key,
        {
            "kind": "button",
            "how": how,
            "value": value,
            "user": str(body["user"]["id"]),
            "channel": str((body.get("channel") or {}).get("id") or ""),
            "thread_ts": str(
                container.get("thread_ts") or message.get("thread_ts") or ""
            ),
            "response_url": str(body.get("response_url") or ""),
        },
    )


def _modal(body: Mapping[str, Any]) -> _Stored | None:
    view = body["view"]
    if view.get("callback_id") not in set(Form):
        return None
    return (
        str(body["user"]["id"]),
        f"view:{view['id']}:{view.get('hash', '')}",
        {
            "kind": "modal",
            "form": str(view["callback_id"]),
            "user": str(body["user"]["id"]),
            "about": _about(str(view.get("private_metadata") or "")),
            "values": read_values(view.get("state") or {}),
        },
    )


def _about(metadata: str) -> dict[str, Json]:
    """Read what we wrote into a window when we opened it."""
    try:
        found = json.loads(metadata or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


_STORABLE: Mapping[Kind, Callable[[Mapping[str, Any]], _Stored | None]] = {
    Kind.SLASH: _slash,
    Kind.MENTION: _message,
    Kind.DM: _message,
    Kind.BUTTON: _button,
    Kind.MODAL: _modal,
}


class SlackWire:
    """Reads what was stored; pure."""

    def parse(
        self, payload: Mapping[str, Json], *, account: str, received_at: datetime
    ) -> Inbound:
        """Work out what one stored message asks for; never raises for its content."""
        read = _READ.get(_text(payload, "kind"))
        if read is None:
            return Inbound(skipped="not a message that we know")
        ask = read(payload)
        if ask is None:
            return Inbound(skipped="nothing was asked")
        return _inbound(payload, ask, account=account, received_at=received_at)


_Ask = Mapping[str, Any]


def _inbound(
    payload: Mapping[str, Json], ask: _Ask, *, account: str, received_at: datetime
) -> Inbound:
    """Address a question: where it was asked, and where its answer goes."""
    about = payload.get("about")
    place = about if isinstance(about, Mapping) else payload
    user = _text(payload, "user")
    channel, thread = _text(place, "channel") or user, _text(place, "thread_ts")
    reply_to: dict[str, Json] = {
        "channel": channel,
        "thread_ts": thread,
        "user": user,
        "response_url": _text(place, "response_url"),
        "expires": to_iso(received_at + ANSWER_WINDOW),
    }
    envelope = Envelope(
        channel=CHANNEL,
        account=account,
        sender=user,
        conversation=f"{channel}:{thread}" if thread else channel,
        thread=thread,
        reply_to=reply_to,
        this=_text(payload, "this"),
        received_at=received_at,
        locale=_text(payload, "locale"),
        timezone=_text(payload, "timezone"),
        assurance=Assurance.SECRET,
        **ask,
    )
    return Inbound(envelopes=(envelope,), reply_to=reply_to)


def _said(payload: Mapping[str, Json]) -> _Ask:
    text, bot = _text(payload, "text"), _text(payload, "bot")
    named = re.compile(rf"\s*<@{re.escape(bot) or '[A-Z0-9]+'}(?:\|[^<>]*)?>[:,]?\s*")
    addressed = named.match(text)
    if addressed:
        text = text[addressed.end() :]
    elif bot and (found := named.search(text)):
        text = f"{text[: found.start()]} {text[found.end() :]}"
    return {"text": unescape(text)}


def _typed(payload: Mapping[str, Json]) -> _Ask:
    return {"text": unescape(_text(payload, "text"))}


def _pressed(payload: Mapping[str, Json]) -> _Ask | None:
    value, how = _text(payload, "value"), _text(payload, "how")
    if how == Press.SAY:
        return {"text": _SAYINGS[value]} if value in _SAYINGS else None
    if not _BUTTON.fullmatch(value):
        return None
    asked = {"command": "press", "args": {"button": value}}
    return {**asked, "is_consent": True} if how == Press.SURE else asked


def _submitted(payload: Mapping[str, Json]) -> _Ask | None:
    about, values = payload.get("about"), payload.get("values")
    if not isinstance(about, Mapping) or not isinstance(values, Mapping):
        return None
    filled = arguments(values)
    if payload.get("form") == Form.TYPED_ID:
        button, typed = _text(about, "button"), filled.get("confirm")
        if not _BUTTON.fullmatch(button) or not isinstance(typed, str):
            return None
        return {"command": "press", "args": {"button": button, "confirm": typed}}
    command = _text(about, "command")
    return {"command": command, "args": filled} if command else None


_READ: Mapping[str, Callable[[Mapping[str, Json]], _Ask | None]] = {
    "slash": _typed,
    "message": _said,
    "button": _pressed,
    "modal": _submitted,
}


def _text(of: Mapping[str, Json], name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""
