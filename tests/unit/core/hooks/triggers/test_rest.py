"""Whatever triggers there are and however they set each other off, they come to rest."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam

from core.database import Database, Prepared, Tx
from core.delivery.tables import inbox
from core.events import service as events
from core.events.model import Event
from core.hooks.model import PayloadMap
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import LONGEST_CHAIN, Fire, parse_when
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, Role, TenantId, system
from tests.conftest import FakeClock

TYPES = ("ping_sent", "pong_sent", "web_deployed")
MOST_ROUNDS = 3 * LONGEST_CHAIN
# Four triggers, each of which tells two events that set off all the others.
MOST_AT_ONCE = 4 * (2 * 3) * (2 * 2) * (2 * 1)

# What a trigger waits for, and the events that its command appends.
links = st.tuples(
    st.sets(st.sampled_from(TYPES), min_size=1, max_size=2),
    st.lists(st.sampled_from(TYPES), min_size=1, max_size=2),
)
graphs = st.lists(links, min_size=1, max_size=4)

_NUMBERS = count()
_WAITING = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.request_id, inbox.c.account)
    .where(
        inbox.c.tenant_id == bindparam("tenant"),
        inbox.c.channel == "trigger",
        inbox.c.state == "received",
    )
)
_DONE = Prepared(
    inbox.update()
    .where(
        inbox.c.tenant_id == bindparam("tenant"),
        inbox.c.request_id == bindparam("of"),
    )
    .values(state="done")
)

Graph = list[tuple[set[str], list[str]]]


class Street:
    """A tenant of its own with some triggers, whose commands append events."""

    def __init__(self, db: Database, clock: FakeClock, graph: Graph) -> None:
        self.db = db
        self.clock = clock
        self.by = system(TenantId(f"t{next(_NUMBERS)}"))
        self.reacted = 0
        self.said = {
            self._make(place, on): then for place, (on, then) in enumerate(graph)
        }

    def _make(self, place: int, on: set[str]) -> str:
        def make(tx: Tx) -> str:
            owner = users.find_by_name(tx, "ann") or users.create(
                tx, "ann", roles=[Role.OPERATOR]
            )
            tx.principal = to_principal(owner, Assurance.SECRET)
            rule = PayloadMap(command="event add")
            return triggers.create(tx, f"t{place}", parse_when(on), rule).id

        return self.db.run(make, by=self.by)

    def tell(self, *types: str, cause: str = "") -> None:
        """Append events that a request caused."""

        def tell(tx: Tx) -> None:
            tx.cause = cause
            for each in types:
                events.append(tx, each)

        self.db.run(tell, by=self.by)

    def react(self) -> None:
        """Have the triggers look at what they have not looked at yet."""
        for event in self._news():
            self.db.run(partial(fires.set_off, event=event), by=self.by)
            self.reacted = event.seq

    def run(self) -> bool:
        """Run what waits in the inbox; tell whether there was anything."""
        waiting = self.db.look(lambda tx: tx.run(_WAITING), by=self.by)
        assert len(waiting) <= MOST_AT_ONCE
        for request_id, trigger in waiting:
            self.tell(*self.said[trigger], cause=request_id)
            self.db.run(partial(Tx.change, prepared=_DONE, of=request_id), by=self.by)
        # Nothing here is to be ended by firing too often.
        self.clock.advance(timedelta(minutes=2))
        return bool(waiting)

    def fired(self) -> Iterator[Fire]:
        """Yield every fire there was."""
        for trigger in self.said:
            page = self.db.look(
                partial(fires.list_, trigger_id=trigger, limit=100), by=self.by
            )
            yield from page.items

    def _news(self) -> list[Event]:
        wanted = self.db.look(fires.wanted, by=self.by)
        assert wanted is not None
        found = self.db.look(
            lambda tx: events.list_after(tx, self.reacted, wanted, limit=10_000),
            by=self.by,
        )
        return list(found)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(graph=graphs, first=st.sampled_from(TYPES))
def test_any_triggers_come_to_rest(
    db: Database, clock: FakeClock, graph: Graph, first: str
) -> None:
    """M-OMN-11: a chain has no trigger twice, and at most five."""
    street = Street(db, clock, graph)

    street.tell(first)
    rounds = 0
    while True:
        street.react()
        if not street.run():
            break
        rounds += 1
        assert rounds <= MOST_ROUNDS

    assert rounds <= min(len(graph), LONGEST_CHAIN)
    for fire in street.fired():
        whole = (*fire.chain, fire.trigger_id)
        is_loop = len(set(whole)) < len(whole)
        assert bool(fire.cut) == (is_loop or len(fire.chain) >= LONGEST_CHAIN)


def test_looking_at_an_event_again_sets_nothing_off(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    """R-07: whoever looks, and however often."""
    street = Street(db, clock, [({"ping_sent"}, ["pong_sent"])])
    street.tell("ping_sent")

    for _ in range(3):
        street.react()
        street.reacted = 0

    assert len(list(street.fired())) == 1
