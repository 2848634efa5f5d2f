"""Signing in and out, as the HTTP routes do it."""

import pytest
from sqlalchemy import func, select

from core.database import Database, Tx
from core.database.head import heads
from core.identity.logins import service as logins
from core.identity.tokens import Tokens, TokenType
from core.identity.users import service as users
from core.identity.users.model import User
from core.identity.users.passwords import hash_password
from core.kernel.principal import TenantId, system
from core.kernel.problems import Unauthenticated
from core.secrets.model import Purpose
from gateway.adapters.keystore import FileKeystore
from gateway.auth import signing_keys
from gateway.signin import SignIn
from tests.conftest import FakeClock

PASSWORD = "correct horse"


@pytest.fixture
def keystore(tmp_path_factory: pytest.TempPathFactory) -> FileKeystore:
    return FileKeystore(tmp_path_factory.mktemp("keys") / "keystore.json")


@pytest.fixture
def tokens(keystore: FileKeystore) -> Tokens:
    return Tokens(signing_keys(keystore))


@pytest.fixture
def sign_in(db: Database, tokens: Tokens, clock: FakeClock) -> SignIn:
    return SignIn(db, tokens, clock=clock)


@pytest.fixture
def ann(db: Database) -> User:
    stored = hash_password(PASSWORD)
    return db.run(lambda tx: users.create(tx, "ann", password=stored), by=system())


async def test_a_name_and_its_password_sign_in(
    sign_in: SignIn, ann: User, tokens: Tokens, clock: FakeClock
) -> None:
    """M-AUTH-01."""
    pair = await sign_in.by_password("Ann", PASSWORD)

    claims = tokens.verify(pair.access, TokenType.ACCESS, now=clock.now())
    assert claims.user_id == ann.id


@pytest.mark.parametrize(
    ("name", "password", "tenant"),
    [
        ("ann", "wrong horse", "default"),
        ("ann", "", "default"),
        ("eve", PASSWORD, "default"),
        ("ann", PASSWORD, "acme"),
        ("\ud800", "\ud800", "default"),
        ("ann", PASSWORD + "x" * 100_000, "default"),
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same(
    db: Database, sign_in: SignIn, ann: User, name: str, password: str, tenant: str
) -> None:
    """R-63: and nothing is written for somebody who proved nothing."""
    count = select(func.count()).select_from(heads)

    def heads_of(tx: Tx) -> object:
        return tx.execute(count).scalar_one()

    before = db.look(heads_of, by=system())

    with pytest.raises(Unauthenticated) as refusal:
        await sign_in.by_password(name, password, tenant=TenantId(tenant))

    assert refusal.value.detail == "the name or the password is wrong"
    assert db.look(heads_of, by=system()) == before


async def test_a_link_signs_in_once(db: Database, sign_in: SignIn, ann: User) -> None:
    link = db.run(lambda tx: logins.create_link(tx, ann.id), by=system())

    await sign_in.by_link(link.token)

    for token in (link.token, "default.guess", "acme.guess", "", "Ä.x"):
        with pytest.raises(Unauthenticated):
            await sign_in.by_link(token)


async def test_a_refresh_token_works_once_and_betrays_its_thief(
    sign_in: SignIn, ann: User
) -> None:
    """R-61."""
    first = await sign_in.by_password("ann", PASSWORD)
    second = await sign_in.refresh(first.refresh)

    with pytest.raises(Unauthenticated, match="used before"):
        await sign_in.refresh(first.refresh)

    with pytest.raises(Unauthenticated, match="ended"):
        await sign_in.refresh(second.refresh)


async def test_an_access_token_refreshes_nothing(sign_in: SignIn, ann: User) -> None:
    pair = await sign_in.by_password("ann", PASSWORD)

    with pytest.raises(Unauthenticated):
        await sign_in.refresh(pair.access)


async def test_signing_out_ends_the_session(sign_in: SignIn, ann: User) -> None:
    pair = await sign_in.by_password("ann", PASSWORD)

    await sign_in.end(pair.refresh)

    with pytest.raises(Unauthenticated):
        await sign_in.refresh(pair.refresh)


async def test_a_rotated_signing_key_keeps_people_signed_in_until_retired(
    sign_in: SignIn, ann: User, keystore: FileKeystore
) -> None:
    """R-06: rotation is live without a restart, and so is the end of the old key."""
    first = await sign_in.by_password("ann", PASSWORD)
    old = keystore.ring(Purpose.SIGN).current
    keystore.rotate(Purpose.SIGN)

    second = await sign_in.refresh(first.refresh)
    keystore.retire(Purpose.SIGN, old)

    with pytest.raises(Unauthenticated, match="not valid"):
        await sign_in.refresh(first.refresh)
    await sign_in.refresh(second.refresh)
