"""What Slack sends when people do something, field by field as its reference shows it."""

from typing import Any

from channels.testing.slack.workspace import (
    FakeWorkspace,
    Payload,
    SlackMessage,
    new_id,
    new_ts,
)

APP_ID = "A0OPSWIRE1"
TOKEN = "the-old-verification-token"  # noqa: S105 (nobody checks it any more)


def slash(
    home: FakeWorkspace, user: str, channel: str, text: str, **ways: str
) -> Payload:
    """A slash command; `ways` are its trigger_id and response_url."""
    return {
        "token": TOKEN,
        "team_id": home.team_id,
        "team_domain": home.name,
        "channel_id": channel,
        "channel_name": home.channels.get(channel, "directmessage"),
        "user_id": user,
        "user_name": home.users[user],
        "command": "/ops",
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        **ways,
    }


def event(home: FakeWorkspace, body: Payload, *, at: float) -> Payload:
    """An event in its wrapping, under an id of its own."""
    return {
        "token": TOKEN,
        "team_id": home.team_id,
        "enterprise_id": home.enterprise_id or None,
        "api_app_id": APP_ID,
        "event": {"team": home.team_id, "event_ts": body.get("ts", new_ts(at)), **body},
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(at),
        "authorizations": [
            {
                "enterprise_id": home.enterprise_id or None,
                "team_id": home.team_id,
                "user_id": home.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def message_event(message: SlackMessage, *, is_dm: bool) -> Payload:
    """What somebody wrote, as an event."""
    shown = {
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "channel": message.channel,
        "client_msg_id": new_id("msg-"),
        **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
    }
    kind = (
        {"type": "message", "channel_type": "im"} if is_dm else {"type": "app_mention"}
    )
    return {**kind, **shown}


def interaction(home: FakeWorkspace, user: str, kind: str, **fields: Any) -> Payload:
    """What every interaction says about where it comes from, and its own fields."""
    return {
        "type": kind,
        "team": {"id": home.team_id, "domain": home.name},
        "user": {
            "id": user,
            "username": home.users[user],
            "name": home.users[user],
            "team_id": home.team_id,
        },
        "api_app_id": APP_ID,
        "token": TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
        **fields,
    }


def press(message: SlackMessage, button: Payload, *, at: float) -> Payload:
    """The fields of a pressed button."""
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    return {
        "container": {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": message.channel,
            "is_ephemeral": bool(message.only_for),
            **thread,
        },
        "message": message.shown(),
        "actions": [{**button, "action_ts": new_ts(at)}],
    }


def submitted_view(home: FakeWorkspace, view: Payload, values: Payload) -> Payload:
    """A window as it was when its button was pressed."""
    return {
        "id": view["id"],
        "team_id": home.team_id,
        "type": view["type"],
        "blocks": view["blocks"],
        "private_metadata": view.get("private_metadata", ""),
        "callback_id": view.get("callback_id", ""),
        "state": {"values": values},
        "hash": view["hash"],
        "title": view.get("title"),
        "root_view_id": view["id"],
        "app_id": APP_ID,
        "external_id": view.get("external_id", ""),
        "bot_id": f"B{home.bot_user_id[1:]}",
    }
