"""What the database tests begin with: marks to set, and batches under their control."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from core.database import Database, Tx
from core.delivery.tables import channel_states
from core.kernel.principal import Principal

Work = Callable[[Tx], Any]
Together = Callable[..., Awaitable[Sequence[Any]]]


def mark(tx: Tx, name: str) -> str:
    """Insert a row that nothing else is interested in."""
    tx.insert(channel_states, {
        "channel": name, "is_enabled": 1, "limits": "{}", "changed_by": "", "reason": "",
        "updated_at": tx.micros,
    })  # fmt: skip
    return name


def marking(name: str) -> Work:
    """Work that sets a mark."""
    return lambda tx: mark(tx, name)


def marks(tx: Tx) -> list[str]:
    """List the rows of this tenant by name."""
    query = select(channel_states.c.channel).where(
        channel_states.c.tenant_id == tx.tenant
    )
    return [row[0] for row in tx.execute(query.order_by(channel_states.c.channel))]


@pytest.fixture
def together(db: Database, ann: Principal) -> Together:
    """Run works in one batch: they queue up while the writer is held inside another.

    Returns what each returned or raised, in their order.
    """

    async def run(*works: Work, keys: Sequence[Hashable] = ()) -> Sequence[Any]:
        is_held, may_go = threading.Event(), threading.Event()

        def hold(_: Tx) -> None:
            is_held.set()
            may_go.wait(10)

        holding = asyncio.create_task(db.write(hold, by=ann))
        await asyncio.to_thread(is_held.wait, 10)
        pairs = zip(works, keys or [None] * len(works), strict=True)
        queued = [
            asyncio.create_task(db.write(work, by=ann, key=key)) for work, key in pairs
        ]
        await asyncio.sleep(0)
        may_go.set()
        await holding
        return await asyncio.gather(*queued, return_exceptions=True)

    return run
