"""`ops` against a gateway that `ops serve` has started."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
ADMIN_KEY = "an-admin-key-of-this-test-alone-0123456789"


@dataclass(frozen=True, kw_only=True)
class Program:
    """Runs `ops` as a process of its own."""

    environ: dict[str, str]

    def run(self, *words: str, piped: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "gateway", *words],
            cwd=ROOT, env=self.environ, input=piped, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A gateway on a free port, and `ops` signed in to it as admin."""
    home = tmp_path_factory.mktemp("home")
    kept = {each: os.environ[each] for each in ("PATH", "LANG") if each in os.environ}
    environ = {**kept, "HOME": str(home), "OPSWIRE_BOOTSTRAP_ADMIN_KEY": ADMIN_KEY}
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "serve", "--port", "0", "--data", str(home)],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as serving:  # fmt: skip
        assert serving.stdout is not None
        ready = next((line for line in serving.stdout if "is ready on" in line), "")
        url = ready.split()[-1]
        yield Program(
            environ={
                **environ, "OPSWIRE_URL": url, "OPSWIRE_API_KEY": ADMIN_KEY,
                "OPSWIRE_DATA": str(home),
            }
        )  # fmt: skip
        serving.terminate()


def test_words_of_the_shell_become_a_task(program: Program) -> None:
    title = 'don\'t "quote" a=b {x} \\ --now'

    made = program.run("task", "create", title, "--dod", "tests,docs", "-o", "json")

    task = json.loads(made.stdout)
    assert made.returncode == 0
    assert task["title"] == title
    assert [each["text"] for each in task["dod"]] == ["tests", "docs"]


def test_seed_twice_is_seed_once(program: Program) -> None:
    assert program.run("seed").returncode == 0
    before = program.run("task", "list", "--limit", "50", "-o", "id").stdout

    again = program.run("seed")

    assert again.returncode == 0
    assert program.run("task", "list", "--limit", "50", "-o", "id").stdout == before
    assert {"T-100", "T-105", "T-200", "T-204"} <= set(before.split())


def test_row_of_the_last_list_can_be_named(program: Program) -> None:
    """Two runs in one terminal are one conversation."""
    program.run("seed")
    listed = program.run("task", "list", "--limit", "2", "-o", "id").stdout.split()

    shown = program.run("task", "show", "#2", "-o", "id")

    assert shown.stdout.split() == [listed[1]]


def test_exit_codes_come_from_the_gateway(program: Program) -> None:
    assert program.run("task", "show", "T-99999").returncode == 3
    assert program.run("task", "lst").returncode == 2
    assert program.run("task", "create").returncode == 2

    stranger = Program(environ={**program.environ, "OPSWIRE_API_KEY": "ops_live_no"})
    assert stranger.run("task", "list").returncode == 4


def test_lines_from_a_pipe_stop_at_the_first_failure(program: Program) -> None:
    done = program.run(piped="whoami\ntask show T-99999\nwhoami\n")

    assert done.returncode == 3
    assert "not run: whoami" in done.stderr


def test_doctor_is_content(program: Program) -> None:
    done = program.run("doctor")

    assert done.returncode == 0, done.stdout


def test_reader_that_leaves_early_is_no_error(program: Program) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [sys.executable, "-m", "gateway", "help", "--all"],
        cwd=ROOT, env=program.environ, stdout=writer, stderr=subprocess.PIPE, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    os.close(writer)

    assert done.stderr == ""
    assert done.returncode == 0


def test_delivery_is_seen_as_it_comes_in(program: Program) -> None:
    """M-OMN-04: whoever listens sees it end, and it can be looked at and replayed."""
    program.run("webhook", "create", "seen", "--command", "task create",
                "--arguments", '{"title":"name"}', "--auth", "key", "--yes")  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", "webhook", "listen", "seen", "--limit", "1"],
        cwd=ROOT, env=program.environ, stdout=subprocess.PIPE, text=True,
    ) as listening:  # fmt: skip
        assert listening.stdout is not None
        assert "No deliveries so far" in listening.stdout.readline()
        sent = program.run("webhook", "send", "seen", "--payload", '{"name":"disk"}')
        line, _ = listening.communicate(timeout=30)

    delivery = sent.stdout.split()[1]
    assert listening.returncode == 0
    assert f"{delivery}  done" in line
    assert "task create disk" in line
    replayed = program.run("webhook", "replay", "seen", delivery)
    assert "nothing was run again" in replayed.stdout


def test_wait_follows_a_run_to_its_end(program: Program) -> None:
    """Row 19: executed by the gateway's own worker, told line by line."""
    done = program.run("run", "create", "--kind", "noop", "--yes", "--wait", "60s")

    assert done.returncode == 0, done.stderr
    assert " succeeded in " in done.stdout
    assert "noop: succeeded" in done.stderr


def test_a_run_that_nobody_takes_exits_8(program: Program) -> None:
    """Row 19: the time is up, and the run waits on."""
    made = program.run(
        "run", "create", "--kind", "manual", "--alias", "=cmd", "--yes", "--wait", "1s"
    )
    listed = program.run("run", "list", "--kind", "manual", "-o", "csv")

    assert made.returncode == 8, made.stderr
    header, row = listed.stdout.splitlines()
    assert header.startswith("id,kind,name,alias,")
    assert "'=cmd" in row
