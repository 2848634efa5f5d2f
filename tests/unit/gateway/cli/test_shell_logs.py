"""A log that is followed at the prompt."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any

from core.kernel.reply import Reply
from gateway.cli.shell.logs import follow_log, is_log
from gateway.cli.terminal import Terminal


class Answers:
    """A gateway that gives some answers, one after the other."""

    def __init__(self, *answers: Reply) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def ask(self, line: str) -> tuple[str, asyncio.Future[Reply]]:
        self.asked.append(line)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        reply.set_result(self._answers.pop(0))
        return "e1", reply


def part(offset: int, *texts: str, is_over: bool = False) -> Reply:
    data: Mapping[str, Any] = {
        "run": "R-7",
        "step": "build it",
        "status": "succeeded" if is_over else "running",
        "next_offset": offset,
        "is_over": is_over,
        "lines": [{"text": text} for text in texts],
    }
    return Reply(summary="R-7: lines", data=data)


async def test_what_came_later_is_asked_for_until_the_run_is_over() -> None:
    """M-RUN-19: in the shell as well."""
    answers = Answers(part(4), part(8, "two"), part(12, "three", is_over=True))
    line, out, err = "run logs R-7 --follow", io.StringIO(), io.StringIO()
    here = Terminal(source=io.StringIO(), out=out, err=err, environ={})

    await follow_log(answers, here, line, pause=0)

    assert answers.asked == [
        line,
        'run logs R-7 --offset 4 --step "build it"',
        'run logs R-7 --offset 8 --step "build it"',
    ]
    assert out.getvalue().endswith("two\nthree\n")
    assert "R-7 has ended: succeeded" in err.getvalue()


def test_only_a_log_that_goes_on_is_log() -> None:
    assert is_log("run logs R-7 --follow --step a")
    assert not is_log("run logs R-7")
    assert not is_log("task note R-7 --follow")
