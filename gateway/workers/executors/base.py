"""What an executor is: it does one step, and is told when to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from core.kernel.jsons import Json
from core.runs.model import Step
from core.runs.reports import Report
from gateway.workers.calls import Produced

Tell = Callable[[Report], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWork:
    """One step to be done.

    Shape:  `folder` is the run's own, empty at its first step. `environment` is all
            that a process may see, secrets included; `secrets` are the values that no
            output may show. `tell` takes logs, progress and notes, in order.
            `stop` is set when the step shall end soon: it was cancelled, or the worker
            shuts down; whoever goes on after `grace` is killed. `inputs` are the results
            of the steps before, by name.
    """

    run_id: str
    attempt: int
    step: Step
    input: Mapping[str, Json]
    inputs: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    folder: Path
    environment: Mapping[str, str]
    secrets: Sequence[str] = ()
    tell: Tell
    stop: asyncio.Event
    grace: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How a step ended.

    Shape:  `code` is "" for success; else a word for the retry rules, such as
            `exit_code`, `timeout`, `cancelled`, `forbidden_path`, `output_limit`,
            `unavailable`. `is_final` failures are not tried again.
    """

    code: str = ""
    detail: str = ""
    exit_code: int | None = None
    is_final: bool = False
    result: Mapping[str, Json] = field(default_factory=dict)
    produced: Sequence[Produced] = ()

    @property
    def is_good(self) -> bool:
        """Whether the step did what it was to do."""
        return not self.code


class Executor(Protocol):
    """Does steps of one kind; what it was not written for it raises as a Problem."""

    name: str

    def check(self, step: Step) -> None:
        """Refuse what could never run, before anything is queued.

        Raises: InvalidArgument naming the field and the fix.
        """
        ...

    async def run(self, work: StepWork) -> StepResult:
        """Do the step; a failure is a result, not an exception."""
        ...
