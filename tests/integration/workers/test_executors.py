"""What the executors do, with real programs and a real server."""

import asyncio
import json
import os
import subprocess
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.kernel.addresses import parse_allowed
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.runs.model import Step
from gateway.adapters.breaker import Breaker, CircuitOpen
from gateway.adapters.exchange import Bounds
from gateway.adapters.outside import Outside
from gateway.workers.executors.api import ANSWER_BYTES, Api
from gateway.workers.executors.changelog import Changelog
from gateway.workers.executors.docker import Docker
from gateway.workers.executors.docs_format import DocsFormat
from gateway.workers.executors.flow import Flow
from gateway.workers.executors.lint import Lint
from gateway.workers.executors.noop import Noop
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.executors.unpack import Unpack
from gateway.workers.sandbox.environment import PATH
from gateway.workers.sandbox.limits import Isolation
from gateway.workers.sandbox.paths import ForbiddenPath
from tests.integration.workers.conftest import LIMITS, Bench, read_request, until

AUTO = Sandbox(LIMITS, Isolation.AUTO)
_DOCKER = """#!/usr/bin/env python3
import json, os, sys, time
with open(os.environ["HOME"] + "/calls", "a") as file:
    file.write(json.dumps([sys.argv[1:], dict(os.environ)]) + "\\n")
print("ran", sys.argv[1], flush=True)
if "sleep" in sys.argv:
    time.sleep(1000)
"""


async def test_doing_nothing_twice_is_the_same(bench: Bench) -> None:
    """M-WRK-07."""
    work = bench.work(Step(name="step", uses="noop", given={"result": [1]}))

    first, second = await Noop().run(work), await Noop().run(work)

    assert first == second
    assert first.result == {"result": [1]}


# HTTP


async def test_an_answer_is_the_result(bench: Bench) -> None:
    """M-WRK-03, M-WRK-11: the status is the exit code."""
    async with _served(['200 {"a": 1}']) as (url, seen):
        step = _api(url, method="POST", json={"x": 1}, save_as="answer.json")
        result = await _an_api().run(bench.work(step))

    assert (result.code, result.exit_code) == ("", 200)
    assert result.result["body"] == {"a": 1}
    assert (bench.folder / "answer.json").read_bytes() == b'{"a": 1}'
    assert b"POST / HTTP/1.1" in seen[0]
    assert b'{"x":1}' in seen[0]


async def test_a_failing_service_is_asked_three_times(bench: Bench) -> None:
    """M-WRK-11: with the same key, so that its effect is one."""
    async with _served(["500 x", "502 x", "200 x"]) as (url, seen):
        result = await _an_api().run(bench.work(_api(url)))

    assert result.exit_code == 200
    assert len(seen) == 3
    assert all(b"Idempotency-Key: R-7-step" in each for each in seen)


async def test_a_refusal_is_final(bench: Bench) -> None:
    """M-WRK-11: what is not there now will not be there at once."""
    async with _served(["404 x"]) as (url, seen):
        result = await _an_api().run(bench.work(_api(url)))

    assert (result.code, result.exit_code, result.is_final) == ("status", 404, True)
    assert len(seen) == 1


async def test_what_fails_again_and_again_is_left_in_peace(bench: Bench) -> None:
    """M-WRK-11, R-44: opened after five failures, and told; one probe closes it."""
    moment = [0.0]
    breaker = Breaker(clock=lambda: moment[0])
    api = Api(_outside(), breaker)
    async with _served(["500 x"] * 5 + ["200 x"] * 2) as (url, seen):
        work = bench.work(_api(url))
        await api.run(work)
        with pytest.raises(CircuitOpen):
            await api.run(work)
        assert len(seen) == 5
        moment[0] += 31
        result = await api.run(work)

    assert result.is_good
    assert bench.notes == ["circuit_opened", "circuit_closed"]


async def test_secrets_go_into_headers_alone_when_named(bench: Bench) -> None:
    """R-69: neither is a variable of the worker put in."""
    step = _api("", headers={"Authorization": "Bearer ${KEY}", "X-Home": "${HOME}"})
    async with _served(["200 x"]) as (url, seen):
        step = _api(url, headers=step.given["headers"])
        work = bench.work(step, secrets={"KEY": "correct-horse-battery"})
        with pytest.raises(InvalidArgument, match="HOME"):
            await _an_api().run(work)
        step = _api(url, headers={"Authorization": "Bearer ${KEY}"})
        await _an_api().run(bench.work(step, secrets={"KEY": "correct-horse-battery"}))

    assert b"Authorization: Bearer correct-horse-battery" in seen[0]


async def test_an_answer_without_end_is_cut(bench: Bench) -> None:
    """R-44."""
    async with _served(["200 " + "x" * (ANSWER_BYTES + 10)]) as (url, _):
        result = await _an_api().run(bench.work(_api(url)))

    assert result.code == "too_large"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://[::1]/",
        "http://169.254.169.254/",
        "https://10.0.0.1/",
    ],
)
async def test_what_is_inside_is_not_asked(bench: Bench, url: str) -> None:
    """R-65."""
    api = Api(Outside(parse_allowed("")), Breaker())

    result = await api.run(bench.work(_api(url)))

    assert (result.code, result.is_final) == ("address_refused", True)


async def test_a_silent_service_does_not_keep_a_cancelled_step(bench: Bench) -> None:
    """R-26."""
    async with _served(["hang"]) as (url, seen):
        running = asyncio.create_task(_an_api().run(bench.work(_api(url))))
        await until(lambda: bool(seen))
        bench.stop.set()
        result = await running

    assert result.code == "cancelled"


async def test_a_flow_fetches_transforms_and_writes(bench: Bench) -> None:
    """M-WRK-09: each node is told, and what it wrote is kept."""
    async with _served(['200 {"items": [{"n": 1}, {"n": 2}]}']) as (url, _):
        given: dict[str, Json] = {"url": url, "transform": "items[].n"}
        step = Step(name="step", uses="langgraph", given=given)
        result = await Flow(_an_api()).run(bench.work(step))

    assert result.is_good
    assert (bench.folder / "flow.json").read_text() == "[1,2]\n"
    assert [each.name for each in result.produced] == ["flow.json"]
    assert bench.notes == ["flow_node"] * 3


async def test_a_flow_that_fetches_nothing_says_why(bench: Bench) -> None:
    """M-WRK-09."""
    async with _served(["404 {}"]) as (url, _):
        step = Step(name="step", uses="langgraph", given={"url": url})
        result = await Flow(_an_api()).run(bench.work(step))

    assert (result.code, result.exit_code) == ("status", 404)
    assert not (bench.folder / "flow.json").exists()


# Containers


async def test_a_container_has_no_more_than_it_is_given(
    bench: Bench, docker: Callable[[], list[list[object]]]
) -> None:
    """M-WRK-03, R-66: the whole command line, and no secret in it."""
    given: dict[str, Json] = {
        "image": "python:3.12-slim",
        "argv": ["--privileged", "-v", "/:/host"],
        "mounts": [{"from": "src", "to": "/src"}],
    }
    (bench.folder / "src").mkdir()
    step = Step(name="step", uses="docker", given=given)
    work = bench.work(step, secrets={"KEY": "correct-horse-battery"})

    result = await Docker(AUTO).run(work)

    assert result.is_good
    ((argv, environment),) = docker()
    assert isinstance(argv, list)
    assert argv[argv.index("--name") + 1].startswith("opswire-r-7-1-")
    argv[argv.index("--name") + 1] = "NAME"
    assert argv == [
        "run", "--rm", "--init", "--name", "NAME",
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        "--network", "none", "--cpus", "1",
        "--memory", "512m", "--memory-swap", "512m", "--pids-limit", "256",
        "--user", f"{os.getuid()}:{os.getgid()}", "--pull", "missing",
        "--read-only", "--tmpfs", "/tmp:rw,nosuid,size=64m",
        "--env", "KEY", "--env", "OPS_PARAM_ENV", "--env", "OPS_RUN_ID",
        "--mount", f"type=bind,source={bench.folder},target=/work",
        "--mount", f"type=bind,source={bench.folder}/src,target=/src,readonly",
        "--workdir", "/work",
        "--", "python:3.12-slim", "--privileged", "-v", "/:/host",
    ]  # fmt: skip
    assert "correct-horse-battery" not in json.dumps(argv)
    assert isinstance(environment, dict)
    assert environment["KEY"] == "correct-horse-battery"


async def test_a_container_that_is_left_over_is_removed(
    bench: Bench, docker: Callable[[], list[list[object]]]
) -> None:
    """R-26: its client was killed, and the daemon would keep it."""
    given: dict[str, Json] = {"image": "busybox", "argv": ["sleep"]}
    step = Step(name="step", uses="docker", given=given)
    running = asyncio.create_task(Docker(AUTO).run(bench.work(step)))
    await until(lambda: "ran run" in bench.printed)

    bench.stop.set()
    await running

    (begun, _), (removed, _) = docker()
    assert isinstance(begun, list)
    name = begun[begun.index("--name") + 1]
    assert removed == ["rm", "--force", "--", name]


async def test_a_mount_from_outside_is_refused(
    bench: Bench, docker: Callable[[], list[list[object]]]
) -> None:
    """R-66: also through a link that a step before has left."""
    (bench.folder / "link").symlink_to("/etc")
    mounts: list[Json] = [{"from": "link", "to": "/x"}]
    given: dict[str, Json] = {"image": "busybox", "mounts": mounts}
    step = Step(name="step", uses="docker", given=given)

    with pytest.raises(ForbiddenPath):
        await Docker(AUTO).run(bench.work(step))

    assert docker() == []


# Documents and code


async def test_markdown_is_formatted(bench: Bench) -> None:
    """M-WRK-05."""
    (bench.folder / "docs").mkdir()
    (bench.folder / "docs" / "a.md").write_text("Title\n=====\n* one\n")
    (bench.folder / "b.md").write_text("# Title\n")

    result = await DocsFormat(AUTO).run(bench.work(Step(name="s", uses="docs/format")))

    assert result.result == {"files": 2, "changed": ["docs/a.md"]}
    assert [each.name for each in result.produced] == ["docs/a.md"]
    assert (bench.folder / "docs" / "a.md").read_text() == "# Title\n\n- one\n"


async def test_markdown_that_is_not_formatted_can_be_told_alone(bench: Bench) -> None:
    """M-WRK-05."""
    (bench.folder / "-a.md").write_text("Title\n=====\n")
    step = Step(name="s", uses="docs/format", given={"only_check": True})

    result = await DocsFormat(AUTO).run(bench.work(step))

    assert result.code == "not_formatted"
    assert (bench.folder / "-a.md").read_text() == "Title\n=====\n"


async def test_faults_in_code_are_found(bench: Bench) -> None:
    """M-WRK-05: as the result, and as an artifact."""
    (bench.folder / "a.py").write_text("import os\n")
    step = Step(name="s", uses="lint", given={"select": ["F"]})

    result = await Lint(AUTO).run(bench.work(step))

    assert (result.code, result.result["findings"]) == ("findings", 1)
    assert result.result["by_rule"] == {"F401": 1}
    assert [each.name for each in result.produced] == ["lint.json"]


async def test_code_without_faults_is_a_success(bench: Bench) -> None:
    """M-WRK-05."""
    (bench.folder / "a.py").write_text("a = 1\n")

    result = await Lint(AUTO).run(bench.work(Step(name="s", uses="lint")))

    assert (result.is_good, result.result["findings"]) == (True, 0)


async def test_commits_become_a_changelog(bench: Bench, tmp_path: Path) -> None:
    """M-WRK-05: grouped by their kind, and nothing in them is markup."""
    repository = _a_repository(tmp_path / "git" / "app")
    given = {"repository": str(repository), "since": "v1", "title": "v2"}
    step = Step(name="s", uses="docs/changelog", given=given)

    result = await Changelog(AUTO, [tmp_path / "git"]).run(bench.work(step))

    assert result.is_good, (result, bench.printed)
    text = (bench.folder / "CHANGELOG.md").read_text()
    lines = [each.rsplit(" (", 1)[0] for each in text.splitlines() if each]
    assert lines == [
        "# v2",
        "## Breaking changes",
        "- **api:** drop v0",
        "## Features",
        "- **api:** drop v0",
        "## Fixes",
        "- keep \\[links\\] plain",
        "## Other changes",
        "- Tidy up",
    ]
    assert result.result["commits"] == 3


def test_a_repository_outside_of_the_roots_is_refused(tmp_path: Path) -> None:
    """M-WRK-12, R-66: also behind a link in a root."""
    (tmp_path / "git").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "git" / "link").symlink_to(tmp_path / "other")
    changelog = Changelog(AUTO, [tmp_path / "git"])

    for path in ("other", "git/link", "git/../other"):
        given = {"repository": str(tmp_path / path)}
        step = Step(name="s", uses="docs/changelog", given=given)
        with pytest.raises(ForbiddenPath):
            changelog.check(step)


async def test_an_archive_is_unpacked(bench: Bench) -> None:
    """M-WRK-12."""
    with zipfile.ZipFile(bench.folder / "a.zip", "w") as archive:
        archive.writestr("hostname", "here")
    given = {"archive": "a.zip", "into": "out"}
    step = Step(name="s", uses="files/unpack", given=given)

    result = await Unpack().run(bench.work(step))

    assert result.result == {"files": 1}
    assert (bench.folder / "out" / "hostname").is_file()


@pytest.fixture
def docker(bench: Bench, tmp_path: Path) -> Callable[[], list[list[object]]]:
    """Put a docker on the clean PATH that writes down how it was called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "docker").write_text(_DOCKER)
    (programs / "docker").chmod(0o755)
    bench.path = f"{programs}:{PATH}"

    def calls() -> list[list[object]]:
        file = bench.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(each) for each in lines]

    return calls


def _api(url: str, **given: object) -> Step:
    return Step(name="step", uses="api", given={"url": url, **given})  # type: ignore[dict-item]


def _outside() -> Outside:
    return Outside(
        parse_allowed("127.0.0.0/8"),
        bounds=Bounds(answer_bytes=ANSWER_BYTES, total_seconds=5),
    )


def _an_api() -> Api:
    return Api(_outside(), Breaker())


@asynccontextmanager
async def _served(answers: list[str]) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer each request with the next of some answers; tell what was asked."""
    seen: list[bytes] = []
    over = asyncio.Event()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        seen.append(await read_request(reader))
        status, _, body = answers[len(seen) - 1].partition(" ")
        if status == "hang":
            await over.wait()
            status = "200"
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        length = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + length + body).encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/", seen
    finally:
        over.set()
        server.close()


def _a_repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    commits = ("init", "feat(api)!: drop v0", "fix: keep [links] plain", "Tidy up")
    own = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    run = ["git", "-C", str(folder), *own]
    subprocess.run([*run, "init", "-q"], check=True)
    for place, message in enumerate(commits):
        subprocess.run(
            [*run, "commit", "-q", "--allow-empty", "-m", message], check=True
        )
        if not place:
            subprocess.run([*run, "tag", "v1"], check=True)
    return folder
