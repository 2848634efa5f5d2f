"""Turns the registry into REST resource routes: one route, one command."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from commands.registry import Command, Registry, Route
from commands.schema import Kind, Parameter
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.etag import is_none_match
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.principal import Principal
from core.kernel.problems import (
    InvalidArgument, InvalidQuery, PreconditionRequired, Problem, TooLarge,
)
from core.kernel.reply import ErrorInfo, ReplyStatus
from gateway import problems
from gateway.auth import Authenticator
from gateway.http import rest
from gateway.http.asgi import HeaderList, Headers
from gateway.pipeline import Answer, Pipeline

_BODY_FAULTS = frozenset({"invalid_argument", "unknown_flag"})
_HAS_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Resources:
    """Answers resource calls by sending their command down the one road."""

    def __init__(
        self, pipeline: Pipeline, auth: Authenticator, *, clock: Clock, body_limit: int
    ) -> None:
        self._pipeline = pipeline
        self._auth = auth
        self._clock = clock
        self._body_limit = body_limit

    def router(self, registry: Registry) -> APIRouter:
        """Build the routes of every command that declares one."""
        router = APIRouter()
        for command in registry:
            for route in command.routes:
                self._add(router, command, route)
        return router

    def _add(self, router: APIRouter, command: Command, route: Route) -> None:
        async def endpoint(request: Request) -> Response:
            return await self._serve(request, command, route)

        router.add_api_route(
            route.path,
            endpoint,
            methods=[route.method],
            response_model=None,
            include_in_schema=False,
        )

    async def _serve(self, request: Request, command: Command, route: Route) -> Response:
        headers = Headers.of(request.scope)
        envelope = Envelope(
            channel=rest.CHANNEL, command=command.name, received_at=self._clock.now()
        )
        try:
            principal = await rest.sign_in(self._auth, headers)
            envelope = await self._envelope(request, command, principal, headers)
        except Problem as problem:
            answer = await self._pipeline.refuse(envelope, problem)
        else:
            answer = await self._pipeline.handle(envelope)
        response = _render(answer, command, headers, request.url.path)
        if envelope.credential is not None:
            limits = rest.limit_headers(
                self._pipeline.limiter, envelope, envelope.credential
            )
            response.raw_headers.extend(limits)
        return response

    async def _envelope(
        self, request: Request, command: Command, principal: Principal, headers: Headers
    ) -> Envelope:
        body = await self._body(request)
        args = _arguments(request, command, body)
        if_match = headers.get(b"if-match")
        if command.if_match == "required" and not if_match:
            raise PreconditionRequired(
                f"{command.name} needs an If-Match header",
                fix=["GET it first and send its ETag as If-Match"],
            )
        return Envelope(
            channel=rest.channel_of(headers),
            external_id=rest.idempotency_key(headers),
            sender=principal.id,
            command=command.name,
            args=args,
            received_at=self._clock.now(),
            assurance=principal.assurance,
            payload_hash=rest.hash_of(
                request.method.encode(), request.url.path.encode(),
                request.url.query.encode(), if_match.encode(), body,
            ),
            if_match=if_match,
            credential=principal,
            is_consent=True,
        )

    async def _body(self, request: Request) -> bytes:
        """Read the body, never holding more than the limit."""
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._body_limit:
                raise TooLarge(
                    f"the body has more than {self._body_limit} bytes",
                    fix=["send less in one request"],
                )
            chunks.append(chunk)
        return b"".join(chunks)


def _arguments(request: Request, command: Command, body: bytes) -> dict[str, Json]:
    """Gather path, then query or body; a name may come from one place only."""
    path: dict[str, Json] = {
        name: _from_text(command.parameter(name), [str(value)])
        for name, value in request.path_params.items()
    }
    query = _from_query(request, command)
    given = _from_body(body) if request.method in _HAS_BODY else {}
    for name in [*query, *given]:
        if name in path:
            raise InvalidArgument(f"'{name}' stands in the path already", fix=["leave it out"])
    return {**query, **given, **path}


def _from_query(request: Request, command: Command) -> dict[str, Json]:
    values: dict[str, Json] = {}
    for name in request.query_params:
        if not (command.is_read or name in ("dry_run", "confirm")):
            raise InvalidQuery(
                f"'{name}' belongs in the JSON body", fix=["send it in the body"]
            )
        values[name] = _from_text(
            command.parameter(name), request.query_params.getlist(name)
        )
    return values


def _from_body(body: bytes) -> dict[str, Json]:
    if not body.strip():
        return {}
    raw = parse_json(body)
    if not isinstance(raw, dict):
        raise InvalidArgument("the body is a JSON object", fix=["send {…}"])
    return raw


def _from_text(parameter: Parameter | None, texts: list[str]) -> Json:
    """Turn query text into the JSON value that the argument's kind calls for."""
    if parameter is None:
        return {"true": True, "false": False}.get(texts[-1], texts[-1])
    if parameter.is_list:
        return [part for text in texts for part in text.split(",") if part]
    if len(texts) > 1:
        raise InvalidQuery(f"'{parameter.name}' is given twice", fix=["give it once"])
    text = texts[0]
    match parameter.kind:
        case Kind.INTEGER if text.lstrip("-").isascii() and text.lstrip("-").isdigit():
            return int(text) if len(text) < 20 else text
        case Kind.FLAG if text in ("true", "false"):
            return text == "true"
    return text


def _render(answer: Answer, command: Command, headers: Headers, path: str) -> Response:
    """Answer `data`, or the problem, with the headers that belong to it."""
    reply = answer.reply
    extra: HeaderList = rest.answer_headers(answer)
    if reply.error is not None:
        return _problem(_for_resource(reply.error, command, path), answer, extra)
    if reply.status is ReplyStatus.NEEDS_CONFIRMATION:
        return _problem(_unconfirmed(answer), answer, extra)
    etag = reply.data.get("etag")
    if isinstance(etag, str):
        extra.append((b"etag", f'"{etag}"'.encode()))
        wanted = headers.get(b"if-none-match")
        if command.is_read and wanted and not is_none_match(wanted, etag):
            return _response(304, b"", extra)
    status = 202 if reply.status is ReplyStatus.RUNNING else command.status
    status = 200 if reply.data.get("dry_run") is True else status
    return _response(status, to_json(reply.data), [*extra, _JSON])


_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", b"application/problem+json")


def _for_resource(error: ErrorInfo, command: Command, path: str) -> ErrorInfo:
    """Adjust a fault's status to where it lay: path 404, query 400, body 422."""
    if error.code not in _BODY_FAULTS:
        return error
    argument = error.extra.get("argument")
    if any(f"{{{argument}}}" in route.path for route in command.routes):
        return replace(error, status=404)
    return replace(error, status=400 if command.is_read else 422)


def _unconfirmed(answer: Answer) -> ErrorInfo:
    data: Mapping[str, Any] = answer.reply.data
    return ErrorInfo(
        type=f"{problems.ERROR_BASE}/confirmation-required",
        code="confirmation_required",
        title="Confirm this command",
        detail=answer.reply.summary,
        status=409,
        fix=[f'repeat with "confirm": "{data["token"] or data["target"]}" in the body'],
        extra={"token": data["token"], "target": data["target"]},
    )


def _problem(error: ErrorInfo, answer: Answer, headers: HeaderList) -> Response:
    document = problems.to_document(error, request_id=answer.reply.request_id)
    if isinstance(error.extra.get("etag"), str):
        headers = [*headers, (b"etag", f'"{error.extra["etag"]}"'.encode())]
    return _response(error.status, to_json(document), [*headers, _PROBLEM])


def _response(status: int, body: bytes, headers: HeaderList) -> Response:
    response = Response(content=body, status_code=status)
    response.raw_headers.extend(headers)
    return response
