"""Linked accounts: from both sides, by a code that works once (R-60)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.database import Database
from core.identity.links import service as links
from core.identity.links.model import (
    ATTEMPTS,
    OPEN_CODES,
    Account,
    Identity,
    LinkRefusal,
    Refused,
    new_code,
)
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import AlreadyExists, NotFound, RateLimited
from tests.conftest import FakeClock

SLACK = Account(channel="slack", account="acme", sender="U07")
GivenUser = Callable[..., User]
Confirm = Callable[[User, str], Identity | Refused]


@pytest.fixture
def ann(given_user: GivenUser) -> User:
    return given_user("ann")


@pytest.fixture
def bob(given_user: GivenUser) -> User:
    return given_user("bob")


@pytest.fixture
def confirm(db: Database, signed_in: Callable[[User], Principal]) -> Confirm:
    """Type a code as a signed-in person."""
    return lambda user, code: db.run(
        lambda tx: links.confirm(tx, code), by=signed_in(user)
    )


def ask(db: Database, account: Account = SLACK) -> str:
    return db.run(lambda tx: links.request(tx, account), by=system()).text


def find(db: Database, account: Account, tenant: str = "default") -> User | None:
    return db.look(lambda tx: links.find_user(tx, account), by=system(TenantId(tenant)))


def test_a_code_links_the_account_that_asked(
    db: Database, ann: User, confirm: Confirm, events_of: Callable[[], list[str]]
) -> None:
    code = ask(db)

    identity = confirm(ann, code)

    assert isinstance(identity, Identity)
    assert identity == db.look(lambda tx: links.find_identity(tx, SLACK), by=system())
    assert find(db, SLACK) == ann
    assert events_of()[-1] == "identity_linked"


def test_a_code_is_eight_clear_characters() -> None:
    codes = {new_code() for _ in range(200)}

    assert len(codes) == 200
    assert all(len(code) == 8 for code in codes)
    assert not set("".join(codes)) & set("0O1IL5S8BUV")


def test_a_code_may_be_typed_as_people_type(
    db: Database, ann: User, confirm: Confirm
) -> None:
    code = ask(db)

    assert isinstance(confirm(ann, f" {code[:4].lower()}-{code[4:]} "), Identity)


def test_a_code_works_once(
    db: Database, ann: User, bob: User, confirm: Confirm
) -> None:
    code = ask(db)
    confirm(ann, code)

    assert confirm(bob, code) == Refused(reason=LinkRefusal.UNKNOWN)
    assert find(db, SLACK) == ann


def test_a_code_ends_after_ten_minutes(
    db: Database, ann: User, confirm: Confirm, clock: FakeClock
) -> None:
    code = ask(db)
    clock.advance(timedelta(minutes=10))

    assert confirm(ann, code) == Refused(reason=LinkRefusal.UNKNOWN)
    assert find(db, SLACK) is None


def test_guessing_ends_after_five_wrong_codes(
    db: Database, ann: User, bob: User, confirm: Confirm, clock: FakeClock
) -> None:
    code = ask(db)
    for _ in range(ATTEMPTS):
        assert confirm(ann, "AAAAAAAA") == Refused(reason=LinkRefusal.UNKNOWN)

    shut = confirm(ann, code)

    assert isinstance(shut, Refused)
    assert shut.reason is LinkRefusal.TOO_MANY
    assert shut.retry_after == timedelta(minutes=10)
    assert isinstance(confirm(bob, code), Identity)
    clock.advance(timedelta(minutes=10))
    again = ask(db, Account(channel="slack", account="acme", sender="U08"))
    assert isinstance(confirm(ann, again), Identity)


def test_wrong_codes_of_long_ago_do_not_count(
    db: Database, ann: User, confirm: Confirm, clock: FakeClock
) -> None:
    for _ in range(3):
        for _ in range(ATTEMPTS - 1):
            confirm(ann, "AAAAAAAA")
        clock.advance(timedelta(minutes=10))

    assert isinstance(confirm(ann, ask(db)), Identity)


def test_a_sender_has_three_open_codes_at_most(db: Database, clock: FakeClock) -> None:
    for _ in range(OPEN_CODES):
        ask(db)

    with pytest.raises(RateLimited) as refusal:
        ask(db)

    assert refusal.value.retry_after == 600
    ask(db, Account(channel="slack", account="acme", sender="U08"))
    clock.advance(timedelta(minutes=10))
    ask(db)


def test_a_linked_account_gets_no_code(
    db: Database, ann: User, confirm: Confirm
) -> None:
    confirm(ann, ask(db))

    with pytest.raises(AlreadyExists):
        ask(db)


def test_the_second_of_two_codes_takes_nothing_over(
    db: Database, ann: User, bob: User, confirm: Confirm
) -> None:
    first, second = ask(db), ask(db)
    confirm(ann, first)

    assert confirm(bob, second) == Refused(reason=LinkRefusal.TAKEN)
    assert find(db, SLACK) == ann


@pytest.mark.parametrize(
    "other",
    [
        Account(channel="slack", account="bcme", sender="U07"),
        Account(channel="email", account="acme", sender="U07"),
        Account(channel="slack", account="acme", sender="u07"),
        Account(channel="slack", account="acme", sender="Ｕ07"),
    ],
)
def test_one_sender_id_in_two_places_is_two_people(
    db: Database, ann: User, confirm: Confirm, other: Account
) -> None:
    """R-60: another workspace, channel or spelling is never merged."""
    confirm(ann, ask(db))

    assert find(db, other) is None


def test_another_tenant_sees_no_link(db: Database, ann: User, confirm: Confirm) -> None:
    """R-59."""
    confirm(ann, ask(db))

    assert find(db, SLACK, tenant="acme") is None
    with pytest.raises(NotFound):
        db.run(lambda tx: links.unlink(tx, SLACK), by=system(TenantId("acme")))


def test_a_code_of_another_tenant_is_unknown(db: Database) -> None:
    code = ask(db)
    acme = system(TenantId("acme"))
    eve = db.run(lambda tx: users.create(tx, "eve", roles=["viewer"]), by=acme)
    caller = Principal(id=eve.id, name="eve", tenant=eve.tenant)

    outcome = db.run(lambda tx: links.confirm(tx, code), by=caller)

    assert outcome == Refused(reason=LinkRefusal.UNKNOWN)


def test_a_disabled_person_is_no_longer_found(
    db: Database, ann: User, confirm: Confirm
) -> None:
    confirm(ann, ask(db))

    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    assert find(db, SLACK) is None


def test_accounts_are_listed_and_unlinked(
    db: Database, ann: User, confirm: Confirm, clock: FakeClock
) -> None:
    mail = Account(channel="email", account="", sender="ann@example.org")
    confirm(ann, ask(db))
    clock.advance(timedelta(seconds=1))
    confirm(ann, ask(db, mail))

    listed = db.look(lambda tx: links.list_(tx, ann.id), by=system())
    gone = db.run(lambda tx: links.unlink(tx, SLACK), by=system())

    assert [identity.account for identity in listed] == [SLACK, mail]
    assert gone.account == SLACK
    assert find(db, SLACK) is None
    assert find(db, mail) == ann
    with pytest.raises(NotFound):
        db.run(lambda tx: links.unlink(tx, SLACK), by=system())
