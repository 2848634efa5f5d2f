"""Subscribers: each wanted event is posted to each of them once, whatever happens."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.database import METADATA, Database, Tx, open_engine
from core.events import service as events
from core.events.model import Event
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import Wanted
from core.identity.users import service as users
from core.kernel.principal import Principal, Role, TenantId, system
from core.kernel.problems import Unavailable
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.reactor import Consumer, Reactor
from gateway.recording import recorded
from gateway.subscribers import Subscribers
from tests.conftest import FakeClock
from tests.subscribers import ACME, a_tenant, a_user, found, posted, subscribed, told

TENANTS = (system().tenant, ACME)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault of this test."""
    return Vault(FileKeystore(tmp_path / "keystore.json"))


@pytest.fixture
def ann(db: Database) -> Principal:
    """A person who may see everything."""
    return a_user(db, "ann")


def a_reactor(db: Database, *consumers: Consumer) -> Reactor:
    async def tenants() -> list[TenantId]:
        return [*TENANTS]

    return Reactor(db, consumers, tenants=tenants, on_posted=lambda: None)


@pytest.fixture
async def reactor(db: Database) -> Reactor:
    """One that has begun: it reacts to what happens from now on."""
    begun = a_reactor(db, Subscribers())
    await begun.react_to_news()
    return begun


def targets(db: Database, by: Principal, account: str = "SB-1") -> list[str]:
    """What the events were about that were posted to a subscription."""
    return [
        each.body.partition('"target":"')[2].partition('"')[0]
        for each in posted(db, by, account)
    ]


# ── what is posted ────────────────────────────────────────────────────────────
async def test_each_is_told_what_it_wants(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    for name, wanted in {
        "all": Wanted(),
        "types": Wanted(types=frozenset({"task_created"})),
        "targets": Wanted(targets=frozenset({"T-1"})),
        "filter": Wanted(filter="details.lane=='A'"),
    }.items():
        subscribed(db, ann, vault, name=name, wanted=wanted)
    told(db, ann, "task_created", target="T-1", details={"lane": "B"})
    told(db, ann, "task_created", target="T-2", details={"lane": "A"})
    told(db, ann, "note_added", target="T-1")
    await reactor.react_to_news()

    assert targets(db, ann, "SB-1") == ["T-1", "T-2", "T-1"]
    assert targets(db, ann, "SB-2") == ["T-1", "T-2"]
    assert targets(db, ann, "SB-3") == ["T-1", "T-1"]
    assert targets(db, ann, "SB-4") == ["T-2"]


async def test_one_for_answers_alone_is_told_of_no_event(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    subscribed(db, ann, vault, wanted=Wanted(answers_only=True))
    told(db, ann, "task_created", target="T-1")
    await reactor.react_to_news()
    subscribed(db, ann, vault, name="all")
    told(db, ann, "task_created", target="T-2")
    await reactor.react_to_news()

    assert found(db, ann).wanted.answers_only
    assert targets(db, ann, "") == ["T-2"]


async def test_what_happened_before_is_not_told(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    told(db, ann, "task_created", target="T-1")
    subscribed(db, ann, vault)
    told(db, ann, "task_created", target="T-2")
    await reactor.react_to_news()

    assert targets(db, ann) == ["T-2"]


async def test_nothing_is_told_of_sending(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    subscribed(db, ann, vault)
    subscribed(db, ann, vault, name="other")
    for event in ("delivery_failed", "delivery_replayed", "subscription_test"):
        told(db, ann, event, target="D-1")
    await reactor.react_to_news()

    assert posted(db, ann) == []


async def test_while_it_is_disabled_nothing_is_posted(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    subscribed(db, ann, vault)
    told(db, ann, "task_created", target="T-1")
    await reactor.react_to_news()
    db.run(lambda tx: subscriptions.disable(tx, "SB-1", reason="a move"), by=ann)
    told(db, ann, "task_created", target="T-2")
    db.run(lambda tx: subscriptions.enable(tx, "SB-1"), by=ann)
    told(db, ann, "task_created", target="T-3")
    await reactor.react_to_news()

    assert targets(db, ann) == ["T-1", "T-3"]


async def test_a_filter_that_fails_spoils_nothing_for_others(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    subscribed(db, ann, vault, name="bad", wanted=Wanted(filter="sum(target)"))
    subscribed(db, ann, vault, name="good")
    told(db, ann, "task_created", target="T-1")
    await reactor.react_to_news()

    assert targets(db, ann, "SB-1") == []
    assert targets(db, ann, "SB-2") == ["T-1"]


async def test_tenants_never_mix(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    """R-59."""
    a_tenant(db)
    bob = a_user(db, "bob", tenant=ACME)
    for by in (ann, bob):
        subscribed(db, by, vault)
    told(db, ann, "task_created", target="T-1")
    told(db, bob, "task_created", target="T-2")
    await reactor.react_to_news()

    assert targets(db, ann, "") == ["T-1"]
    assert targets(db, bob, "") == ["T-2"]


# ── rights ────────────────────────────────────────────────────────────────────
async def test_only_what_its_creator_may_see_is_told(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    narrow = replace(ann, scopes=frozenset({"events:read", "tasks:read"}))
    subscribed(db, narrow, vault)
    for target in ("T-1", "K-1", "U-1", "web-1"):
        told(db, ann, "a_thing_happened", target=target)
    await reactor.react_to_news()

    assert targets(db, ann) == ["T-1", "web-1"]


async def test_what_somebody_disabled_has_made_is_disabled_at_once(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    bob = a_user(db, "bob")
    subscribed(db, ann, vault, name="hers")
    subscribed(db, ann, vault, name="also-hers")
    subscribed(db, bob, vault, name="his")
    db.run(lambda tx: users.disable(tx, ann.id), by=system())
    await reactor.react_to_news()

    off = [found(db, bob, f"SB-{number}") for number in (1, 2)]

    assert [each.is_enabled for each in off] == [False, False]
    assert off[0].reason == "ann, who made this subscription, is disabled"
    assert found(db, bob, "SB-3").is_enabled


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(types=frozenset({"note_added"}), targets=frozenset({"T-9"})),
        Wanted(answers_only=True),
    ],
)
async def test_what_wants_little_is_disabled_as_soon(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor, wanted: Wanted
) -> None:
    subscribed(db, ann, vault, wanted=wanted)
    db.run(lambda tx: users.disable(tx, ann.id), by=system())
    await reactor.react_to_news()

    assert not found(db, ann).is_enabled


async def test_a_creator_without_the_right_to_see_events_is_found_out(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    blind = replace(ann, scopes=frozenset({"tasks:read", "subscriptions:write"}))
    subscribed(db, blind, vault)
    told(db, ann, "task_created", target="T-1")
    await reactor.react_to_news()

    assert posted(db, ann) == []
    assert "lacks the scope events:read" in found(db, ann).reason


async def test_fewer_rights_that_still_suffice_change_nothing(
    db: Database, ann: Principal, vault: Vault, reactor: Reactor
) -> None:
    subscribed(db, ann, vault)
    db.run(lambda tx: users.set_roles(tx, ann.id, [Role.VIEWER]), by=system())
    told(db, ann, "task_created", target="T-1")
    await reactor.react_to_news()

    assert found(db, ann).is_enabled
    assert targets(db, ann)[-1] == "T-1"


# ── once, whatever happens ────────────────────────────────────────────────────
class Death(StrEnum):
    """When a process is killed: before a reaction, or before it is committed."""

    NONE = "none"
    BEFORE = "before"
    WITHIN = "within"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of a tenant, and what becomes of the process that reacts to it."""

    tenant: TenantId
    type: str
    target: str
    death: Death


async def test_two_gateways_post_once(
    db: Database, ann: Principal, vault: Vault
) -> None:
    reactors = [a_reactor(db, Subscribers()) for _ in range(3)]
    for each in reactors:
        await each.react_to_news()
    subscribed(db, ann, vault)
    for number in range(40):
        told(db, ann, "task_created", target=f"T-{number}")

    await asyncio.gather(*(each.react_to_news() for each in reactors))

    assert targets(db, ann) == [f"T-{number}" for number in range(40)]


class Mortal(Subscribers):
    """Subscribers whose process is killed at some events, before or after the effect."""

    def __init__(self, deaths: dict[tuple[TenantId, int], Death]) -> None:
        super().__init__()
        self.deaths = deaths

    def react(self, tx: Tx, event: Event) -> None:
        """React, if it lives to do so."""
        death = self.deaths.pop((tx.tenant, event.seq), Death.NONE)
        if death is not Death.BEFORE:
            super().react(tx, event)
        if death is not Death.NONE:
            raise Unavailable("the process was killed")


TYPES = ("task_created", "note_added", "delivery_failed", "subscription_test")
TARGETS = ("T-1", "T-2", "K-1")

wishes = st.builds(
    Wanted,
    types=st.frozensets(st.sampled_from(TYPES[:2])),
    targets=st.frozensets(st.sampled_from(TARGETS), max_size=2),
    filter=st.sampled_from(["", "target=='T-1'", "details.nothing"]),
)
happenings = st.lists(
    st.builds(
        Happening,
        tenant=st.sampled_from(TENANTS),
        type=st.sampled_from(TYPES),
        target=st.sampled_from(TARGETS),
        death=st.sampled_from(Death),
    ),
    max_size=12,
)


def is_expected(wanted: Wanted, happening: Happening) -> bool:
    """Say in other words than ours whether a subscription is to be told."""
    if happening.type in TYPES[2:] or wanted.filter == "details.nothing":
        return False
    if wanted.filter and happening.target != "T-1":
        return False
    types, those = wanted.types or TYPES, wanted.targets or TARGETS
    return happening.type in types and happening.target in those


@settings(max_examples=25, deadline=None)
@given(wanted=st.lists(wishes, min_size=1, max_size=3), story=happenings)
def test_exactly_what_is_wanted_is_posted_once_however_often_it_dies(
    wanted: list[Wanted], story: list[Happening]
) -> None:
    """R-59: and each tenant is told of its own alone."""
    with a_world(wanted) as (db, people):
        seqs = [_happen(db, people[each.tenant], each) for each in story]
        deaths = {
            (each.tenant, seq): each.death
            for each, seq in zip(story, seqs, strict=True)
        }

        asyncio.run(live_on(db, deaths))

        for tenant, person in people.items():
            keys = [each.key for each in posted(db, person)]
            expected = {
                f"SB-{place}:ev:{seq}"
                for each, seq in zip(story, seqs, strict=True)
                for place, wish in enumerate(wanted, 1)
                if each.tenant == tenant and is_expected(wish, each)
            }
            assert sorted(keys) == sorted(expected)


@contextmanager
def a_world(
    wanted: Sequence[Wanted],
) -> Iterator[tuple[Database, Mapping[TenantId, Principal]]]:
    """Two tenants, in each of them a person with the same subscriptions."""
    with TemporaryDirectory() as folder:
        vault = Vault(FileKeystore(Path(folder) / "keystore.json"))
        engine = open_engine(f"sqlite:///{folder}/ops.db")
        METADATA.create_all(engine)
        db = recorded(engine, clock=FakeClock())
        a_tenant(db)
        people = {each: a_user(db, "ann", tenant=each) for each in TENANTS}
        asyncio.run(a_reactor(db, Subscribers()).react_to_news())
        for person in people.values():
            for number, wish in enumerate(wanted):
                subscribed(db, person, vault, name=f"s{number}", wanted=wish)
        yield db, people
        db.close()


def _happen(db: Database, by: Principal, happening: Happening) -> int:
    told(db, by, happening.type, target=happening.target)
    return db.look(events.last_seq, by=by)


async def live_on(db: Database, deaths: dict[tuple[TenantId, int], Death]) -> None:
    """React to everything, in as many lives as it takes."""
    while True:
        try:
            await a_reactor(db, Mortal(deaths)).react_to_news()
        except Unavailable:
            continue
        return
