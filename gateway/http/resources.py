"""Turns the registry into REST resource routes: one route, one command."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from commands.flags import GLOBALS
from commands.registry import Command, Registry, Route
from commands.schema import Kind, Parameter
from commands.suggest import nearest
from commands.words import shown
from core.approvals.problems import NeedsApproval
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.etag import is_none_match
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.principal import Principal
from core.kernel.problems import (
    InvalidArgument,
    InvalidQuery,
    PreconditionRequired,
    Problem,
    UnknownFlag,
)
from core.kernel.reply import ErrorInfo, ReplyStatus
from gateway import problems
from gateway.answers import Answer
from gateway.auth import Authenticator
from gateway.http import rest
from gateway.http.asgi import JSON, PROBLEM, HeaderList, Headers, read_body
from gateway.http.command_routes import CommandRoutes, Endpoint
from gateway.http.files import FileAnswer, Files
from gateway.pipeline import Pipeline

_BODY_FAULTS = frozenset({"invalid_argument", "unknown_flag"})

# What a caller may say beside the arguments, in the body or, but for the reason, in
# the query. How a reply is shown is no matter of a route that answers with data.
FLAGS = {
    each.name: each
    for each in GLOBALS
    if each.name in {"dry_run", "confirm", "reason", "wait"}
}
QUERY_FLAGS = ("dry_run", "confirm", "wait")
AS = "as"
"""`as=json` in the query asks for the data of a command that answers with a file."""

_WHOLE = re.compile("-?[0-9]{1,18}")


class Resources:
    """Answers resource calls by sending their command down the one road.

    Shape:  paths under one of `strict`, such as `/jobs`, want a token and a key.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        auth: Authenticator,
        *,
        clock: Clock,
        body_limit: int,
        strict: Sequence[str] = (),
        files: Files,
    ) -> None:
        self._strict = strict
        self._files = files
        self._pipeline = pipeline
        self._auth = auth
        self._clock = clock
        self._body_limit = body_limit

    def routes(self, registry: Registry) -> CommandRoutes:
        """Stand for the routes of every command that declares one."""
        return CommandRoutes(registry, self._endpoint_of)

    def _endpoint_of(self, command: Command, route: Route) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await self._serve(request, command, route)

        return endpoint

    async def _serve(
        self, request: Request, command: Command, route: Route
    ) -> Response:
        headers = Headers.of(request.scope)
        envelope = Envelope(
            channel=rest.CHANNEL, command=command.name, received_at=self._clock.now()
        )
        try:
            principal = await self._sign_in(route, headers)
            envelope = replace(
                envelope, channel=rest.channel_of(headers), credential=principal
            )
            envelope = await self._envelope(request, command, principal, headers)
        except Problem as problem:
            answer = await self._pipeline.refuse(envelope, problem)
        else:
            answer = await self._pipeline.handle(
                envelope, is_gone=request.is_disconnected
            )
        response = _render(answer, command, request, headers)
        if _is_download(answer, command, request):
            response = await self._download(answer, command, envelope, headers)
        if envelope.credential is not None:
            limits = rest.limit_headers(
                self._pipeline.gate.limiter, envelope, envelope.credential
            )
            response.raw_headers.extend(limits)
        return response

    async def _download(
        self, answer: Answer, command: Command, envelope: Envelope, headers: Headers
    ) -> Response:
        """Answer with the bytes of the artifact that the data names."""
        principal = envelope.credential
        assert principal is not None
        artifact_id = str(answer.reply.data[command.file])
        extra = rest.answer_headers(answer)
        try:
            artifact = await self._files.open_(principal, artifact_id)
        except Problem as problem:
            return _problem(problems.to_error(problem), answer, extra)
        return FileAnswer(
            self._files, principal, artifact, headers=headers, extra=extra
        )

    async def _sign_in(self, route: Route, headers: Headers) -> Principal:
        if not any(f"{route.path}/".startswith(f"{each}/") for each in self._strict):
            return await rest.sign_in(self._auth, headers)
        return await self._auth.authenticate_both(
            headers.get(b"authorization"), headers.get(b"x-api-key")
        )

    async def _envelope(
        self, request: Request, command: Command, principal: Principal, headers: Headers
    ) -> Envelope:
        body = b""
        if request.method != "GET":
            rest.require_json(headers)
            body = await read_body(
                request.scope, request.receive, limit=self._body_limit
            )
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
                request.method.encode(),
                request.scope["path"].encode(),
                request.scope["query_string"],
                if_match.encode(),
                body,
            ),
            if_match=if_match,
            credential=principal,
            is_consent=True,
        )


def _arguments(request: Request, command: Command, body: bytes) -> dict[str, Json]:
    """Gather path, query and body; a name may come from one place only."""
    places: tuple[dict[str, Json], ...] = (
        {
            name: _from_text(command.parameter(name), [str(value)])
            for name, value in request.path_params.items()
        },
        _from_query(request, command),
        _from_body(command, body),
    )
    found: dict[str, Json] = {}
    for place in places:
        for name in place.keys() & found.keys():
            raise InvalidArgument(f"'{name}' is given twice", fix=["give it once"])
        found |= place
    return found


def _from_query(request: Request, command: Command) -> dict[str, Json]:
    """Read the arguments of a GET or of a file; other methods take few flags there.

    Raises: InvalidQuery naming what may have been meant.
    """
    known = _query_parameters(request, command)
    values: dict[str, Json] = {}
    for name in request.query_params:
        if name == AS and command.file:
            continue
        if name not in known:
            raise _unknown_query(name, command, known)
        values[name] = _from_text(known[name], request.query_params.getlist(name))
    return values


def _query_parameters(request: Request, command: Command) -> dict[str, Parameter]:
    flags = {name: FLAGS[name] for name in QUERY_FLAGS if request.method != "GET"}
    # A file is often fetched without a body: `POST /export/V-71?format=md`.
    if flags and not command.file:
        return flags
    return flags | {
        each.name: each
        for each in command.parameters
        if each.name not in request.path_params
    }


def _unknown_query(
    name: str, command: Command, known: Mapping[str, Parameter]
) -> InvalidQuery:
    if command.parameter(name) is not None and name not in known:
        return InvalidQuery(
            f"'{name}' does not belong in the query",
            fix=["leave it out if the path has it, else send it in the JSON body"],
        )
    close = nearest(name, known)
    return InvalidQuery(
        f"{shown(name)} is no query parameter here",
        fix=[f"name it {each}" for each in close or known] or ["leave it out"],
        suggestions=close,
    )


def _from_body(command: Command, body: bytes) -> dict[str, Json]:
    if not body.strip():
        return {}
    raw = parse_json(body)
    if not isinstance(raw, dict):
        raise InvalidArgument("the body is a JSON object", fix=["send {…}"])
    known = [*(each.name for each in command.parameters), *FLAGS]
    for name in (each for each in raw if each not in known):
        close = nearest(name, known)
        raise UnknownFlag(
            f"{command.name} has no field {shown(name)}",
            fix=[f"name it {each}" for each in close or known],
            suggestions=close,
        )
    return raw


def _from_text(parameter: Parameter | None, texts: list[str]) -> Json:
    """Turn query text into the JSON value that the argument's kind calls for."""
    if parameter is None:
        return texts[-1]
    if parameter.is_list:
        return [part for text in texts for part in text.split(",") if part]
    if len(texts) > 1:
        raise InvalidQuery(f"'{parameter.name}' is given twice", fix=["give it once"])
    text = texts[0]
    match parameter.kind:
        case Kind.INTEGER if _WHOLE.fullmatch(text):
            return int(text)
        case Kind.FLAG if text in ("true", "false"):
            return text == "true"
    return text


def _render(
    answer: Answer, command: Command, request: Request, headers: Headers
) -> Response:
    """Answer `data`, or the problem, with the headers that belong to it."""
    reply = answer.reply
    extra: HeaderList = rest.answer_headers(answer)
    if reply.error is not None:
        return _problem(_for_resource(reply.error, request), answer, extra)
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
    return _response(status, to_json(reply.data), [*extra, JSON])


def _is_download(answer: Answer, command: Command, request: Request) -> bool:
    """Whether the answer is a file; whoever wants its data says so."""
    reply = answer.reply
    if not command.file or reply.status is not ReplyStatus.OK:
        return False
    wants_json = "application/json" in request.headers.get("accept", "")
    is_asked = request.query_params.get(AS) == "json" or wants_json
    return bool(reply.data.get(command.file)) and not (
        is_asked or reply.data.get("dry_run") is True
    )


def _for_resource(error: ErrorInfo, request: Request) -> ErrorInfo:
    """Adjust a fault's status to where it lay: path 404, query 400, body 422."""
    if error.code not in _BODY_FAULTS:
        return error
    argument = error.extra.get("argument")
    if argument in request.path_params:
        return replace(error, status=404)
    is_query = request.method == "GET" or argument in request.query_params
    return replace(error, status=400 if is_query else 422)


def _unconfirmed(answer: Answer) -> ErrorInfo:
    data: Mapping[str, Any] = answer.reply.data
    if "approval" in data:
        return _unapproved(answer, data)
    return ErrorInfo(
        type=f"{problems.ERROR_BASE}/confirmation-required",
        code="confirmation_required",
        title="Confirm this command",
        detail=answer.reply.summary,
        status=409,
        fix=[f'repeat with "confirm": "{data["token"] or data["target"]}" in the body'],
        extra={"token": data["token"], "target": data["target"]},
    )


def _unapproved(answer: Answer, data: Mapping[str, Any]) -> ErrorInfo:
    return ErrorInfo(
        type=f"{problems.ERROR_BASE}/approval-required",
        code=NeedsApproval.code,
        title=NeedsApproval.title,
        detail=answer.reply.summary,
        status=409,
        fix=[f"approval show {data['approval']}", "wait; it runs by itself then"],
        extra={
            name: data[name] for name in ("approval", "need", "given", "expires_at")
        },
    )


def _problem(error: ErrorInfo, answer: Answer, headers: HeaderList) -> Response:
    document = problems.to_document(error, request_id=answer.reply.request_id)
    if isinstance(error.extra.get("etag"), str):
        headers = [*headers, (b"etag", f'"{error.extra["etag"]}"'.encode())]
    return _response(error.status, to_json(document), [*headers, PROBLEM])


def _response(status: int, body: bytes, headers: HeaderList) -> Response:
    response = Response(content=body, status_code=status)
    response.raw_headers.extend(headers)
    return response
