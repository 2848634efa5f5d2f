"""`POST /v1/commands`: the hot door, a plain ASGI handler in front of everything else."""

from dataclasses import replace
from datetime import datetime

from starlette.types import Receive, Scope, Send

from commands.parser import split_lines
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.principal import Principal
from core.kernel.problems import InvalidArgument, Problem, UnknownFlag
from core.kernel.reply import GOES_ON, Reply, ReplyStatus
from gateway.answers import Answer
from gateway.auth import Authenticator
from gateway.http import rest
from gateway.http.asgi import JSON, Headers, read_body, respond
from gateway.pipeline import Pipeline

_STATUS = {
    ReplyStatus.OK: 200,
    ReplyStatus.RUNNING: 202,
    ReplyStatus.NEEDS_CONFIRMATION: 409,
}
_FIELDS = frozenset({"line", "command", "args", "id"})
_BATCH_FIELDS = frozenset({"lines", "keep_going", "id"})


class CommandDoor:
    """Takes command lines and JSON commands; answers the Reply envelope."""

    def __init__(
        self, pipeline: Pipeline, auth: Authenticator, *, clock: Clock, body_limit: int
    ) -> None:
        self._pipeline = pipeline
        self._auth = auth
        self._clock = clock
        self._body_limit = body_limit

    async def one(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `{"line": …}` or `{"command": …, "args": …}`."""
        envelope = Envelope(channel=rest.CHANNEL, received_at=self._clock.now())
        try:
            headers = Headers.of(scope)
            principal = await rest.sign_in(self._auth, headers)
            envelope = replace(
                envelope, channel=rest.channel_of(headers), credential=principal
            )
            rest.require_json(headers)
            body = await read_body(scope, receive, limit=self._body_limit)
            envelope = _envelope(principal, headers, body, self._clock.now())
        except Problem as problem:
            answer = await self._pipeline.refuse(envelope, problem)
        else:
            answer = await self._pipeline.handle(envelope)
        await self._send(send, answer, envelope)

    async def batch(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `{"lines": […], "keep_going": false}` with one reply per line."""
        envelope = Envelope(channel=rest.CHANNEL, received_at=self._clock.now())
        try:
            headers = Headers.of(scope)
            principal = await rest.sign_in(self._auth, headers)
            envelope = replace(
                envelope, channel=rest.channel_of(headers), credential=principal
            )
            rest.require_json(headers)
            raw = await read_body(scope, receive, limit=self._body_limit)
            envelopes, keep_going = _batch(principal, headers, raw, self._clock.now())
        except Problem as problem:
            await self._send(
                send, await self._pipeline.refuse(envelope, problem), envelope
            )
            return
        answers = await self._run_all(envelopes, is_stopping=not keep_going)
        lines = [each.text for each in envelopes]
        await respond(send, 200, to_json(_transcript(lines, answers)))

    async def _run_all(
        self, envelopes: list[Envelope], *, is_stopping: bool
    ) -> list[Answer]:
        answers: list[Answer] = []
        for envelope in envelopes:
            answers.append(await self._pipeline.handle(envelope))
            if is_stopping and answers[-1].reply.status not in GOES_ON:
                break
        return answers

    async def _send(self, send: Send, answer: Answer, envelope: Envelope) -> None:
        headers = [JSON, *rest.answer_headers(answer)]
        if envelope.credential is not None:
            headers += rest.limit_headers(
                self._pipeline.gate.limiter, envelope, envelope.credential
            )
        await respond(send, status_of(answer.reply), answer.body, headers=headers)


def status_of(reply: Reply) -> int:
    """The HTTP status of a Reply envelope."""
    return reply.error.status if reply.error else _STATUS[reply.status]


def _envelope(
    principal: Principal, headers: Headers, body: bytes, now: datetime
) -> Envelope:
    raw = _object(body, _FIELDS)
    line, command, args = (
        raw.get("line", ""),
        raw.get("command", ""),
        raw.get("args", {}),
    )
    if not isinstance(line, str) or not isinstance(command, str):
        raise InvalidArgument(
            "'line' and 'command' are texts", fix=['{"line": "whoami"}']
        )
    if not isinstance(args, dict):
        raise InvalidArgument(
            "'args' is an object", fix=['{"command": "task.list", "args": {}}']
        )
    if bool(line) == bool(command) and "line" not in raw:
        raise InvalidArgument(
            "say either 'line' or 'command'", fix=['{"line": "whoami"}']
        )
    return Envelope(
        channel=rest.channel_of(headers),
        external_id=_key(raw, headers),
        sender=principal.id,
        conversation=headers.get(b"x-opswire-conversation"),
        text=line,
        command=command,
        args=args,
        received_at=now,
        assurance=principal.assurance,
        payload_hash=rest.hash_of(body),
        if_match=headers.get(b"if-match"),
        credential=principal,
    )


def _batch(
    principal: Principal, headers: Headers, body: bytes, now: datetime
) -> tuple[list[Envelope], bool]:
    raw = _object(body, _BATCH_FIELDS)
    lines, keep_going = raw.get("lines"), raw.get("keep_going", False)
    if isinstance(lines, str):
        lines = list[Json](split_lines(lines))
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InvalidArgument(
            "'lines' is a list of texts", fix=['{"lines": ["whoami"]}']
        )
    if not 1 <= len(lines) <= 10:
        raise InvalidArgument(
            f"{len(lines)} lines; a batch has 1 to 10", fix=["send fewer"]
        )
    if not isinstance(keep_going, bool):
        raise InvalidArgument("'keep_going' is true or false", fix=["leave it out"])
    key = _key(raw, headers)
    envelopes = [
        Envelope(
            channel=rest.channel_of(headers),
            external_id=f"{key}:{number}" if key else "",
            sender=principal.id,
            conversation=headers.get(b"x-opswire-conversation"),
            text=str(line),
            received_at=now,
            assurance=principal.assurance,
            payload_hash=rest.hash_of(str(line).encode()),
            credential=principal,
        )
        for number, line in enumerate(lines, 1)
    ]
    return envelopes, keep_going


def _key(raw: dict[str, Json], headers: Headers) -> str:
    key = raw.get("id", "")
    if not isinstance(key, str) or len(key) > rest.KEY_LIMIT:
        raise InvalidArgument(
            f"'id' is a text of at most {rest.KEY_LIMIT} characters", fix=["use a UUID"]
        )
    return key or rest.idempotency_key(headers)


def _object(body: bytes, fields: frozenset[str]) -> dict[str, Json]:
    raw = parse_json(body)
    if not isinstance(raw, dict):
        raise InvalidArgument("the body is a JSON object", fix=['{"line": "whoami"}'])
    unknown = sorted(set(raw) - fields)
    if unknown:
        raise UnknownFlag(
            f"'{unknown[0]}' is not a field here",
            fix=[f"use {', '.join(sorted(fields))}"],
        )
    return raw


def _transcript(lines: list[str], answers: list[Answer]) -> dict[str, object]:
    """Say per line whether it was done, failed or not run."""
    results: list[dict[str, object]] = [
        {
            "line": line,
            "outcome": "failed" if answer.reply.error else answer.reply.status.value,
            "reply": answer.reply,
        }
        for line, answer in zip(lines, answers, strict=False)
    ]
    rest_of_lines = [
        {"line": line, "outcome": "not_run"} for line in lines[len(answers) :]
    ]
    done = sum(1 for answer in answers if answer.reply.error is None)
    return {
        "summary": f"{done} of {len(lines)} lines done",
        "results": [*results, *rest_of_lines],
    }
