"""Routes of commands come and go with them, and all else stays as it was."""

import pytest

from commands.context import Context
from commands.registry import command
from tests.api.gateway import Gateway, Person


@command("city show", scope="cities:read", http="GET /v1/cities/{city}")
def show(ctx: Context, city: str) -> dict[str, str]:
    """Show a city."""
    return {"city": city}


@command(
    "city name",
    scope="cities:write",
    danger="write",
    http="PUT /v1/cities/{city}",
    paths=["/v1/cities/{city}/name"],
)
def name_(ctx: Context, city: str, name: str) -> dict[str, str]:
    """Name a city."""
    return {"city": city, "name": name}


@pytest.fixture
def admin(gateway: Gateway) -> Person:
    """Somebody who may look at cities, of which there are none yet."""
    return gateway.admin


async def test_a_route_is_there_as_soon_as_its_command(
    gateway: Gateway, admin: Person
) -> None:
    before = await admin.get("/v1/cities/oslo")
    gateway.graph.registry.add(show, name_)

    found = await admin.get("/v1/cities/oslo")
    named = await admin.call("PUT", "/v1/cities/oslo/name", {"name": "Oslo"})

    assert (before.status, before.body["code"]) == (404, "no_such_page")
    assert found.body == {"city": "oslo"}
    assert named.body == {"city": "oslo", "name": "Oslo"}


async def test_a_route_is_gone_as_soon_as_its_command(
    gateway: Gateway, admin: Person
) -> None:
    gateway.graph.registry.add(show, name_)
    await admin.get("/v1/cities/oslo")

    gateway.graph.registry.remove("city show")

    gone = await admin.get("/v1/cities/oslo")
    assert (gone.status, gone.headers["allow"]) == (405, "PUT")


async def test_a_wrong_method_names_those_there_are_now(
    gateway: Gateway, admin: Person
) -> None:
    gateway.graph.registry.add(show)
    alone = await admin.call("DELETE", "/v1/cities/oslo")
    gateway.graph.registry.add(name_)

    both = await admin.call("DELETE", "/v1/cities/oslo")

    assert (alone.status, alone.headers["allow"]) == (405, "GET")
    assert (both.status, both.headers["allow"]) == (405, "GET, PUT")


async def test_what_is_not_declared_is_not_added(
    gateway: Gateway, admin: Person
) -> None:
    """A GET brings no HEAD along, and a trailing slash is the same path."""
    gateway.graph.registry.add(show)

    head = await admin.call("HEAD", "/v1/cities/oslo")
    slash = await admin.get("/v1/cities/oslo/")

    assert head.status == 405
    assert slash.body == {"city": "oslo"}


async def test_the_description_follows(gateway: Gateway, admin: Person) -> None:
    before = (await admin.get("/openapi.json")).body["paths"]
    gateway.graph.registry.add(show, name_)

    after = (await admin.get("/openapi.json")).body["paths"]

    assert after.keys() - before.keys() == {
        "/v1/cities/{city}",
        "/v1/cities/{city}/name",
    }
    assert set(after["/v1/cities/{city}"]) == {"get", "put"}


async def test_a_route_still_wants_its_scope(gateway: Gateway) -> None:
    gateway.graph.registry.add(show, name_)
    ann = gateway.person("ann")

    refused = await ann.call("PUT", "/v1/cities/oslo", {"name": "Oslo"})

    assert (refused.status, refused.body["code"]) == (403, "missing_scope")
