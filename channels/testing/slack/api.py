"""The Web API of the fake Slack: the methods that a bot of ours calls."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from channels.testing.slack.checks import Refused, check_message, check_view
from channels.testing.slack.workspace import (
    FakeWorkspace,
    Payload,
    SlackMessage,
    dm_of,
    new_id,
    new_ts,
)

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 1_800.0
RESPONSE_POSTS = 5


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """A way to answer one interaction: five times within half an hour."""

    workspace: FakeWorkspace
    channel: str
    user: str
    made_at: float
    thread_ts: str = ""
    message_ts: str = ""
    posts: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Desk:
    """What the methods work on, for all workspaces of one fake Slack."""

    url: str = ""
    now: Callable[[], float] = time.time
    workspaces: dict[str, FakeWorkspace] = field(default_factory=dict)
    app_token: str = ""
    triggers: dict[str, tuple[str, float]] = field(default_factory=dict)
    responses: dict[str, ResponseUrl] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    grants: dict[str, str] = field(default_factory=dict)

    def owner_of(self, token: str) -> FakeWorkspace:
        """Find the workspace that a bot token belongs to.

        Raises: Refused.
        """
        for workspace in self.workspaces.values():
            if token and workspace.bot_token == token:
                if workspace.token_error:
                    raise Refused(workspace.token_error)
                return workspace
        raise Refused("invalid_auth" if token else "not_authed")

    def new_trigger(self, user: str) -> str:
        """Make a trigger, which opens a window for somebody within three seconds."""
        trigger = new_id("13345224609.738474920.")
        self.triggers[trigger] = user, self.now()
        return trigger

    def new_response_url(self, place: ResponseUrl) -> str:
        """Make an address that answers one interaction."""
        name = new_id("r")
        self.responses[name] = place
        return f"{self.url}/response/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call with a bot token, its arguments parsed."""

    desk: Desk
    workspace: FakeWorkspace
    method: str
    arguments: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Read an argument that is text, "" when it is missing."""
        value = self.arguments.get(name)
        return "" if value is None else str(value)

    def parsed(self, name: str) -> Any:
        """Read an argument that is JSON, written out or not."""
        value = self.arguments.get(name)
        return orjson.loads(value) if isinstance(value, str) and value else value


Method = Callable[[Call], Payload]


def auth_test(call: Call) -> Payload:
    """Say who the token is."""
    home = call.workspace
    return {
        "url": f"https://{home.name}.slack.com/",
        "team": home.name,
        "team_id": home.team_id,
        "enterprise_id": home.enterprise_id or None,
        "user": "opswire",
        "user_id": home.bot_user_id,
        "bot_id": f"B{home.bot_user_id[1:]}",
        "is_enterprise_install": home.is_whole_enterprise,
    }


def post_message(call: Call) -> Payload:
    """Write a message into a channel, a thread, or a person's direct messages."""
    message = _write(call, channel=_place(call))
    return {"channel": message.channel, "ts": message.ts, "message": message.shown()}


def post_ephemeral(call: Call) -> Payload:
    """Write a message that one person sees."""
    user = call.text("user")
    if user not in call.workspace.users:
        raise Refused("user_not_in_channel")
    message = _write(call, channel=_place(call), only_for=user)
    return {"message_ts": message.ts}


def update(call: Call) -> Payload:
    """Change a message of the bot's own."""
    found = call.workspace.find(_place(call), call.text("ts"))
    if found is None or found.only_for:
        raise Refused("message_not_found")
    if found.user != call.workspace.bot_user_id:
        raise Refused("cant_update_message")
    text, blocks = call.text("text"), call.parsed("blocks") or []
    check_message(call.workspace, text, blocks)
    found.text, found.blocks, found.edits = text, blocks, found.edits + 1
    return {"channel": found.channel, "ts": found.ts, "text": text}


def open_view(call: Call) -> Payload:
    """Open a window for whoever made the trigger."""
    user = _pull_trigger(call)
    return {"view": _keep_view(call, user)}


def update_view(call: Call) -> Payload:
    """Change a window that is open."""
    old = call.workspace.views.get(call.text("view_id"))
    if old is None:
        raise Refused("not_found")
    return {"view": _keep_view(call, old["user"], view_id=old["id"])}


def publish_view(call: Call) -> Payload:
    """Put a page on somebody's home tab."""
    user = call.text("user_id")
    if user not in call.workspace.users:
        raise Refused("user_not_found")
    view = call.parsed("view") or {}
    if view.get("type") != "home":
        raise Refused("invalid_arguments")
    check_view(call.workspace, view)
    call.workspace.homes[user] = view
    return {"view": view}


def open_conversation(call: Call) -> Payload:
    """Open the direct messages with a person."""
    user = call.text("users")
    if user not in call.workspace.users:
        raise Refused("user_not_found")
    return {"channel": {"id": dm_of(user)}}


def user_info(call: Call) -> Payload:
    """Describe a person."""
    name = call.workspace.users.get(call.text("user"))
    if name is None:
        raise Refused("user_not_found")
    return {"user": _user(call, call.text("user"), name)}


def user_by_email(call: Call) -> Payload:
    """Find a person by their address, which is their name at the workspace's."""
    for user, name in call.workspace.users.items():
        if call.text("email") == _email(call, name):
            return {"user": _user(call, user, name)}
    raise Refused("users_not_found")


def upload_url(call: Call) -> Payload:
    """Give an address to which a file can be sent."""
    file = {"id": new_id("F"), "name": call.text("filename"), "body": b""}
    call.workspace.files.append(file)
    return {"upload_url": f"{call.desk.url}/upload/{file['id']}", "file_id": file["id"]}


def complete_upload(call: Call) -> Payload:
    """Show files that were sent in a channel."""
    wanted = [each["id"] for each in call.parsed("files") or []]
    found = [each for each in call.workspace.files if each["id"] in wanted]
    for file in found:
        file["channel"] = call.text("channel_id")
        file["thread_ts"] = call.text("thread_ts")
    return {"files": [{"id": each["id"], "title": each["name"]} for each in found]}


METHODS: Mapping[str, tuple[str, Method]] = {
    "auth.test": ("", auth_test),
    "chat.postMessage": ("chat:write", post_message),
    "chat.postEphemeral": ("chat:write", post_ephemeral),
    "chat.update": ("chat:write", update),
    "views.open": ("", open_view),
    "views.push": ("", open_view),
    "views.update": ("", update_view),
    "views.publish": ("", publish_view),
    "conversations.open": ("im:write", open_conversation),
    "users.info": ("users:read", user_info),
    "users.lookupByEmail": ("users:read.email", user_by_email),
    "files.getUploadURLExternal": ("files:write", upload_url),
    "files.completeUploadExternal": ("files:write", complete_upload),
}
"""Each method, with the scope that its caller needs."""


def answer(call: Call) -> Payload:
    """Run a method; what it refuses is an answer too."""
    scope, method = METHODS[call.method]
    try:
        if scope and scope not in call.workspace.scopes:
            provided = ",".join(sorted(call.workspace.scopes))
            raise Refused("missing_scope", needed=scope, provided=provided)
        return {"ok": True, **method(call)}
    except Refused as refused:
        return refusal(refused)


def refusal(refused: Refused) -> Payload:
    """Write a refusal as Slack does: 200, and not ok."""
    return {"ok": False, "error": refused.error, **refused.facts}


def respond(desk: Desk, place: ResponseUrl, body: Mapping[str, Any]) -> None:
    """Write what was sent to a response_url.

    Raises: Refused when it is used up or too old, or the message is bad.
    """
    now = desk.now()
    if now - place.made_at > RESPONSE_SECONDS:
        raise Refused("expired_url")
    if len(place.posts) >= RESPONSE_POSTS:
        raise Refused("used_url")
    text, blocks = str(body.get("text") or ""), body.get("blocks") or []
    check_message(place.workspace, text, blocks)
    place.posts.append(now)
    replaced = place.workspace.find(place.channel, place.message_ts)
    if body.get("replace_original") and replaced is not None:
        replaced.text, replaced.blocks, replaced.edits = (
            text,
            blocks,
            replaced.edits + 1,
        )
        return
    is_public = body.get("response_type") == "in_channel"
    place.workspace.keep(
        SlackMessage(
            channel=place.channel,
            ts=new_ts(now),
            user=place.workspace.bot_user_id,
            text=text,
            at=now,
            blocks=blocks,
            thread_ts=str(body.get("thread_ts") or ""),
            only_for="" if is_public else place.user,
            via="response_url",
        )
    )


def _write(call: Call, *, channel: str, only_for: str = "") -> SlackMessage:
    text, blocks = call.text("text"), call.parsed("blocks") or []
    check_message(call.workspace, text, blocks)
    now = call.desk.now()
    return call.workspace.keep(
        SlackMessage(
            channel=channel,
            ts=new_ts(now),
            user=call.workspace.bot_user_id,
            text=text,
            at=now,
            blocks=blocks,
            thread_ts=call.text("thread_ts"),
            only_for=only_for,
            via=call.method,
        )
    )


def _place(call: Call) -> str:
    channel = call.text("channel")
    if not call.workspace.has_place(channel):
        raise Refused("channel_not_found")
    if channel in call.workspace.closed:
        raise Refused("not_in_channel")
    return call.workspace.place_of(channel)


def _pull_trigger(call: Call) -> str:
    found = call.desk.triggers.pop(call.text("trigger_id"), None)
    if found is None:
        raise Refused("invalid_trigger_id")
    user, made_at = found
    if call.desk.now() - made_at > TRIGGER_SECONDS:
        raise Refused("trigger_expired")
    return user


def _keep_view(call: Call, user: str, *, view_id: str = "") -> Payload:
    view = call.parsed("view") or {}
    check_view(call.workspace, view)
    kept = {**view, "id": view_id or new_id("V"), "user": user, "hash": new_id("h")}
    call.workspace.views[kept["id"]] = kept
    return kept


def _user(call: Call, user: str, name: str) -> Payload:
    return {
        "id": user,
        "team_id": call.workspace.team_id,
        "name": name,
        "tz": "Europe/Berlin",
        "is_bot": False,
        "profile": {"real_name": name, "email": _email(call, name)},
    }


def _email(call: Call, name: str) -> str:
    return f"{name}@{call.workspace.name}.example"
