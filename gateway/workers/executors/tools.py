"""Runs our own tools over the files of a run: in the sandbox, and offline if possible."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.sandbox import Program, Sandbox


async def run_module(
    sandbox: Sandbox, work: StepWork, module: str, arguments: Sequence[str]
) -> StepResult:
    """Run a module of our own Python, which reads nothing of the run's as code."""
    argv = [sys.executable, "-I", "-m", module, *arguments]
    program = _tool(work, sys.executable, argv)
    own = [*{sys.prefix, sys.base_prefix}]
    return await sandbox.run(work, replace(program, reads=own))


async def run_tool(
    sandbox: Sandbox,
    work: StepWork,
    path: str,
    argv: Sequence[str],
    *,
    further: Mapping[str, str],
    reads: Sequence[str],
) -> StepResult:
    """Run a program in the run's folder; `reads` are shown to it wherever they are."""
    program = _tool(work, path, argv)
    environment = {**program.environment, **further}
    return await sandbox.run(
        work, replace(program, environment=environment, reads=reads)
    )


def _tool(work: StepWork, path: str, argv: Sequence[str]) -> Program:
    """Say how a tool runs; secrets are none of its business."""
    own = {*work.step.env, *work.step.secrets}
    environment = {
        name: value for name, value in work.environment.items() if name not in own
    }
    return Program(
        path=path,
        argv=argv,
        folder=work.folder,
        environment=environment,
        prefers_offline=True,
    )
