"""The app's manifest, made from what the channel uses: nothing is asked that it does not."""

from collections.abc import Mapping

from core.kernel.jsons import Json

COMMAND = "/ops"
BOT_NAME = "ops"
LAUNCHER = "launch"
TASK_FROM_MESSAGE = "task_from_message"
EVENTS_PATH = "/slack/events"

# Each right that a workspace is asked for, and what would not work without it.
SCOPES: Mapping[str, str] = {
    "commands": "adds `/ops` and the two shortcuts",
    "chat:write": "posts answers, and edits the one message that shows progress",
    "app_mentions:read": "hears `@ops …` in channels and threads it was invited to, "
    "and nothing else that is said there",
    "im:history": "hears what people write to it in a direct message",
    "users:read": "reads a person's time zone and language, so that `9am` is theirs",
    "users:read.email": "shows on the home tab of an account that is not linked yet which "
    "address Slack knows, so that the right person links it",
}
EVENTS: Mapping[str, str] = {
    "app_mention": "somebody mentioned it",
    "message.im": "somebody wrote to it directly",
    "app_home_opened": "somebody opened its home tab",
    "app_uninstalled": "a workspace removed it",
    "tokens_revoked": "its token ended",
}


def build_manifest(*, name: str = "Opswire", url: str = "") -> dict[str, Json]:
    """Build the manifest from which Slack makes the app.

    Shape:  without `url` the app talks over Socket Mode; with one, such as
            `https://ops.example.org`, Slack posts everything to its `/slack/events`.
    """
    return {
        "display_information": {
            "name": name,
            "description": "Run and follow operations from where you talk.",
            "background_color": "#161616",
        },
        "features": _features(url),
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": _settings(url),
    }


def _features(url: str) -> dict[str, Json]:
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": BOT_NAME, "always_online": True},
        "shortcuts": [
            {
                "name": "Run a command",
                "type": "global",
                "callback_id": LAUNCHER,
                "description": "Choose a command and fill it in",
            },
            {
                "name": "Create task from message",
                "type": "message",
                "callback_id": TASK_FROM_MESSAGE,
                "description": "Put this message on the board",
            },
        ],
        "slash_commands": [
            {
                "command": COMMAND,
                **_at(url, "url"),
                "description": "Run a command of Opswire",
                "usage_hint": "help | task list | T-12",
                "should_escape": False,
            }
        ],
    }


def _settings(url: str) -> dict[str, Json]:
    return {
        "event_subscriptions": {**_at(url, "request_url"), "bot_events": list(EVENTS)},
        "interactivity": {
            "is_enabled": True,
            **_at(url, "request_url"),
            **_at(url, "message_menu_options_url"),
        },
        "org_deploy_enabled": False,
        "socket_mode_enabled": not url,
        "token_rotation_enabled": False,
    }


def _at(url: str, name: str) -> dict[str, Json]:
    """State our address where Slack asks for it; over a socket it has none."""
    return {name: f"{url.rstrip('/')}{EVENTS_PATH}"} if url else {}
