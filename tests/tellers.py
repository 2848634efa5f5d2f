"""The road of webhooks outwards, from the outbox to a receiver on loopback."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from channels.webhook import SPEC
from channels.webhook.courier import Schedule, WebhookCourier
from channels.webhook.outward import seconds_until_next
from channels.webhook.pace import RESTS, Pace
from core.database import Database, Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxState, Outgoing
from core.events.model import Event
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.drafts import event_draft
from core.hooks.subscriptions.model import Attempt
from core.kernel.addresses import parse_allowed
from core.kernel.clock import Clock, SystemClock
from core.kernel.principal import Principal, TenantId, system
from core.secrets.vault import Vault
from gateway.adapters.exchange import Bounds
from gateway.adapters.outside import Outside
from gateway.outbox import DEADLINE, Post, Postman, budget_of
from gateway.receivers import StoredReceivers, note_attempt

LOOPBACK = "127.0.0.0/8"
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a teller may do; `chance` is what decides instead of chance."""

    allow: str = LOOPBACK
    bounds: Bounds | None = None
    schedule: Schedule = seconds_until_next
    rests: Sequence[timedelta] = RESTS
    chance: float = 0.5
    patience: timedelta = 35 * SECOND
    deadline: timedelta = DEADLINE


USUAL = Terms()


@asynccontextmanager
async def telling(
    db: Database, vault: Vault, *, clock: Clock | None = None, terms: Terms = USUAL
) -> AsyncIterator[Postman]:
    """Have a postman that knows webhooks alone."""
    outside = Outside(parse_allowed(terms.allow), bounds=terms.bounds)
    courier = WebhookCourier(
        StoredReceivers(db, vault),
        outside,
        clock=clock or SystemClock(),
        jitter=lambda: terms.chance,
        schedule=terms.schedule,
        pace=Pace(terms.rests),
    )
    post = Post(
        courier,
        budget_of(SPEC.capabilities),
        note=note_attempt,
        patience=terms.patience,
    )

    async def tenants() -> Sequence[TenantId]:
        return [system().tenant]

    try:
        yield Postman(
            db,
            {"webhook": post},
            tenants=tenants,
            is_on=lambda *_: True,
            deadline=terms.deadline,
        )
    finally:
        await outside.close()


def post_events(
    db: Database, count: int = 1, *, subscription: str = "SB-1", first: int = 1
) -> Sequence[str]:
    """Post some events to a subscription; give their keys."""
    drafts = [
        event_draft(
            subscription,
            Event(
                seq=number,
                ts=datetime(2026, 11, 4, 9, tzinfo=UTC),
                type="task_created",
                actor="ann",
                channel="rest",
                target=f"T-{number}",
                details={"title": "Grüße"},
            ),
        )
        for number in range(first, first + count)
    ]

    def post(tx: Tx) -> None:
        for draft in drafts:
            outbox.post(tx, draft)

    db.run(post, by=system())
    return [draft.key for draft in drafts]


def stored(db: Database, number: int = 1) -> Outgoing:
    """Read a delivery."""
    return db.look(lambda tx: outbox.get_(tx, f"D-{number}"), by=system())


def attempts(db: Database, by: Principal, key: str = "SB-1:ev:1") -> list[Attempt]:
    """Read what was tried for a delivery."""
    return [*db.look(partial(subscriptions.list_attempts, key=key), by=by)]


def count_of(db: Database, state: OutboxState) -> int:
    """Count the webhooks that wait or are dead."""
    counted = db.look(outbox.count_open, by=system())
    return counted.get(("webhook", state), 0)
