"""Signing in, staying signed in and signing out over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from core.database import Tx
from core.identity.logins import service as logins
from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.identity.users.passwords import hash_password
from core.kernel.principal import DEFAULT_TENANT, TenantId, system
from tests.api.conftest import Serve
from tests.api.gateway import Answer, Gateway, Person

PASSWORD = "correct horse battery"
_HASHED = hash_password(PASSWORD)


@pytest.fixture
def eve(gateway: Gateway) -> str:
    """Somebody with a password."""
    return with_password(gateway, "eve")


def with_password(gateway: Gateway, name: str, tenant: str = DEFAULT_TENANT) -> str:
    gateway.graph.db.run(
        lambda tx: users.create(tx, name, roles=["operator"], password=_HASHED),
        by=system(TenantId(tenant)),
    )
    return name


def link_of(gateway: Gateway, name: str) -> str:
    """Make a person and a link that signs them in once."""

    def make(tx: Tx) -> str:
        return logins.create_link(tx, users.create(tx, name).id).token

    return gateway.graph.db.run(make, by=system())


async def log_in(
    gateway: Gateway, name: str, password: str = PASSWORD, **more: Any
) -> Answer:
    return await gateway.auth("login", {"name": name, "password": password}, **more)


def bearer(gateway: Gateway, session: Answer) -> Person:
    return Person(gateway, session.body["access_token"])


async def test_a_password_gives_tokens_that_work(gateway: Gateway, eve: str) -> None:
    """M-AUTH-01."""
    session = await log_in(gateway, "Eve")

    me = await bearer(gateway, session).get("/v1/me")

    assert session.status == 200
    assert set(session.body) == {
        "access_token",
        "refresh_token",
        "token_type",
        "expires_in",
    }
    assert (session.body["token_type"], session.body["expires_in"]) == ("Bearer", 900)
    assert session.headers["cache-control"] == "no-store"
    assert me.body["name"] == eve


@pytest.mark.parametrize(
    ("name", "password"), [("eve", "wrong horse battery"), ("nobody", PASSWORD)]
)
async def test_a_wrong_name_and_a_wrong_password_are_one_answer(
    gateway: Gateway, eve: str, name: str, password: str
) -> None:
    """M-AUTH-05, audited with whom it was tried for and from where."""
    refused = await log_in(gateway, name, password, address="198.51.100.7")

    assert (refused.status, refused.error["code"]) == (401, "unauthenticated")
    assert refused.is_problem
    assert refused.error["detail"] == "the name or the password is wrong"
    assert refused.error["fix"]
    entry = gateway.audits()[-1]
    assert (entry.action, entry.verdict, entry.actor) == (
        "auth login",
        "denied",
        "nobody",
    )
    assert (entry.target, entry.account) == (name, "198.51.100.7")


async def test_a_sign_in_is_audited_in_its_tenant(gateway: Gateway) -> None:
    """R-72."""
    gateway.graph.db.run(lambda tx: tenants.create(tx, "acme"), by=system())
    with_password(gateway, "ann", "acme")

    await gateway.auth("login", {"name": "ann", "password": PASSWORD, "tenant": "acme"})
    await gateway.auth("login", {"name": "ann", "password": "x" * 12, "tenant": "acme"})
    await gateway.auth("login", {"name": "ann", "password": PASSWORD, "tenant": "none"})

    told = [(each.actor, each.verdict.value) for each in gateway.audits("acme")]
    assert told == [("ann", "allowed"), ("nobody", "denied")]
    assert gateway.audits()[-1].verdict == "denied"


async def test_a_link_signs_in_once(gateway: Gateway) -> None:
    """M-AUTH-01."""
    token = link_of(gateway, "bob")

    first = await gateway.auth("login", {"token": token})
    second = await gateway.auth("login", {"token": token})

    assert (await bearer(gateway, first).get("/v1/me")).body["name"] == "bob"
    assert (second.status, second.error["code"]) == (401, "unauthenticated")


async def test_a_refresh_token_works_once_and_ends_its_session_when_it_comes_back(
    gateway: Gateway, eve: str
) -> None:
    """R-61."""
    session = await log_in(gateway, eve)

    old = {"refresh_token": session.body["refresh_token"]}
    swapped = await gateway.auth("refresh", old)
    again = await gateway.auth("refresh", old)
    family = await gateway.auth(
        "refresh", {"refresh_token": swapped.body["refresh_token"]}
    )

    assert swapped.status == 200
    assert again.status == family.status == 401


async def test_an_access_token_is_no_refresh_token(gateway: Gateway, eve: str) -> None:
    """R-61."""
    session = await log_in(gateway, eve)

    swapped = await gateway.auth(
        "refresh", {"refresh_token": session.body["access_token"]}
    )
    used = await Person(gateway, session.body["refresh_token"]).get("/v1/me")

    assert swapped.status == used.status == 401


async def test_signing_out_is_in_force_at_once(gateway: Gateway, eve: str) -> None:
    """R-06."""
    session = await log_in(gateway, eve)
    me = bearer(gateway, session)
    assert (await me.get("/v1/me")).status == 200

    ended = await gateway.auth(
        "logout", {"refresh_token": session.body["refresh_token"]}
    )

    assert (ended.status, ended.body) == (200, {"ok": True})
    assert (await me.get("/v1/me")).status == 401


async def test_an_access_token_ends_after_fifteen_minutes(
    gateway: Gateway, eve: str
) -> None:
    """R-61."""
    session = await log_in(gateway, eve)

    gateway.clock.advance(timedelta(minutes=15))
    refused = await bearer(gateway, session).get("/v1/me")

    assert (refused.status, refused.error["code"]) == (401, "unauthenticated")
    assert "expired" in refused.error["detail"]
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_new_password_ends_the_other_sessions(
    gateway: Gateway, eve: str
) -> None:
    """R-06."""
    mine, other = await log_in(gateway, eve), await log_in(gateway, eve)
    body = {"current": PASSWORD, "new": "a longer horse battery"}
    header = f"Bearer {mine.body['access_token']}"

    wrong = await gateway.auth(
        "password", {**body, "current": "x"}, authorization=header
    )
    changed = await gateway.auth("password", body, authorization=header)

    assert (wrong.status, wrong.error["code"]) == (403, "forbidden")
    assert changed.status == 200
    assert (await bearer(gateway, changed).get("/v1/me")).status == 200
    assert (await bearer(gateway, mine).get("/v1/me")).status == 401
    assert (await bearer(gateway, other).get("/v1/me")).status == 401
    assert (await log_in(gateway, eve, "a longer horse battery")).status == 200
    told = [(each.action, each.actor) for each in gateway.audits()]
    assert ("auth password", "eve") in told


async def test_whoever_came_by_link_sets_a_first_password(gateway: Gateway) -> None:
    """M-AUTH-01."""
    session = await gateway.auth("login", {"token": link_of(gateway, "bob")})
    header = f"Bearer {session.body['access_token']}"

    made = await gateway.auth("password", {"new": PASSWORD}, authorization=header)

    assert made.status == 200
    assert (await log_in(gateway, "bob")).status == 200


async def test_a_key_cannot_set_its_owners_password(
    gateway: Gateway, ann: Person
) -> None:
    """R-61: a key with few rights must not become a session with all of them."""
    refused = await gateway.auth(
        "password", {"new": PASSWORD}, authorization=f"Bearer {ann.key}"
    )

    assert (refused.status, refused.error["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("login", {}, 422),
        ("login", {"name": "eve"}, 422),
        ("login", {"name": "eve", "password": 7}, 422),
        ("login", {"name": "eve", "password": "x", "role": "admin"}, 422),
        ("login", {"token": "t", "password": "x"}, 422),
        ("login", [], 422),
        ("refresh", {"refresh_token": ""}, 422),
        ("refresh", {"refresh_token": "x" * 9000}, 413),
        ("logout", {"refresh_token": "a.b.c"}, 401),
        ("password", {"new": PASSWORD}, 401),
    ],
)
async def test_bad_bodies_are_refused_with_code_and_fix(
    gateway: Gateway, path: str, body: Any, status: int
) -> None:
    """R-54."""
    refused = await gateway.auth(path, body)

    assert refused.status == status
    assert refused.is_problem
    assert refused.error["code"]
    assert refused.error["fix"]


async def test_what_a_refused_body_held_is_not_repeated(gateway: Gateway) -> None:
    """R-69."""
    refused = await gateway.auth(
        "login", {"name": "eve", "password": ["hunter2hunter2"]}
    )

    assert b"hunter2" not in refused.raw
    assert all("hunter2" not in repr(each) for each in gateway.audits())


async def test_broken_json_is_a_bad_request(gateway: Gateway) -> None:
    """R-51."""
    refused = await gateway.send("POST", "/auth/login", b'{"name": NaN}', {})

    assert (refused.status, refused.error["code"]) == (400, "invalid_json")


async def test_a_body_that_says_it_is_no_json_is_refused(gateway: Gateway) -> None:
    refused = await gateway.send(
        "POST", "/auth/login", b"<login/>", {"content-type": "text/xml"}
    )

    assert refused.status == 415


async def test_one_address_has_five_attempts_a_minute_whatever_it_claims(
    gateway: Gateway,
) -> None:
    """R-63, M-AUTH-02: 20 bad logins from one socket with changing headers."""
    answers = [
        await log_in(
            gateway,
            f"user{number}",
            x_forwarded_for=f"192.0.2.{number}",
            forwarded=f"for=192.0.2.{number}",
            x_real_ip=f"192.0.2.{number}",
        )
        for number in range(20)
    ]

    assert [each.status for each in answers] == [401] * 5 + [429] * 15
    limited = answers[-1]
    assert limited.error["limit"] == "5/minute"
    assert "203.0.113.1" in limited.error["limit_scope"]
    assert int(limited.headers["retry-after"]) == limited.error["retry_after"] > 0
    denied = [each for each in gateway.audits() if each.action == "auth login"]
    assert sum(each.count for each in denied) == 20
    assert len(denied) == 2


async def test_one_account_has_five_attempts_a_minute_from_wherever(
    gateway: Gateway, eve: str
) -> None:
    """R-63: in any spelling of its name."""
    spellings = ["eve", "EVE", " eve ", "Eve", "\uff45ve", "eve"]
    answers = [
        await log_in(gateway, name, "not the password", address=f"198.51.100.{number}")
        for number, name in enumerate(spellings)
    ]

    right = await log_in(gateway, eve, address="198.51.100.200")

    assert [each.status for each in answers] == [401] * 5 + [429]
    assert right.status == 429


async def test_the_rate_of_sign_ins_is_a_setting(serve: Serve) -> None:
    """M-AUTH-02."""
    gateway = serve(login="2/minute")

    answers = [await log_in(gateway, "ann") for _ in range(3)]

    assert [each.status for each in answers] == [401, 401, 429]


async def test_opening_a_login_link_uses_nothing_up(gateway: Gateway) -> None:
    """R-73: the page is static, runs no foreign script, and only its button acts."""
    token = link_of(gateway, "bob")

    page = await gateway.send("GET", "/auth/link", None, {})
    script = await gateway.send("GET", "/auth/link.js", None, {})
    gotten = await gateway.send("GET", "/auth/login", None, {})

    policy = page.headers["content-security-policy"]
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert b'<script src="/auth/link.js"' in page.raw
    assert script.headers["content-type"].startswith("text/javascript")
    assert gotten.status == 405
    assert (await gateway.auth("login", {"token": token})).status == 200
