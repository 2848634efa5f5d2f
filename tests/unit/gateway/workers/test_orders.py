"""Runs at work here are hurried when somebody cancels, pauses or resumes them."""

import asyncio
from functools import partial

from core.database import Database
from core.kernel.principal import Principal, system
from core.runs import calls, claims, controls, service
from core.runs.model import NewRun, Step
from core.runs.reports import Wanted
from gateway.workers.orders import Orders

WORKER = system(name="worker")


class Hands:
    """Notes which runs it was told to ask about."""

    def __init__(self) -> None:
        self.hurried: asyncio.Queue[str] = asyncio.Queue()

    def hurry(self, run_id: str) -> None:
        self.hurried.put_nowait(run_id)


async def test_each_order_is_passed_on_once(db: Database, ann: Principal) -> None:
    """R-26: and the heartbeat that it brings about is no order."""
    new = NewRun(steps=[Step(name="a", uses="noop")])
    run = await db.write(lambda tx: service.create(tx, new), by=ann)
    (held,) = await db.write(lambda tx: claims.claim(tx, Wanted(worker="w")), by=WORKER)
    beat = partial(calls.beat, run_id=run.id, fence=held.fence)
    await db.write(beat, by=WORKER)
    hands = Hands()
    listening = asyncio.create_task(Orders(db, hands).run())
    await asyncio.sleep(0)

    async with asyncio.timeout(10):
        for order in (controls.pause, controls.resume, controls.cancel):
            await db.write(partial(order, run_id=run.id), by=ann)
            assert await hands.hurried.get() == run.id
            await db.write(beat, by=WORKER)
    listening.cancel()

    assert hands.hurried.empty()
