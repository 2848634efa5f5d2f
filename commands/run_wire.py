"""What workers send, read strictly: reports, progress and errors."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.runs.model import Progress, Run, RunError
from core.runs.reports import LogReport, Note, Report, StepReport, StepStatus
from core.runs.views import name_of, view_steps

MOST_EVENTS = 500
MOST_TEXT = 512 * 1024

_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME_LIMIT = 100
_DETAIL_LIMIT = 20_000
_NOTE_LIMIT = 500
_LARGEST = 2**31


class Fields:
    """One object of a worker, read field by field; what is left over is refused.

    Shape:  `path` is how the object is called in refusals, such as `events[2]`.
    """

    def __init__(self, raw: Mapping[str, Any], path: str) -> None:
        self._raw = dict(raw)
        self._path = path

    def text(self, name: str, *, limit: int, default: str | None = "") -> str:
        """Read a text; it has to be there when there is no default."""
        value = self._raw.pop(name, default)
        if not isinstance(value, str):
            raise self.refuse(name, "a text")
        if len(value) > limit:
            raise self.refuse(name, f"a text of at most {limit} characters")
        return value

    def whole(self, name: str, *, default: int | None = 0) -> int:
        """Read a whole number that is not negative."""
        value = self._raw.pop(name, default)
        if not _is_whole(value) or not 0 <= value < _LARGEST:
            raise self.refuse(name, "a whole number from 0 on")
        return int(value)

    def exit_code(self, name: str) -> int | None:
        """Read what a process returned; None when it is not given."""
        value = self._raw.pop(name, None)
        if value is None:
            return None
        if not _is_whole(value) or not -_LARGEST < value < _LARGEST:
            raise self.refuse(name, "a whole number")
        return int(value)

    def choice(self, name: str, choices: Sequence[str], default: str | None) -> str:
        """Read one of a few words."""
        value = self._raw.pop(name, default)
        if value not in choices:
            raise self.refuse(name, f"one of {', '.join(choices)}")
        return str(value)

    def object(self, name: str) -> Mapping[str, Json]:
        """Read an object; an empty one when it is not given."""
        value = self._raw.pop(name, {})
        if not isinstance(value, dict):
            raise self.refuse(name, "an object")
        return value

    def end(self) -> None:
        """Refuse the first field that nobody has read."""
        for name in self._raw:
            raise self.refuse(name[:40], "left out: there is no such field")

    def refuse(self, name: str, wanted: str) -> InvalidArgument:
        """Build the refusal of a field, by its path."""
        field = f"{self._path}.{name}"
        return InvalidArgument(
            f"{field} has to be {wanted}",
            fix=[f"send {name} as {wanted}"],
            argument=self._path.partition("[")[0],
            field=field,
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def parse_progress(raw: Mapping[str, Any], path: str = "progress") -> Progress:
    """Read how far a run is: done and total, and a note.

    Raises: InvalidArgument naming the field.
    """
    fields = Fields(raw, path)
    progress = Progress(
        done=fields.whole("done"),
        total=fields.whole("total"),
        note=fields.text("note", limit=_NOTE_LIMIT),
    )
    fields.end()
    return progress


def parse_error(raw: Mapping[str, Any] | str) -> RunError:
    """Read why an attempt failed: an object, or a sentence alone.

    Raises: InvalidArgument naming the field.
    """
    if isinstance(raw, str):
        return RunError(code="failed", detail=raw[:_DETAIL_LIMIT])
    fields = Fields(raw, "error")
    code = fields.text("code", limit=_NAME_LIMIT, default="failed")
    if not _CODE.fullmatch(code):
        raise fields.refuse("code", "a word such as exit_code")
    error = RunError(
        code=code,
        detail=fields.text("detail", limit=_DETAIL_LIMIT),
        step=fields.text("step", limit=_NAME_LIMIT),
    )
    fields.end()
    return error


def parse_reports(raw: Sequence[Mapping[str, Any]]) -> list[Report]:
    """Read what a worker tells, in its order.

    Raises: InvalidArgument naming the element and the field.
    """
    if not 1 <= len(raw) <= MOST_EVENTS:
        raise InvalidArgument(
            f"{len(raw)} events; a report has 1 to {MOST_EVENTS}",
            fix=["send them in several reports"],
            argument="events",
            field="events",
        )
    return [_report(each, f"events[{place}]") for place, each in enumerate(raw)]


def show_claimed(run: Run) -> dict[str, Json]:
    """Show a run to the worker that has claimed it."""
    return {
        "id": run.id,
        "fence": run.fence,
        "attempt": run.attempt,
        "lane": run.lane.value,
        "kind": run.kind,
        "name": name_of(run),
        "task": run.task,
        "input": dict(run.input),
        "steps": view_steps(run),
        "lease_expires_at": _iso(run, "lease_expires_at"),
        "deadline_at": _iso(run, "deadline_at"),
    }


def _report(raw: Mapping[str, Any], path: str) -> Report:
    fields = Fields(raw, path)
    kind = fields.text("type", limit=_NAME_LIMIT, default=None)
    match kind:
        case "step":
            return _step(fields)
        case "log":
            return _log(fields)
        case "progress":
            rest = {name: each for name, each in raw.items() if name != "type"}
            return parse_progress(rest, path)
    if not _TYPE.fullmatch(kind):
        raise fields.refuse("type", "step, log, progress or a lower_case word")
    note = Note(type=kind, details=fields.object("details"))
    fields.end()
    return note


def _step(fields: Fields) -> StepReport:
    name = fields.text("step", limit=_NAME_LIMIT, default=None)
    if not name:
        raise fields.refuse("step", "the name of a step")
    step = StepReport(
        step=name,
        status=StepStatus(fields.choice("status", list(StepStatus), None)),
        uses=fields.text("uses", limit=_NAME_LIMIT),
        exit_code=fields.exit_code("exit_code"),
        detail=fields.text("detail", limit=_DETAIL_LIMIT),
    )
    fields.end()
    return step


def _log(fields: Fields) -> LogReport:
    stream: Literal["stdout", "stderr"] = "stdout"
    if fields.choice("stream", ["stdout", "stderr"], "stdout") == "stderr":
        stream = "stderr"
    log = LogReport(
        text=fields.text("text", limit=MOST_TEXT, default=None),
        step=fields.text("step", limit=_NAME_LIMIT),
        stream=stream,
    )
    fields.end()
    return log


def _iso(run: Run, name: str) -> str | None:
    moment = getattr(run, name)
    return to_iso(moment) if moment else None
