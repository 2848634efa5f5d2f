"""The page of simulators, and the few calls by which it acts as ann and bob."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from channels.testing.webhook import sign, sign_as
from core.database import Database
from core.hooks import service as hooks
from core.hooks.model import DELIVER_SCOPE, Endpoint, HookAuth, Vault
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.ids import random_id
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import MissingScope, NotFound, Problem, Unavailable
from gateway import problems
from gateway.answers import Answer
from gateway.auth import Authenticator
from gateway.flags import FlagFile
from gateway.http import rest
from gateway.http.asgi import JSON, PROBLEM, HeaderList, Headers, read_body
from gateway.pipeline import Pipeline
from gateway.simulators import Simulators
from gateway.simulators.acts import (
    parse_act,
    parse_delivery,
    parse_mail,
    parse_person,
)

SCOPE = "channels:write"
PATH = "/simulators"

_BODY_BYTES = 200_000
_PAGES = Path(__file__).parent / "pages" / "simulators"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
# The HTML part of a mail is shown in a frame that may run nothing; its own styles are
# the one thing it needs.
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
}
_OFF = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Simulators are off</title></head>
<body><h1>Simulators are off</h1>
<p>This page plays Slack and a mail server, which is for trying things out. It is there
while demo mode is on: put <code>"demoMode": true</code> into <code>{file}</code> and
start the gateway anew.</p></body></html>
"""
_HOW = "set demoMode in the flags file and start anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backstage:
    """What the page reaches beside the simulators themselves."""

    simulators: Simulators | None
    flags: FlagFile
    flags_path: Path
    db: Database
    vault: Vault
    clock: Clock


@dataclass(slots=True, kw_only=True)
class _Visit:
    """One call of the page, and who is behind it once that is known."""

    request: Request
    principal: Principal

    async def body(self) -> Json:
        """Read the JSON that was sent.

        Raises: UnsupportedMedia, TooLarge, InvalidJson.
        """
        scope, receive = self.request.scope, self.request.receive
        rest.require_json(Headers.of(scope))
        return parse_json(await read_body(scope, receive, limit=_BODY_BYTES))


class SimulatorsDoor:
    """Serves the page to anybody and its calls to those who may change channels."""

    def __init__(
        self, pipeline: Pipeline, auth: Authenticator, backstage: Backstage
    ) -> None:
        self._pipeline = pipeline
        self._auth = auth
        self._back = backstage

    def router(self) -> APIRouter:
        """Build the routes; `simulators_openapi` describes them."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(PATH, self._page, methods=["GET"])
        router.add_api_route(f"{PATH}/{{file}}", self._file, methods=["GET"])
        for method, name, work in (
            ("GET", "state", self._state),
            ("POST", "slack", self._slack),
            ("POST", "mail", self._mail),
            ("POST", "webhook", self._webhook),
        ):
            endpoint = self._endpoint(name, work)
            router.add_api_route(f"{PATH}/api/{name}", endpoint, methods=[method])
        return router

    # ── the page ──────────────────────────────────────────────────────────────
    async def _page(self, request: Request) -> Response:
        if self._find() is not None:
            return _asset("index.html", "text/html")
        if "text/html" not in request.headers.get("accept", ""):
            return await self._refused("simulators", None, _is_off())
        text = _OFF.format(file=escape(str(self._back.flags_path)))
        return Response(text, status_code=404, media_type="text/html")

    async def _file(self, file: str) -> Response:
        media_type = _TYPES.get(Path(file).suffix, "")
        is_ours = media_type and file in {each.name for each in _PAGES.iterdir()}
        if self._find() is None or not is_ours:
            raise HTTPException(404)
        return _asset(file, media_type)

    # ── its calls ─────────────────────────────────────────────────────────────
    async def _state(self, visit: _Visit) -> dict[str, Json]:
        simulators = self._open()
        who = parse_person(visit.request.query_params.get("who", "ann"))
        slack, mail = simulators.slack, simulators.mail
        return {
            "who": who,
            "slack": slack.show(who) if slack is not None else None,
            "mail": mail.show(who) if mail is not None else None,
            "is_real": {
                "slack": simulators.slack_stand is None,
                "mail": simulators.mail_stand is None,
            },
        }

    async def _slack(self, visit: _Visit) -> dict[str, Json]:
        slack = self._open().slack
        if slack is None:
            raise _absent("Slack")
        return await slack.act(parse_act(await visit.body()))

    async def _mail(self, visit: _Visit) -> dict[str, Json]:
        mail = self._open().mail
        if mail is None:
            raise _absent("mail server")
        return mail.write(parse_mail(await visit.body()))

    async def _webhook(self, visit: _Visit) -> dict[str, Json]:
        """Sign a delivery as its sender would, who knows the endpoint's secret."""
        self._open()
        delivery = parse_delivery(await visit.body())
        back, principal = self._back, visit.principal
        endpoint = await back.db.read(
            lambda tx: hooks.get_(tx, delivery.endpoint), by=principal
        )
        _require_deliverer(principal, endpoint)
        headers = self._signed(endpoint, principal.tenant, delivery.body)
        path = f"/v1/channels/webhook/{endpoint.id}"
        return {"is_ok": True, "path": path, "headers": dict[str, Json](headers)}

    def _signed(
        self, endpoint: Endpoint, tenant: TenantId, body: str
    ) -> dict[str, str]:
        """Write the headers of an endpoint's kind of sender; none for one with a key."""
        if endpoint.auth is HookAuth.KEY:
            return {}
        back, now = self._back, self._back.clock.now()
        key = hooks.open_keys(endpoint, tenant, vault=back.vault, now=now)[0]
        if endpoint.auth is HookAuth.STANDARD:
            return sign(body, key=key, now=now)
        return sign_as(endpoint.auth, body.encode(), secret=key.decode(), now=now)

    def _find(self) -> Simulators | None:
        """Find the simulators, while demo mode is on."""
        return self._back.simulators if self._back.flags.current().demo_mode else None

    def _open(self) -> Simulators:
        simulators = self._find()
        if simulators is None:
            raise _is_off()
        return simulators

    # ── who may ───────────────────────────────────────────────────────────────
    def _endpoint(
        self, name: str, work: Callable[[_Visit], Awaitable[dict[str, Json]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            principal: Principal | None = None
            try:
                principal = await rest.sign_in(self._auth, Headers.of(request.scope))
                if not principal.may(SCOPE):
                    raise MissingScope(SCOPE, who=principal.name)
                told = await work(_Visit(request=request, principal=principal))
            except Problem as problem:
                return await self._refused(f"simulators {name}", principal, problem)
            return _response(200, to_json(told), [JSON])

        return endpoint

    async def _refused(
        self, action: str, principal: Principal | None, problem: Problem
    ) -> Response:
        envelope = Envelope(
            channel=rest.CHANNEL,
            command=action,
            received_at=self._back.clock.now(),
            request_id=random_id("rq"),
            credential=principal,
        )
        answer = await self._pipeline.refuse(envelope, problem)
        return _problem(answer)


def _is_off() -> NotFound:
    return NotFound("a simulator outside of demo mode", fix=[_HOW])


def _absent(what: str) -> Unavailable:
    return Unavailable(
        f"the simulated {what} does not run",
        fix=["try again in a second", "use the real account, if there is one"],
    )


def _require_deliverer(principal: Principal, endpoint: Endpoint) -> None:
    """Let those sign who may deliver anyway: the endpoint's maker, and few others.

    Raises: MissingScope.
    """
    if principal.id != endpoint.creator_id and not principal.may(DELIVER_SCOPE):
        raise MissingScope(DELIVER_SCOPE, who=principal.name)


def _asset(name: str, media_type: str) -> Response:
    body = (_PAGES / name).read_bytes()
    return Response(body, headers=_HEADERS, media_type=f"{media_type}; charset=utf-8")


def _problem(answer: Answer) -> Response:
    error = answer.reply.error
    assert error is not None
    document = problems.to_document(error, request_id=answer.reply.request_id)
    headers = [PROBLEM, *rest.answer_headers(answer)]
    return _response(error.status, to_json(document), headers)


def _response(status: int, body: bytes, headers: HeaderList) -> Response:
    response = Response(body, status_code=status)
    response.raw_headers.extend(headers)
    return response
