"""Programs that mean harm: each is stopped, and what stopped it is told."""

import asyncio
import os
import subprocess
import sys
from asyncio.subprocess import PIPE
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from core.kernel.problems import InvalidArgument
from core.runs.model import Step
from gateway.workers.executors.base import StepResult
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.executors.shell import Shell
from gateway.workers.one_step import Ending, do
from gateway.workers.sandbox.limits import Isolation
from tests.integration.workers.conftest import LIMITS, Bench, living, shell, until

_WORKER = """
import asyncio, sys
from pathlib import Path
from gateway.workers.executors.shell import Shell
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.sandbox.limits import Limits
from tests.integration.workers.conftest import Bench, shell

class Loud(Bench):
    async def tell(self, report):
        print(report.text, end="", flush=True)

folder, mark = sys.argv[1:]
bench = Loud(Path(folder))
step = shell(f"trap '' TERM; echo on; while :; do sleep 0.1; done; : {mark}")
asyncio.run(Shell(Sandbox(Limits())).run(bench.work(step)))
"""


async def test_ten_gigabytes_of_output_end_the_program(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66, M-WRK-12: it is killed at the limit, of which all is told."""
    work = bench.work(shell("head -c 10000000000 /dev/zero | tr '\\0' y"))

    result = await Shell(sandbox).run(work)

    assert (result.code, result.is_final) == ("output_limit", True)
    assert len(bench.printed) == LIMITS.output_bytes


async def test_a_fork_bomb_is_bounded_and_nothing_of_it_is_left(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66: counted, not only limited, for the limit does not bind root."""
    mark = f"bomb-{uuid4().hex}"
    script = f"bomb() {{ bomb | bomb & }}; bomb; : {mark}; sleep 1000"

    result = await Shell(sandbox).run(bench.work(shell(script)))

    assert result.code == "process_limit"
    assert living(mark) == []


async def test_an_hour_of_sleep_ends_with_the_steps_time(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66."""
    work = bench.work(shell("sleep 3600", timeout=timedelta(seconds=0.2)))

    result, ending = await do(
        Shell(sandbox),
        work,
        stops=(asyncio.Event(), asyncio.Event()),
        left=float("inf"),
    )

    assert (result.code, ending) == ("timeout", Ending.TIMEOUT)


async def test_memory_of_all_processes_together_is_bounded(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66."""
    script = (
        "for n in 1 2 3; do (head -c 150000000 /dev/zero | tail; sleep 60)& done; wait"
    )

    result = await Shell(sandbox).run(bench.work(shell(script)))

    assert result.code == "memory_limit"


async def test_a_file_that_grows_without_end_is_cut(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66."""
    work = bench.work(shell("exec cat /dev/zero > big"))

    result = await Shell(sandbox).run(work)

    assert result.code == "file_limit"
    assert (bench.folder / "big").stat().st_size == LIMITS.file_bytes


async def test_what_ignores_the_request_to_end_is_killed_with_all_it_started(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-26, R-66: children in sessions of their own too; nothing is left."""
    mark = uuid4().hex
    script = (
        f"trap '' TERM; setsid bash -c \"trap '' TERM; echo on; while :; do "
        f'sleep 0.1; done; : {mark}" & while :; do sleep 0.1; done; : {mark}'
    )
    running = asyncio.create_task(Shell(sandbox).run(bench.work(shell(script))))
    await _printed(bench, "on")

    bench.stop.set()
    result = await running

    assert result.code == "cancelled"
    assert living(mark) == []


async def test_a_daemon_does_not_outlive_its_step(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66: it closed its pipes and has a session of its own, and ends all the same."""
    mark = uuid4().hex
    script = (
        f"setsid bash -c 'sleep 1000; : {mark}' < /dev/null > /dev/null 2>&1 & exit 0"
    )

    result = await Shell(sandbox).run(bench.work(shell(script)))

    assert result.is_good
    assert living(mark) == []


async def test_a_cancelled_task_leaves_nothing(bench: Bench, sandbox: Sandbox) -> None:
    """R-66: when the worker itself must stop, nothing is waited for."""
    mark = uuid4().hex
    script = f"trap '' TERM; echo on; while :; do sleep 0.1; done; : {mark}"
    running = asyncio.create_task(Shell(sandbox).run(bench.work(shell(script))))
    await _printed(bench, "on")

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert living(mark) == []


async def test_a_program_sees_what_it_was_given_and_nothing_of_the_worker(
    bench: Bench, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-66: a clean environment."""
    monkeypatch.setenv("WORKER_OWN", "its own")
    work = bench.work(shell("env", env={"STAGE": "one"}))

    await Shell(sandbox).run(work)

    shown = dict(each.split("=", 1) for each in bench.printed.splitlines())
    assert shown.keys() - {"PWD", "SHLVL", "_"} == {
        "GIT_CEILING_DIRECTORIES", "GIT_TERMINAL_PROMPT", "HOME", "LANG",
        "OPS_PARAM_ENV", "OPS_RUN_ID", "PATH", "STAGE", "TMPDIR",
    }  # fmt: skip
    assert shown["HOME"] == shown["TMPDIR"] == str(bench.folder)


async def test_git_finds_no_repository_around_its_folder(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66: the data may lie in a checkout, such as the gateway's own."""
    around = str(bench.folder.parent)
    await asyncio.to_thread(subprocess.run, ["git", "init", "-q", around], check=True)
    script = (
        "mkdir sub; (git rev-parse; cd sub; git rev-parse) 2>&1; "
        "git init -q; cd sub; git rev-parse --show-toplevel"
    )

    await Shell(sandbox).run(bench.work(shell(script)))

    assert bench.printed.count("not a git repository") == 2
    assert bench.printed.splitlines()[-1] == str(bench.folder)


async def test_secrets_are_never_printed(bench: Bench, sandbox: Sandbox) -> None:
    """R-69: as they are, encoded, on both streams, and in two writes."""
    key = "s3cr3t/w0rd+of=ann"  # pragma: allowlist secret
    script = (
        'echo "$KEY"; echo "$KEY" >&2; printf %s "$KEY" | base64; '
        'printf %s "${KEY:0:9}"; sleep 0.2; printf %s "${KEY:9}"; '
        'printf %s "user:$KEY" | base64; python3 -c \'import os, urllib.parse; '
        'print(urllib.parse.quote(os.environ["KEY"], safe=""))\''
    )

    await Shell(sandbox).run(bench.work(shell(script), secrets={"KEY": key}))

    assert "***" in bench.printed
    for shown in (key, key[:12], b64encode(key.encode()).decode()[:16], "s3cr3t%2F"):
        assert shown not in bench.printed


async def test_arguments_reach_the_program_as_they_are(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66: no shell, so nothing in over 500 arguments means anything."""
    canary = bench.folder / "canary"
    begins = (
        "", ";", "; ", "|", "| ", "&", "&& ", "|| ", "\n", "\r\n", "$(", "`", "${IFS}",
        "' ; ", '" ; ', "%0a", "\\\n", "x=y ", "!", "> ", "<(", "*; ", "--exec=", "@(",
        "{", "\u2028",
    )  # fmt: skip
    ends = (
        "", ")", "`", ";", " #", "'", '"', "\n", " &", " |", "}", "\\", " --", "\x1b[2J",
        " >&2", "$", "%s", "\u202e", "é", "\t",
    )  # fmt: skip
    hostile = [f"{begin}touch {canary}{end}" for begin in begins for end in ends]
    argv = ["printf", "%s\\n", *hostile, "-rf", "--", "*", "~", ""]
    step = Step(name="step", uses="shell", given={"argv": [*argv]})

    result = await Shell(sandbox).run(bench.work(step))

    assert result.is_good
    assert bench.printed == "".join(f"{each}\n" for each in argv[2:])
    assert not canary.exists()


async def test_no_program_gains_rights(bench: Bench, sandbox: Sandbox) -> None:
    """R-66: no new privileges, no core dumps, no capabilities where that can be had."""
    await Shell(sandbox).run(bench.work(shell("cat /proc/self/status; ulimit -c")))

    assert "NoNewPrivs:\t1" in bench.printed
    assert bench.printed.endswith("\n0\n")


async def test_with_namespaces_there_is_no_network_and_nothing_else_is_written(
    bench: Bench, jail: Sandbox, tmp_path: Path
) -> None:
    """R-66: a jail, where the system gives one."""
    outside = tmp_path / "outside"
    outside.mkdir()
    script = (
        f"touch {outside}/canary; touch /canary; touch here; cat /proc/net/dev; "
        "ls -d /proc/[0-9]* | wc -l; kill -9 -1; grep CapEff /proc/self/status"
    )
    work = bench.work(shell(script, given={"network": "none"}))

    await Shell(jail).run(work)

    assert list(outside.iterdir()) == []
    assert "/canary': Read-only" in bench.printed
    assert (bench.folder / "here").exists()
    assert "lo:" in bench.printed
    assert "eth" not in bench.printed


async def test_without_namespaces_nothing_runs_that_must_be_offline(
    bench: Bench,
) -> None:
    """R-66: refused rather than run with less."""
    work = bench.work(shell("true", given={"network": "none"}))

    result = await Shell(Sandbox(LIMITS, Isolation.OFF)).run(work)

    assert (result.code, result.is_final) == ("not_isolated", True)


async def test_a_program_that_is_not_there_is_refused(
    bench: Bench, sandbox: Sandbox
) -> None:
    """R-66: also one that is only there relative to the folder."""
    (bench.folder / "own").write_text("#!/bin/sh\n")
    (bench.folder / "own").chmod(0o755)

    for name in ("no-such-program", "./own", "own", "/usr"):
        step = Step(name="step", uses="shell", given={"argv": [name]})
        with pytest.raises(InvalidArgument, match="there is no program"):
            await Shell(sandbox).run(bench.work(step))


@pytest.mark.parametrize(
    ("script", "code", "exit_code"),
    [("exit 3", "exit_code", 3), ("kill -SEGV $$", "signal", 139)],
)
async def test_how_a_program_ended_is_told(
    bench: Bench, sandbox: Sandbox, *, script: str, code: str, exit_code: int
) -> None:
    """M-WRK-11: what is told is what happened."""
    result = await Shell(sandbox).run(bench.work(shell(script)))

    assert (result.code, result.exit_code) == (code, exit_code)


async def test_descriptors_return(bench: Bench, sandbox: Sandbox) -> None:
    """R-48."""
    work = bench.work(shell("exit 0"))
    await Shell(sandbox).run(work)
    before = len(os.listdir("/proc/self/fd"))

    results: list[StepResult] = [await Shell(sandbox).run(work) for _ in range(5)]

    assert all(each.is_good for each in results)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_a_killed_worker_takes_its_steps_along(tmp_path: Path) -> None:
    """R-24, R-66: the end of the connection is an order to kill."""
    mark = uuid4().hex
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, str(tmp_path), mark, stdout=PIPE
    )
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"on\n"
    assert living(f": {mark}")

    worker.kill()
    await worker.wait()

    await until(lambda: not living(f": {mark}"))


async def _printed(bench: Bench, text: str) -> None:
    await until(lambda: text in bench.printed)
