"""The doorbell rings once for what waits, and loses nothing while nobody hears it."""

from collections.abc import Sequence

import pytest

from core.database import Database
from core.kernel.principal import DEFAULT_TENANT, Principal, TenantId, system
from core.runs import claims, controls, service
from core.runs.model import NewRun, Run, Step
from core.runs.reports import Wanted
from gateway.leaders import Leaders
from gateway.workers.doorbell import LEADERSHIP, Doorbell, Ring

STEPS = [Step(name="a", uses="noop")]


class Line:
    """Collects the rings, unless it is cut."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.is_cut = False

    def __call__(self, rings: Sequence[Ring]) -> int:
        if self.is_cut:
            raise ConnectionError("no Redis")
        self.rung += [run_id for _, run_id in rings]
        return len(rings)


async def tenants() -> list[TenantId]:
    return [DEFAULT_TENANT]


def doorbell(db: Database, line: Line, leaders: Leaders | None = None) -> Doorbell:
    return Doorbell(db, line, tenants=tenants, leaders=leaders or Leaders(db))


def start(db: Database, by: Principal, *, kind: str = "trial") -> Run:
    steps = [] if kind == "manual" else STEPS
    return db.run(lambda tx: service.create(tx, NewRun(kind=kind, steps=steps)), by=by)


async def test_what_waits_is_rung_for_once(db: Database, ann: Principal) -> None:
    """Runs that only workers from outside take are none of Celery's business."""
    line = Line()
    bell = doorbell(db, line)
    first = start(db, ann)
    start(db, ann, kind="manual")

    await bell.ring_all()
    await bell.ring_all()
    second = start(db, ann)
    await bell.ring_all()

    assert line.rung == [first.id, second.id]


async def test_what_comes_back_is_rung_for_again(db: Database, ann: Principal) -> None:
    line = Line()
    bell = doorbell(db, line)
    run = start(db, ann)
    await bell.ring_all()

    db.run(lambda tx: controls.pause(tx, run.id), by=ann)
    await bell.ring_all()
    db.run(lambda tx: controls.resume(tx, run.id), by=ann)
    await bell.ring_all()

    assert line.rung == [run.id, run.id]


async def test_what_is_held_is_not_rung_for(db: Database, ann: Principal) -> None:
    line = Line()
    start(db, ann)
    worker = system(name="worker")
    db.run(lambda tx: claims.claim(tx, Wanted(worker="w")), by=worker)

    await doorbell(db, line).ring_all()

    assert line.rung == []


async def test_an_outage_loses_no_ring_and_is_logged_once(
    db: Database, ann: Principal, caplog: pytest.LogCaptureFixture
) -> None:
    """R-42."""
    line = Line()
    bell = doorbell(db, line)
    run = start(db, ann)
    line.is_cut = True
    with caplog.at_level("INFO"):
        await bell.ring_all()
        await bell.ring_all()
        fault = bell.fault
        line.is_cut = False
        await bell.ring_all()

    assert line.rung == [run.id]
    assert (bool(fault), bell.fault) == (True, "")
    events = [each.message for each in caplog.records if "doorbell" in each.message]
    assert events == ["doorbell.unreached", "doorbell.reached"]


async def test_only_the_leader_rings(db: Database, ann: Principal) -> None:
    line = Line()
    assert await Leaders(db).leads(LEADERSHIP)
    start(db, ann)

    await doorbell(db, line).ring_all()

    assert line.rung == []
