"""R-58: no route is hidden, and none answers somebody who may not ask."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from gateway.app import create_app
from gateway.http.command_routes import CommandRoutes
from tests.api.gateway import Gateway

OPEN = {
    "/r/{reply}", "/v1/uploads/{token}", "/v1/downloads/{token}",
    "/healthz", "/readyz", "/health", "/api/health", "/metrics", "/openapi.json", "/docs",
    "/docs/errors/{code}", "/auth/login", "/auth/refresh", "/auth/logout", "/auth/link",
    "/auth/link.js", "/v1/channels/webhook/{endpoint}", "/simulators", "/simulators/{file}",
}  # fmt: skip
SAFE = {"nosniff", "no-store"}


async def described(gateway: Gateway) -> dict[str, Any]:
    answer = await gateway.send("GET", "/openapi.json", None, {})
    found: dict[str, Any] = answer.body
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def routed(gateway: Gateway) -> set[tuple[str, str]]:
    """List what the application really routes."""
    front: Any = create_app(gateway.graph)
    hot = {each for each in front._hot if each[0] != "WEBSOCKET"}
    return hot | set(_flat(front._app.routes))


def _flat(routes: Any) -> Iterator[tuple[str, str]]:
    for each in routes:
        if isinstance(each, Route):
            yield from ((method, each.path) for method in each.methods or ())
        elif isinstance(each, CommandRoutes):
            yield from _flat(each.routes)
        else:
            yield from _flat(each.original_router.routes)


def filled(path: str) -> str:
    return path.replace("{", "").replace("}", "")


async def test_the_document_and_the_routes_are_the_same(gateway: Gateway) -> None:
    """R-58: no hidden route, and no promise without one."""
    document = await described(gateway)

    written = {(method, path) for method, path, _ in operations(document)}

    # Starlette's own Route answers HEAD wherever it answers GET.
    assert {each for each in routed(gateway) if each[0] != "HEAD"} == written
    ids = [operation["operationId"] for *_, operation in operations(document)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("credential", ["", "Bearer ops_wrong", "Basic YW5uOmI="])
async def test_nobody_is_answered_without_a_credential(
    gateway: Gateway, credential: str
) -> None:
    """R-58: 401 on every operation that is not open."""
    headers = {"authorization": credential} if credential else {}
    for method, path, operation in operations(await described(gateway)):
        answer = await gateway.send(method, filled(path), None, headers)

        if path not in OPEN:
            assert answer.status == 401, (method, path, answer)
            assert answer.headers["www-authenticate"], path
        else:
            assert {} in operation["security"] or not operation["security"], path
        assert answer.headers["x-content-type-options"] == "nosniff", (method, path)
        assert answer.headers["cache-control"] == "no-store", (method, path)
        assert "content-security-policy" in answer.headers, (method, path)


async def test_a_key_does_nothing_that_its_scopes_do_not_say(gateway: Gateway) -> None:
    """R-58: 403 on every operation whose scope a key lacks."""
    poor = gateway.person("bob", scopes=("nothing:read",))
    asked = 0
    for method, path, operation in operations(await described(gateway)):
        if not operation.get("x-scope"):
            continue
        body = _sample(operation)
        named = {each["name"] for each in operation.get("parameters", ())}
        headers = {"if_match": '"1-a"'} if "If-Match" in named else {}
        answer = await poor.call(method, _url(path, operation), body, **headers)

        assert answer.status == 403, (method, path, answer)
        assert answer.error["code"] == "missing_scope", (method, path)
        asked += 1
    assert asked > 40


async def test_the_page_of_the_api_loads_nothing_from_elsewhere(
    gateway: Gateway,
) -> None:
    """R-58: its policy names the script and the style that stand in it, no host."""
    answer = await gateway.send("GET", "/docs", None, {})

    policy = answer.headers["content-security-policy"]
    assert answer.status == 200
    assert policy.count("'sha256-") == 2
    assert "unsafe" not in policy
    assert b"://" not in answer.raw


async def test_every_error_that_is_told_can_be_looked_up(gateway: Gateway) -> None:
    """R-58: `type` leads to a page."""
    refused = await gateway.send("GET", "/nowhere/at/all", None, {})

    page = await gateway.send("GET", refused.error["type"], None, {})
    missing = await gateway.send("GET", "/docs/errors/<b>", None, {})

    assert (refused.status, page.status, missing.status) == (404, 200, 404)
    assert b"no_such_page" in page.raw


def _sample(operation: dict[str, Any]) -> dict[str, Any] | None:
    body = operation.get("requestBody")
    if body is None:
        return None
    schema = body["content"]["application/json"]["schema"]
    return {
        name: _value(schema["properties"][name]) for name in schema.get("required", ())
    }


def _url(path: str, operation: dict[str, Any]) -> str:
    for each in operation.get("parameters", ()):
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", str(_value(each["schema"])))
    return path + _query(operation)


def _query(operation: dict[str, Any]) -> str:
    wanted = [
        f"{each['name']}={_value(each['schema'])}"
        for each in operation.get("parameters", ())
        if each["required"] and each["in"] == "query"
    ]
    return f"?{'&'.join(wanted)}" if wanted else ""


def _value(schema: dict[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    kinds = {"integer": 1, "array": [], "object": {}, "boolean": True}
    return kinds.get(schema.get("type", ""), "a")
