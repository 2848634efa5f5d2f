"""One attempt at a run: its steps in order, and the end that it comes to."""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from core.kernel.jsons import Json
from core.kernel.problems import LeaseLost, Problem, Unavailable
from core.kernel.sanitise import sanitise_line
from core.runs.endings import STOPPED
from core.runs.model import Progress, RunError, Step
from core.runs.reports import (
    LogReport,
    Note,
    Outcome,
    Report,
    StepReport,
    StepStatus,
)
from gateway.workers.calls import Calls, Claimed
from gateway.workers.executors.base import Executor, StepResult, StepWork
from gateway.workers.insisting import PATIENCE, insist
from gateway.workers.keeping import keep
from gateway.workers.one_step import Ending, do
from gateway.workers.pulse import Pulse
from gateway.workers.sandbox.environment import environment_of
from gateway.workers.sandbox.redaction import Redactor
from gateway.workers.teller import Teller

_FIRST_PAUSE_SECONDS = 1.0
_DETAIL_CHARS = 500
_LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a worker has for all its runs.

    Shape:  once `stopping` is set, a run is handed back after its step; `killing` cuts
            the step short, which fails the attempt.
    """

    calls: Calls
    executors: Mapping[str, Executor]
    lease: timedelta
    grace: timedelta
    stopping: asyncio.Event
    killing: asyncio.Event


@dataclass(frozen=True, slots=True)
class HandBack:
    """The attempt ends between two steps: somebody else goes on, and it counts not.

    Shape:  a step that was cut short has had effects nobody knows of, so its attempt
            counts: it fails with `worker_stopped`.
    """

    reason: str


class Attempt:
    """What is known of an attempt while it goes on."""

    def __init__(self, means: Means, held: Claimed, folder: Path) -> None:
        self._means = means
        self._held = held
        self._folder = folder
        self.pulse = Pulse(means.calls, held, lease=means.lease)
        self._teller = Teller(means.calls, held, self.pulse)
        self._redactor = Redactor(())
        self._secrets: Mapping[str, str] = {}
        self._results: dict[str, Mapping[str, Json]] = {}
        self._deadline = _deadline_of(held, means.lease)
        self._at = ""

    async def go(self) -> None:
        """Do the steps, and say how it ended.

        Raises: an ExceptionGroup with LeaseLost once the run is not ours any more;
                nothing is left of its steps then.
        """
        async with asyncio.TaskGroup() as group:
            background = (
                group.create_task(self.pulse.run()),
                group.create_task(self._teller.run()),
            )
            try:
                await self._end(await self._steps())
            finally:
                for each in background:
                    each.cancel()

    @property
    def if_stopped(self) -> Outcome | HandBack:
        """How the attempt ends if its worker is gone now."""
        return _cut(self._at) if self._at else HandBack("the worker was stopped")

    async def _end(self, outcome: Outcome | HandBack) -> None:
        calls, held = self._means.calls, self._held
        await self._teller.flush()
        if isinstance(outcome, HandBack):
            await insist(self.pulse, lambda: calls.hand_back(held, outcome.reason))
            return
        try:
            await insist(self.pulse, lambda: calls.complete(held, outcome))
        except LeaseLost:
            raise
        except Problem as refused:
            # Such as a result that is too large: the run must end all the same.
            told = replace(_failed(refused.code, refused.detail), is_final=True)
            await insist(self.pulse, lambda: calls.complete(held, told))

    async def _steps(self) -> Outcome | HandBack:
        try:
            await self._learn_secrets()
        except LeaseLost:
            raise
        except Problem as problem:
            is_final = not isinstance(problem, Unavailable)
            return replace(_failed(problem.code, problem.detail), is_final=is_final)
        for done, step in enumerate(self._held.steps):
            if early := await self._before(step):
                await self._skip(self._held.steps[done:])
                return early
            self._at = step.name
            result, ending = await self._do(step)
            if ending is not Ending.KILLED or result.is_good:
                self._at = ""
            await self._ended(step, result, done + 1)
            if early := self._after(step, result, ending):
                await self._skip(self._held.steps[done + 1 :])
                return early
        return Outcome(status="succeeded", result=_result(self._results))

    async def _before(self, step: Step) -> Outcome | HandBack | None:
        """Wait while the run is paused; tell why a step shall not begin."""
        while self.pulse.is_paused and self._goes_on:
            await _first(
                self.pulse.changed, self.pulse.cancelled, self._means.stopping,
                seconds=self._left,
            )  # fmt: skip
            self.pulse.changed.clear()
        if self.pulse.cancelled.is_set():
            return self._cancelled()
        if self._means.stopping.is_set():
            return HandBack(f"the worker stopped before {step.name}")
        if self._left <= 0:
            return _failed("timed_out", "the deadline passed", step.name)
        return None

    def _after(
        self, step: Step, result: StepResult, ending: Ending
    ) -> Outcome | HandBack | None:
        """Tell why the run ends with a step."""
        if ending is Ending.CANCELLED or self.pulse.cancelled.is_set():
            return self._cancelled()
        if ending is Ending.KILLED and not result.is_good:
            return _cut(step.name)
        if ending is Ending.DEADLINE and not result.is_good:
            return _failed("timed_out", "the deadline passed", step.name)
        if result.is_good or step.goes_on:
            return None
        return replace(
            _failed(result.code, result.detail, step.name),
            result=_result(self._results),
            is_final=result.is_final,
        )

    async def _do(self, step: Step) -> tuple[StepResult, Ending]:
        """Do a step, as often as it may be tried."""
        await self._tell(
            StepReport(step=step.name, status=StepStatus.RUNNING, uses=step.uses)
        )
        await self._teller.flush()
        tried = 0
        while True:
            tried += 1
            result, ending = await self._once(step)
            if not self._is_again(step, result, ending, tried):
                return result, ending
            await self._tell(
                Note(type="step_retried", details=_retried(step, result, tried))
            )
            most = min(_FIRST_PAUSE_SECONDS * 2**tried, _LONGEST_PAUSE_SECONDS)
            pause = random.uniform(0, most)  # noqa: S311 (jitter is no secret)
            await _first(
                self.pulse.cancelled,
                self._means.stopping,
                seconds=min(pause, self._left),
            )
            if not self._goes_on:
                return result, Ending.KILLED if self._left > 0 else Ending.DEADLINE

    def _is_again(
        self, step: Step, result: StepResult, ending: Ending, tried: int
    ) -> bool:
        if result.is_good or result.is_final or tried >= step.tries:
            return False
        return ending in (Ending.ITSELF, Ending.TIMEOUT) and self._goes_on

    async def _once(self, step: Step) -> tuple[StepResult, Ending]:
        executor = self._means.executors.get(step.uses)
        if executor is None:
            return _cannot("unknown_executor", f"no {step.uses} here"), Ending.ITSELF
        missing = [each for each in step.secrets.values() if each not in self._secrets]
        if missing:
            told = f"there is no secret {', '.join(sorted(missing))}"
            return _cannot("secret_missing", told), Ending.ITSELF
        result, ending = await do(
            executor,
            self._work(step),
            stops=(self.pulse.cancelled, self._means.killing),
            left=self._left,
        )
        return self._shown(result), ending

    async def _ended(self, step: Step, result: StepResult, done: int) -> None:
        self._results[step.name] = result.result
        await self._teller.flush()
        refused = await self._keep(step, result)
        told = "; ".join((*filter(None, (result.detail,)), *refused))
        await self._tell(
            StepReport(
                step=step.name,
                status=_status_of(result),
                uses=step.uses,
                exit_code=result.exit_code,
                detail=sanitise_line(told, limit=_DETAIL_CHARS),
            )
        )
        progress = Progress(done=done, total=len(self._held.steps), note=step.name)
        await self._tell(progress)
        await self._teller.flush()

    async def _keep(self, step: Step, result: StepResult) -> Sequence[str]:
        """Keep the files of a step; say in the log and in the end which were not."""
        refused = []
        async for name, why in keep(
            self._means.calls, self._held, self.pulse,
            step=step, result=result, folder=self._folder, redactor=self._redactor,
        ):  # fmt: skip
            details: dict[str, Json] = {"step": step.name, "name": name, "reason": why}
            await self._tell(Note(type="artifact_refused", details=details))
            refused.append(f"{name} was not kept: {why}")
            text = f"{refused[-1]}\n"
            await self._tell(LogReport(step=step.name, stream="stderr", text=text))
        return refused

    async def _skip(self, steps: Sequence[Step]) -> None:
        for each in steps:
            await self._tell(
                StepReport(step=each.name, status=StepStatus.SKIPPED, uses=each.uses)
            )

    async def _tell(self, report: Report) -> None:
        """Tell what a step or we ourselves say, without secrets."""
        await self._teller.tell(_redacted(report, self._redactor))

    async def _learn_secrets(self) -> None:
        """Read the secrets that steps name.

        Raises: Problem.
        """
        if any(each.secrets for each in self._held.steps):
            self._secrets = await insist(
                self.pulse,
                lambda: self._means.calls.secrets(self._held),
                patience=PATIENCE,
            )
            self._redactor = Redactor(self._secrets.values())

    def _work(self, step: Step) -> StepWork:
        held = self._held
        secrets = {name: self._secrets[of] for name, of in step.secrets.items()}
        environment = environment_of(
            self._folder,
            parameters=held.input,
            own={**step.env, **secrets},
            run_id=held.run_id,
            attempt=str(held.attempt),
            step=step.name,
        )
        return StepWork(
            run_id=held.run_id,
            attempt=held.attempt,
            step=step,
            input=held.input,
            inputs=dict(self._results),
            folder=self._folder,
            environment=environment,
            secrets=tuple(self._secrets.values()),
            tell=self._tell,
            stop=asyncio.Event(),
            grace=self._means.grace,
        )

    def _shown(self, result: StepResult) -> StepResult:
        found = {
            name: self._redactor.json(each) for name, each in result.result.items()
        }
        told = self._redactor.whole(result.detail)
        detail = sanitise_line(told, limit=_DETAIL_CHARS)
        return replace(result, detail=detail, result=found)

    def _cancelled(self) -> Outcome:
        return Outcome(status="cancelled", result=_result(self._results))

    @property
    def _goes_on(self) -> bool:
        is_asked = self.pulse.cancelled.is_set() or self._means.stopping.is_set()
        return not is_asked and self._left > 0

    @property
    def _left(self) -> float:
        """How many seconds there are until the deadline."""
        return self._deadline - time.monotonic()


def _deadline_of(held: Claimed, lease: timedelta) -> float:
    """Tell when the run is to be over, by our clock.

    The end of the lease is told by the same clock as the deadline, and it was granted
    just now: what lies between the two needs no clock of ours to be right.
    """
    if held.deadline_at is None:
        return float("inf")
    left = held.deadline_at - held.lease_expires_at + lease
    return time.monotonic() + left.total_seconds()


async def _first(*events: asyncio.Event, seconds: float) -> None:
    """Wait for the first of some events, or for as long as is said."""
    waiting = [asyncio.ensure_future(each.wait()) for each in events]
    try:
        await asyncio.wait(
            waiting,
            timeout=None if seconds == float("inf") else max(seconds, 0),
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        for each in waiting:
            each.cancel()


def _redacted(report: Report, redactor: Redactor) -> Report:
    match report:
        case Note(details=details):
            shown = {name: redactor.json(each) for name, each in details.items()}
            return replace(report, details=shown)
        case Progress(note=note):
            return replace(report, note=redactor.whole(note))
        case StepReport(detail=detail):
            return replace(report, detail=redactor.whole(detail))
        case _:
            return replace(report, text=redactor.whole(report.text))


def _retried(step: Step, result: StepResult, tried: int) -> dict[str, Json]:
    return {
        "step": step.name,
        "try": tried,
        "of": step.tries,
        "code": result.code,
        "detail": result.detail,
    }


def _status_of(result: StepResult) -> StepStatus:
    if result.is_good:
        return StepStatus.SUCCEEDED
    is_cancelled = result.code == "cancelled"
    return StepStatus.CANCELLED if is_cancelled else StepStatus.FAILED


def _cannot(code: str, detail: str) -> StepResult:
    return StepResult(code=code, detail=detail, is_final=True)


def _failed(code: str, detail: str, step: str = "") -> Outcome:
    error = RunError(code=code, detail=detail, step=step)
    return Outcome(status="failed", error=error)


def _cut(step: str) -> Outcome:
    told = f"the worker stopped, and {step} was cut short"
    return _failed(STOPPED, told, step)


def _result(results: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    return {name: dict(each) for name, each in results.items()}
