"""Runs a container that has no more than it was given."""

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import NamedTuple

from core.kernel.jsons import Json
from core.runs.model import Step
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.sandbox import Program, Sandbox
from gateway.workers.sandbox.environment import (
    check_argv,
    find_program,
    require_allowed,
)
from gateway.workers.sandbox.paths import ForbiddenPath, inside, parse_path

_FIELDS = (
    "image", "argv", "network", "cpus", "memory_mib", "pids", "read_only", "user",
    "mounts", "folder", "pull",
)  # fmt: skip
_MOUNT_FIELDS = frozenset({"from", "to", "write"})
_NETWORKS = ("none", "bridge")
_PULLS = ("missing", "never", "always")
_IMAGE = re.compile(
    r"[a-z0-9][a-z0-9._-]*(:\d{1,5})?(/[a-z0-9][a-z0-9._-]*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_USER = re.compile(r"\d{1,10}(:\d{1,10})?")
_PLACE = re.compile(r"/[A-Za-z0-9._/-]{1,200}")
_HOME = "/work"
_REMOVE_SECONDS = 10.0


class _Mount(NamedTuple):
    source: str
    target: str
    is_written: bool


class Docker:
    """Runs `argv` in `image`, with the run's folder at /work and nothing else.

    Shape:  no network, no rights, nothing written but in mounts and /tmp, unless the
            step says so. Variables and secrets are handed over by name, so that no
            value is in a command line. A container that is left over is removed.
    """

    name = "docker"

    def __init__(self, sandbox: Sandbox, allowed: frozenset[str] = frozenset()) -> None:
        self._sandbox = sandbox
        self._allowed = allowed

    def check(self, step: Step) -> None:
        """Refuse what is no image, and options that it does not have.

        Raises: InvalidArgument.
        """
        require_allowed("docker", self._allowed)
        given = Given(step, _FIELDS)
        image = given.needed("image", such_as="image: python:3.12-slim")
        if not _IMAGE.fullmatch(image):
            given.refuse("image", f"{image[:80]!r} is no image")
        if given.has("argv"):
            check_argv(given.texts("argv"))
        if not _USER.fullmatch(given.text("user", "1")):
            given.refuse("user", "user is a number", fix=["user: 1000:1000"])
        if not _is_place(given.text("folder", _HOME)):
            given.refuse("folder", "folder is a path in the container")
        list(_options(given))
        for each in _mounts(given):
            parse_path(each.source)

    async def run(self, work: StepWork) -> StepResult:
        """Run the container until it ends, or until it is to stop."""
        self.check(work.step)
        name = f"opswire-{work.run_id}-{work.attempt}-{token_hex(4)}".lower()
        argv = arguments(work, name=name)
        program = Program(
            path=find_program(
                "docker", path=work.environment["PATH"], allowed=self._allowed
            ),
            argv=argv,
            folder=work.folder,
            environment=dict(work.environment),
        )
        is_over = False
        try:
            result = await self._sandbox.run(work, program)
            is_over = result.exit_code is not None and not work.stop.is_set()
            return result
        finally:
            if not is_over:
                await asyncio.shield(self._remove(work, program, name))

    async def _remove(self, work: StepWork, program: Program, name: str) -> None:
        """Remove a container whose client was killed; the daemon would keep it."""
        unstopped = replace(work, stop=asyncio.Event())
        argv = ["docker", "rm", "--force", "--", name]
        try:
            async with asyncio.timeout(_REMOVE_SECONDS):
                await self._sandbox.run(unstopped, replace(program, argv=argv))
        except TimeoutError:
            return


def arguments(work: StepWork, *, name: str) -> Sequence[str]:
    """Write the command line of a container.

    Raises: InvalidArgument; ForbiddenPath for a mount from outside of the folder.
    """
    given = Given(work.step, _FIELDS)
    variables = sorted(
        each
        for each in work.environment
        if each in {*work.step.env, *work.step.secrets} or each.startswith("OPS_")
    )
    mounted = [_Mount(source=".", target=_HOME, is_written=True), *_mounts(given)]
    return [
        "docker", "run", "--rm", "--init", "--name", name,
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
        *_options(given),
        *(part for each in variables for part in ("--env", each)),
        *(part for each in mounted for part in ("--mount", _written(work, each))),
        "--workdir", given.text("folder", _HOME),
        "--", given.text("image"), *given.texts("argv"),
    ]  # fmt: skip


def _options(given: Given) -> Iterator[str]:
    memory = f"{given.number('memory_mib', 512, least=16, most=1_048_576)}m"
    own = f"{os.getuid()}:{os.getgid()}"
    yield from ("--network", given.choice("network", _NETWORKS, "none"))
    yield from ("--cpus", f"{given.number('cpus', 1.0, least=0.01, most=256.0):g}")
    yield from ("--memory", memory, "--memory-swap", memory)
    yield from ("--pids-limit", str(given.number("pids", 256, least=1, most=65_536)))
    yield from ("--user", given.text("user", own))
    yield from ("--pull", given.choice("pull", _PULLS, "missing"))
    if given.flag("read_only", default=True):
        yield from ("--read-only", "--tmpfs", "/tmp:rw,nosuid,size=64m")  # noqa: S108


def _mounts(given: Given) -> list[_Mount]:
    value = given.json("mounts")
    if value is None:
        return []
    if not isinstance(value, list):
        given.refuse("mounts", "mounts is a list")
    return [_parsed(given, each) for each in value]


def _parsed(given: Given, value: Json) -> _Mount:
    if not isinstance(value, dict) or not value.keys() <= _MOUNT_FIELDS:
        given.refuse("mounts", "a mount is {from, to, write}")
    source, target, write = value.get("from"), value.get("to"), value.get("write")
    if not isinstance(source, str) or not isinstance(target, str):
        given.refuse("mounts", "a mount has a from and a to")
    if not _is_place(target) or target == _HOME:
        given.refuse("mounts", f"{target[:80]!r} is no place for a mount")
    if not isinstance(write, bool | None):
        given.refuse("mounts", "write is true or false")
    return _Mount(source, target, bool(write))


def _is_place(path: str) -> bool:
    return bool(_PLACE.fullmatch(path)) and ".." not in path.split("/")


def _written(work: StepWork, mount: _Mount) -> str:
    own = mount.source == "."
    path = work.folder if own else inside(work.folder, mount.source)
    if "," in str(path) or '"' in str(path):
        raise ForbiddenPath(mount.source, "holds what a mount cannot be written with")
    end = "" if mount.is_written else ",readonly"
    return f"type=bind,source={path},target={mount.target}{end}"
