"""A credential that comes twice is none, at every door of HTTP."""

import httpx2
import pytest

from gateway.app import create_app
from tests.api.gateway import Gateway, Person

PATHS = {
    "commands": ("POST", "/v1/commands", b'{"line": "whoami"}'),
    "batch": ("POST", "/v1/commands/batch", b'{"lines": ["whoami"]}'),
    "resource": ("GET", "/v1/me", b""),
    "tail": ("GET", "/v1/events?wait=0", b""),
    "webhook": ("POST", "/v1/channels/webhook/echo", b"{}"),
    "password": ("POST", "/auth/password", b'{"new": "correct horse battery"}'),
}


@pytest.mark.parametrize("door", PATHS)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
@pytest.mark.parametrize("order", ["bad, good", "good, bad", "good, good"])
async def test_a_credential_that_comes_twice_is_refused(
    gateway: Gateway, ann: Person, door: str, header: str, order: str
) -> None:
    """R-62: whichever of the two somebody in between would have read."""
    prefix = "Bearer " if header == "authorization" else ""
    known = {"good": prefix + ann.key, "bad": prefix + "something-else"}
    headers = [(header, known[each]) for each in order.split(", ")]
    method, path, body = PATHS[door]
    transport = httpx2.ASGITransport(app=create_app(gateway.graph))

    async with httpx2.AsyncClient(transport=transport, base_url="http://a") as client:
        answer = await client.request(method, path, content=body, headers=headers)

    assert answer.status_code == 401
    assert b'"code":"unauthenticated"' in answer.content
