"""Credentials to principals: what is believed, for how long, and what is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.database import Database
from core.identity.keys import service as keys
from core.identity.keys.model import NewKey, new_key_text
from core.identity.logins import service as logins
from core.identity.sessions import service as sessions
from core.identity.tokens import SigningKeys, TokenPair, Tokens
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.principal import Assurance, Principal, Role, TenantId, system
from core.kernel.problems import InvalidArgument, Unauthenticated
from gateway.auth import Authenticator, BootstrapKey
from tests.conftest import FakeClock

BOOTSTRAP = "bootstrap-admin-key-of-32-characters"
GivenKey = Callable[..., NewKey]


@pytest.fixture
def tokens() -> Tokens:
    ring = SigningKeys(current="k1", secrets={"k1": b"1" * 32})
    return Tokens(lambda: ring)


@pytest.fixture
def ann(db: Database) -> User:
    return db.run(lambda tx: users.create(tx, "ann", roles=["operator"]), by=system())


@pytest.fixture
def bob(db: Database) -> User:
    return db.run(lambda tx: users.create(tx, "bob", roles=["viewer"]), by=system())


@pytest.fixture
def given_key(db: Database, ann: User) -> GivenKey:
    def make(*scopes: str, owner: User = ann, ttl: timedelta | None = None) -> NewKey:
        return db.run(
            lambda tx: keys.create(tx, "ci", user_id=owner.id, scopes=scopes, ttl=ttl),
            by=system(owner.tenant),
        )

    return make


@pytest.fixture
def pair(db: Database, ann: User, tokens: Tokens) -> TokenPair:
    return db.run(lambda tx: logins.sign_in(tx, ann, tokens), by=system())


@pytest.fixture
def auth(db: Database, tokens: Tokens, clock: FakeClock) -> Authenticator:
    """An authenticator whose ticks are those of the test's clock."""
    admin = db.run(users.ensure_admin, by=system())
    return Authenticator(
        db,
        tokens,
        clock=clock,
        bootstrap=BootstrapKey(BOOTSTRAP, admin),
        ticks=lambda: clock.now().timestamp(),
    )


def run(db: Database, verb: Callable[..., object], *values: object) -> None:
    db.run(lambda tx: verb(tx, *values), by=system())


# ── keys ──────────────────────────────────────────────────────────────────────────────
async def test_a_key_is_its_owner_with_its_scopes(
    auth: Authenticator, given_key: GivenKey, ann: User
) -> None:
    """M-AUTH-04."""
    new = given_key("tasks:read")

    by_bearer = await auth.authenticate(f"Bearer {new.text}")
    by_header = await auth.authenticate(api_key=new.text)

    assert by_bearer == by_header
    assert (by_bearer.id, by_bearer.name, by_bearer.key_id) == (
        ann.id,
        "ann",
        new.key.id,
    )
    assert by_bearer.scopes == {"tasks:read"}
    assert by_bearer.assurance is Assurance.SECRET


async def test_a_key_of_another_tenant_acts_there(
    db: Database, auth: Authenticator, given_key: GivenKey
) -> None:
    """M-AUTH-06: the tenant comes from the key and from nothing the client says."""
    acme = TenantId("acme")
    eve = db.run(lambda tx: users.create(tx, "eve", roles=["viewer"]), by=system(acme))

    principal = await auth.authenticate(api_key=given_key(owner=eve).text)

    assert principal.tenant == acme


async def test_a_mistyped_key_never_reaches_the_database(
    db: Database, auth: Authenticator, given_key: GivenKey
) -> None:
    """R-62."""
    text = given_key().text
    typo = text[:-1] + ("a" if text[-1] != "a" else "b")
    db.close()

    with pytest.raises(Unauthenticated, match="mistyped") as refusal:
        await auth.authenticate(f"Bearer {typo}")

    assert refusal.value.fix


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "no credential"),
        ("Basic YW5uOmFubg==", "not Bearer"),
        ("Bearer", "not Bearer"),
        ("Bearer  ", "not Bearer"),
        ("Bearer hunter2", "neither"),
        ("Bearer a.b.c", "not valid"),
        ("Bearer ops_live_", "mistyped"),
        ("Bearer " + "x" * 5000, "no credential"),
        ("Bearer \ud800", "neither"),
    ],
)
async def test_what_is_no_credential_is_told_so(
    auth: Authenticator, header: str, said: str
) -> None:
    with pytest.raises(Unauthenticated, match=said) as refusal:
        await auth.authenticate(header)

    assert refusal.value.fix
    assert "hunter2" not in refusal.value.detail


async def test_an_unknown_key_is_told_so(auth: Authenticator) -> None:
    with pytest.raises(Unauthenticated, match="not known"):
        await auth.authenticate(api_key=new_key_text())


async def test_an_expired_key_is_told_so(
    auth: Authenticator, given_key: GivenKey, clock: FakeClock
) -> None:
    text = given_key(ttl=timedelta(hours=1)).text
    clock.advance(timedelta(hours=1))

    with pytest.raises(Unauthenticated, match="expired"):
        await auth.authenticate(api_key=text)


async def test_a_key_ends_on_time_even_while_remembered(
    auth: Authenticator, given_key: GivenKey, clock: FakeClock
) -> None:
    text = given_key(ttl=timedelta(seconds=1)).text
    await auth.authenticate(api_key=text)

    clock.advance(timedelta(seconds=1))

    assert auth.recall(text) is None
    with pytest.raises(Unauthenticated, match="expired"):
        await auth.authenticate(api_key=text)


# ── what is remembered ────────────────────────────────────────────────────────────────
async def test_a_verified_key_is_recalled_without_waiting(
    db: Database, auth: Authenticator, given_key: GivenKey
) -> None:
    text = given_key().text
    assert auth.recall(text) is None
    principal = await auth.authenticate(api_key=text)
    db.close()

    assert auth.recall(text) is principal
    assert auth.recall(f"Bearer {text}") is principal
    assert await auth.authenticate(f"bearer {text}") is principal


async def test_a_revocation_elsewhere_is_live_within_five_seconds(
    db: Database, auth: Authenticator, given_key: GivenKey, clock: FakeClock
) -> None:
    """R-06: another process revoked it; nobody told this one."""
    new = given_key()
    await auth.authenticate(api_key=new.text)
    run(db, keys.revoke, new.key.id)

    clock.advance(timedelta(seconds=5))

    assert auth.recall(new.text) is None
    with pytest.raises(Unauthenticated, match="revoked"):
        await auth.authenticate(api_key=new.text)


async def test_steady_use_does_not_stretch_the_five_seconds(
    db: Database, auth: Authenticator, given_key: GivenKey, clock: FakeClock
) -> None:
    """R-06: twenty requests a second, each of which could have renewed the memory."""
    new = given_key()
    await auth.authenticate(api_key=new.text)
    run(db, keys.revoke, new.key.id)

    outcomes = []
    for _ in range(100):
        clock.advance(timedelta(milliseconds=50))
        try:
            await auth.authenticate(api_key=new.text)
        except Unauthenticated:
            outcomes.append("refused")
        else:
            outcomes.append("accepted")

    assert outcomes[59:] == ["refused"] * 41


@pytest.mark.parametrize("way", ["forget key", "forget user", "invalidate"])
async def test_a_revocation_here_is_live_at_once(
    db: Database, auth: Authenticator, given_key: GivenKey, ann: User, way: str
) -> None:
    new = given_key()
    await auth.authenticate(api_key=new.text)
    run(db, keys.revoke, new.key.id)

    match way:
        case "forget key":
            auth.forget(ann.tenant, new.key.id)
        case "forget user":
            auth.forget(ann.tenant, ann.id)
        case _:
            auth.invalidate_all()

    assert auth.recall(new.text) is None
    with pytest.raises(Unauthenticated):
        await auth.authenticate(api_key=new.text)


async def test_forgetting_one_key_keeps_the_others(
    auth: Authenticator, given_key: GivenKey, ann: User, bob: User
) -> None:
    anns, bobs = given_key(), given_key(owner=bob)
    await auth.authenticate(api_key=anns.text)
    await auth.authenticate(api_key=bobs.text)

    auth.forget(TenantId("acme"), bobs.key.id)
    auth.forget(ann.tenant, anns.key.id)

    assert auth.recall(anns.text) is None
    assert auth.recall(bobs.text) is not None


async def test_fewer_roles_take_effect_within_five_seconds(
    db: Database, auth: Authenticator, given_key: GivenKey, ann: User, clock: FakeClock
) -> None:
    text = given_key("tasks:write", "tasks:read").text
    await auth.authenticate(api_key=text)

    run(db, users.set_roles, ann.id, ["viewer"])
    clock.advance(timedelta(seconds=5))

    assert (await auth.authenticate(api_key=text)).scopes == {"tasks:read"}


async def test_a_refusal_is_remembered_for_a_moment_only(
    auth: Authenticator, given_key: GivenKey, db: Database, clock: FakeClock, ann: User
) -> None:
    text = given_key().text
    run(db, users.disable, ann.id)
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="disabled"):
            await auth.authenticate(api_key=text)
    run(db, users.enable, ann.id)

    clock.advance(timedelta(seconds=2))

    assert (await auth.authenticate(api_key=text)).name == "ann"


async def test_the_last_use_is_noted_once_a_minute(
    db: Database, auth: Authenticator, given_key: GivenKey, clock: FakeClock
) -> None:
    """R-62."""
    new = given_key()
    start = clock.now()

    noted = []
    for _ in range(14):
        await auth.authenticate(api_key=new.text)
        run(db, users.ensure_admin)
        noted.append(
            db.look(lambda tx: keys.get_(tx, new.key.id), by=system()).last_used_at
        )
        clock.advance(timedelta(seconds=5))

    assert noted == [start] * 12 + [start + timedelta(seconds=60)] * 2


# ── tokens ────────────────────────────────────────────────────────────────────────────
async def test_an_access_token_is_its_user(
    auth: Authenticator, pair: TokenPair, ann: User
) -> None:
    principal = await auth.authenticate(f"Bearer {pair.access}")

    assert (principal.id, principal.key_id) == (ann.id, "")
    assert principal.scopes == ann.scopes
    assert principal.session
    assert auth.recall(f"Bearer {pair.access}") is principal


async def test_a_refresh_token_opens_nothing(
    auth: Authenticator, pair: TokenPair
) -> None:
    """R-61."""
    with pytest.raises(Unauthenticated):
        await auth.authenticate(f"Bearer {pair.refresh}")


@pytest.mark.parametrize("way", ["disabled", "signed out", "time"])
async def test_an_access_token_ends_with_its_user_session_and_time(
    db: Database,
    auth: Authenticator,
    pair: TokenPair,
    ann: User,
    clock: FakeClock,
    way: str,
) -> None:
    """M-AUTH-01: fifteen minutes at most, five seconds when shut out."""
    principal = await auth.authenticate(f"Bearer {pair.access}")
    wait = timedelta(seconds=5)
    match way:
        case "disabled":
            run(db, users.disable, ann.id)
        case "signed out":
            run(db, sessions.end, principal.session)
        case _:
            wait = timedelta(minutes=15)

    clock.advance(wait)

    with pytest.raises(Unauthenticated):
        await auth.authenticate(f"Bearer {pair.access}")


# ── the bootstrap key ─────────────────────────────────────────────────────────────────
async def test_the_bootstrap_key_is_an_admin_of_the_default_tenant(
    db: Database, auth: Authenticator
) -> None:
    principal = await auth.authenticate(api_key=BOOTSTRAP)

    assert principal.tenant == "default"
    assert principal.roles == {Role.ADMIN}
    assert principal.may("anything:write")
    assert await auth.is_still_valid(principal)
    with pytest.raises(Unauthenticated):
        await auth.authenticate(api_key=BOOTSTRAP + "x")


@pytest.mark.parametrize("text", ["", " " * 40, "changeme" * 4, "x" * 31])
def test_a_weak_bootstrap_key_is_refused(db: Database, text: str) -> None:
    """R-05."""
    admin = db.run(users.ensure_admin, by=system())

    with pytest.raises(InvalidArgument):
        BootstrapKey(text, admin)


async def test_without_a_bootstrap_key_nothing_is_one(
    db: Database, tokens: Tokens, clock: FakeClock
) -> None:
    """R-05."""
    auth = Authenticator(db, tokens, clock=clock)

    for text in ("", " ", BOOTSTRAP):
        with pytest.raises(Unauthenticated):
            await auth.authenticate(api_key=text)


# ── both at once, and open connections ────────────────────────────────────────────────
async def test_both_credentials_give_what_both_allow(
    auth: Authenticator, given_key: GivenKey, pair: TokenPair
) -> None:
    """M-AUTH-04: strict mode wants a token and a key."""
    new = given_key("tasks:read")

    principal = await auth.authenticate_both(f"Bearer {pair.access}", new.text)

    assert principal.scopes == {"tasks:read"}
    assert principal.key_id == new.key.id
    assert principal.session


async def test_both_must_be_there_and_of_one_person(
    auth: Authenticator, given_key: GivenKey, pair: TokenPair, bob: User
) -> None:
    token, own, other = (
        f"Bearer {pair.access}",
        given_key().text,
        given_key(owner=bob).text,
    )

    for authorization, api_key, said in (
        (token, "", "X-API-Key"),
        ("", own, "Authorization"),
        (token, other, "different people"),
        (f"Bearer {own}", own, "an access token and"),
        (token, pair.access, "an access token and"),
    ):
        with pytest.raises(Unauthenticated, match=said):
            await auth.authenticate_both(authorization, api_key)


async def test_an_open_connection_is_valid_until_its_key_is_not(
    db: Database, auth: Authenticator, given_key: GivenKey
) -> None:
    """R-06: asked once a minute, it cuts the sockets of a revoked key."""
    new = given_key()
    principal = await auth.authenticate(api_key=new.text)
    assert await auth.is_still_valid(principal)

    run(db, keys.revoke, new.key.id)

    assert not await auth.is_still_valid(principal)


async def test_an_open_connection_ends_with_its_session(
    db: Database, auth: Authenticator, pair: TokenPair
) -> None:
    principal = await auth.authenticate(f"Bearer {pair.access}")
    assert await auth.is_still_valid(principal)

    run(db, sessions.end, principal.session)

    assert not await auth.is_still_valid(principal)


async def test_an_open_connection_ends_when_it_would_be_too_mighty(
    db: Database, auth: Authenticator, given_key: GivenKey, ann: User
) -> None:
    """A socket must not keep rights that its person has lost; more rights do no harm."""
    principal = await auth.authenticate(api_key=given_key().text)

    run(db, users.set_roles, ann.id, ["admin"])
    assert await auth.is_still_valid(principal)
    run(db, users.set_roles, ann.id, ["viewer"])
    assert not await auth.is_still_valid(principal)


async def test_an_unlinked_sender_has_nothing_to_lose(auth: Authenticator) -> None:
    stranger = Principal(
        id="slack::U07", name="slack:U07", tenant=TenantId("default"), linked=False
    )

    assert await auth.is_still_valid(stranger)
    assert not await auth.is_still_valid(system(name="nobody"))
