"""`ops worker` as it is started and stopped: exit codes, signals, and its token."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.runs.model import RunStatus
from gateway.cli.exits import Exit
from tests.contract.workers.stands import Stand, effect, effects, shell
from tests.faults.gateway import ADMIN_KEY
from tests.services import free_port

pytestmark = pytest.mark.xdist_group("workers-faults")


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A gateway whose workers come and go."""
    stand = Stand(
        tmp_path_factory.mktemp("stopped"), worker=["--concurrency", "1"], first="gone"
    )
    stand.workers[0].end()
    yield stand
    stand.close()


def waits_for(go: Path) -> str:
    return f"touch {go}.begun; while [ ! -e {go} ]; do sleep 0.05; done"


async def test_the_first_signal_finishes_the_step(stand: Stand) -> None:
    """R-29: the run is handed back, and somebody else does the rest, once."""
    worker = stand.add_worker("first")
    go = stand.folder / "first"
    run = stand.start(
        shell("one", f"{waits_for(go)}; {effect(stand.folder)}"), shell("two", "true")
    )
    await stand.until((stand.folder / "first.begun").exists)

    worker.send(signal.SIGTERM)
    await stand.until(lambda: "worker.stopping" in worker.log.read_text())
    go.touch()
    code = await asyncio.to_thread(worker.wait)
    handed_back = stand.get(run.id)
    other = stand.add_worker("other")
    ended = await stand.ended(run.id)
    other.stop()

    assert code == Exit.OK
    assert (handed_back.status, handed_back.attempt) == (RunStatus.QUEUED, 0)
    assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 1)
    assert "Traceback" not in worker.log.read_text()


async def test_the_second_signal_kills_the_step(stand: Stand) -> None:
    """R-29, R-66: and nothing of it is left."""
    worker = stand.add_worker("second")
    file = stand.folder / "pid"
    run = stand.start(shell("deaf", f"trap '' TERM; echo $$ > {file}; sleep 100"))
    await stand.until(lambda: file.exists() and bool(file.read_text()))

    worker.send(signal.SIGTERM)
    await stand.until(lambda: "worker.stopping" in worker.log.read_text())
    worker.send(signal.SIGTERM)
    code = await asyncio.to_thread(worker.wait)

    assert code == Exit.OK
    cut = stand.get(run.id)
    assert (cut.status, cut.attempt) == (RunStatus.FAILED, 1)
    assert (run.id, "1") not in effects(stand.folder)


@pytest.mark.soak
async def test_a_gateway_fails_the_attempt_that_it_cuts_short(tmp_path: Path) -> None:
    """R-29: out within 30 seconds, though the step has no end."""
    stand = Stand(tmp_path)
    begun = stand.folder / "begun"
    run = stand.start(shell("deaf", f"trap '' TERM; touch {begun}; sleep 100"))
    await stand.until(begun.exists)

    await asyncio.to_thread(stand.gateway.stop)
    cut = stand.get(run.id)
    stand.close()

    assert (cut.status, cut.attempt) == (RunStatus.FAILED, 1)
    assert "Traceback" not in stand.gateway.log.read_text()


@pytest.mark.soak
async def test_a_celery_worker_hands_back(
    tmp_path: Path, migrated_url: str, redis_url: str
) -> None:
    """R-29: warm shutdown; the message is acknowledged, the run is queued again."""
    words = ["--celery", "--concurrency", "1"]
    stand = Stand(
        tmp_path, worker=words, database_url=migrated_url, REDIS_URL=redis_url
    )
    worker, go = stand.workers[0], stand.folder / "go"
    worker.await_ready()
    run = stand.start(shell("one", waits_for(go)), shell("two", "true"))
    await stand.until((stand.folder / "go.begun").exists)

    worker.send(signal.SIGTERM)
    await stand.until(lambda: "worker.stopping" in worker.log.read_text())
    go.touch()
    code = await asyncio.to_thread(worker.wait)
    handed_back = stand.get(run.id)
    stand.close()

    assert code == Exit.OK
    assert (handed_back.status, handed_back.attempt) == (RunStatus.QUEUED, 0)


def test_the_token_is_in_no_list_and_in_no_log(stand: Stand) -> None:
    """R-69: one that was given on the line leaves it at once."""
    log = stand.folder / "token.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "worker", "--url", stand.gateway.url,
             f"--token={ADMIN_KEY}", "--name", "shy"],
            stdout=subprocess.PIPE, stderr=out, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    said = process.stdout.readline()
    shown = Path("/proc", str(process.pid), "cmdline").read_bytes()
    process.terminate()
    process.communicate(timeout=30)

    assert "shy is ready for" in said
    assert b"--name\0shy" in shown
    assert ADMIN_KEY.encode() not in shown
    assert ADMIN_KEY not in said + log.read_text()


@pytest.mark.parametrize(
    ("token", "words", "code"),
    [
        ("", [], Exit.USAGE),
        ("ops_live_wrong", [], Exit.FORBIDDEN),
        (ADMIN_KEY, ["--lanes", "Q"], Exit.USAGE),
        (ADMIN_KEY, ["--url", "ftp://x"], Exit.USAGE),
        (ADMIN_KEY, ["--celery"], Exit.USAGE),
    ],
)
def test_what_cannot_work_says_so(
    stand: Stand, token: str, words: list[str], code: Exit
) -> None:
    """Celery on SQLite included: the fix is named."""
    done = start(stand.gateway.url, token, *words)

    assert done.returncode == code, done.stderr
    assert "try: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("loaded", ["gateway.settings", "gateway.workers.fleet"])
def test_one_that_has_not_begun_may_be_stopped(loaded: str) -> None:
    """R-29: told to stop while it is loading, it leaves as if it had worked."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "gateway", "worker"],
        env=environment(f"http://127.0.0.1:{free_port()}", ADMIN_KEY),
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for line in process.stderr:
            if line.split()[-1] == loaded:
                break
        process.terminate()
        said = process.stderr.read()

    assert process.returncode == Exit.OK
    assert "Traceback" not in said


def test_a_gateway_that_is_away_is_waited_for() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "worker"],
        env=environment(f"http://127.0.0.1:{free_port()}", ADMIN_KEY),
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        said = process.stderr.readline()
        process.terminate()
        process.communicate(timeout=30)

    assert "worker.unreached" in said
    assert process.returncode == Exit.OK


def start(url: str, token: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "gateway", "worker", *words],
        check=False, env=environment(url, token), capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip


def environment(url: str, token: str) -> dict[str, str]:
    return {**os.environ, "OPSWIRE_URL": url, "OPSWIRE_WORKER_TOKEN": token}
