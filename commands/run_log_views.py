"""The shapes of what is answered of logs, and how lines are shown."""

from collections.abc import Sequence
from urllib.parse import urlencode

from typing_extensions import TypedDict

from core.kernel.jsons import Json
from core.kernel.reply import Code
from core.runs.logs.model import TRUNCATED, LogLine, LogPage
from core.runs.model import Run

SHOWN_LINES = 50
_LINE_CHARS = 200


class LogLineData(TypedDict):
    """A line as it was printed, escapes and all."""

    number: int
    attempt: int
    step: str
    stream: str
    text: str


class LogData(TypedDict):
    """A part of a run's log; asking from `next_offset` gives what came later.

    `is_over` says that nothing more will come, `is_truncated` that the run printed
    more than is kept.
    """

    run: str
    status: str
    step: str
    lines: list[LogLineData]
    next_offset: int
    total_lines: int
    is_truncated: bool
    is_over: bool


def log_view(run: Run, page: LogPage, *, step: str) -> dict[str, Json]:
    """Show a part of a log as JSON."""
    return {
        "run": run.id,
        "status": run.status.value,
        "step": step,
        "lines": [line_view(line) for line in page.lines],
        "next_offset": page.next_offset,
        "total_lines": page.total_lines,
        "is_truncated": page.is_truncated,
        "is_over": run.is_terminal,
    }


def line_view(line: LogLine) -> dict[str, Json]:
    """Show a line as JSON."""
    return {
        "number": line.number,
        "attempt": line.attempt,
        "step": line.step,
        "stream": line.stream,
        "text": line.text,
    }


def code_of(lines: Sequence[LogLine]) -> Code:
    """Show the last lines as they are, each of a bearable length."""
    return Code(text="\n".join(_cut(line) for line in lines[-SHOWN_LINES:]))


def link_of(run_id: str, *, step: str = "", line: int = 0) -> str:
    """Write the path that shows a run's log, at a step and a line if there is one."""
    query = f"?{urlencode({'step': step})}" if step else ""
    place = f"#L{line}" if line else ""
    return f"/r/{run_id}{query}{place}"


def _cut(line: LogLine) -> str:
    if line.stream == TRUNCATED:
        return f"… {line.text}"
    text = line.text.rpartition("\r")[2] or line.text.rstrip("\r")
    return text if len(text) <= _LINE_CHARS else f"{text[: _LINE_CHARS - 1]}…"
