"""Keeps the files that a step leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from core.kernel.problems import LeaseLost, Problem
from core.runs.model import Step
from gateway.workers.calls import Calls, Claimed, Produced
from gateway.workers.executors.base import StepResult
from gateway.workers.insisting import PATIENCE, insist
from gateway.workers.pulse import Pulse
from gateway.workers.sandbox.paths import matching


async def keep(
    calls: Calls,
    held: Claimed,
    pulse: Pulse,
    *,
    step: Step,
    result: StepResult,
    folder: Path,
) -> AsyncIterator[tuple[str, str]]:
    """Put the files of a step; give the name of each that was refused, and why."""
    found = await asyncio.to_thread(_found, step, result, folder)
    for produced in found:
        try:
            await _put(calls, held, pulse, produced)
        except LeaseLost:
            raise
        except Problem as problem:
            yield produced.name, problem.detail
        except OSError as fault:
            yield produced.name, fault.strerror or str(fault)


async def _put(calls: Calls, held: Claimed, pulse: Pulse, produced: Produced) -> None:
    await insist(pulse, lambda: calls.put(held, produced), patience=PATIENCE)


def _found(step: Step, result: StepResult, folder: Path) -> Sequence[Produced]:
    """List what the executor names and what the patterns match, each name once."""
    is_partial = not result.is_good
    matched = (
        Produced(name=name, path=folder / name, is_partial=is_partial)
        for name in (matching(folder, step.artifacts) if step.artifacts else ())
    )
    found = {each.name: each for each in (*matched, *result.produced)}
    return [*found.values()]
