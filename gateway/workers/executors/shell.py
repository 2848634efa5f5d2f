"""Runs a program with its arguments; there is no shell in between."""

from pathlib import Path

from core.runs.model import Step
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.sandbox import Program, Sandbox
from gateway.workers.sandbox.environment import (
    check_argv,
    find_program,
    require_allowed,
)
from gateway.workers.sandbox.paths import inside, parse_path

_FIELDS = ("argv", "folder", "network")
_ONLINE, _OFFLINE = "any", "none"


class Shell:
    """Runs `argv` in the run's folder, or in `folder` below it.

    Shape:  with `network: none` it reaches nobody. `allowed` are the programs that may
            be started, all if there are none.
    """

    name = "shell"

    def __init__(self, sandbox: Sandbox, allowed: frozenset[str] = frozenset()) -> None:
        self._sandbox = sandbox
        self._allowed = allowed

    def check(self, step: Step) -> None:
        """Refuse what no process can be given, and programs that may not be started.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        argv = given.texts("argv")
        check_argv(argv)
        if self._allowed:
            # What is installed is known where it runs alone; what is allowed, here too.
            require_allowed(argv[0], self._allowed)
        if given.has("folder"):
            parse_path(given.needed("folder", such_as="folder: src"))
        given.choice("network", (_ONLINE, _OFFLINE), _ONLINE)

    async def run(self, work: StepWork) -> StepResult:
        """Run the program until it ends, or until it is to stop."""
        given = Given(work.step, _FIELDS)
        argv = given.texts("argv")
        check_argv(argv)
        program = Program(
            path=find_program(
                argv[0], path=work.environment["PATH"], allowed=self._allowed
            ),
            argv=argv,
            folder=_folder(work.folder, given.text("folder")),
            environment=work.environment,
            is_offline=given.choice("network", (_ONLINE, _OFFLINE), _ONLINE)
            == _OFFLINE,
        )
        return await self._sandbox.run(work, program)


def _folder(own: Path, below: str) -> Path:
    if not below:
        return own
    found = inside(own, below)
    found.mkdir(parents=True, exist_ok=True)
    return found
