"""Endpoints as they are made, found, rotated and deleted."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.database import Database
from core.hooks import service as hooks
from core.hooks.model import (
    ECHO,
    HookAuth,
    NewEndpoint,
    PayloadMap,
    key_of,
    new_secret,
    parse_address,
    path_of,
)
from core.hooks.proofs import signing_key
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, Role, TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Forbidden,
    IllegalMove,
    InvalidArgument,
    InvalidQuery,
    NotFound,
    Unavailable,
)
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from tests.conftest import FakeClock

ACME = TenantId("acme")
MAP = PayloadMap(
    command="task create",
    arguments={"title": "a.b"},
    fixed={"lane": "A", "dod": ["x"]},
    templates={"body": "{c}"},
    filter="d",
    each="e",
)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(FileKeystore(tmp_path / "keystore.json"))


def a_user(
    db: Database, name: str, role: Role = Role.OPERATOR, tenant: TenantId | None = None
) -> Principal:
    by = system(tenant) if tenant else system()
    db.run(users.ensure_admin, by=by)  # Whoever else is an admin may stop being one.
    user = db.run(lambda tx: users.create(tx, name, roles=[role]), by=by)
    return to_principal(user, Assurance.SECRET)


@pytest.fixture
def ann(db: Database) -> Principal:
    return a_user(db, "ann")


def make(
    db: Database,
    by: Principal,
    vault: Vault,
    *,
    name: str = "alerts",
    auth: HookAuth = HookAuth.STANDARD,
    payload_map: PayloadMap = MAP,
) -> NewEndpoint:
    return db.run(
        lambda tx: hooks.create(tx, name, [payload_map], auth=auth, vault=vault), by=by
    )


def test_endpoint_is_kept_as_it_was_made(
    db: Database, ann: Principal, vault: Vault
) -> None:
    new = make(db, ann, vault)

    by_id = db.look(lambda tx: hooks.get_(tx, "W-1"), by=ann)
    by_name = db.look(lambda tx: hooks.get_(tx, "alerts"), by=ann)

    assert by_id == by_name == new.endpoint
    assert by_id.rules == (MAP,)
    assert (by_id.creator_id, by_id.creator_scopes) == (ann.id, ann.scopes)


def test_secret_is_shown_once_and_stored_sealed(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    new = make(db, ann, vault)

    keys = hooks.open_keys(new.endpoint, ann.tenant, vault=vault, now=clock.now())

    assert new.secret.startswith("whsec_")
    assert new.secret not in repr(new.endpoint)
    assert list(keys) == [key_of(new.secret)]


def test_sealed_secret_does_not_open_for_another_tenant(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    new = make(db, ann, vault)

    with pytest.raises(Unavailable):
        hooks.open_keys(new.endpoint, ACME, vault=vault, now=clock.now())


def test_keyed_endpoint_has_no_secret(
    db: Database, ann: Principal, vault: Vault
) -> None:
    new = make(db, ann, vault, auth=HookAuth.KEY)

    assert new.secret == new.endpoint.secret == ""
    with pytest.raises(IllegalMove):
        db.run(lambda tx: hooks.rotate(tx, "W-1", vault=vault), by=ann)


def test_rotation_keeps_the_old_key_for_its_overlap(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    """`R-06`."""
    old = make(db, ann, vault)
    new = db.run(
        lambda tx: hooks.rotate(tx, "W-1", vault=vault, overlap=timedelta(hours=1)),
        by=ann,
    )

    def keys_after(step: timedelta) -> list[bytes]:
        now = clock.now() + step
        return list(hooks.open_keys(new.endpoint, ann.tenant, vault=vault, now=now))

    assert keys_after(timedelta(minutes=59)) == [key_of(new.secret), key_of(old.secret)]
    assert keys_after(timedelta(hours=1)) == [key_of(new.secret)]


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
def test_impossible_overlap_is_refused(
    db: Database, ann: Principal, vault: Vault, overlap: timedelta
) -> None:
    make(db, ann, vault)

    with pytest.raises(InvalidArgument):
        db.run(lambda tx: hooks.rotate(tx, "W-1", vault=vault, overlap=overlap), by=ann)


@pytest.mark.parametrize(
    "name", ["", "A", "w-1", "a.b", "a b", "-a", "é", "x" * 41, "a\n"]
)
def test_name_that_cannot_stand_in_an_address_is_refused(
    db: Database, ann: Principal, vault: Vault, name: str
) -> None:
    with pytest.raises(InvalidArgument):
        make(db, ann, vault, name=name)


def test_name_is_unique_within_its_tenant(
    db: Database, ann: Principal, vault: Vault
) -> None:
    eve = a_user(db, "eve", tenant=ACME)
    make(db, ann, vault)

    assert make(db, eve, vault).endpoint.id == "W-1"
    with pytest.raises(AlreadyExists):
        make(db, ann, vault)


def test_only_users_make_endpoints(db: Database, vault: Vault) -> None:
    with pytest.raises(NotFound):
        make(db, system(), vault)


def test_owner_has_what_is_left_of_the_makers_rights(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """Later rights do not reach back, and lost ones are lost."""
    new = make(db, ann, vault)

    def owner_as(role: Role) -> Principal:
        db.run(lambda tx: users.set_roles(tx, ann.id, [role]), by=system())
        return db.look(lambda tx: hooks.owner_of(tx, new.endpoint), by=system())

    assert not owner_as(Role.ADMIN).may("keys:write")
    assert owner_as(Role.ADMIN).may("tasks:write")
    assert not owner_as(Role.VIEWER).may("tasks:write")


def test_disabled_maker_owns_nothing(
    db: Database, ann: Principal, vault: Vault
) -> None:
    new = make(db, ann, vault)
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    with pytest.raises(Forbidden):
        db.look(lambda tx: hooks.owner_of(tx, new.endpoint), by=system())


def test_deleted_endpoint_is_gone_and_its_name_free(
    db: Database, ann: Principal, vault: Vault
) -> None:
    make(db, ann, vault)
    db.run(lambda tx: hooks.delete(tx, "alerts"), by=ann)

    with pytest.raises(NotFound):
        db.look(lambda tx: hooks.get_(tx, "W-1"), by=ann)
    assert make(db, ann, vault).endpoint.id == "W-2"


def test_list_goes_page_by_page(db: Database, ann: Principal, vault: Vault) -> None:
    for number in range(3):
        make(db, ann, vault, name=f"hook{number}")

    first = db.look(lambda tx: hooks.list_(tx, limit=2), by=ann)
    rest = db.look(lambda tx: hooks.list_(tx, limit=2, cursor=first.next or ""), by=ann)

    assert [each.id for each in (*first.items, *rest.items)] == ["W-1", "W-2", "W-3"]
    assert rest.next is None
    with pytest.raises(InvalidQuery):
        db.look(lambda tx: hooks.list_(tx, cursor="?"), by=ann)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_ ", "whsec_AAAA", "changeme", "é"]
)
def test_secret_that_is_as_good_as_none_lets_nobody_in(secret: str) -> None:
    """`R-05`."""
    with pytest.raises(Unavailable):
        key_of(secret)


def test_new_secrets_differ_and_are_long_enough() -> None:
    secrets = {new_secret() for _ in range(50)}

    assert len(secrets) == 50
    assert all(len(key_of(each)) == 32 for each in secrets)


@pytest.mark.parametrize("tenant", ["default", "acme"])
def test_path_leads_back_to_the_endpoint(tenant: str) -> None:
    path = path_of(TenantId(tenant), "alerts")

    assert parse_address(path.rpartition("/")[2]) == (tenant, "alerts")


# ── secrets that the sender chose, and the endpoint that everybody has ────────
CHOSEN, NEXT = "a-secret-of-the-sender", "the-next-secret-of-it"


def test_chosen_secret_signs_and_is_not_told_again(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    new = db.run(
        lambda tx: hooks.create(
            tx, "shop", [], auth=HookAuth.GITHUB, vault=vault, secret=CHOSEN
        ),
        by=ann,
    )

    keys = hooks.open_keys(new.endpoint, ann.tenant, vault=vault, now=clock.now())

    assert new.secret == ""
    assert list(keys) == [CHOSEN.encode()]
    assert CHOSEN not in repr(new.endpoint)


@pytest.mark.parametrize("auth", [each for each in HookAuth if each != HookAuth.KEY])
def test_each_kind_of_signature_rotates(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock, auth: HookAuth
) -> None:
    """`R-06`."""
    old = make(db, ann, vault, auth=auth)
    new = db.run(lambda tx: hooks.rotate(tx, "alerts", vault=vault), by=ann)

    keys = hooks.open_keys(new.endpoint, ann.tenant, vault=vault, now=clock.now())

    assert [signing_key(auth, each.secret) for each in (new, old)] == list(keys)


def test_rotating_to_a_chosen_secret_tells_none(
    db: Database, ann: Principal, vault: Vault, clock: FakeClock
) -> None:
    make(db, ann, vault, auth=HookAuth.STRIPE)

    new = db.run(
        lambda tx: hooks.rotate(
            tx, "alerts", vault=vault, overlap=timedelta(), secret=NEXT
        ),
        by=ann,
    )

    keys = hooks.open_keys(new.endpoint, ann.tenant, vault=vault, now=clock.now())
    assert (new.secret, list(keys)) == ("", [NEXT.encode()])


def test_everybody_has_an_echo_that_nobody_made(db: Database, ann: Principal) -> None:
    found = db.look(lambda tx: hooks.get_(tx, ECHO), by=ann)
    owner = db.look(lambda tx: hooks.owner_of(tx, found), by=ann)

    assert (found.auth, found.rules, found.is_built_in) == (HookAuth.KEY, (), True)
    assert (owner.linked, owner.scopes) == (False, frozenset())
    assert db.look(hooks.list_, by=ann).items == []


def test_echo_can_be_neither_made_nor_removed(
    db: Database, ann: Principal, vault: Vault
) -> None:
    with pytest.raises(AlreadyExists, match="there for everybody"):
        make(db, ann, vault, name=ECHO)
    with pytest.raises(IllegalMove):
        db.run(lambda tx: hooks.delete(tx, ECHO), by=ann)
    with pytest.raises(IllegalMove):
        db.run(lambda tx: hooks.rotate(tx, ECHO, vault=vault), by=ann)
    with pytest.raises(IllegalMove):
        db.run(lambda tx: hooks.set_rules(tx, ECHO, [MAP]), by=ann)


def test_rules_are_counted(db: Database, ann: Principal, vault: Vault) -> None:
    with pytest.raises(InvalidArgument, match="more than a webhook takes"):
        db.run(
            lambda tx: hooks.create(
                tx, "many", [MAP] * 11, auth=HookAuth.KEY, vault=vault
            ),
            by=ann,
        )
