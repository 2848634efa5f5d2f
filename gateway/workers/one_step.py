"""Has an executor do a step once, and ends it when it must end."""

import asyncio
from dataclasses import replace
from enum import StrEnum

from core.kernel.problems import BadRequest, Problem
from gateway.supervisor import contain
from gateway.workers.executors.base import Executor, StepResult, StepWork

_BEYOND_GRACE_SECONDS = 2.0
"""An executor kills what it started after the grace, which takes it a moment."""


class Ending(StrEnum):
    """Why a step ended: by itself, or by what."""

    ITSELF = "itself"
    TIMEOUT = "timeout"
    DEADLINE = "deadline"
    CANCELLED = "cancelled"
    KILLED = "killed"


async def do(
    executor: Executor,
    work: StepWork,
    *,
    stops: tuple[asyncio.Event, asyncio.Event],
    left: float,
) -> tuple[StepResult, Ending]:
    """Do a step until it ends, its time is over, or one of `stops` is set.

    Shape:  `stops` are set when the run is cancelled, and when the worker is killed.
    Units:  `left` are the seconds until the run's deadline.
    """
    own = work.step.timeout.total_seconds()
    doing = asyncio.create_task(_contained(executor, work))
    try:
        ending = await _await(doing, stops, seconds=min(own, left))
        if ending is Ending.TIMEOUT and left <= own:
            ending = Ending.DEADLINE
        if ending is not Ending.ITSELF:
            await _stop(doing, work)
        return _result(doing, ending, own), ending
    finally:
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


async def _await(
    doing: "asyncio.Task[StepResult]",
    stops: tuple[asyncio.Event, asyncio.Event],
    *,
    seconds: float,
) -> Ending:
    cancelled, killed = (asyncio.create_task(each.wait()) for each in stops)
    waiting: set[asyncio.Task[object]] = {doing, cancelled, killed}
    try:
        await asyncio.wait(
            waiting, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED
        )
        if doing.done():
            return Ending.ITSELF
        if cancelled.done():
            return Ending.CANCELLED
        return Ending.KILLED if killed.done() else Ending.TIMEOUT
    finally:
        cancelled.cancel()
        killed.cancel()


async def _stop(doing: "asyncio.Task[StepResult]", work: StepWork) -> None:
    work.stop.set()
    seconds = work.grace.total_seconds() + _BEYOND_GRACE_SECONDS
    await asyncio.wait({doing}, timeout=seconds)
    doing.cancel()
    await asyncio.wait({doing})


def _result(
    doing: "asyncio.Task[StepResult]", ending: Ending, seconds: float
) -> StepResult:
    if doing.cancelled():
        result = StepResult(
            code="cancelled", detail="it did not end when it was told to"
        )
    else:
        result = doing.result()
    if ending is Ending.TIMEOUT and not result.is_good:
        told = f"it took longer than {seconds:g} s"
        return replace(result, code="timeout", detail=told)
    return result


async def _contained(executor: Executor, work: StepWork) -> StepResult:
    found = await contain(
        _answered(executor, work),
        event="step.faulty",
        run_id=work.run_id,
        step=work.step.name,
        uses=work.step.uses,
    )
    if isinstance(found, StepResult):
        return found
    told = f"the executor {work.step.uses} failed; the log of the worker says why"
    return StepResult(code="executor_fault", detail=told)


async def _answered(executor: Executor, work: StepWork) -> StepResult:
    """Do the step; what was refused is a result like any other."""
    try:
        return await executor.run(work)
    except Problem as problem:
        return StepResult(
            code=problem.code,
            detail=problem.detail,
            is_final=isinstance(problem, BadRequest),
        )
