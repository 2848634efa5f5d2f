"""Who is let in, and what happens to everybody else."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.hooks import service as hooks
from core.hooks.model import HookAuth, new_secret
from core.identity.keys import service as keys
from core.kernel.principal import Principal, Role, system
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from tests.integration.webhook.conftest import (
    ACME,
    Deliver,
    World,
    address_of,
    settled,
    signed,
)

BODY = b'{"title": "Fix login"}'
Headers = dict[str, str]
Change = Callable[[Headers], Headers]


def without(name: str) -> Change:
    return lambda headers: {k: v for k, v in headers.items() if k != name}


def having(**values: str) -> Change:
    return lambda headers: {
        **headers,
        **{name.replace("_", "-"): value for name, value in values.items()},
    }


def prefixed(text: str) -> Change:
    return lambda headers: {
        **headers,
        "webhook-signature": text + headers["webhook-signature"][3:],
    }


FORGED: dict[str, Change] = {
    "nothing": lambda _: {},
    "no id": without("webhook-id"),
    "no timestamp": without("webhook-timestamp"),
    "no signature": without("webhook-signature"),
    "other id": having(webhook_id="msg_2"),
    "id with a dot": having(webhook_id="msg.1"),
    "blank id": having(webhook_id=" "),
    "long id": having(webhook_id="x" * 256),
    "other time": having(webhook_timestamp="1793782801"),
    "no number": having(webhook_timestamp="now"),
    "not a number": having(webhook_timestamp="nan"),
    "endless": having(webhook_timestamp="inf"),
    "exponent": having(webhook_timestamp="1e9"),
    "negative": having(webhook_timestamp="-1"),
    "far future": having(webhook_timestamp="99999999999"),
    "beyond time": having(webhook_timestamp="9" * 40),
    "empty": having(webhook_signature=""),
    "version alone": having(webhook_signature="v1"),
    "no version": prefixed(""),
    "other version": prefixed("v2,"),
    "asymmetric version": prefixed("v1a,"),
    "no base64": having(webhook_signature="v1,!!!"),
    "empty value": having(webhook_signature="v1,"),
    "commas": having(webhook_signature="v1,a,b"),
    "zeros": having(webhook_signature="v1," + "A" * 43 + "="),
    "many": having(webhook_signature=" ".join(["v1,AAAA"] * 500)),
}


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
async def test_forged_delivery_leaves_an_audit_entry_only(
    running: World, person: Principal, change: Change
) -> None:
    """`R-04`: 401, no effect, nothing stored but the refusal."""
    new = running.endpoint(person)
    headers = change(signed(new, BODY, at=running.clock.now()))
    before = running.count("audit_events")

    async with running.client() as client:
        response = await client.post(
            address_of(new.endpoint), content=BODY, headers=headers
        )

    assert response.status_code == 401
    assert response.json()["code"] == "unauthenticated"
    assert running.count("inbox") == 0
    assert running.tasks() == []
    entry = running.audits()[-1]
    assert running.count("audit_events") == before + 1
    assert (entry["verdict"], entry["channel"], entry["account"]) == (
        "denied",
        "webhook",
        "W-1",
    )


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", BODY + b" ", BODY.replace(b"F", b"f")]
)
async def test_other_body_is_refused(
    world: World, person: Principal, body: bytes
) -> None:
    """`R-04`: the signature is over the raw bytes."""
    new = world.endpoint(person)

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint),
            content=body,
            headers=signed(new, BODY, at=world.clock.now()),
        )

    assert response.status_code == 401
    assert world.count("inbox") == 0


@pytest.mark.parametrize(
    "secret", [new_secret(), "whsec_AAAA"], ids=["another", "short"]
)
async def test_other_secret_is_refused(
    world: World, person: Principal, secret: str
) -> None:
    """`R-04`."""
    new = world.endpoint(person)

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint),
            content=BODY,
            headers=signed(new, BODY, at=world.clock.now(), secret=secret),
        )

    assert response.status_code == 401


@pytest.mark.parametrize(
    ("late", "status"),
    [
        (timedelta(minutes=5), 202),
        (timedelta(minutes=5, seconds=1), 401),
        (timedelta(minutes=-5), 202),
        (timedelta(minutes=-5, seconds=-1), 401),
    ],
)
async def test_signature_counts_for_five_minutes_either_way(
    world: World, person: Principal, late: timedelta, status: int
) -> None:
    new = world.endpoint(person)

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint),
            content=BODY,
            headers=signed(new, BODY, at=world.clock.now() - late),
        )

    assert response.status_code == status


async def test_one_good_signature_of_several_is_enough(
    world: World, person: Principal
) -> None:
    new = world.endpoint(person)
    good = signed(new, BODY, at=world.clock.now())
    other = signed(new, BODY, at=world.clock.now(), secret=new_secret())

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint),
            content=BODY,
            headers={
                **good,
                "webhook-signature": f"{other['webhook-signature']} {good['webhook-signature']}",
            },
        )

    assert response.status_code == 202


async def test_old_secret_counts_until_the_overlap_ends(
    world: World, person: Principal, deliver: Deliver
) -> None:
    """`R-06`: both secrets work for a while, then only the new one does."""
    old = world.endpoint(person)
    new = world.db.run(
        lambda tx: hooks.rotate(
            tx, "W-1", vault=world.vault, overlap=timedelta(hours=2)
        ),
        by=person,
    )

    both = [
        await deliver(each, {}, message_id=f"a{n}") for n, each in enumerate((old, new))
    ]
    world.clock.advance(timedelta(hours=2))
    later = [
        await deliver(each, {}, message_id=f"b{n}") for n, each in enumerate((old, new))
    ]

    assert [each.status_code for each in both] == [202, 202]
    assert [each.status_code for each in later] == [401, 202]


async def test_secret_that_cannot_be_opened_shuts_the_endpoint(
    world: World,
    person: Principal,
    deliver: Deliver,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """`R-05`: without its key a webhook answers 503, never "come in"."""
    new = world.endpoint(person)
    world.vault = Vault(FileKeystore(tmp_path_factory.mktemp("lost") / "keystore.json"))

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint),
            content=BODY,
            headers=signed(new, BODY, at=world.clock.now()),
        )

    assert response.status_code == 503
    assert "retry-after" in response.headers
    assert world.count("inbox") == 0


# ── API keys ──────────────────────────────────────────────────────────────────
def key_of(world: World, who: Principal, *scopes: str) -> str:
    return world.db.run(
        lambda tx: keys.create(tx, "ci", user_id=who.id, scopes=scopes),
        by=system(who.tenant),
    ).text


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
async def test_makers_key_delivers(
    running: World, person: Principal, header: str
) -> None:
    """`M-OMN-04`: a webhook authenticated by an API key."""
    new = running.endpoint(person, auth=HookAuth.KEY)
    text = key_of(running, person)
    value = text if header == "x-api-key" else f"Bearer {text}"

    async with running.client() as client:
        response = await client.post(
            address_of(new.endpoint), content=BODY, headers={header: value}
        )
    await settled(running)

    assert response.status_code == 202
    assert [task.title for task in running.tasks()] == ["Fix login"]


@pytest.mark.parametrize(
    ("scopes", "status"), [((), 403), (("webhooks:deliver",), 202)]
)
async def test_others_need_the_right_to_deliver(
    world: World, person: Principal, scopes: tuple[str, ...], status: int
) -> None:
    """A key that may only read must not run a command in somebody else's name."""
    new = world.endpoint(person, auth=HookAuth.KEY)
    role = Role.ADMIN if scopes else Role.OPERATOR
    text = key_of(world, world.user("bob", role), *scopes)

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint), content=BODY, headers={"x-api-key": text}
        )

    assert response.status_code == status
    if status == 403:
        assert world.audits()[-1]["actor"] == "bob"


@pytest.mark.parametrize("key", ["", "ops_live_wrong", "x" * 5000])
async def test_bad_key_is_refused(world: World, person: Principal, key: str) -> None:
    new = world.endpoint(person, auth=HookAuth.KEY)

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint), content=BODY, headers={"x-api-key": key}
        )

    assert response.status_code == 401
    assert world.count("inbox") == 0


async def test_another_tenants_endpoint_is_as_absent_as_none(
    world: World, person: Principal
) -> None:
    """`R-59`: the same answer whether there is no such webhook or it is not yours."""
    world.endpoint(person, auth=HookAuth.KEY)
    stranger = world.user("eve", Role.ADMIN, ACME)
    headers = {"x-api-key": key_of(world, stranger)}
    addresses = ["alerts", "nothing", "W-1", "W-9", "acme.alerts", "acme.W-1"]

    async with world.client() as client:
        answers = [
            await client.post(
                f"/v1/channels/webhook/{each}", content=BODY, headers=headers
            )
            for each in addresses
        ]

    assert {each.status_code for each in answers} == {404}
    for address, answer in zip(addresses, answers, strict=True):
        reference = address.rpartition(".")[2]
        assert answer.json()["detail"] == f"the webhook {reference} does not exist"


async def test_other_tenants_are_addressed_by_name(
    running: World, person: Principal
) -> None:
    owner = running.user("eve", Role.ADMIN, ACME)
    new = running.endpoint(owner)

    async with running.client() as client:
        response = await client.post(
            "/v1/channels/webhook/acme.alerts",
            content=BODY,
            headers=signed(new, BODY, at=running.clock.now()),
        )
    await settled(running)

    assert response.status_code == 202
    assert [task.title for task in running.tasks(ACME)] == ["Fix login"]
    assert running.tasks() == []


# ── what is let in and still no good ──────────────────────────────────────────
@pytest.mark.parametrize(
    "address", ["a.b.c", "-", "%00", "a%20b", "..", "é", "x" * 200]
)
async def test_impossible_address_is_not_found(world: World, address: str) -> None:
    async with world.client() as client:
        response = await client.post(f"/v1/channels/webhook/{address}", content=BODY)

    assert response.status_code == 404


async def test_search_for_addresses_is_one_audit_entry_a_minute(world: World) -> None:
    """Whoever asks without a credential cannot fill the audit."""
    before = world.count("audit_events")

    async with world.client() as client:
        for number in range(30):
            await client.post(f"/v1/channels/webhook/guess{number}", content=BODY)

    assert world.count("audit_events") == before + 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"NaN", 400),
        (b"[" * 5000 + b"]" * 5000, 400),
        (b'"' + b"x" * 1_048_577 + b'"', 413),
    ],
)
async def test_proven_body_must_be_json_of_bounded_size(
    world: World, person: Principal, body: bytes, status: int
) -> None:
    new = world.endpoint(person)

    async with world.client() as client:
        response = await client.post(
            address_of(new.endpoint),
            content=body,
            headers=signed(new, body, at=world.clock.now()),
        )

    assert response.status_code == status
    assert world.count("inbox") == 0
