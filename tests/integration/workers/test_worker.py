"""A worker at a real queue: steps in order, and every way in which a run can end."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from core.events import service as events
from core.kernel.problems import LeaseLost, Unavailable
from core.kernel.reply import Fields
from core.runs import controls
from core.runs.artifacts.model import Limits
from core.runs.model import Progress, RetryRule, RunStatus, Step
from core.runs.reports import Beat, Report, Wanted
from core.runs.steps import service as steps
from gateway.run_cards import run_end
from gateway.workers.calls import Calls, Claimed
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.every import executors
from gateway.workers.local import LocalCalls
from gateway.workers.work import Worker
from tests.integration.workers.conftest import SETTINGS, Queue, living, shell, until

TWICE = RetryRule(max_attempts=2)


async def test_steps_are_done_in_order_and_their_results_kept(queue: Queue) -> None:
    """M-WRK-01, M-WRK-03, M-WRK-07."""
    first = shell("echo hello; echo one > one.txt", name="first", artifacts=["*.txt"])
    second = Step(name="second", uses="noop", given={"result": {"deep": [1]}})

    run = await queue.run(first, second, input={"env": "prod"})

    assert run.status is RunStatus.SUCCEEDED
    assert run.result == {"first": {}, "second": {"result": {"deep": [1]}}}
    assert run.progress == Progress(done=2, total=2, note="second")
    assert queue.log(run.id) == "hello\n"
    assert queue.artifacts(run.id) == {"one.txt": False}
    assert _steps(queue, run.id) == [("first", "succeeded"), ("second", "succeeded")]
    assert _left(queue) == []


async def test_events_tell_what_the_worker_did(queue: Queue) -> None:
    """M-WRK-04: lease, executor, progress, end."""
    run = await queue.run(shell("true", name="only"))

    found = queue.db.run(lambda tx: events.list_after(tx, 0), by=queue.by)
    told = dict.fromkeys(each.type for each in found)
    order = [
        "run_queued", "run_claimed", "executor_started", "executor_succeeded",
        "run_progress", "run_succeeded",
    ]  # fmt: skip
    assert [each for each in told if each in order] == order
    assert run.status is RunStatus.SUCCEEDED


async def test_a_failed_step_ends_the_run_and_its_files_are_partial(
    queue: Queue,
) -> None:
    """M-WRK-01: what it left behind is kept, whatever became of it."""
    run = await queue.run(
        shell("echo half > report; exit 3", name="build", artifacts=["report"]),
        shell("true", name="deploy"),
    )

    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert (run.error.code, run.error.step) == ("exit_code", "build")
    assert queue.artifacts(run.id) == {"report": True}
    assert _steps(queue, run.id) == [("build", "failed"), ("deploy", "skipped")]


async def test_a_step_that_may_fail_does_not_end_the_run(queue: Queue) -> None:
    run = await queue.run(
        shell("exit 3", name="may", goes_on=True), shell("true", name="next")
    )

    assert run.status is RunStatus.SUCCEEDED
    assert _steps(queue, run.id) == [("may", "failed"), ("next", "succeeded")]


async def test_a_step_is_tried_again(queue: Queue) -> None:
    """M-WRK-06."""
    script = "test -f seen && exit 0; touch seen; exit 75"

    run = await queue.run(shell(script, tries=2))

    assert run.status is RunStatus.SUCCEEDED


async def test_cancelling_ends_the_step_and_the_run(queue: Queue) -> None:
    """R-26: a step that ignores being told is killed, and so is what it started."""
    mark = uuid4().hex
    script = (
        f"trap '' TERM; setsid bash -c \"trap '' TERM; while :; do sleep 0.1; done; "
        f': {mark}" & echo half > half; echo on; while :; do sleep 0.1; done; : {mark}'
    )
    queued = queue.enqueue(shell(script, artifacts=["half"]), shell("true", name="b"))
    working = asyncio.create_task(queue.worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    queue.cancel(queued.id)
    queue.worker.hurry(queued.id)
    await working

    assert queue.get(queued.id).status is RunStatus.CANCELLED
    assert living(mark) == []
    assert queue.artifacts(queued.id) == {"half": True}
    assert _steps(queue, queued.id) == [("step", "cancelled"), ("b", "skipped")]


async def test_a_paused_run_waits_after_its_step_and_goes_on(queue: Queue) -> None:
    """M-WRK-01: pause takes effect between steps, and the run stays held."""
    go = queue.folder.parent / "go"
    script = "echo on; until test -f go; do sleep 0.05; done"
    queued = queue.enqueue(
        shell(script, name="first"), Step(name="second", uses="noop")
    )
    held = await queue.claim()
    working = asyncio.create_task(queue.worker.work(held))
    await queue.until(queued.id, "on")
    assert not go.exists()

    queue.db.run(lambda tx: controls.pause(tx, queued.id, reason="look"), by=queue.by)
    queue.worker.hurry(queued.id)
    (folder,) = queue.folder.iterdir()
    await _paused(queue, queued.id)
    (folder / "go").touch()
    await _until_step(queue, queued.id, ("first", "succeeded"))
    assert not working.done()
    queue.db.run(lambda tx: controls.resume(tx, queued.id), by=queue.by)
    queue.worker.hurry(queued.id)
    await working

    assert queue.get(queued.id).status is RunStatus.SUCCEEDED


async def test_stopping_finishes_the_step_and_hands_the_run_back(queue: Queue) -> None:
    """M-WRK-08: the attempt does not count."""
    script = "echo on; until test -f go; do sleep 0.05; done; echo finished"
    queued = queue.enqueue(shell(script, name="a"), shell("true", name="b"))
    working = asyncio.create_task(queue.worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    queue.worker.stop()
    (folder,) = queue.folder.iterdir()
    (folder / "go").touch()
    await working

    run = queue.get(queued.id)
    assert (run.status, run.attempt) == (RunStatus.QUEUED, 0)
    assert queue.log(run.id) == "on\nfinished\n"
    assert _left(queue) == []


async def test_a_step_that_is_cut_short_is_an_attempt(queue: Queue) -> None:
    """M-WRK-08: what it did nobody knows, so it does not begin twice unasked."""
    mark = uuid4().hex
    queued = queue.enqueue(shell(f"echo on; sleep 1000; : {mark}"), retry=TWICE)
    working = asyncio.create_task(queue.worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    queue.worker.stop()
    queue.worker.kill()
    await working

    run = queue.get(queued.id)
    assert (run.status, run.attempt) == (RunStatus.QUEUED, 1)
    assert run.error is not None
    assert (run.error.code, run.error.step) == ("worker_stopped", "step")
    assert living(mark) == []


async def test_a_step_that_is_cut_short_in_the_last_attempt_fails_the_run(
    queue: Queue,
) -> None:
    """M-WRK-08: `max_attempts: 1` means that no step begins twice."""
    queued = queue.enqueue(shell("echo on; sleep 1000", name="a"))
    working = asyncio.create_task(queue.worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    queue.worker.kill()
    await working

    run = queue.get(queued.id)
    assert (run.status, run.attempt) == (RunStatus.FAILED, 1)
    assert run.error is not None
    assert run.error.detail == "the worker stopped, and a was cut short"


async def test_a_cancelled_worker_says_what_it_cut_and_leaves_nothing(
    queue: Queue,
) -> None:
    """R-29: its process must end now."""
    mark = uuid4().hex
    deaf = shell(f"trap '' TERM; echo on; sleep 1000; : {mark}")
    queued = queue.enqueue(deaf, retry=TWICE)
    working = asyncio.create_task(queue.worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    working.cancel()
    await asyncio.gather(working, return_exceptions=True)

    run = queue.get(queued.id)
    assert (run.status, run.attempt) == (RunStatus.QUEUED, 1)
    assert living(mark) == []
    assert _left(queue) == []


async def test_a_worker_that_lost_its_run_kills_and_is_silent(queue: Queue) -> None:
    """R-22, R-24: another attempt holds it; nothing of this one is heard again."""
    mark = uuid4().hex
    calls = _Through(queue.calls)
    worker = _a_worker(queue, calls)
    queued = queue.enqueue(shell(f"trap '' TERM; echo on; sleep 1000; : {mark}"))
    working = asyncio.create_task(worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    calls.fault = LeaseLost("it is not yours")
    worker.hurry(queued.id)
    await working

    assert living(mark) == []
    assert calls.after_fault == ["beat"]
    assert _left(queue) == []


async def test_a_worker_that_reaches_nobody_stops_when_the_lease_may_be_over(
    queue: Queue,
) -> None:
    """R-47: what it cannot know, it does not assume."""
    mark = uuid4().hex
    calls = _Through(queue.calls)
    short = SETTINGS.workers.model_copy(update={"lease_seconds": 1.0})
    worker = Worker(calls, executors(SETTINGS), folder=queue.folder, settings=short)
    queued = queue.enqueue(shell(f"trap '' TERM; echo on; sleep 1000; : {mark}"))
    working = asyncio.create_task(worker.work(await queue.claim()))
    await queue.until(queued.id, "on")

    calls.fault = Unavailable("gone")
    await working

    assert living(mark) == []
    assert _left(queue) == []


async def test_work_goes_on_through_an_outage(queue: Queue) -> None:
    """R-41: reports and the end are told once the queue is there again."""
    calls = _Through(queue.calls)
    worker = _a_worker(queue, calls)
    script = "echo on; until test -f go; do sleep 0.05; done; echo off"
    queued = queue.enqueue(shell(script))
    working = asyncio.create_task(worker.work(await queue.claim()))
    await queue.until(queued.id, "on")
    (folder,) = queue.folder.iterdir()

    calls.fault = Unavailable("gone")
    (folder / "go").touch()
    await calls.asked.wait()
    calls.fault = None
    await working

    assert queue.get(queued.id).status is RunStatus.SUCCEEDED
    assert queue.log(queued.id) == "on\noff\n"


async def test_a_run_ends_at_its_deadline(queue: Queue) -> None:
    """M-WRK-01: measured by the queue's clock, not by the worker's."""
    run = await queue.run(shell("sleep 1000"), deadline=timedelta(seconds=1), input={})

    assert run.error is not None
    assert run.error.code == "timed_out"


async def test_secrets_reach_the_steps_that_name_them_and_no_output(
    queue: Queue,
) -> None:
    """R-69: M-WRK-13."""
    queue.keep("DEPLOY_KEY", "correct-horse-battery")

    run = await queue.run(
        shell('echo "${#KEY} $KEY"', name="with", secrets={"KEY": "DEPLOY_KEY"}),
        shell('echo "[$KEY]"', name="without"),
    )

    assert queue.log(run.id) == "21 ***\n[]\n"


async def test_secrets_are_in_no_name_of_a_file(queue: Queue) -> None:
    """R-69: hidden, and files that differ stay different ones."""
    queue.keep("DEPLOY_KEY", "correct-horse-battery")
    script = (
        'echo x > "$KEY.txt"; echo y > "a$KEY.txt"; mkdir "$KEY"; echo z > "$KEY/b.txt"'
        "; mkdir correct; echo v > correct/horse-battery.txt; echo w > hidden.txt"
    )

    run = await queue.run(
        shell(script, artifacts=["**/*.txt", "*.txt"], secrets={"KEY": "DEPLOY_KEY"})
    )

    assert run.status is RunStatus.SUCCEEDED
    assert sorted(queue.artifacts(run.id)) == [
        "ahidden.txt", "hidden-2.txt", "hidden-3.txt", "hidden-b.txt", "hidden.txt",
    ]  # fmt: skip


async def test_a_file_that_is_not_kept_is_told_of(queue: Queue) -> None:
    """M-RUN-08: in its step, in the log, as an event and at the run's end."""
    queue.calls = LocalCalls(
        queue.db, queue.vault, tenants=queue._tenants, limits=Limits(each_bytes=9_000)
    )
    queued = queue.enqueue(
        shell("truncate -s 90K big.bin; echo x > a.bin", artifacts=["*.bin"])
    )
    (held,) = await queue.calls.claim(Wanted(worker="bench", host="embedded"))
    worker = queue.a_worker(executors(SETTINGS))

    await worker.work(held)

    run = queue.get(queued.id)
    told = "big.bin was not kept: big.bin has 0.09216 MB, an artifact at most 0.009 MB"
    (row,) = queue.db.run(lambda tx: steps.list_of(tx, run.id), by=queue.by)
    end = queue.db.run(lambda tx: run_end(tx, run), by=queue.by)
    assert run.status is RunStatus.SUCCEEDED
    assert queue.artifacts(run.id) == {"a.bin": False}
    assert row.detail == told
    assert queue.log(run.id) == f"{told}\n"
    assert Fields(pairs=(("step", told),)) in end.blocks


async def test_a_secret_that_is_missing_is_named(queue: Queue) -> None:
    run = await queue.run(shell("true", secrets={"KEY": "NO_SUCH"}))

    assert run.error is not None
    assert run.error.code == "secret_missing"
    assert "NO_SUCH" in run.error.detail


async def test_a_faulty_executor_fails_its_step_alone(queue: Queue) -> None:
    """M-WRK-01: the traceback is the worker's, not the reader's."""
    worker = queue.a_worker({"faulty": _Faulty()})
    queued = queue.enqueue(Step(name="step", uses="faulty"))

    await worker.work(await queue.claim())

    run = queue.get(queued.id)
    assert run.error is not None
    assert run.error.code == "executor_fault"
    assert "oops" not in run.error.detail


async def test_a_result_that_is_too_large_ends_the_run(queue: Queue) -> None:
    """R-25: it would be refused in every attempt."""
    run = await queue.run(
        Step(name="step", uses="noop", given={"result": "x" * 2_000_000})
    )

    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error.code == "invalid_argument"


async def test_a_torn_up_folder_is_removed(queue: Queue) -> None:
    """M-WRK-12: whatever a step makes of its folder, nothing of it stays."""
    outside = queue.folder.parent / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    script = f"mkdir -p a/b; touch a/b/c; ln -s {outside} a/out; chmod 000 a/b a"

    await queue.run(shell(script))

    assert _left(queue) == []
    assert (outside / "kept").exists()


async def test_a_link_is_no_artifact(queue: Queue) -> None:
    """M-WRK-12, R-67: what a pattern finds is what the step wrote."""
    script = "ln -s /etc/passwd link; mkfifo pipe; ln -s /etc dir; echo x > file; ln file two"

    run = await queue.run(shell(script, artifacts=["**/*", "*"]))

    assert run.status is RunStatus.SUCCEEDED
    assert queue.artifacts(run.id) == {}


class _Faulty:
    name = "faulty"

    def check(self, step: Step) -> None:
        """Refuse nothing."""

    async def run(self, work: StepWork) -> StepResult:
        """Fail in no foreseen way."""
        raise ValueError("oops")


class _Through:
    """The real calls, behind a line that can be cut."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.fault: Exception | None = None
        self.after_fault: list[str] = []
        self.asked = asyncio.Event()

    def _check(self, what: str) -> None:
        if self.fault is not None:
            self.after_fault.append(what)
            self.asked.set()
            raise self.fault

    async def beat(self, held: Claimed, progress: Progress | None = None) -> Beat:
        self._check("beat")
        return await self._calls.beat(held, progress)

    async def report(self, held: Claimed, reports: Sequence[Report]) -> None:
        self._check("report")
        await self._calls.report(held, reports)

    def __getattr__(self, name: str) -> Any:
        self._check(name)
        return getattr(self._calls, name)


def _a_worker(queue: Queue, calls: Any) -> Worker:
    return Worker(
        calls, executors(SETTINGS), folder=queue.folder, settings=SETTINGS.workers
    )


def _steps(queue: Queue, run_id: str) -> list[tuple[str, str]]:
    found = queue.db.run(lambda tx: steps.list_of(tx, run_id), by=queue.by)
    return [(each.name, str(each.status)) for each in found]


def _left(queue: Queue) -> list[Path]:
    return list(queue.folder.iterdir())


async def _until_step(queue: Queue, run_id: str, step: tuple[str, str]) -> None:
    await until(lambda: step in _steps(queue, run_id))


async def _paused(queue: Queue, run_id: str) -> None:
    await until(lambda: queue.get(run_id).status is RunStatus.PAUSED)
