"""Keeps the files that a step leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Container, Sequence
from dataclasses import replace
from pathlib import Path

from core.kernel.problems import LeaseLost, Problem
from core.runs.artifacts.model import name_for
from core.runs.model import Step
from gateway.workers.calls import Calls, Claimed, Produced
from gateway.workers.executors.base import StepResult
from gateway.workers.insisting import PATIENCE, insist
from gateway.workers.pulse import Pulse
from gateway.workers.sandbox.paths import matching
from gateway.workers.sandbox.redaction import SHOWN, Redactor

_HIDDEN = "hidden"
"""What stands for a secret in a name, which `***` may not be part of."""


async def keep(  # noqa: PLR0913 - what a file is kept with
    calls: Calls,
    held: Claimed,
    pulse: Pulse,
    *,
    step: Step,
    result: StepResult,
    folder: Path,
    redactor: Redactor,
) -> AsyncIterator[tuple[str, str]]:
    """Put the files of a step; give the name of each that was refused, and why.

    Shape:  a secret in a name is hidden, and files that differ keep different names.
    """
    files = await asyncio.to_thread(_found, step, result, folder)
    found = _shown(files, redactor)
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


def _shown(files: Sequence[Produced], redactor: Redactor) -> Sequence[Produced]:
    """Hide the secrets in names."""
    masked = [_masked(each.name, redactor) for each in files]
    taken = {each.name for each in files}
    shown = []
    for each, name in zip(files, masked, strict=True):
        if name != each.name:
            name = _free(name, taken)
            taken.add(name)
        shown.append(replace(each, name=name))
    return shown


def _masked(name: str, redactor: Redactor) -> str:
    """Hide secrets as they are written, and as they would be in an artifact's name."""
    mask = SHOWN.decode()
    for written in (name, name_for(name)):
        if (shown := redactor.whole(written)) != written:
            return _masked(shown.replace(mask, _HIDDEN), redactor)
    return name


def _free(name: str, taken: Container[str]) -> str:
    path = Path(name)
    number = 1
    while name in taken:
        number += 1
        name = str(path.with_name(f"{path.stem}-{number}{path.suffix}"))
    return name
