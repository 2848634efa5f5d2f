"""Calls a tool of an MCP server: one that is reached over HTTP, or that is started."""

from importlib.util import find_spec

from core.kernel.addresses import AddressRefused, parse_target
from core.kernel.problems import Unavailable
from core.runs.model import Step
from gateway.adapters.exchange import Caller
from gateway.workers.executors.api import check_headers
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.sandbox import Program, Sandbox
from gateway.workers.executors.stopping import unless_stopped
from gateway.workers.executors.values import filled, unknown_names
from gateway.workers.sandbox.environment import (
    check_argv,
    find_program,
    require_allowed,
)

FIELDS = ("url", "argv", "headers", "tool", "arguments")


class Mcp:
    """Calls `tool` with `arguments` of the server at `url`, or of the program `argv`.

    Shape:  the result holds what the tool answered, as texts and as a value. A program
            is held like those of shell steps, and ended after the call.
    """

    name = "mcp"

    def __init__(
        self, sandbox: Sandbox, outside: Caller, allowed: frozenset[str] = frozenset()
    ) -> None:
        self._sandbox = sandbox
        self._outside = outside
        self._allowed = allowed

    def check(self, step: Step) -> None:
        """Refuse what is no call of a tool.

        Raises: InvalidArgument; Unavailable where the library is not installed.
        """
        given = Given(step, FIELDS)
        given.needed("tool", such_as="tool: search")
        if given.has("url") == given.has("argv"):
            given.refuse("url", "a server has either a url or an argv")
        if given.has("url"):
            parse_target(given.text("url"))
        else:
            check_argv(given.texts("argv"))
            require_allowed(given.texts("argv")[0], self._allowed)
        check_headers(given)
        for text in given.texts_by_name("headers").values():
            for name in unknown_names(step, text):
                given.refuse(name, f"it has no variable and no secret {name}")
        if not isinstance(given.json("arguments"), dict | None):
            given.refuse("arguments", "arguments is a mapping")
        _require_library()

    async def run(self, work: StepWork) -> StepResult:
        """Call the tool, unless it is to stop."""
        self.check(work.step)
        # The library takes two seconds to import, and is an extra.
        from gateway.workers.executors import mcp_talk  # noqa: PLC0415

        given = Given(work.step, FIELDS)
        line: mcp_talk.Line
        if given.has("url"):
            headers = {
                name: filled(work, value)
                for name, value in given.texts_by_name("headers").items()
            }
            line = mcp_talk.HttpLine(self._outside, given.text("url"), headers)
        else:
            line = mcp_talk.ProgramLine(self._sandbox, work, self._program(work, given))
        arguments = given.json("arguments")
        asked = mcp_talk.call(
            line,
            given.text("tool"),
            arguments if isinstance(arguments, dict) else {},
        )
        try:
            result = await unless_stopped(work, asked)
        except AddressRefused as refused:
            told = f"{refused.reason}: {refused.fix}"
            return StepResult(code="address_refused", detail=told, is_final=True)
        except OSError as fault:
            return StepResult(code="unavailable", detail=str(fault))
        return result or StepResult(code="cancelled", detail="it was told to stop")

    def _program(self, work: StepWork, given: Given) -> Program:
        argv = given.texts("argv")
        path = work.environment["PATH"]
        return Program(
            path=find_program(argv[0], path=path, allowed=self._allowed),
            argv=argv,
            folder=work.folder,
            environment=work.environment,
        )


def _require_library() -> None:
    if find_spec("mcp") is None:
        raise Unavailable(
            "steps of the kind mcp need the library mcp, which is not installed here",
            fix=["pip install 'opswire[agents]'"],
        )
