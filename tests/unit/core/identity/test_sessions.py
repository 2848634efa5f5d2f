"""Sessions and sign-ins: refresh tokens that work once, links that let in once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.database import Database, Tx
from core.identity.logins import service as logins
from core.identity.logins.model import tenant_of
from core.identity.logins.tables import login_links
from core.identity.sessions import service as sessions
from core.identity.sessions.model import SESSION_TTL, Standing
from core.identity.tokens import Claims, TokenPair, Tokens, TokenType
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.principal import Principal, Role, TenantId, system
from core.kernel.problems import Forbidden, MissingScope, NotFound, Unauthenticated
from tests.conftest import FakeClock

GivenUser = Callable[..., User]
Refresh = Callable[[TokenPair], TokenPair | Standing]


@pytest.fixture
def ann(given_user: GivenUser) -> User:
    return given_user("ann")


@pytest.fixture
def pair(db: Database, ann: User, tokens: Tokens) -> TokenPair:
    """The tokens of ann's first sign-in."""
    return db.run(lambda tx: logins.sign_in(tx, ann, tokens), by=system())


@pytest.fixture
def refresh(db: Database, tokens: Tokens, clock: FakeClock) -> Refresh:
    """Refresh as the gateway does."""

    def run(pair: TokenPair) -> TokenPair | Standing:
        claims = claims_of(pair, tokens, clock)
        return db.run(lambda tx: logins.refresh(tx, claims, tokens), by=system())

    return run


def claims_of(pair: TokenPair, tokens: Tokens, clock: FakeClock) -> Claims:
    return tokens.verify(pair.refresh, TokenType.REFRESH, now=clock.now())


def test_a_refresh_gives_a_new_pair(pair: TokenPair, refresh: Refresh) -> None:
    """M-AUTH-01."""
    second = refresh(pair)
    assert isinstance(second, TokenPair)

    third = refresh(second)

    assert isinstance(third, TokenPair)
    assert len({pair.refresh, second.refresh, third.refresh}) == 3


def test_an_old_refresh_token_kills_the_family(
    pair: TokenPair, refresh: Refresh, events_of: Callable[[], list[str]]
) -> None:
    """R-61: whoever holds the newest token is shut out as well."""
    second = refresh(pair)
    assert isinstance(second, TokenPair)

    assert refresh(pair) is Standing.REUSED

    assert refresh(second) is Standing.ENDED
    assert events_of() == ["user_created", "session_began", "session_reused"]


def test_one_family_dies_alone(
    db: Database, ann: User, pair: TokenPair, refresh: Refresh, tokens: Tokens
) -> None:
    other = db.run(lambda tx: logins.sign_in(tx, ann, tokens), by=system())

    refresh(pair)
    refresh(pair)

    assert isinstance(refresh(other), TokenPair)


def test_a_session_ends_thirty_days_after_its_last_refresh(
    db: Database, ann: User, clock: FakeClock
) -> None:
    session, jti = db.run(lambda tx: sessions.begin(tx, ann.id), by=system())
    clock.advance(SESSION_TTL - timedelta(days=1))
    _, second = db.run(lambda tx: sessions.refresh(tx, session.id, jti), by=system())
    clock.advance(SESSION_TTL)

    late = db.run(lambda tx: sessions.refresh(tx, session.id, second), by=system())

    assert late == (Standing.EXPIRED, "")
    assert db.look(lambda tx: sessions.find_open(tx, session.id), by=system()) is None


def test_signing_out_ends_the_session(
    db: Database, pair: TokenPair, refresh: Refresh, tokens: Tokens, clock: FakeClock
) -> None:
    session = claims_of(pair, tokens, clock).session

    assert db.run(lambda tx: sessions.end(tx, session), by=system())

    assert not db.run(lambda tx: sessions.end(tx, session), by=system())
    assert refresh(pair) is Standing.ENDED


def test_a_disabled_user_refreshes_nothing(
    db: Database, ann: User, pair: TokenPair, refresh: Refresh
) -> None:
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    assert refresh(pair) is Standing.ENDED


def test_a_session_of_another_tenant_does_not_exist(
    db: Database, pair: TokenPair, tokens: Tokens, clock: FakeClock
) -> None:
    """R-59."""
    session = claims_of(pair, tokens, clock).session
    acme = system(TenantId("acme"))

    assert db.look(lambda tx: sessions.find_open(tx, session), by=acme) is None
    assert not db.run(lambda tx: sessions.end(tx, session), by=acme)


def test_a_disabled_user_does_not_sign_in(
    db: Database, ann: User, tokens: Tokens
) -> None:
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    with pytest.raises(Unauthenticated):
        db.run(lambda tx: logins.sign_in(tx, ann, tokens), by=system())


def a_link(db: Database, user: User) -> str:
    return db.run(lambda tx: logins.create_link(tx, user.id), by=system()).token


def test_a_link_lets_its_person_in_once(
    db: Database, ann: User, tokens: Tokens, clock: FakeClock
) -> None:
    token = a_link(db, ann)

    pair = db.run(lambda tx: logins.use_link(tx, token, tokens), by=system())

    assert claims_of(pair, tokens, clock).user_id == ann.id
    with pytest.raises(Unauthenticated):
        db.run(lambda tx: logins.use_link(tx, token, tokens), by=system())


def test_a_link_ends_after_fifteen_minutes(
    db: Database, ann: User, tokens: Tokens, clock: FakeClock
) -> None:
    token = a_link(db, ann)
    clock.advance(timedelta(minutes=15))

    with pytest.raises(Unauthenticated):
        db.run(lambda tx: logins.use_link(tx, token, tokens), by=system())


def test_a_link_works_in_its_tenant_only(
    db: Database, ann: User, tokens: Tokens
) -> None:
    token = a_link(db, ann)
    acme = system(TenantId("acme"))

    assert tenant_of(token) == "default"
    with pytest.raises(Unauthenticated):
        db.run(lambda tx: logins.use_link(tx, token, tokens), by=acme)


def test_links_are_stored_hashed_and_let_go(
    db: Database, ann: User, clock: FakeClock
) -> None:
    def dump(tx: Tx) -> str:
        statement = login_links.select().where(login_links.c.tenant_id == tx.tenant)
        return str([tuple(row) for row in tx.execute(statement)])

    token = a_link(db, ann)
    first = db.look(dump, by=system())
    clock.advance(timedelta(hours=1))
    a_link(db, ann)

    assert token.partition(".")[2] not in first
    assert first[2:60] not in db.look(dump, by=system())


@pytest.mark.parametrize("token", ["", ".", "nodot", "A B.x", "../x.y", "ä.x"])
def test_what_is_no_link_lets_nobody_in(token: str) -> None:
    with pytest.raises(Unauthenticated):
        tenant_of(token if token != "nodot" else "NoDot")


def test_nobody_makes_a_link_for_somebody_mightier(
    db: Database,
    given_user: GivenUser,
    ann: User,
    signed_in: Callable[[User], Principal],
) -> None:
    root = given_user("root", roles=(Role.ADMIN,))

    with pytest.raises(MissingScope):
        db.run(lambda tx: logins.create_link(tx, root.id), by=signed_in(ann))


def test_no_link_for_the_disabled_or_the_absent(db: Database, ann: User) -> None:
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    with pytest.raises(Forbidden):
        a_link(db, ann)
    with pytest.raises(NotFound):
        db.run(lambda tx: logins.create_link(tx, "U-9"), by=system())
