"""What may be delivered besides JSON, and what is said of what finds nothing."""

from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from core.delivery import received
from core.delivery.received import Wanted
from core.events import service as events
from core.hooks import deliveries
from core.hooks.deliveries import Outcome
from core.hooks.model import ECHO, NewEndpoint, PayloadMap
from core.identity.keys import service as keys
from core.kernel.principal import Principal, Role, system
from tests.integration.webhook.conftest import (
    ACME,
    Deliver,
    World,
    address_of,
    settled,
    signed,
)
from tests.integration.webhook.test_commands import ask, items

FORM = "application/x-www-form-urlencoded"


async def post(
    world: World,
    new: NewEndpoint,
    body: bytes,
    *,
    query: str = "",
    **headers: str,
) -> httpx2.Response:
    """Deliver a body, signed, with further headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with world.client() as client:
        return await client.post(
            f"{address_of(new.endpoint)}{query}",
            content=body,
            headers={**signed(new, body, at=world.clock.now()), **named},
        )


def a_rule(title: str, **more: str) -> PayloadMap:
    return PayloadMap(command="task create", templates={"title": title}, **more)  # type: ignore[arg-type]


async def titles(world: World) -> list[str]:
    await settled(world)
    return [each.title for each in world.tasks()]


async def test_form_fills_arguments(running: World, person: Principal) -> None:
    new = running.endpoint(person, a_rule("{text} for {user}"))
    body = urlencode({"text": "Call back & smile", "user": "ann"}).encode()

    answer = await post(running, new, body, content_type=FORM)

    assert answer.status_code == 202
    assert await titles(running) == ["Call back & smile for ann"]


async def test_json_inside_of_a_form_is_the_payload(
    running: World, person: Principal
) -> None:
    new = running.endpoint(person, a_rule("{repository.name}"))
    body = urlencode({"payload": '{"repository": {"name": "shop"}}'}).encode()

    await post(running, new, body, content_type=FORM)

    assert await titles(running) == ["shop"]


async def test_delivery_without_a_body_can_run_something(
    running: World, person: Principal
) -> None:
    new = running.endpoint(person, a_rule("Somebody knocked"))

    answer = await post(running, new, b"")

    assert answer.status_code == 202
    assert await titles(running) == ["Somebody knocked"]


async def test_headers_and_query_fill_arguments_without_what_is_secret(
    running: World, person: Principal
) -> None:
    new = running.endpoint(
        person,
        a_rule(
            '{_headers."x-event"} {_query.env} {_query.token}{_headers."x-api-key"}'
        ),
    )

    await post(
        running,
        new,
        b"{}",
        query="?env=prod&token=secret-1",
        X_Event="push",
        x_api_key="secret-2",
    )

    assert await titles(running) == ["push prod "]


async def test_what_is_stored_is_the_raw_body(
    running: World, person: Principal
) -> None:
    """So that a signature over it stays true, whenever it is looked at again."""
    new = running.endpoint(person)
    body = '{ "title":\t"café" }\n'.encode()

    await post(running, new, body)
    await settled(running)

    stored = running.db.look(
        lambda tx: received.list_of(tx, "webhook", "W-1", Wanted()),
        by=system(),
    )[0]
    assert '{ \\"title\\":\\t\\"café\\" }\\n' in stored.payload
    payload = deliveries.payload_of(stored)
    assert isinstance(payload, dict)
    assert payload["title"] == "café"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"<alert/>", "application/xml", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"title", FORM, 400),
        (b"title", "application/json", 400),
    ],
)
async def test_body_that_is_neither_is_refused(
    world: World, person: Principal, body: bytes, content_type: str, status: int
) -> None:
    new = world.endpoint(person)

    answer = await post(world, new, body, content_type=content_type)

    assert answer.status_code == status
    assert world.count("inbox") == 0


# ── what a mapping does not find ──────────────────────────────────────────────
async def test_expression_that_finds_nothing_is_named_with_a_sample(
    running: World, person: Principal, deliver: Deliver
) -> None:
    rule = PayloadMap(command="task create", arguments={"title": "alert.name"})
    new = running.endpoint(person, rule)

    answer = await deliver(new, {"alarm": {"name": "disk"}, "more": "x" * 2_000})
    await settled(running)

    assert answer.status_code == 202
    page = running.db.look(lambda tx: deliveries.list_(tx, "W-1"), by=system())
    assert page.items[0].outcome is Outcome.FAILED
    reply = (
        await deliver(new, {"alarm": {"name": "disk"}, "more": "x" * 2_000})
    ).json()
    error = reply["error"]
    assert (
        error["detail"] == "'alert.name' for title found nothing in what W-1 received"
    )
    assert error["extra"]["expression"] == "alert.name"
    assert error["extra"]["sample"].startswith('{"alarm":{"name":"disk"}')
    assert len(error["extra"]["sample"]) == 500
    assert error["fix"] == ["webhook show W-1", "webhook deliveries W-1"]


async def test_what_a_sender_wrote_is_shown_to_its_makers_alone(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """A payload may be private: no audit entry, event or list of deliveries has it."""
    rule = PayloadMap(command="task create", arguments={"title": "alert.name"})
    new = running.endpoint(person, rule)
    vic = running.user("vic", Role.VIEWER)

    await deliver(new, {"password": "canary-77"})  # pragma: allowlist secret
    await settled(running)
    listed = await ask(running, vic, "webhook deliveries", webhook="W-1")
    (row,) = items(listed, "items")
    wanted = {"webhook": "W-1", "delivery": row["id"]}
    shown = await ask(running, person, "webhook inspect", **wanted)
    denied = await ask(running, vic, "webhook inspect", **wanted)

    told = running.db.look(lambda tx: events.list_after(tx, 0, limit=100), by=system())
    assert "canary-77" not in repr([*running.audits(), *told, listed, denied])
    assert denied.error is not None
    assert shown.data["expression"] == "alert.name"
    shown_whole = '{"password":"canary-77"}'  # pragma: allowlist secret
    assert shown.data["sample"] == shown_whole


async def test_element_that_lacks_something_leaves_the_others_done(
    running: World, person: Principal, deliver: Deliver
) -> None:
    rule = PayloadMap(command="task create", each="@", arguments={"title": "t"})
    new = running.endpoint(person, rule)

    await deliver(new, [{"t": "one"}, {"u": "two"}, {"t": "three"}])
    await settled(running)

    assert [task.title for task in running.tasks()] == ["one", "three"]
    reply = (await deliver(new, [{"t": "one"}, {"u": "two"}, {"t": "three"}])).json()
    assert reply["error"]["extra"]["sample"] == '{"u":"two"}'


async def test_several_rules_look_at_one_delivery(
    running: World, person: Principal
) -> None:
    new = running.endpoint(person, a_rule("A {a}", filter="a"))
    made = await ask(
        running,
        person,
        "webhook create",
        name="both",
        auth="standard",
        rules=[
            {"command": "task create", "templates": {"title": "A {a}"}, "filter": "a"},
            {"command": "task create", "templates": {"title": "B {b}"}, "filter": "b"},
        ],
    )
    assert made.error is None

    both = NewEndpoint(
        endpoint=new.endpoint,
        secret=str(made.data["secret"]),
    )
    async with running.client() as client:
        body = b'{"a": 1, "b": 2}'
        await client.post(
            "/v1/channels/webhook/both",
            content=body,
            headers=signed(both, body, at=running.clock.now()),
        )

    assert await titles(running) == ["A 1", "B 2"]


# ── the endpoint that everybody has ───────────────────────────────────────────
def key_of(world: World, who: Principal, *scopes: str) -> str:
    return world.db.run(
        lambda tx: keys.create(tx, "ci", user_id=who.id, scopes=scopes),
        by=system(who.tenant),
    ).text


async def knock(world: World, path: str, **sent: Any) -> httpx2.Response:
    async with world.client() as client:
        return await client.post(f"/v1/channels/webhook/{path}", **sent)


async def test_echo_keeps_and_shows_without_being_made(
    running: World, person: Principal
) -> None:
    answer = await knock(
        running,
        ECHO,
        content=b'{"hello": "world"}',
        headers={"x-api-key": key_of(running, person)},
    )
    await settled(running)

    page = running.db.look(lambda tx: deliveries.list_(tx, ECHO), by=system())
    assert answer.status_code == 202
    assert [each.outcome for each in page.items] == [Outcome.SKIPPED]
    assert "only shows what it receives" in page.items[0].summary


async def test_every_tenant_has_an_echo_of_its_own(running: World) -> None:
    """`R-59`."""
    eve = running.user("eve", Role.ADMIN, ACME)
    headers = {"x-api-key": key_of(running, eve)}

    own = await knock(running, "acme.echo", content=b"{}", headers=headers)
    other = await knock(running, "echo", content=b"{}", headers=headers)

    assert (own.status_code, other.status_code) == (202, 404)
    assert running.count("inbox") == 0
    assert running.count("inbox", ACME) == 1


@pytest.mark.parametrize(
    ("scopes", "status"),
    [((), 401), (("tasks:read",), 403), (("webhooks:deliver",), 202)],
)
async def test_echo_wants_a_key_that_may_deliver(
    world: World, person: Principal, scopes: tuple[str, ...], status: int
) -> None:
    headers = {"x-api-key": key_of(world, person, *scopes)} if scopes else {}

    answer = await knock(world, ECHO, content=b"{}", headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("webhook delete", {"confirm": ECHO}),
        ("webhook rotate", {}),
        ("webhook set", {"command": "version"}),
    ],
)
async def test_echo_can_be_shown_and_not_changed(
    world: World, person: Principal, command: str, args: dict[str, str]
) -> None:
    shown = await ask(world, person, "webhook show", webhook=ECHO)
    changed = await ask(world, person, command, is_consent=True, webhook=ECHO, **args)

    assert shown.data["path"] == "/v1/channels/webhook/echo"
    assert changed.error is not None
    assert changed.error.code == "illegal_move"


# ── keys by HTTP Basic ────────────────────────────────────────────────────────
async def test_key_may_come_as_a_password(running: World, person: Principal) -> None:
    """Alertmanager and Grafana know no other header of their own."""
    text = key_of(running, person)

    answer = await knock(running, ECHO, content=b"{}", auth=("anybody", text))

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YQ==",
        "Basic YTo=",
        "basic YTpi",
        "Basic w7w6",
    ],
)
async def test_password_that_is_no_key_is_refused(
    world: World, authorization: str
) -> None:
    answer = await knock(
        world, ECHO, content=b"{}", headers={"authorization": authorization}
    )

    assert answer.status_code == 401
    assert world.count("inbox") == 0
