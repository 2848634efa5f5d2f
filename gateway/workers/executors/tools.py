"""Runs our own tools over the files of a run: in the sandbox, and offline if possible."""

import sys
from collections.abc import Mapping, Sequence

from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.sandbox import Program, Sandbox


async def run_module(
    sandbox: Sandbox, work: StepWork, module: str, arguments: Sequence[str]
) -> StepResult:
    """Run a module of our own Python, which reads nothing of the run's as code."""
    argv = [sys.executable, "-I", "-m", module, *arguments]
    return await run_tool(sandbox, work, sys.executable, argv)


async def run_tool(
    sandbox: Sandbox,
    work: StepWork,
    path: str,
    argv: Sequence[str],
    further: Mapping[str, str] | None = None,
) -> StepResult:
    """Run a program in the run's folder; secrets are none of its business."""
    own = {*work.step.env, *work.step.secrets}
    environment = {
        name: value for name, value in work.environment.items() if name not in own
    }
    program = Program(
        path=path,
        argv=argv,
        folder=work.folder,
        environment={**environment, **(further or {})},
        prefers_offline=True,
    )
    return await sandbox.run(work, program)
