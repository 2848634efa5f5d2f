"""A whole Slack on a loopback port: no account, no token of the real one, no network."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from socket import socket
from typing import Any

import orjson
from aiohttp import web

from channels.testing.slack.api import (
    METHODS,
    RESPONSE_POSTS,
    Call,
    Desk,
    ResponseUrl,
    answer,
    refusal,
    respond,
)
from channels.testing.slack.checks import Refused
from channels.testing.slack.outside import Outside
from channels.testing.slack.people import People
from channels.testing.slack.script import Script, too_many
from channels.testing.slack.socket import SocketServer
from channels.testing.slack.workspace import (
    FakeWorkspace,
    SlackMessage,
    new_id,
)

SIGNING_SECRET = "the-fake-signing-secret"  # noqa: S105 (opens nothing)
APP_TOKEN = "xapp-1-A0OPSWIRE1-the-fake"  # noqa: S105 (the same)
CLIENT = "1.2:the-fake-client-secret"
BODY_LIMIT_BYTES = 4_194_304

_PACED = ("chat.postMessage", "chat.postEphemeral", "chat.update")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What lets the app in, and tells it that a request is Slack's."""

    signing_secret: str = SIGNING_SECRET
    app_token: str = APP_TOKEN
    bot_token: str = ""


class FakeSlack:
    """A Slack with one workspace, `acme`, where ann and bob are; more can be added.

    Shape:  `url` is what API_URL is set to. `calls` names every method that was called,
            in order. `script` says what goes wrong, `sockets` is Socket Mode's end, and
            `outside.events_url` turns deliveries over to signed HTTP.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.time,
        secrets: Secrets | None = None,
    ) -> None:
        known = secrets or Secrets()
        self.signing_secret = known.signing_secret
        self.app_token = known.app_token
        self.script = Script()
        self.sockets = SocketServer(now)
        self.outside = Outside(self.sockets, secret=known.signing_secret, now=now)
        self.calls: list[str] = []
        self._desk = Desk(now=now, app_token=known.app_token)
        self._runner: web.AppRunner | None = None
        self.home = self.add_workspace("acme", team_id="T0ACME001")
        self.home.bot_token = known.bot_token or self.home.bot_token

    def add_workspace(self, name: str, *, team_id: str) -> FakeWorkspace:
        """Add a workspace into which the app is installed, with the same two people."""
        workspace = FakeWorkspace(
            team_id=team_id,
            name=name,
            bot_token=f"xoxb-{team_id}-the-fake-token-of-{name}",
            bot_user_id="U0OPSBOT1",
            users={"U0ANN0001": "ann", "U0BOB0001": "bob"},
            channels={"C0OPS0001": "ops", "C0DEV0001": "dev"},
        )
        self._desk.workspaces[team_id] = workspace
        return workspace

    @property
    def url(self) -> str:
        """The base address of the Web API."""
        return f"{self._desk.url}/api/"

    @property
    def bot_token(self) -> str:
        """The bot token of the first workspace."""
        return self.home.bot_token

    @property
    def people(self) -> People:
        """The people of the first workspace."""
        return self.people_of(self.home)

    def people_of(self, workspace: FakeWorkspace) -> People:
        """The people of any workspace."""
        return People(self._desk, self.outside, workspace)

    def messages(self, channel: str = "") -> list[SlackMessage]:
        """List what the app has written in the first workspace."""
        return self.home.answers(channel)

    def new_trigger(self, user: str) -> str:
        """Make a trigger, as if somebody had pressed something."""
        return self._desk.new_trigger(user)

    def new_response_url(self, user: str, channel: str) -> str:
        """Make a response_url, as if somebody had typed a command."""
        place = ResponseUrl(
            workspace=self.home, channel=channel, user=user, made_at=self._desk.now()
        )
        return self._desk.new_response_url(place)

    def spend_response_urls(self) -> None:
        """Use up every response_url there is, as another process might have."""
        now = self._desk.now()
        for place in self._desk.responses.values():
            place.posts.extend([now] * RESPONSE_POSTS)

    def grant(self, workspace: FakeWorkspace) -> str:
        """Make the code with which an admin of a workspace consents to the app."""
        code = new_id("code-")
        self._desk.grants[code] = workspace.team_id
        return code

    async def start(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        listening: socket | None = None,
    ) -> None:
        """Listen, or serve a socket that listens; `url` is known from then on."""
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/response/{name}", self._respond)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_get("/link", self._link)
        # A caller that goes away takes its handler along, the silent ones too.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=1
        )
        await self._runner.setup()
        if listening is not None:
            await web.SockSite(self._runner, listening).start()
        else:
            await web.TCPSite(self._runner, host, port).start()
        bound: int = self._runner.addresses[0][1]
        self._desk.url = f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Let go of everything."""
        self.script.close()
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # ── routes ────────────────────────────────────────────────────────────────
    async def _api(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.calls.append(method)
        arguments = await _arguments_of(request)
        line = self.script.next_for(method)
        if line is not None:
            return await self.script.play(line, request)
        if method == "oauth.v2.access":
            client = request.headers.get("Authorization", "")
            return web.json_response(self._grant_access(client, arguments))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if method == "apps.connections.open":
            return web.json_response(self._open_connection(token))
        return self._call(token, method, arguments)

    def _call(
        self, token: str, method: str, arguments: Mapping[str, Any]
    ) -> web.Response:
        if method not in METHODS:
            return web.json_response({"ok": False, "error": "unknown_method"})
        try:
            workspace = self._desk.owner_of(token)
        except Refused as refused:
            return web.json_response(refusal(refused))
        if method in _PACED:
            place = workspace.place_of(str(arguments.get("channel", "")))
            missing = self.script.wait_for(
                f"{workspace.team_id}/{place}", self._desk.now()
            )
            if missing:
                return too_many(f"{missing:g}")
        call = Call(
            desk=self._desk, workspace=workspace, method=method, arguments=arguments
        )
        scopes = ",".join(sorted(workspace.scopes))
        return web.json_response(answer(call), headers={"x-oauth-scopes": scopes})

    def _open_connection(self, token: str) -> Mapping[str, Any]:
        if token != self.app_token:
            return {"ok": False, "error": "invalid_auth"}
        ticket = new_id("ticket-")
        self._desk.tickets.add(ticket)
        address = self._desk.url.replace("http", "ws", 1)
        return {"ok": True, "url": f"{address}/link?ticket={ticket}"}

    def _grant_access(
        self, client: str, arguments: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        if client != f"Basic {b64encode(CLIENT.encode()).decode()}":
            return {"ok": False, "error": "bad_client_secret"}
        team_id = self._desk.grants.pop(str(arguments.get("code", "")), "")
        workspace = self._desk.workspaces.get(team_id)
        if workspace is None:
            return {"ok": False, "error": "invalid_code"}
        return {
            "ok": True,
            "access_token": workspace.bot_token,
            "token_type": "bot",
            "scope": ",".join(sorted(workspace.scopes)),
            "bot_user_id": workspace.bot_user_id,
            "team": {"id": workspace.team_id, "name": workspace.name},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    async def _respond(self, request: web.Request) -> web.Response:
        self.calls.append("response_url")
        line = self.script.next_for("response_url")
        if line is not None:
            return await self.script.play(line, request)
        place = self._desk.responses.get(request.match_info["name"])
        if place is None:
            return web.Response(status=404, text="no such url")
        try:
            respond(self._desk, place, orjson.loads(await request.read()))
        except Refused as refused:
            status = 404 if refused.error.endswith("_url") else 400
            return web.json_response(refusal(refused), status=status)
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        for workspace in self._desk.workspaces.values():
            for file in workspace.files:
                if file["id"] == request.match_info["file"]:
                    file["body"] = await request.read()
                    return web.Response(text=f"OK - {len(file['body'])}")
        return web.Response(status=404)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._desk.tickets:
            return web.Response(status=403)
        self._desk.tickets.remove(ticket)
        return await self.sockets.serve(request)


async def _arguments_of(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        found: dict[str, Any] = orjson.loads(await request.read() or b"{}")
        return found
    form = await request.post()
    return {**request.query, **form}


def run(fake: FakeSlack, *, port: int) -> None:
    """Serve a fake Slack in a process of its own until it is ended."""

    async def serve() -> None:
        await fake.start(port=port)
        await asyncio.Event().wait()

    asyncio.run(serve())
