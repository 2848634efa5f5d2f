"""Signing in over HTTP: tokens for a password or a link, refreshed and given back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from core.identity.tokens import TokenPair
from core.identity.users.model import fold_name
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.ids import random_id
from core.kernel.jsons import parse_json, to_json
from core.kernel.principal import DEFAULT_TENANT, Principal, TenantId
from core.kernel.problems import InvalidArgument, Problem
from gateway import problems, signin
from gateway.answers import Answer
from gateway.auth import Authenticator
from gateway.http import rest
from gateway.http.asgi import JSON, PROBLEM, HeaderList, Headers, read_body
from gateway.limits import LoginLimits
from gateway.pipeline import Pipeline
from gateway.settings import LimitSettings
from gateway.signin import SignIn, Visit

_BODY_BYTES = 8_192


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class PasswordLogin(_Body):
    """A person's name and password, in a tenant."""

    name: str = Field(min_length=1, max_length=80)
    password: str = Field(min_length=1, max_length=200)
    tenant: str = Field(default=DEFAULT_TENANT, min_length=1, max_length=40)


class LinkLogin(_Body):
    """The token of a one-time login link."""

    token: str = Field(min_length=1, max_length=200)


class Refresh(_Body):
    """A refresh token, which is used up by it."""

    refresh_token: str = Field(min_length=1, max_length=2048)


class NewPassword(_Body):
    """A new password, and the present one of whoever has one."""

    current: str = Field(default="", max_length=200)
    new: str = Field(min_length=10, max_length=200)


Wanted = TypeVar("Wanted", bound=_Body)


@dataclass(slots=True, kw_only=True)
class _Caller:
    """One request and who is behind it: as claimed by `name`, or a verified principal."""

    request: Request
    visit: Visit
    name: str = ""
    tenant: str = DEFAULT_TENANT
    principal: Principal | None = None


class AuthDoor:
    """Answers /auth/*: every attempt is counted first, and audited whatever comes of it."""

    def __init__(
        self,
        pipeline: Pipeline,
        auth: Authenticator,
        *,
        sign_in: SignIn,
        clock: Clock,
        limits: LimitSettings,
    ) -> None:
        self._pipeline = pipeline
        self._auth = auth
        self._sign_in = sign_in
        self._clock = clock
        self._logins = LoginLimits(limits.login)
        self._others = LoginLimits(limits.default)

    def router(self) -> APIRouter:
        """Build the routes; `auth_openapi` describes them."""
        router = APIRouter(include_in_schema=False)
        for path, action, work in (
            ("/auth/login", signin.LOGIN, self._login),
            ("/auth/refresh", signin.REFRESH, self._refresh),
            ("/auth/logout", signin.LOGOUT, self._logout),
            ("/auth/password", signin.CHANGE, self._password),
        ):
            router.add_api_route(path, self._endpoint(action, work), methods=["POST"])
        return router

    def _endpoint(
        self, action: str, work: Callable[[_Caller], Awaitable[object]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            caller = _Caller(request=request, visit=_visit_of(request))
            try:
                answer = await work(caller)
            except Problem as problem:
                return await self._refused(action, caller, problem)
            extra = [(b"x-request-id", caller.visit.request_id.encode())]
            return _response(200, to_json(answer), [JSON, *extra])

        return endpoint

    # ── what the routes do ────────────────────────────────────────────────────
    async def _login(self, caller: _Caller) -> dict[str, object]:
        self._logins.admit_address(caller.visit.address)
        raw = await _object(caller.request)
        if "token" in raw:
            link = _parsed(LinkLogin, raw)
            return _tokens(await self._sign_in.by_link(link.token, visit=caller.visit))
        body = _parsed(PasswordLogin, raw)
        caller.name, caller.tenant = fold_name(body.name), body.tenant
        self._logins.admit_account(caller.tenant, caller.name)
        pair = await self._sign_in.by_password(
            body.name, body.password, tenant=TenantId(body.tenant), visit=caller.visit
        )
        return _tokens(pair)

    async def _refresh(self, caller: _Caller) -> dict[str, object]:
        self._others.admit_address(caller.visit.address)
        body = _parsed(Refresh, await _object(caller.request))
        return _tokens(
            await self._sign_in.refresh(body.refresh_token, visit=caller.visit)
        )

    async def _logout(self, caller: _Caller) -> dict[str, object]:
        self._others.admit_address(caller.visit.address)
        body = _parsed(Refresh, await _object(caller.request))
        claims = await self._sign_in.end(body.refresh_token, visit=caller.visit)
        self._auth.forget(claims.tenant, claims.user_id)
        return {"ok": True}

    async def _password(self, caller: _Caller) -> dict[str, object]:
        principal = await rest.sign_in(self._auth, Headers.of(caller.request.scope))
        caller.principal = principal
        self._logins.admit_account(principal.tenant, principal.name)
        body = _parsed(NewPassword, await _object(caller.request))
        pair = await self._sign_in.change_password(
            principal, current=body.current, new=body.new, visit=caller.visit
        )
        self._auth.forget(principal.tenant, principal.id)
        return _tokens(pair)

    # ── how they refuse ───────────────────────────────────────────────────────
    async def _refused(
        self, action: str, caller: _Caller, problem: Problem
    ) -> Response:
        envelope = Envelope(
            channel=rest.CHANNEL,
            account=caller.visit.address,
            sender=caller.name,
            command=action,
            received_at=self._clock.now(),
            request_id=caller.visit.request_id,
            credential=caller.principal or await self._nobody(caller),
        )
        return _problem(await self._pipeline.refuse(envelope, problem))

    async def _nobody(self, caller: _Caller) -> Principal:
        tenant = TenantId(caller.tenant)
        if tenant != DEFAULT_TENANT:
            tenant = await self._sign_in.home_of(tenant)
        return Principal(id="", name="nobody", tenant=tenant, linked=False)


def _visit_of(request: Request) -> Visit:
    address = request.client.host if request.client else "unknown"
    return Visit(request_id=random_id("rq"), channel=rest.CHANNEL, address=address)


async def _object(request: Request) -> dict[str, object]:
    rest.require_json(Headers.of(request.scope))
    raw = parse_json(await read_body(request.scope, request.receive, limit=_BODY_BYTES))
    if not isinstance(raw, dict):
        raise InvalidArgument("the body is a JSON object", fix=["send {…}"])
    return {**raw}


def _parsed(model: type[Wanted], raw: dict[str, object]) -> Wanted:
    """Check a body's fields; what they hold is never repeated in an answer.

    Raises: InvalidArgument naming the first field that does not fit.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as fault:
        first = fault.errors(
            include_url=False, include_context=False, include_input=False
        )[0]
        name = str(first["loc"][0])[:40]
        fields = ", ".join(model.model_fields)
        raise InvalidArgument(
            f"'{name}': {first['msg']}", fix=[f"send {fields}"], argument=name
        ) from fault


def _tokens(pair: TokenPair) -> dict[str, object]:
    return {
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "token_type": "Bearer",
        "expires_in": int(pair.expires_in.total_seconds()),
    }


def _problem(answer: Answer) -> Response:
    error = answer.reply.error
    assert error is not None
    if error.code == InvalidArgument.code:
        error = replace(error, status=422)
    document = problems.to_document(error, request_id=answer.reply.request_id)
    headers = [PROBLEM, *rest.answer_headers(answer)]
    return _response(error.status, to_json(document), headers)


def _response(status: int, body: bytes, headers: HeaderList) -> Response:
    response = Response(content=body, status_code=status)
    response.raw_headers.extend([(b"cache-control", b"no-store"), *headers])
    return response
