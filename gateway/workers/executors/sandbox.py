"""Runs one program of a step where it can do no harm, and ends it in time."""

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from codecs import getincrementaldecoder
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from signal import SIGXFSZ, Signals
from typing import Literal

from core.runs.reports import LogReport
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.sandbox.environment import PATH
from gateway.workers.sandbox.limits import MIB, Isolation, Limits
from gateway.workers.sandbox.redaction import Redactor

# What starts a warden with nothing but our own code and Python's; compiled only once.
_WARDEN = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from gateway.workers.sandbox.warden import main; main()"
)
_CODE = str(Path(__file__).parents[3])
_READ_BYTES = 65_536
_END_SECONDS = 5.0
_STATUS_BYTES = 4_096

_FAULTS = {
    "process_limit": "it had more than {processes} processes at a time",
    "memory_limit": "its processes had more than {memory} MiB in memory",
}
_NO_NAMESPACES = (
    "this machine gives its worker no namespaces, so that a step cannot be kept from "
    "the network, or was to be run in them alone"
)

Stream = Literal["stdout", "stderr"]

_log = logging.getLogger(__name__)

_STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """How we talk with a program: the descriptor it reads from, and who hears it.

    Shape:  what it prints is heard as it comes, and not told; its errors are told.
    """

    source: int
    hear: Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: where it is, its arguments with its name first, and where it starts.

    Shape:  with `is_offline` there is no network, or no run where this cannot be had;
            with `prefers_offline` there is none where this can be had. `reads` are
            files and folders that are shown to it though they are hidden from others.
    """

    path: str
    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    is_offline: bool = False
    prefers_offline: bool = False
    reads: Sequence[str] = ()
    talk: Talk | None = None


class Sandbox:
    """Runs programs within limits; whether in namespaces is found out at the first."""

    def __init__(self, limits: Limits, isolation: Isolation = Isolation.AUTO) -> None:
        self.limits = limits
        self._isolation = isolation
        self._can_isolate: bool | None = None

    async def has_namespaces(self) -> bool:
        """Tell whether programs run in namespaces of their own; tried once."""
        if self._can_isolate is None:
            is_wanted = self._isolation is not Isolation.OFF
            self._can_isolate = is_wanted and await self._try_isolation()
            event = "sandbox.isolated" if self._can_isolate else "sandbox.not_isolated"
            _log.info(event, extra={"isolation": self._isolation.value})
        return self._can_isolate

    async def run(self, work: StepWork, program: Program) -> StepResult:
        """Run a program until its end, its limits, or until it is told to stop.

        Shape:  what it prints is told as it comes, without secrets. When this returns
                or raises, nothing that it has started is left.
        """
        isolated = await self.has_namespaces()
        must = program.is_offline or self._isolation is Isolation.REQUIRED
        if must and not isolated:
            return StepResult(code="not_isolated", detail=_NO_NAMESPACES, is_final=True)
        online = not (program.is_offline or program.prefers_offline)
        order = self._order(program, isolated=isolated, online=online)
        further = map(os.path.realpath, self.limits.writable)
        order["writable"] = [str(work.folder), *further]
        held = await _start(order, program.talk)
        try:
            return await self._attend(work, program, held)
        finally:
            await held.end()

    async def _attend(
        self, work: StepWork, program: Program, held: "_Held"
    ) -> StepResult:
        meter = _Meter(self.limits.output_bytes)
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(_stop(work, held))
            reading = [
                group.create_task(_hear(program.talk, held, meter))
                if program.talk and stream == "stdout"
                else group.create_task(_read(work, held, stream, meter))
                for stream in _STREAMS
            ]
            await asyncio.gather(*reading)
            how = await held.how()
            stopping.cancel()
        return self._result(how, meter, name=program.argv[0], work=work)

    def _result(
        self, how: Mapping[str, object], meter: "_Meter", *, name: str, work: StepWork
    ) -> StepResult:
        if meter.is_over:
            most = self.limits.output_bytes / MIB
            told = f"it printed more than {most:g} MiB"
            return StepResult(code="output_limit", detail=told, is_final=True)
        if fault := str(how.get("fault", "")):
            told = _FAULTS.get(fault, "{detail}").format(
                processes=self.limits.processes,
                memory=self.limits.memory_bytes // MIB,
                detail=how.get("detail", ""),
            )
            return StepResult(code=fault, detail=told, is_final=True)
        return _ended(how, name, is_stopped=work.stop.is_set())

    def _order(
        self, program: Program, *, isolated: bool, online: bool
    ) -> dict[str, object]:
        return {
            "program": program.path,
            "argv": [*program.argv],
            "environment": dict(program.environment),
            "folder": str(program.folder),
            "writable": [],
            "hidden": [*self.limits.hidden],
            "seen": self._seen(program),
            "isolated": isolated,
            "network": online,
            "processes": self.limits.processes,
            "memory": self.limits.memory_bytes,
            "address_space": self.limits.address_space_bytes,
            "file": self.limits.file_bytes,
            "input": program.talk.source if program.talk else -1,
        }

    def _seen(self, program: Program) -> list[str]:
        """Say what is shown to a program: also itself, unless it is among what we hide."""
        hidden = (program.path.startswith(f"{each}/") for each in self.limits.hidden)
        return [*program.reads, *(() if any(hidden) else (program.path,))]

    async def _try_isolation(self) -> bool:
        probe = Program(
            path="/bin/sh",
            argv=["sh", "-c", "exit 0"],
            folder=Path("/"),
            environment={"PATH": PATH},
        )
        held = await _start(self._order(probe, isolated=True, online=False))
        try:
            await asyncio.gather(held.read("stdout"), held.read("stderr"))
            return (await held.how()).get("exit") == 0
        finally:
            await held.end()


class _Meter:
    """Counts what is printed."""

    def __init__(self, most: int) -> None:
        self._left = most

    @property
    def is_over(self) -> bool:
        return self._left < 0

    def take(self, chunk: bytes) -> bytes:
        """Count a chunk; give what of it is still within the limit."""
        within = chunk[: max(self._left, 0)]
        self._left -= len(chunk)
        return within


class _Held:
    """A warden and what it holds."""

    def __init__(self, process: Process, status: int) -> None:
        self._process = process
        self._status = status
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._orders = process.stdin
        self._streams = {"stdout": process.stdout, "stderr": process.stderr}

    async def read(self, stream: str) -> bytes:
        return await self._streams[stream].read(_READ_BYTES)

    def say(self, word: bytes) -> None:
        """Have the program asked to end, or killed; nothing is said to what is gone."""
        if not self._orders.is_closing():
            self._orders.write(word)

    async def how(self) -> Mapping[str, object]:
        """Wait for the end; tell how it was."""
        await self._process.wait()
        lines = os.read(self._status, _STATUS_BYTES).splitlines()
        # Whoever kills the warden has killed all that it holds, and it tells nothing.
        return json.loads(lines[0]) if lines else {"signal": 9}

    async def end(self) -> None:
        """See to it that nothing is left, whatever comes meanwhile."""
        self.say(b"k")
        self._orders.close()
        ending = asyncio.ensure_future(self._wait())
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise
        finally:
            os.close(self._status)

    async def _wait(self) -> None:
        # Pipes that nobody reads any more would keep the process object waiting.
        draining = [asyncio.ensure_future(_drain(self, each)) for each in self._streams]
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        finally:
            for each in draining:
                each.cancel()
            await asyncio.gather(*draining, return_exceptions=True)


async def _start(order: dict[str, object], talk: Talk | None = None) -> _Held:
    """Start a warden, and give it its order.

    Raises: OSError.
    """
    status, told = os.pipe()
    handed = (told, talk.source) if talk else (told,)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", _WARDEN, _CODE,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, pass_fds=handed, env={},
        )  # fmt: skip
    except BaseException:
        os.close(status)
        raise
    finally:
        os.close(told)
    held = _Held(process, status)
    written = json.dumps({**order, "status": told}).encode()
    held.say(len(written).to_bytes(4, "big") + written)
    return held


async def _read(work: StepWork, held: _Held, stream: Stream, meter: _Meter) -> None:
    """Tell what comes; beyond the limit, kill, and read on so that it can die."""
    redactor = Redactor(work.secrets)
    decode = getincrementaldecoder("utf-8")("replace").decode
    tell = partial(_tell, work, stream)
    while chunk := await held.read(stream):
        if not meter.is_over:
            await tell(decode(redactor.feed(meter.take(chunk))))
        if meter.is_over:
            held.say(b"k")
    await tell(decode(redactor.flush(), final=True))


async def _hear(talk: Talk, held: _Held, meter: _Meter) -> None:
    """Hand on what comes; beyond the limit, kill."""
    while chunk := await held.read("stdout"):
        await talk.hear(meter.take(chunk))
        if meter.is_over:
            held.say(b"k")


async def _tell(work: StepWork, stream: Stream, text: str) -> None:
    if text:
        shown = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        await work.tell(LogReport(step=work.step.name, stream=stream, text=shown))


async def _stop(work: StepWork, held: _Held) -> None:
    """Once it is to stop, ask first, and kill after the grace."""
    await work.stop.wait()
    held.say(b"t")
    await asyncio.sleep(work.grace.total_seconds())
    held.say(b"k")


async def _drain(held: _Held, stream: str) -> None:
    while await held.read(stream):
        pass


def _ended(how: Mapping[str, object], name: str, *, is_stopped: bool) -> StepResult:
    number = how.get("signal")
    code = 128 + number if isinstance(number, int) else how.get("exit")
    assert isinstance(code, int)
    if code == 0:
        return StepResult(exit_code=0)
    if is_stopped:
        told = f"{name} was told to stop"
        return StepResult(code="cancelled", detail=told, exit_code=code)
    if number == SIGXFSZ:
        told = f"{name} wrote a file that is too large"
        return StepResult(code="file_limit", detail=told, exit_code=code, is_final=True)
    if isinstance(number, int):
        told = f"{name} was ended by {Signals(number).name}"
        return StepResult(code="signal", detail=told, exit_code=code)
    return StepResult(
        code="exit_code", detail=f"{name} ended with {code}", exit_code=code
    )
