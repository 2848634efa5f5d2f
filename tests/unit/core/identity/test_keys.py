"""API keys: their text, their rights, their life (R-62)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import Database, Tx
from core.identity.keys import service as keys
from core.identity.keys.model import (
    Key,
    KeyFacts,
    KeyState,
    NewKey,
    hash_key,
    is_key_text,
    new_key_text,
)
from core.identity.keys.tables import api_keys
from core.identity.users import service as users
from core.identity.users.model import User
from core.kernel.principal import Principal, Role, TenantId, system
from core.kernel.problems import IllegalMove, InvalidArgument, MissingScope, NotFound
from tests.conftest import FakeClock

GivenUser = Callable[..., User]
SignedIn = Callable[[User], Principal]
MakeKey = Callable[..., NewKey]
ACME = system(TenantId("acme"))


@pytest.fixture
def ann(given_user: GivenUser) -> User:
    return given_user("ann")


@pytest.fixture
def make_key(db: Database, ann: User) -> MakeKey:
    """Create a key of ann's."""

    def make(*scopes: str, ttl: timedelta | None = None) -> NewKey:
        return db.run(
            lambda tx: keys.create(tx, "ci", user_id=ann.id, scopes=scopes, ttl=ttl),
            by=system(),
        )

    return make


def facts_of(db: Database, text: str) -> KeyFacts:
    facts = db.look(lambda tx: keys.find_by_hash(tx, hash_key(text)), by=system())
    assert facts is not None
    return facts


def state_of(db: Database, text: str, clock: FakeClock) -> KeyState:
    return facts_of(db, text).state(clock.now())


def test_a_key_is_prefix_secret_and_checksum() -> None:
    text = new_key_text()

    assert text.startswith("ops_live_")
    assert len(text) == len("ops_live_") + 43 + 6
    assert is_key_text(text)
    assert new_key_text() != text


def test_the_checksum_is_the_crc_in_base62() -> None:
    """Scanners of leaked secrets compute it as documented."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    text = new_key_text()

    number = 0
    for character in text[-6:]:
        number = number * 62 + digits.index(character)

    assert number == crc32(text[:-6].encode())


@settings(deadline=None)
@given(st.data())
def test_one_wrong_character_is_noticed(data: st.DataObject) -> None:
    """R-62: a typo is refused without asking the database."""
    text = new_key_text()
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.characters().filter(lambda one: one != text[place]))

    assert not is_key_text(text[:place] + wrong + text[place + 1 :])


@settings(deadline=None)
@given(st.text(max_size=80))
def test_anything_else_is_no_key(text: str) -> None:
    assert not is_key_text(text)
    assert not is_key_text("ops_live_" + text)


def test_the_database_holds_no_key(db: Database, make_key: MakeKey) -> None:
    """R-62: a dump of the table has the prefix and a hash, never the text."""
    new = make_key()

    def dump(tx: Tx) -> str:
        statement = api_keys.select().where(api_keys.c.tenant_id == tx.tenant)
        return str([tuple(row) for row in tx.execute(statement)])

    stored = db.look(dump, by=system())

    assert new.text not in stored
    assert new.text[12:] not in stored
    assert new.key.prefix == new.text[:12]
    assert hash_key(new.text) in stored


def test_a_key_is_found_by_its_hash_in_any_tenant(db: Database) -> None:
    user = db.run(lambda tx: users.create(tx, "bob", roles=["viewer"]), by=ACME)
    new = db.run(lambda tx: keys.create(tx, "ci", user_id=user.id), by=ACME)

    facts = facts_of(db, new.text)

    assert facts.owner == user
    assert facts.owner.tenant == "acme"
    assert facts.key == new.key


def test_an_unknown_hash_finds_nothing(db: Database, make_key: MakeKey) -> None:
    make_key()

    found = db.look(
        lambda tx: keys.find_by_hash(tx, hash_key(new_key_text())), by=system()
    )

    assert found is None


def test_without_scopes_a_key_follows_its_owner(
    db: Database, make_key: MakeKey, ann: User
) -> None:
    new = make_key()

    db.run(lambda tx: users.set_roles(tx, ann.id, ["viewer"]), by=system())

    assert facts_of(db, new.text).scopes == {"*:read"}


def test_a_key_never_exceeds_what_its_owner_may_now(
    db: Database, make_key: MakeKey, ann: User
) -> None:
    """Scopes are those of the key and of the owner's present roles."""
    new = make_key("tasks:write", "tasks:read")
    assert facts_of(db, new.text).scopes == {"tasks:write", "tasks:read"}

    db.run(lambda tx: users.set_roles(tx, ann.id, ["viewer"]), by=system())

    assert facts_of(db, new.text).scopes == {"tasks:read"}


@pytest.mark.parametrize("scope", ["keys:write", "tasks:*", "*"])
def test_a_key_asks_no_more_than_its_owner_has(make_key: MakeKey, scope: str) -> None:
    with pytest.raises(MissingScope):
        make_key(scope)


@pytest.mark.parametrize("scopes", [(), ("tasks:write",)])
def test_a_narrow_key_makes_no_wider_one(
    db: Database, ann: User, signed_in: SignedIn, scopes: tuple[str, ...]
) -> None:
    """Whoever holds a read-only key of ann's cannot mint ann's full rights."""
    person = signed_in(ann)
    narrow = Principal(
        id=person.id,
        name=person.name,
        tenant=person.tenant,
        scopes=frozenset({"*:read"}),
        key_id="K-1",
    )

    with pytest.raises(MissingScope):
        db.run(lambda tx: keys.create(tx, "wide", scopes=scopes), by=narrow)


def test_a_person_makes_keys_of_their_own(
    db: Database, ann: User, signed_in: SignedIn
) -> None:
    new = db.run(
        lambda tx: keys.create(tx, "mine", scopes=["tasks:read"]), by=signed_in(ann)
    )

    assert new.key.user_id == ann.id


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 81},
        {"scopes": ["everything"]},
        {"ttl": timedelta()},
        {"ttl": timedelta(days=-1)},
        {"ttl": timedelta(days=9999)},
    ],
)
def test_values_that_do_not_fit_are_refused(
    db: Database, ann: User, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(
            lambda tx: keys.create(tx, **{"name": "ci", "user_id": ann.id, **values}),
            by=system(),
        )


def test_a_key_expires(db: Database, make_key: MakeKey, clock: FakeClock) -> None:
    new = make_key(ttl=timedelta(days=1))
    assert state_of(db, new.text, clock) is KeyState.ACTIVE

    clock.advance(timedelta(days=1))

    assert state_of(db, new.text, clock) is KeyState.EXPIRED


def test_a_revoked_key_stays_revoked(
    db: Database,
    make_key: MakeKey,
    clock: FakeClock,
    events_of: Callable[[], list[str]],
) -> None:
    new = make_key()
    first = db.run(lambda tx: keys.revoke(tx, new.key.id), by=system())
    clock.advance(timedelta(days=1))

    again = db.run(lambda tx: keys.revoke(tx, new.key.id), by=system())

    assert again == first
    assert state_of(db, new.text, clock) is KeyState.REVOKED
    assert events_of() == ["user_created", "key_created", "key_revoked"]


def test_a_disabled_owner_shuts_the_key(
    db: Database, make_key: MakeKey, ann: User, clock: FakeClock
) -> None:
    new = make_key()

    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    assert state_of(db, new.text, clock) is KeyState.OWNER_DISABLED


def test_a_rotated_key_works_until_the_overlap_ends(
    db: Database, make_key: MakeKey, clock: FakeClock
) -> None:
    """R-06: the overlap window works, and ends."""
    old = make_key("tasks:read")
    overlap = timedelta(hours=1)

    new = db.run(lambda tx: keys.rotate(tx, old.key.id, overlap=overlap), by=system())

    assert new.text != old.text
    assert (new.key.name, new.key.scopes) == (old.key.name, old.key.scopes)
    assert state_of(db, old.text, clock) is KeyState.ACTIVE
    clock.advance(overlap)
    assert state_of(db, old.text, clock) is KeyState.EXPIRED
    assert state_of(db, new.text, clock) is KeyState.ACTIVE


def test_rotation_renews_the_span_but_not_the_old_key(
    db: Database, make_key: MakeKey, clock: FakeClock
) -> None:
    old = make_key(ttl=timedelta(days=10))
    clock.advance(timedelta(days=9, hours=23))

    new = db.run(lambda tx: keys.rotate(tx, old.key.id), by=system())

    assert new.key.expires_at == clock.now() + timedelta(days=10)
    assert facts_of(db, old.text).key.expires_at == old.key.expires_at


def test_a_dead_key_is_not_rotated(db: Database, make_key: MakeKey) -> None:
    new = make_key()
    db.run(lambda tx: keys.revoke(tx, new.key.id), by=system())

    with pytest.raises(IllegalMove):
        db.run(lambda tx: keys.rotate(tx, new.key.id), by=system())


def test_a_narrow_key_rotates_no_wider_one(
    db: Database, make_key: MakeKey, ann: User
) -> None:
    new = make_key()
    narrow = Principal(
        id=ann.id, name="ann", tenant=ann.tenant, scopes=frozenset({"keys:write"})
    )

    with pytest.raises(MissingScope):
        db.run(lambda tx: keys.rotate(tx, new.key.id), by=narrow)


def test_keys_of_another_tenant_do_not_exist(db: Database, make_key: MakeKey) -> None:
    """R-59: get, revoke, rotate and list give nothing away."""
    new = make_key()

    verbs: list[Callable[..., object]] = [keys.get_, keys.revoke, keys.rotate]
    for verb in verbs:
        with pytest.raises(NotFound):
            db.run(partial(verb, key_id=new.key.id), by=ACME)
    assert db.look(keys.list_, by=ACME).items == []
    assert db.look(lambda tx: keys.find_facts(tx, new.key.id), by=ACME) is None


def test_lists_hold_all_keys_or_one_persons(
    db: Database, make_key: MakeKey, ann: User, given_user: GivenUser
) -> None:
    bob = given_user("bob", roles=(Role.VIEWER,))
    for _ in range(3):
        make_key()
    db.run(lambda tx: keys.create(tx, "bobs", user_id=bob.id), by=system())

    def list_of(user_id: str) -> list[Key]:
        page = db.look(lambda tx: keys.list_(tx, user_id=user_id), by=system())
        return list(page.items)

    assert [key.id for key in list_of("")] == ["K-1", "K-2", "K-3", "K-4"]
    assert [key.id for key in list_of(bob.id)] == ["K-4"]
    page = db.look(lambda tx: keys.list_(tx, limit=2), by=system())
    rest = db.look(lambda tx: keys.list_(tx, cursor=page.next or ""), by=system())
    assert [key.id for key in rest.items] == ["K-3", "K-4"]


def test_use_is_noted(db: Database, make_key: MakeKey, clock: FakeClock) -> None:
    new = make_key()
    assert new.key.last_used_at is None

    db.run(lambda tx: keys.touch(tx, new.key.id), by=system())

    noted = db.look(lambda tx: keys.get_(tx, new.key.id), by=system())
    assert noted.last_used_at == clock.now()
