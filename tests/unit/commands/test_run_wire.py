"""What workers send is read strictly, and refused by its field."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.run_wire import parse_error, parse_progress, parse_reports
from core.kernel.problems import InvalidArgument
from core.runs.model import Progress, RunError
from core.runs.reports import LogReport, Note, StepReport, StepStatus

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "step", "text", "done"]), inner)
    ),
    max_leaves=8,
)


def test_each_type_becomes_its_report() -> None:
    """M-RUN-07: in the order in which they were sent."""
    told = parse_reports(
        [
            {"type": "step", "step": "b", "status": "failed", "exit_code": -9},
            {"type": "log", "text": "x\n", "stream": "stderr"},
            {"type": "progress", "done": 1, "total": 2, "note": "half"},
            {"type": "deployed", "details": {"host": "web-1"}},
        ]
    )

    assert told == [
        StepReport(step="b", status=StepStatus.FAILED, exit_code=-9),
        LogReport(text="x\n", stream="stderr"),
        Progress(done=1, total=2, note="half"),
        Note(type="deployed", details={"host": "web-1"}),
    ]


def test_an_error_is_an_object_or_a_sentence() -> None:
    whole = {"code": "timeout", "detail": "after 5 s", "step": "build"}

    assert parse_error(whole) == RunError(
        code="timeout", detail="after 5 s", step="build"
    )
    assert parse_error("no luck") == RunError(code="failed", detail="no luck")


@pytest.mark.parametrize("value", [True, "1", 1.0, -1, None, 2**31])
def test_progress_counts_in_whole_numbers(value: object) -> None:
    """True is not 1, and "1" is not either."""
    with pytest.raises(InvalidArgument) as refusal:
        parse_progress({"done": value})

    assert refusal.value.extra["field"] == "progress.done"


@given(sent=st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4))
def test_whatever_is_sent_is_read_or_refused(sent: dict[str, Any]) -> None:
    """R-51: no exception but a problem."""
    with suppress(InvalidArgument):
        parse_reports([sent])
