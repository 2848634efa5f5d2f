"""Triggers as they are made, found, switched and deleted."""

import pytest

from core.database import Database
from core.events import service as events
from core.events.model import EventFilter
from core.hooks.model import PayloadMap
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import (
    MOST_TRIGGERS,
    Trigger,
    TriggerState,
    When,
    parse_when,
)
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import Assurance, Principal, Role, TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidArgument,
    InvalidQuery,
    MissingScope,
    NotFound,
)

RULE = PayloadMap(
    command="task create",
    arguments={"title": "target"},
    fixed={"lane": "A", "dod": ["x"]},
    templates={"body": "{event}"},
    filter="target",
    each="",
)
WHEN = parse_when(["task_created", "status_changed"], targets=["T-1"])


def a_user(db: Database, name: str, role: Role, tenant: TenantId | None = None) -> User:
    by = system(tenant) if tenant else system()
    db.run(users.ensure_admin, by=by)  # Whoever else is an admin may stop being one.
    return db.run(lambda tx: users.create(tx, name, roles=[role]), by=by)


@pytest.fixture
def maker(db: Database) -> Principal:
    return to_principal(a_user(db, "ann", Role.ADMIN), Assurance.SECRET)


def a_trigger(
    db: Database,
    by: Principal,
    name: str = "tell",
    *,
    when: When = WHEN,
    rule: PayloadMap = RULE,
    owner: User | None = None,
) -> Trigger:
    return db.run(lambda tx: triggers.create(tx, name, when, rule, owner=owner), by=by)


def test_what_was_made_is_read_back(db: Database, maker: Principal) -> None:
    made = a_trigger(db, maker)

    for reference in ("G-1", "tell"):
        found = db.look(lambda tx: triggers.get_(tx, reference), by=maker)  # noqa: B023
        assert found == made
    assert (made.when, made.rule, made.owner_id) == (WHEN, RULE, maker.id)
    assert made.is_enabled


def test_a_name_is_taken_once_in_a_tenant(db: Database, maker: Principal) -> None:
    a_trigger(db, maker)
    acme = TenantId("acme")
    boss = to_principal(a_user(db, "boss", Role.ADMIN, acme), Assurance.SECRET)

    with pytest.raises(AlreadyExists):
        a_trigger(db, maker)
    assert a_trigger(db, boss).id == "G-1"


def test_a_map_that_could_never_work_is_refused(db: Database, maker: Principal) -> None:
    with pytest.raises(InvalidArgument):
        a_trigger(db, maker, rule=PayloadMap(command="version", filter="]"))


def test_who_is_no_user_makes_none(db: Database) -> None:
    with pytest.raises(NotFound):
        a_trigger(db, system())


def test_there_is_an_end_to_how_many(db: Database, maker: Principal) -> None:
    """Each event asks all of them."""
    for number in range(MOST_TRIGGERS):
        a_trigger(db, maker, f"t{number}")

    with pytest.raises(Conflict):
        a_trigger(db, maker, "one-more")


def test_a_webhook_must_be_there(db: Database, maker: Principal) -> None:
    with pytest.raises(NotFound):
        a_trigger(db, maker, when=When(webhook="W-1"))


def test_lists_go_on_where_they_ended(db: Database, maker: Principal) -> None:
    for name in ("a", "b", "c"):
        a_trigger(db, maker, name)

    first = db.look(lambda tx: triggers.list_(tx, limit=2), by=maker)
    rest = db.look(
        lambda tx: triggers.list_(tx, limit=2, cursor=first.next or ""), by=maker
    )

    assert [each.id for each in (*first.items, *rest.items)] == ["G-1", "G-2", "G-3"]
    assert rest.next is None
    with pytest.raises(InvalidQuery):
        db.look(lambda tx: triggers.list_(tx, cursor="?"), by=maker)


def test_switching_is_told_once(db: Database, maker: Principal) -> None:
    a_trigger(db, maker)

    off = [
        db.run(lambda tx: triggers.disable(tx, "G-1", reason="loud"), by=maker)
        for _ in range(2)
    ]
    on = [db.run(lambda tx: triggers.enable(tx, "G-1"), by=maker) for _ in range(2)]

    assert {(each.state, each.reason) for each in off} == {
        (TriggerState.DISABLED, "loud")
    }
    assert {(each.state, each.reason) for each in on} == {(TriggerState.ENABLED, "")}
    told = db.look(
        lambda tx: events.list_last(tx, EventFilter(targets=frozenset({"G-1"}))),
        by=maker,
    )
    assert [each.type for each in told] == [
        "trigger_created",
        "trigger_disabled",
        "trigger_enabled",
    ]


def test_what_was_deleted_is_gone(db: Database, maker: Principal) -> None:
    a_trigger(db, maker)

    db.run(lambda tx: triggers.delete(tx, "tell"), by=maker)

    with pytest.raises(NotFound):
        db.look(lambda tx: triggers.get_(tx, "G-1"), by=maker)


# ── whose rights ──────────────────────────────────────────────────────────────
def test_it_may_do_what_both_the_maker_and_the_owner_may(
    db: Database, maker: Principal
) -> None:
    """M-OMN-11: naming somebody hands out no right."""
    bob = a_user(db, "bob", Role.OPERATOR)
    narrow = to_principal(
        users_of(db, maker.id),
        Assurance.SECRET,
        scopes=frozenset({"users:write", "tasks:*", "events:read"}),
    )

    made = a_trigger(db, narrow, owner=bob)
    owner = db.look(lambda tx: triggers.owner_of(tx, made), by=maker)

    assert owner.name == "bob"
    assert owner.scopes == {"tasks:write", "tasks:read", "events:read"}


def users_of(db: Database, user_id: str) -> User:
    return db.look(lambda tx: users.get_(tx, user_id), by=system())


def test_who_manages_no_people_names_nobody(db: Database) -> None:
    bob = a_user(db, "bob", Role.OPERATOR)
    dan = to_principal(a_user(db, "dan", Role.OPERATOR), Assurance.SECRET)

    with pytest.raises(MissingScope, match="users:write"):
        a_trigger(db, dan, owner=bob)
    assert a_trigger(db, dan).owner_id == dan.id


def test_who_is_disabled_can_neither_be_named_nor_run(
    db: Database, maker: Principal
) -> None:
    bob = a_user(db, "bob", Role.OPERATOR)
    made = a_trigger(db, maker, owner=bob)

    db.run(lambda tx: users.disable(tx, bob.id), by=maker)

    gone = users_of(db, bob.id)
    with pytest.raises(Forbidden):
        a_trigger(db, maker, "again", owner=gone)
    with pytest.raises(Forbidden):
        db.look(lambda tx: triggers.owner_of(tx, made), by=maker)


# ── what they look at together ────────────────────────────────────────────────
def wanted(db: Database, by: Principal) -> EventFilter | None:
    return db.look(fires.wanted, by=by)


def test_without_a_trigger_no_event_is_looked_at(
    db: Database, maker: Principal
) -> None:
    assert wanted(db, maker) is None

    a_trigger(db, maker)
    db.run(lambda tx: triggers.disable(tx, "G-1"), by=maker)

    assert wanted(db, maker) is None


def test_what_all_look_at_follows_every_change(db: Database, maker: Principal) -> None:
    """Reads remember the triggers; they must not remember them too long."""
    a_trigger(db, maker)
    one = wanted(db, maker)
    a_trigger(db, maker, "two", when=parse_when(["web_deployed"], targets=["web-1"]))
    two = wanted(db, maker)
    a_trigger(db, maker, "all", when=parse_when(["web_lost"]))
    three = wanted(db, maker)
    db.run(lambda tx: triggers.delete(tx, "all"), by=maker)

    assert one == WHEN.wanted
    assert two == EventFilter(
        types=WHEN.events | {"web_deployed"}, targets=frozenset({"T-1", "web-1"})
    )
    assert three == EventFilter(types=WHEN.events | {"web_deployed", "web_lost"})
    assert wanted(db, maker) == two
