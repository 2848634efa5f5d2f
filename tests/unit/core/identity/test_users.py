"""Users: one spelling per person, and no right out of nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import Database
from core.identity.sessions import service as sessions
from core.identity.users import service as users
from core.identity.users.model import User, fold_name, parse_name
from core.identity.users.passwords import (
    NO_PASSWORD,
    hash_password,
    is_password,
)
from core.kernel.principal import Principal, Role, TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    InvalidArgument,
    InvalidQuery,
    MissingScope,
    NotFound,
)

GivenUser = Callable[..., User]
SignedIn = Callable[[User], Principal]


def test_a_user_is_read_back_as_created(db: Database) -> None:
    made = db.run(
        lambda tx: users.create(
            tx,
            "ann",
            roles=["operator"],
            email="ann@example.org",
            timezone="Asia/Tokyo",
        ),
        by=system(),
    )

    assert made == db.look(lambda tx: users.get_(tx, "U-1"), by=system())
    assert made.roles == {Role.OPERATOR}
    assert made.created_at == datetime(2026, 11, 4, 9, tzinfo=UTC)
    assert (made.is_active, made.has_password) == (True, False)


@pytest.mark.parametrize("twin", ["ann", "ANN", " ann ", "ａｎｎ", "Ａnn", "ａＮＮ"])
def test_twins_of_a_name_are_refused(
    db: Database, given_user: GivenUser, twin: str
) -> None:
    """R-60: case and compatibility twins are one name."""
    given_user("ann")

    with pytest.raises(AlreadyExists):
        db.run(lambda tx: users.create(tx, twin), by=system())


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u0430nn",
        "a\u03bdn",
        "an\u200bn",
        "ann\u202e",
        "a" * 41,
        "-ann",
        "a b",
        "ann\0",
        "me",
        "system",
        "u-1",
        "T-12",
        "ann@x",
        "slack:u1",
        "stra\u00dfe\u200b",
        "naïve",
    ],
)
def test_what_could_be_mistaken_is_no_name(name: str) -> None:
    """R-60: look-alike letters, invisible ones and words with a meaning are refused."""
    with pytest.raises(InvalidArgument):
        parse_name(name)


@settings(deadline=None)
@given(st.text(max_size=50))
def test_folding_a_name_twice_changes_nothing(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)


def test_two_tenants_may_each_have_an_ann(db: Database, given_user: GivenUser) -> None:
    """R-60: the same name in two tenants is two people."""
    ann = given_user("ann")
    acme = system(TenantId("acme"))

    other = db.run(lambda tx: users.create(tx, "ann", roles=["viewer"]), by=acme)

    assert other.tenant != ann.tenant
    assert db.look(lambda tx: users.get_(tx, other.id), by=acme).roles == {Role.VIEWER}


def test_a_user_of_another_tenant_does_not_exist(
    db: Database, given_user: GivenUser
) -> None:
    """R-59."""
    ann = given_user("ann")
    acme = system(TenantId("acme"))

    with pytest.raises(NotFound):
        db.run(lambda tx: users.disable(tx, ann.id), by=acme)
    assert db.look(lambda tx: users.find_by_name(tx, "ann"), by=acme) is None


def test_a_name_is_found_in_any_spelling(db: Database, given_user: GivenUser) -> None:
    ann = given_user("ann")

    assert db.look(lambda tx: users.find_by_name(tx, "ＡNN"), by=system()) == ann


@pytest.mark.parametrize(
    "values",
    [
        {"email": "nobody"},
        {"email": "a@b c"},
        {"roles": []},
        {"roles": ["root"]},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
    ],
)
def test_values_that_do_not_fit_are_refused(
    db: Database, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: users.create(tx, "ann", **values), by=system())


def test_nobody_creates_a_user_mightier_than_themselves(
    db: Database, given_user: GivenUser, signed_in: SignedIn
) -> None:
    ann = signed_in(given_user("ann"))

    with pytest.raises(MissingScope):
        db.run(lambda tx: users.create(tx, "eve", roles=["admin"]), by=ann)


@pytest.mark.parametrize("verb", ["set_roles", "set_password", "disable", "enable"])
def test_nobody_changes_a_mightier_user(
    db: Database, given_user: GivenUser, signed_in: SignedIn, verb: str
) -> None:
    root = given_user("root", roles=(Role.ADMIN,))
    ann = signed_in(given_user("ann"))
    changes = {
        "set_roles": lambda tx: users.set_roles(tx, root.id, ["viewer"]),
        "set_password": lambda tx: users.set_password(tx, root.id, NO_PASSWORD),
        "disable": lambda tx: users.disable(tx, root.id),
        "enable": lambda tx: users.enable(tx, root.id),
    }

    with pytest.raises(MissingScope):
        db.run(changes[verb], by=ann)


def test_roles_and_zone_can_be_changed(
    db: Database, given_user: GivenUser, events_of: Callable[[], list[str]]
) -> None:
    ann = given_user("ann")

    db.run(lambda tx: users.set_roles(tx, ann.id, ["viewer"]), by=system())
    changed = db.run(
        lambda tx: users.set_timezone(tx, ann.id, "Europe/Berlin"), by=system()
    )

    assert changed.roles == {Role.VIEWER}
    assert changed.timezone == "Europe/Berlin"
    assert events_of() == ["user_created", "user_roles_changed"]


@pytest.mark.parametrize("verb", ["disable", "set_password"])
def test_shutting_out_ends_all_sessions(
    db: Database, given_user: GivenUser, verb: str
) -> None:
    """R-06: a changed password or a disabled user leaves no session alive."""
    ann = given_user("ann")
    session, _ = db.run(lambda tx: sessions.begin(tx, ann.id), by=system())
    verbs = {
        "disable": lambda tx: users.disable(tx, ann.id),
        "set_password": lambda tx: users.set_password(tx, ann.id, NO_PASSWORD),
    }

    db.run(verbs[verb], by=system())

    assert db.look(lambda tx: sessions.find_open(tx, session.id), by=system()) is None


def test_a_disabled_user_can_be_let_in_again(
    db: Database, given_user: GivenUser, events_of: Callable[[], list[str]]
) -> None:
    ann = given_user("ann")

    for verb in (users.disable, users.disable, users.enable, users.enable):
        db.run(partial(verb, user_id=ann.id), by=system())

    assert db.look(lambda tx: users.get_(tx, ann.id), by=system()).is_active
    assert events_of() == ["user_created", "user_disabled", "user_enabled"]


def test_the_admin_is_made_once(db: Database) -> None:
    first = db.run(users.ensure_admin, by=system())
    second = db.run(users.ensure_admin, by=system())

    assert first == second
    assert first.roles == {Role.ADMIN}


def test_pages_hold_every_user_once(db: Database, given_user: GivenUser) -> None:
    names = [f"user{number}" for number in range(12)]
    for name in names:
        given_user(name)

    pages = [db.look(partial(users.list_, limit=5), by=system())]
    while cursor := pages[-1].next:
        pages.append(db.look(partial(users.list_, cursor=cursor, limit=5), by=system()))

    assert [user.name for page in pages for user in page.items] == names


def test_a_page_of_nothing_is_refused(db: Database) -> None:
    with pytest.raises(InvalidQuery):
        db.look(lambda tx: users.list_(tx, limit=0), by=system())


def test_a_password_fits_only_itself(db: Database, given_user: GivenUser) -> None:
    ann = given_user("ann")
    stored = hash_password("correct horse")
    db.run(lambda tx: users.set_password(tx, ann.id, stored), by=system())

    user, found = db.look(lambda tx: users.find_password(tx, "Ann"), by=system())

    assert user is not None
    assert user.has_password
    assert found.startswith("$argon2id$")
    assert is_password("correct horse", found)
    assert not is_password("correct hors", found)
    assert not is_password("", found)


def test_nothing_fits_where_no_password_is(db: Database, given_user: GivenUser) -> None:
    """R-63: an unknown user and one without a password look alike."""
    given_user("ann")

    assert db.look(lambda tx: users.find_password(tx, "eve"), by=system())[1] == ""
    assert db.look(lambda tx: users.find_password(tx, "ann"), by=system())[1] == ""
    assert not is_password("", NO_PASSWORD)
    assert not is_password("anything", NO_PASSWORD)


def test_a_disabled_user_has_no_password(db: Database, given_user: GivenUser) -> None:
    ann = given_user("ann")
    stored = hash_password("correct horse")
    db.run(lambda tx: users.set_password(tx, ann.id, stored), by=system())
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    found = db.look(lambda tx: users.find_password(tx, "ann"), by=system())

    assert found == (None, NO_PASSWORD)


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_bad_passwords_are_not_hashed(password: str) -> None:
    with pytest.raises(InvalidArgument):
        hash_password(password)


def test_a_password_typed_on_another_keyboard_fits() -> None:
    """Composed and decomposed letters are the same password."""
    assert is_password("p\u00e4ssword12", hash_password("pa\u0308ssword12"))
