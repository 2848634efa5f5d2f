"""What runs come to reaches their jobs once, on either database, whoever looks."""

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from core.database import Tx
from core.events import service as events
from core.events.model import EventFilter
from core.events.service import append
from core.jobs import service as jobs
from core.jobs.model import Job, JobStatus
from core.jobs.variants import service as variants
from core.kernel.principal import system
from core.runs import controls
from core.runs import service as runs
from gateway.bootstrap import build
from gateway.graph import Graph
from gateway.settings import Settings
from tests.jobs import a_job, fail_for_good, succeed

ANN = system(name="ann")
Gateways = tuple[Graph, Graph]


@pytest.fixture
async def gateways(tables_url: str, tmp_path: Path) -> Gateways:
    """Two gateways on one database, each with a writer of its own."""
    settings = Settings(database_url=tables_url, data=tmp_path)
    graphs = build(settings), build(settings)
    for graph in graphs:
        await graph.outward.reactor.begin()
    return graphs


@pytest.fixture(autouse=True)
def closing(gateways: Gateways) -> Iterator[None]:
    yield
    for graph in gateways:
        graph.db.close()


async def settle(gateways: Gateways) -> None:
    """Have both react at the same time."""
    await asyncio.gather(*(each.outward.reactor.react_to_news() for each in gateways))


def now_of(gateways: Gateways, job: Job) -> Job:
    return gateways[0].db.look(partial(jobs.get_, job_id=job.id), by=ANN)


def told_of(gateways: Gateways, job: Job) -> list[str]:
    wanted = EventFilter(targets=frozenset({job.id}))
    found = gateways[0].db.look(partial(events.list_last, wanted=wanted), by=ANN)
    return [each.type for each in found]


async def test_variants_are_written_once_by_two_gateways(gateways: Gateways) -> None:
    """M-JOB-11: one set for each job, however many look at the end of its run."""
    db = gateways[0].db
    made = [a_job(db, ANN, title=f"n{at}") for at in range(5)]
    for job in made:
        succeed(db, ANN, job, f"{job.title} one", f"{job.title} two")

    await settle(gateways)
    await settle(gateways)

    for job in made:
        found = db.look(partial(variants.list_, job_id=job.id), by=ANN)
        assert [each.body for each in found] == [f"{job.title} one", f"{job.title} two"]
        assert now_of(gateways, job).status is JobStatus.REVIEW
        assert told_of(gateways, job) == ["job_created", "job_started", "job_completed"]


async def test_how_a_run_ends_is_how_its_job_does(gateways: Gateways) -> None:
    db = gateways[0].db
    failed, cancelled = a_job(db, ANN), a_job(db, ANN)
    fail_for_good(db, ANN, failed, "no paper")
    db.run(partial(controls.cancel, run_id=cancelled.run_id, reason="late"), by=ANN)

    await settle(gateways)

    assert now_of(gateways, failed).reason == "boom: no paper"
    assert now_of(gateways, failed).status is JobStatus.FAILED
    assert now_of(gateways, cancelled).status is JobStatus.CANCELLED
    assert now_of(gateways, cancelled).reason == "late"


async def test_a_run_that_was_made_again_is_not_the_jobs(gateways: Gateways) -> None:
    """A job is over when its own run is: what is tried later changes nothing."""
    db = gateways[0].db
    job = a_job(db, ANN)
    fail_for_good(db, ANN, job, "no paper")
    await settle(gateways)

    def again(tx: Tx) -> str:
        return runs.get_(tx, controls.retry(tx, job.run_id).id).id

    assert db.run(again, by=ANN) != job.run_id
    await settle(gateways)

    assert now_of(gateways, job).status is JobStatus.FAILED
    assert told_of(gateways, job)[-1] == "job_failed"


@pytest.mark.parametrize(
    "forged", ["run_claimed", "run_succeeded", "run_failed", "run_cancelled"]
)
async def test_an_event_that_somebody_made_up_moves_no_job(
    gateways: Gateways, forged: str
) -> None:
    """Whoever may append events cannot end what somebody else asked for."""
    db = gateways[0].db
    job = a_job(db, ANN)

    def forge(tx: Tx) -> None:
        append(tx, forged, target=job.run_id)

    db.run(forge, by=ANN)
    await settle(gateways)

    assert now_of(gateways, job).status is JobStatus.QUEUED
