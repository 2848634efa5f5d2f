"""R-54: requests made from the OpenAPI document, good and bad, and what comes back."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pydantic import SecretStr
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks
from starlette.types import ASGIApp, Receive, Scope, Send

from commands.everything import COMMANDS
from commands.registry import Registry
from gateway.app import create_app
from gateway.bootstrap import build
from gateway.http.openapi import document
from gateway.settings import LimitSettings, Settings
from tests.api.fuzz.served import served
from tests.api.gateway import ADMIN_KEY, PLENTY, Gateway

KEY = {"Authorization": f"Bearer {ADMIN_KEY}"}
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.unsupported_method,
    openapi_checks.allow_header_conformance,
]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    limits = LimitSettings(default=PLENTY, login=PLENTY)
    graph = build(
        Settings(
            data=tmp_path_factory.mktemp("schema"),
            bootstrap_admin_key=SecretStr(ADMIN_KEY),
            limits=limits,
        )
    )
    graph.pipeline.patience = None  # No answer is to wait for what never happens.
    app = without_lifespan(create_app(graph))
    whole = schemathesis.openapi.from_asgi("/openapi.json", app)
    yield whole
    graph.db.close()


def without_lifespan(app: ASGIApp) -> ASGIApp:
    """Serve the requests of an application whose graph outlives its clients."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return served


def operations() -> list[str]:
    """Name every operation, so that each is a test of its own."""
    described = document(Registry.of(COMMANDS), version="0")
    return [
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if "text/event-stream" not in str(operation["responses"].get("200"))
    ]


def probe(schema: Any, name: str, *, mode: GenerationMode, examples: int) -> None:
    """Make requests for one operation, and compare what comes back."""
    method, _, path = name.partition(" ")
    strategy = schema[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def check(case: Any) -> None:
        response = case.call(headers=KEY)
        case.validate_response(response, checks=CHECKS, headers=KEY)

    with suppress(Unsatisfiable):  # nothing can be wrong where nothing is said
        check()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", operations())
def test_an_answer_is_what_the_document_says(
    schema: Any, name: str, mode: GenerationMode
) -> None:
    """R-54: no 5xx, no status, type or shape that is not described."""
    probe(schema, name, mode=mode, examples=3)


@pytest.mark.soak
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("name", operations())
def test_two_hundred_answers_are_what_the_document_says(
    schema: Any, name: str, mode: GenerationMode
) -> None:
    """R-54: the same at length."""
    probe(schema, name, mode=mode, examples=100)


@pytest.mark.soak
async def test_calls_that_follow_one_another_are_answered_as_described(
    gateway: Gateway,
) -> None:
    """R-54: with what one call made, the next is made."""
    program = Path(sys.executable).with_name("schemathesis")
    options = (
        "--phases=stateful", "--max-examples=10", "--exclude-checks=positive_data_acceptance",
        "--exclude-path-regex=(tail|stream|events)$", "--request-timeout=10",
        "--max-time=40", f"--header=Authorization: Bearer {ADMIN_KEY}",
    )  # fmt: skip
    gateway.graph.pipeline.patience = None
    async with served(gateway) as here:
        address = f"http://127.0.0.1:{here.port}/openapi.json"
        running = await asyncio.create_subprocess_exec(
            program, "run", address, *options, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await running.communicate()

    assert running.returncode == 0, told.decode()[-8_000:]
