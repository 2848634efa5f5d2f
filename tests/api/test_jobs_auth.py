"""Routes that want a token and a key at once, where the settings say so."""

import httpx2
import pytest
from fastapi import FastAPI

from commands.context import Context
from commands.registry import Registry, command
from core.kernel.reply import Reply
from gateway.http.files import Files
from gateway.http.resources import Resources
from tests.api.gateway import Gateway
from tests.api.test_auth import log_in, with_password


@command("gem list", scope="jobs:read", http="GET /gems", examples=["gem list"])
def gems(ctx: Context) -> Reply:
    """List nothing."""
    return Reply(summary=ctx.principal.name, data={"key": ctx.principal.key_id})


@command(
    "gemini list", scope="jobs:read", http="GET /gemsearch", examples=["gemini list"]
)
def others(ctx: Context) -> Reply:
    """List nothing either."""
    return Reply(summary=ctx.principal.name)


@pytest.fixture
def client(gateway: Gateway) -> httpx2.AsyncClient:
    gateway.graph.registry.add(gems)
    gateway.graph.registry.add(others)
    resources = Resources(
        gateway.graph.pipeline,
        gateway.graph.auth,
        clock=gateway.clock,
        body_limit=1000,
        strict=("/gems",),
        files=Files(gateway.graph.db),
    )
    app = FastAPI()
    app.router.routes.append(resources.routes(Registry.of([gems, others])))
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway"
    )


async def test_strict_paths_want_both_credentials_of_one_person(
    gateway: Gateway, client: httpx2.AsyncClient
) -> None:
    """M-AUTH-04."""
    with_password(gateway, "eve")
    eve, bob = gateway.person("eve"), gateway.person("bob")
    token = (await log_in(gateway, "eve")).body["access_token"]
    bearer = {"authorization": f"Bearer {token}"}

    async with client:
        both = await client.get("/gems", headers={**bearer, "x-api-key": eve.key})
        refused = [
            await client.get("/gems", headers=headers)
            for headers in (
                {},
                bearer,
                {"x-api-key": eve.key},
                {**bearer, "x-api-key": bob.key},
                {"authorization": f"Bearer {eve.key}", "x-api-key": eve.key},
            )
        ]
        neighbour = await client.get("/gemsearch", headers=bearer)

    assert (both.status_code, both.json()["key"]) == (200, eve.key_id)
    assert [each.status_code for each in refused] == [401] * 5
    assert all(each.json()["fix"] for each in refused)
    assert neighbour.status_code == 200
