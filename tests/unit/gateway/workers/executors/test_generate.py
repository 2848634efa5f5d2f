"""The step that asks a provider: bounded in time and size, and honest when it fails."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, TookTooLong, Unavailable
from core.providers.model import Draft, Generated, Request
from core.runs.model import Step
from core.runs.reports import LogReport, Note, Report
from gateway.adapters.breaker import CircuitOpen
from gateway.adapters.providers.mock import MockProvider
from gateway.workers.executors.base import StepWork
from gateway.workers.executors.generate import Generate

GIVEN: Mapping[str, Json] = {"provider": "mock", "title": "T", "prompt": "P"}


class Scripted:
    """A provider that does what it is told to."""

    name = "mock"

    def __init__(self, *drafts: Draft, fault: Exception | None = None) -> None:
        self.drafts = drafts
        self.fault = fault
        self.asked = 0

    async def generate(self, request: Request) -> Generated:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return Generated(provider=self.name, model="m", drafts=self.drafts)


class Silent(Scripted):
    """A provider that never answers, and notes that it was left."""

    is_left = False

    async def generate(self, request: Request) -> Generated:
        self.asked += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.is_left = True
        raise AssertionError


def a_step(**given: Json) -> Step:
    return Step(name="generate", uses="provider/generate", given={**GIVEN, **given})


def work_of(tmp_path: Path, told: list[Report], **given: Any) -> StepWork:
    async def tell(report: Report) -> None:
        told.append(report)

    return StepWork(
        run_id="R-1",
        attempt=1,
        step=a_step(**given),
        input={},
        folder=tmp_path,
        environment={},
        tell=tell,
        stop=asyncio.Event(),
    )


async def test_the_drafts_are_the_result(tmp_path: Path) -> None:
    told: list[Report] = []
    work = work_of(tmp_path, told, count=2, input={"x": 1})

    done = await Generate({"mock": MockProvider()}).run(work)

    assert done.is_good
    drafts = done.result["drafts"]
    assert isinstance(drafts, list)
    assert len(drafts) == 2
    assert (done.result["provider"], done.result["format"]) == ("mock", "md")
    [log] = told
    assert isinstance(log, LogReport)
    assert "wrote 2 drafts" in log.text


async def test_a_provider_that_does_not_answer_is_left(tmp_path: Path) -> None:
    silent = Silent()
    executor = Generate({"mock": silent}, patience=timedelta(milliseconds=1))

    with pytest.raises(TookTooLong, match="gave no answer within"):
        await executor.run(work_of(tmp_path, []))

    assert silent.is_left


async def test_a_step_that_is_stopped_waits_for_nobody(tmp_path: Path) -> None:
    silent = Silent()
    work = work_of(tmp_path, [])
    work.stop.set()

    done = await Generate({"mock": silent}).run(work)

    assert (done.code, silent.is_left or not silent.asked) == ("cancelled", True)


async def test_a_dead_provider_is_left_alone(tmp_path: Path) -> None:
    """Five failures in a row, and it is not asked a sixth time; this is told once."""
    dead, told = Scripted(fault=Unavailable("down")), list[Report]()
    executor = Generate({"mock": dead})
    for _ in range(5):
        with pytest.raises(Unavailable):
            await executor.run(work_of(tmp_path, told))

    with pytest.raises(CircuitOpen, match="mock failed 5 times"):
        await executor.run(work_of(tmp_path, told))

    assert dead.asked == 5
    assert told == [Note(type="circuit_opened", details={"provider": "mock"})]


@pytest.mark.parametrize(
    "drafts",
    [
        (),
        (Draft(title="t", body=" "),),
        (Draft(title="t", body="x" * 100_001),),
        tuple(Draft(title="t", body="\x01" * 20_000) for _ in range(2)),
    ],
)
async def test_what_cannot_be_kept_ends_the_run(
    tmp_path: Path, drafts: tuple[Draft, ...]
) -> None:
    """Asking again would give the same, so it is final; the provider is not at fault."""
    executor = Generate({"mock": Scripted(*drafts)})

    for _ in range(6):
        done = await executor.run(work_of(tmp_path, []))

        assert (done.code, done.is_final) == ("unusable_answer", True)


async def test_more_than_was_asked_for_is_dropped(tmp_path: Path) -> None:
    drafts = [Draft(title=str(at), body="x", score=900) for at in range(5)]

    done = await Generate({"mock": Scripted(*drafts)}).run(
        work_of(tmp_path, [], count=2)
    )

    assert done.result["drafts"] == [
        {"title": "0", "body": "x", "score": 100},
        {"title": "1", "body": "x", "score": 100},
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"provider": "nobody"},
        {"prompt": ""},
        {"prompt": 7},
        {"count": 0},
        {"count": 9},
        {"count": True},
        {"format": "exe"},
        {"input": []},
        {"tools": "all"},
        {"tools": [{}]},
        {"temperature": 1},
    ],
)
def test_what_could_never_run_is_refused_before(given: dict[str, Json]) -> None:
    with pytest.raises(InvalidArgument):
        Generate({"mock": MockProvider()}).check(a_step(**given))
