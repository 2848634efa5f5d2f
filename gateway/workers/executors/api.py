"""Asks a service over HTTP, three times if need be, and leaves alone what is down."""

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from core.kernel.addresses import AddressRefused, parse_target
from core.kernel.jsons import Json, canonical_json, parse_json
from core.kernel.problems import InvalidJson
from core.runs.model import Step
from core.runs.reports import Note
from gateway.adapters.breaker import Breaker
from gateway.adapters.exchange import Answer, Caller
from gateway.workers.calls import Produced
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.stopping import unless_stopped
from gateway.workers.executors.values import filled, unknown_names
from gateway.workers.sandbox.paths import open_inside, parse_path

PAUSES_SECONDS = (0.1, 0.2, 0.4)
"""What is waited before each further try; there are as many tries in all."""

ANSWER_BYTES = 1_048_576
_SHOWN_BYTES = 16_384
_FIELDS = ("method", "url", "headers", "body", "json", "expect", "save_as")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "accept-encoding"}
)
_SHOWN_HEADERS = ("content-type", "etag", "location", "retry-after")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def host(self) -> str:
        return parse_target(self.url).authority


class Api:
    """Sends one request; 5xx and silence are tried again, other answers are final.

    Shape:  `headers` and `body` may name the step's variables and secrets:
            `Bearer ${DEPLOY_KEY}`. The exit code is the status that was answered. A
            request carries an Idempotency-Key that stays the same for all its tries.
            Redirects are not followed.
    """

    name = "api"

    def __init__(self, outside: Caller, breaker: Breaker) -> None:
        self._outside = outside
        self._breaker = breaker

    def check(self, step: Step) -> None:
        """Refuse what is no request.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        given.choice("method", _METHODS, "GET")
        parse_target(given.needed("url", such_as="url: https://example.org/deploy"))
        check_headers(given)
        if given.has("body") and given.has("json"):
            given.refuse("body", "a request has a body or json, not both")
        for text in (*given.texts_by_name("headers").values(), given.text("body")):
            for name in unknown_names(step, text):
                given.refuse(name, f"it has no variable and no secret {name}")
        if given.has("save_as"):
            parse_path(given.needed("save_as", such_as="save_as: answer.json"))
        _expected(given)

    async def run(self, work: StepWork) -> StepResult:
        """Send the request until it is answered, or until it is to stop."""
        self.check(work.step)
        given = Given(work.step, _FIELDS)
        try:
            answer = await unless_stopped(work, self._ask(work, _request(work, given)))
        except OSError as fault:
            return StepResult(code="unavailable", detail=str(fault))
        except AddressRefused as refused:
            told = f"{refused.reason}: {refused.fix}"
            return StepResult(code="address_refused", detail=told, is_final=True)
        if answer is None:
            return StepResult(code="cancelled", detail="it was told to stop")
        return _result(work, given, answer)

    async def _ask(self, work: StepWork, request: _Request) -> Answer:
        """Send a request, at most three times.

        Raises: OSError when nothing answered; CircuitOpen, AddressRefused.
        """
        for pause in PAUSES_SECONDS[:-1]:
            with suppress(OSError):
                answer = await self._try(work, request)
                if answer.status < 500:
                    return answer
            await asyncio.sleep(pause)
        return await self._try(work, request)

    async def _try(self, work: StepWork, request: _Request) -> Answer:
        host = request.host
        self._breaker.enter(host)
        told = False
        try:
            answer = await self._outside.send(
                request.method, request.url, headers=request.headers, body=request.body
            )
            told = True
            await self._note(work, host, is_good=answer.status < 500)
        except OSError:
            told = True
            await self._note(work, host, is_good=False)
            raise
        finally:
            if not told:
                self._breaker.give_up(host)
        return answer

    async def _note(self, work: StepWork, host: str, *, is_good: bool) -> None:
        if is_good and self._breaker.succeed(host):
            await work.tell(Note(type="circuit_closed", details={"host": host}))
        if not is_good and self._breaker.fail(host):
            await work.tell(Note(type="circuit_opened", details={"host": host}))


def check_headers(given: Given) -> None:
    """Refuse headers that a request cannot have, or that are ours to set.

    Raises: InvalidArgument.
    """
    for name, value in given.texts_by_name("headers").items():
        if not _HEADER.fullmatch(name) or name.lower() in _OURS:
            given.refuse("headers", f"{name[:40]!r} is no header that may be set")
        if not value.isprintable():
            given.refuse("headers", f"the header {name} has more than one line")


def _request(work: StepWork, given: Given) -> _Request:
    headers = {
        "User-Agent": "opswire",
        "Idempotency-Key": f"{work.run_id}-{work.step.name}",
    }
    body = filled(work, given.text("body")).encode()
    if given.has("json"):
        body = canonical_json(given.json("json"))
        headers["Content-Type"] = "application/json"
    own = {
        name: filled(work, value).replace("\r", "").replace("\n", "")
        for name, value in given.texts_by_name("headers").items()
    }
    return _Request(
        method=given.choice("method", _METHODS, "GET"),
        url=given.text("url"),
        headers=headers | own,
        body=body,
    )


def _expected(given: Given) -> frozenset[int]:
    """Read which statuses are a success: `expect: [200, 404]`; none means any 2xx."""
    single = given.json("expect")
    found = [str(single)] if isinstance(single, int) else given.texts("expect")
    for each in found:
        if not (each.isdecimal() and 100 <= int(each) <= 599):
            given.refuse("expect", f"{each[:20]!r} is no status", fix=["expect: [200]"])
    return frozenset(map(int, found))


def _result(work: StepWork, given: Given, answer: Answer) -> StepResult:
    produced = []
    if name := given.text("save_as"):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(open_inside(work.folder, name, flags), "wb") as file:
            file.write(answer.body)
        produced.append(Produced(name=name, path=work.folder / name))
    expected = _expected(given)
    is_good = (
        answer.status in expected if expected else 200 <= answer.status <= 299
    ) and not answer.is_cut
    return StepResult(
        code="" if is_good else _code(answer),
        detail="" if is_good else _told(answer),
        exit_code=answer.status,
        is_final=not is_good and answer.status < 500,
        result=_shown(answer),
        produced=produced,
    )


def _code(answer: Answer) -> str:
    return "too_large" if answer.is_cut else "status"


def _told(answer: Answer) -> str:
    if answer.is_cut:
        return f"the answer is larger than {ANSWER_BYTES} bytes"
    return f"the answer was {answer.status}"


def _shown(answer: Answer) -> dict[str, Json]:
    headers: dict[str, Json] = {
        name: answer.headers[name] for name in _SHOWN_HEADERS if name in answer.headers
    }
    body: Json = answer.body[:_SHOWN_BYTES].decode("utf-8", "replace")
    if len(answer.body) <= _SHOWN_BYTES and "json" in str(headers.get("content-type")):
        with suppress(InvalidJson):
            body = parse_json(answer.body)
    return {"status": answer.status, "headers": headers, "body": body}
