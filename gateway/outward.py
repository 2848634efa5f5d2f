"""What runs behind the commands and goes out: deliveries, reactions, health, forgetting."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from core.kernel.principal import TenantId
from gateway.approval_notices import ApprovalNotices
from gateway.channel_health import EVERY as HEALTH_EVERY
from gateway.channel_health import HealthNotes
from gateway.core import Core
from gateway.doors.door import Door, TenantOf
from gateway.health import Check
from gateway.job_results import JobResults
from gateway.notifier import Cards, Watchers
from gateway.outbox import Post, Postman, budget_of
from gateway.purge import EVERY as PURGE_EVERY
from gateway.purge import Purge
from gateway.reactor import Reactor
from gateway.run_news import RunNews
from gateway.schedule_results import ScheduleNotices, ScheduleResults
from gateway.subscribers import Subscribers
from gateway.subscription_notices import SubscriptionNotices
from gateway.supervisor import Loop, Ticker
from gateway.triggers import Triggers
from gateway.worker_agents import WorkerAgents

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """The parts of a gateway by which it speaks of its own accord."""

    postman: Postman
    reactor: Reactor
    notes: HealthNotes
    purge: Purge
    triggers: Triggers

    def loops(self) -> Sequence[Loop]:
        """List what goes on for ever."""
        return (
            Loop(name="postman", work=self.postman.run),
            *(
                Loop(
                    name=each.name,
                    work=partial(self.reactor.follow, each),
                    fault=partial(self.reactor.fault_of, each),
                )
                for each in self.reactor.consumers
            ),
        )

    async def check(self) -> Check:
        """Say what cannot be reacted to; it is passed over in time, and so no outage."""
        faults = {
            each.name: self.reactor.fault_of(each) for each in self.reactor.consumers
        }
        told = "; ".join(f"{name}: {why}" for name, why in faults.items() if why)
        fix = "look at its log, and at `event tail --type reaction_failed`"
        return Check(is_ok=True, detail=told or "none fails", fix=fix if told else "")

    def tickers(self) -> Sequence[Ticker]:
        """List what is due again and again."""
        return (
            Ticker(name="channel-health", work=self.notes.note, every=HEALTH_EVERY),
            Ticker(
                name="purge",
                work=self.purge.run,
                every=PURGE_EVERY,
                timeout=timedelta(minutes=5),
            ),
        )


def build_outward(
    core: Core, doors: Sequence[Door], *, tenants: Tenants, tenant_of: TenantOf
) -> Outward:
    """Join the doors to what is to go out of them."""
    postman = Postman(
        core.db, _posts(doors), tenants=tenants, is_on=core.channels.is_on
    )
    triggers = Triggers()
    return Outward(
        postman=postman,
        triggers=triggers,
        reactor=Reactor(
            core.db,
            (
                Watchers(),
                Cards(),
                RunNews(core.settings.public_url, _editable(doors)),
                ApprovalNotices(_editable(doors)),
                JobResults(),
                Subscribers(),
                SubscriptionNotices(),
                triggers,
                ScheduleResults(triggers.expect),
                ScheduleNotices(),
                WorkerAgents(),
            ),
            tenants=tenants,
            on_posted=_ring_both(postman, triggers),
        ),
        notes=HealthNotes(
            core.db,
            {door.spec.name: door.healths for door in doors},
            tenant_of=tenant_of,
        ),
        purge=Purge(core.db, core.settings.keep, tenants=tenants),
    )


def _ring_both(postman: Postman, triggers: Triggers) -> Callable[[], None]:
    """Say where what a reaction has posted may stand: in the outbox, or in the inbox."""

    def ring() -> None:
        postman.bell.ring()
        triggers.ring()

    return ring


def _editable(doors: Sequence[Door]) -> frozenset[str]:
    return frozenset(door.spec.name for door in doors if door.spec.capabilities.edit)


def _posts(doors: Sequence[Door]) -> Mapping[str, Post]:
    return {
        door.spec.name: Post(
            door.courier,
            budget_of(door.spec.capabilities),
            note=door.note,
            patience=door.patience,
        )
        for door in doors
    }
