"""The reactor: every wanted event once, across restarts, beside others, despite refusals."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from core.database import Database, Tx
from core.delivery import cursors
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxDraft
from core.events import service as events
from core.events.model import Event, EventFilter
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Conflict, Unavailable
from gateway.reactor import BATCH, MOST_TRIES, Consumer, Reactor


class Echo:
    """A consumer that posts a delivery for each event it wants."""

    name = "echo"

    def __init__(self, *types: str) -> None:
        self.filter = EventFilter(types=frozenset(types))
        self.refuses: set[int] = set()
        self.fails: set[int] = set()
        self.chokes_on: frozenset[tuple[TenantId, str]] = frozenset()

    def wanted(self, tx: Tx) -> EventFilter | None:
        return self.filter

    def react(self, tx: Tx, event: Event) -> None:
        if (tx.tenant, event.type) in self.chokes_on:
            raise TypeError("this text is a secret")
        if event.seq in self.refuses:
            raise Conflict("not this one")
        if event.seq in self.fails:
            self.fails.remove(event.seq)
            raise Unavailable("not now")
        draft = OutboxDraft(
            key=f"{event.seq}-{tx.new_token('x')}",
            channel="slack",
            account="acme",
            place={"channel": "C1"},
            body=str(event.seq),
        )
        outbox.post(tx, draft)


class Idle(Echo):
    """A consumer that wants nothing now."""

    def wanted(self, tx: Tx) -> EventFilter | None:
        return None


Open = Callable[..., Reactor]


@pytest.fixture
def open_reactor(db: Database) -> Open:
    async def tenants() -> list[TenantId]:
        return [system().tenant]

    def make(consumer: Consumer, posted: list[int] | None = None) -> Reactor:
        heard = [] if posted is None else posted
        return Reactor(
            db,
            [consumer],
            tenants=tenants,
            on_posted=lambda: heard.append(1),
            pause=timedelta(0),
        )

    return make


def tell(db: Database, *types: str) -> None:
    for each in types:
        db.run(partial(events.append, event_type=each), by=system())


def echoed(db: Database) -> list[int]:
    """The numbers of the events that were reacted to, in their order."""
    page = db.look(lambda tx: outbox.list_(tx, limit=100), by=system())
    return [int(each.body) for each in reversed(page.items)]


def cursor(db: Database) -> int | None:
    return db.look(lambda tx: cursors.find(tx, "echo"), by=system())


async def test_a_new_consumer_begins_with_what_happens_next(
    db: Database, open_reactor: Open
) -> None:
    tell(db, "deploy_started", "deploy_finished")
    posted: list[int] = []
    reactor = open_reactor(Echo(), posted)
    await reactor.react_to_news()

    tell(db, "deploy_started")
    await reactor.react_to_news()

    assert echoed(db) == [3]
    assert posted == [1]


async def test_only_what_is_wanted_is_reacted_to(
    db: Database, open_reactor: Open
) -> None:
    reactor = open_reactor(Echo("deploy_failed"))
    await reactor.react_to_news()

    tell(db, "deploy_started", "deploy_failed", "deploy_started", "deploy_failed")
    await reactor.react_to_news()
    await reactor.react_to_news()

    assert echoed(db) == [2, 4]


async def test_a_restart_goes_on_behind_the_last_reaction(
    db: Database, open_reactor: Open
) -> None:
    first = open_reactor(Echo())
    await first.react_to_news()
    tell(db, "deploy_started")
    await first.react_to_news()

    tell(db, "deploy_finished")
    await open_reactor(Echo()).react_to_news()

    assert echoed(db) == [1, 2]


async def test_many_events_are_taken_batch_by_batch(
    db: Database, open_reactor: Open
) -> None:
    reactor = open_reactor(Echo())
    await reactor.react_to_news()

    def tell_many(tx: Tx) -> None:
        for _ in range(2 * BATCH + 7):
            events.append(tx, "deploy_started")

    db.run(tell_many, by=system())
    await reactor.react_to_news()

    assert cursor(db) == 2 * BATCH + 7


async def test_reactors_of_two_gateways_react_once(
    db: Database, open_reactor: Open
) -> None:
    """R-30: whoever comes first, the cursor lets the other pass."""
    reactors = [open_reactor(Echo()) for _ in range(3)]
    for each in reactors:
        await each.react_to_news()

    for _ in range(30):
        tell(db, "deploy_started")
        await asyncio.gather(*(each.react_to_news() for each in reactors))

    assert echoed(db) == list(range(1, 31))


async def test_a_refused_reaction_is_passed_over_with_its_effects(
    db: Database, open_reactor: Open
) -> None:
    echo = Echo()
    echo.refuses = {2}
    reactor = open_reactor(echo)
    await reactor.react_to_news()

    tell(db, "a_b", "c_d", "e_f")
    await reactor.react_to_news()

    assert echoed(db) == [1, 3]
    assert cursor(db) == 3


async def test_an_outage_is_waited_for_and_nothing_is_passed_over(
    db: Database, open_reactor: Open
) -> None:
    echo = Echo()
    echo.fails = {2}
    reactor = open_reactor(echo)
    await reactor.react_to_news()
    tell(db, "a_b", "c_d", "e_f")

    with pytest.raises(Unavailable):
        await reactor.react_to_news()
    during = echoed(db)
    await reactor.react_to_news()

    assert during == [1]
    assert echoed(db) == [1, 2, 3]


async def test_what_nobody_wants_costs_no_write(
    db: Database, open_reactor: Open, ann: Principal
) -> None:
    reactor = open_reactor(Idle())
    await reactor.react_to_news()
    tell(db, *["deploy_started"] * 40)

    await reactor.react_to_news()

    assert cursor(db) == 0


async def test_a_cursor_does_not_lag_for_ever(db: Database, open_reactor: Open) -> None:
    """A restart does not read again what nobody wanted long ago."""
    reactor = open_reactor(Idle())
    await reactor.react_to_news()

    def tell_many(tx: Tx) -> None:
        for _ in range(1_001):
            events.append(tx, "deploy_started")

    db.run(tell_many, by=system())
    await reactor.react_to_news()

    assert cursor(db) == 1_001


async def test_a_running_reactor_hears_of_commits(
    db: Database, open_reactor: Open
) -> None:
    posted: list[int] = []
    echo = Echo()
    reactor = open_reactor(echo, posted)
    running = asyncio.create_task(reactor.follow(echo))
    async with asyncio.timeout(10):
        while cursor(db) is None:  # noqa: ASYNC110 - of a database nobody tells us
            await asyncio.sleep(0.01)
        for number in range(1, 4):
            await asyncio.to_thread(tell, db, "deploy_started")
            while len(posted) < number:  # noqa: ASYNC110 - a list tells nobody
                await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert echoed(db) == [1, 2, 3]


async def test_what_happens_before_the_first_look_is_not_missed(
    db: Database, open_reactor: Open
) -> None:
    """A gateway takes its places before it serves; the loops begin a moment later."""
    tell(db, "door_opened")
    reactor = open_reactor(Echo("door_opened"))
    await reactor.begin()

    tell(db, "door_opened")
    await reactor.react_to_news()

    assert echoed(db) == [2]


async def test_an_event_that_cannot_be_digested_is_passed_over_and_told_of(
    db: Database, open_reactor: Open
) -> None:
    echo = Echo()
    echo.chokes_on = frozenset({(system().tenant, "b_c")})
    reactor = open_reactor(echo)
    await reactor.react_to_news()
    tell(db, "a_b", "b_c", "c_d")

    faults = []
    for _ in range(MOST_TRIES):
        await reactor.react_to_news()
        faults.append(reactor.fault_of(echo))
    await reactor.react_to_news()
    failed = db.look(lambda tx: events.list_after(tx, 3), by=system())

    assert faults == [*["TypeError on event 2 (b_c)"] * (MOST_TRIES - 1), ""]
    assert echoed(db) == [1, 3]
    assert [(each.type, dict(each.details)) for each in failed] == [
        (
            "reaction_failed",
            {"consumer": "echo", "seq": 2, "type": "b_c", "fault": "TypeError"},
        )
    ]


async def test_giving_up_is_logged_with_all_that_it_takes_to_find_the_event(
    db: Database, open_reactor: Open, caplog: pytest.LogCaptureFixture
) -> None:
    echo = Echo()
    tenant = system().tenant
    echo.chokes_on = frozenset({(tenant, "b_c")})
    reactor = open_reactor(echo)
    await reactor.react_to_news()
    tell(db, "b_c")

    for _ in range(MOST_TRIES):
        await reactor.react_to_news()
    record = next(each for each in caplog.records if each.msg == "reactor.gave_up")

    told = {name: vars(record)[name] for name in ("consumer", "tenant", "seq", "type")}
    assert told == {"consumer": "echo", "tenant": tenant, "seq": 1, "type": "b_c"}


async def test_nothing_reacts_to_what_it_could_not_react_to(
    db: Database, open_reactor: Open
) -> None:
    """Else whoever cannot digest anything would never come to an end."""
    echo = Echo()
    tenant = system().tenant
    kinds = ("b_c", "reaction_failed")
    echo.chokes_on = frozenset((tenant, each) for each in kinds)
    reactor = open_reactor(echo)
    await reactor.react_to_news()
    tell(db, "b_c")

    for _ in range(3 * MOST_TRIES):
        await reactor.react_to_news()

    assert db.look(events.last_seq, by=system()) == 2
    assert cursor(db) == 2


async def test_a_fault_in_one_tenant_keeps_no_other_waiting(db: Database) -> None:
    ours, theirs = system().tenant, TenantId("other")
    echo = Echo()
    echo.chokes_on = frozenset({(ours, "b_c")})

    async def tenants() -> list[TenantId]:
        return [ours, theirs]

    reactor = Reactor(db, [echo], tenants=tenants, on_posted=lambda: None)
    await reactor.react_to_news()
    tell(db, "b_c")
    db.run(partial(events.append, event_type="b_c"), by=system(theirs))

    await reactor.react_to_news()

    page = db.look(outbox.list_, by=system(theirs))
    assert len(page.items) == 1
    assert reactor.fault_of(echo)


async def test_what_failed_rests_before_it_is_tried_again(db: Database) -> None:
    echo = Echo()
    echo.chokes_on = frozenset({(system().tenant, "b_c")})

    async def tenants() -> list[TenantId]:
        return [system().tenant]

    pause = timedelta(hours=1)
    reactor = Reactor(db, [echo], tenants=tenants, on_posted=lambda: None, pause=pause)
    await reactor.react_to_news()
    tell(db, "b_c")
    await reactor.react_to_news()

    echo.chokes_on = frozenset()
    await reactor.react_to_news()

    assert echoed(db) == []


async def test_a_look_that_fails_is_not_passed_over(
    db: Database, open_reactor: Open
) -> None:
    class Blind(Echo):
        def wanted(self, tx: Tx) -> EventFilter | None:
            if self.refuses:
                raise KeyError
            return self.filter

    blind = Blind()
    reactor = open_reactor(blind)
    await reactor.react_to_news()
    tell(db, "a_b")
    blind.refuses = {1}
    for _ in range(2 * MOST_TRIES):
        await reactor.react_to_news()
    said = reactor.fault_of(blind)

    blind.refuses = set()
    await reactor.react_to_news()

    assert said == "KeyError on its look at the events"
    assert echoed(db) == [1]
    assert reactor.fault_of(blind) == ""
