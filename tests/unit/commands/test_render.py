"""What is written down reads back as the same, whatever is in it."""

from datetime import timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from commands.invocation import Invocation
from commands.render import quote, render_line
from commands.tokens import tokenise
from core.kernel.clock import from_micros, to_iso
from core.kernel.lanes import Lane
from tests.unit.commands.sample import REGISTRY, Status, called, said

# Characters that mean something to the language, beside all the others.
_SPECIAL = st.text(
    st.sampled_from("-=\"'\\ ,.#@<>&;:|{}[]()!/\n\t\r“”‘’—–\u00a0\u200b\u200dTt12aB")
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"])) | _SPECIAL
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
_MOMENTS = st.integers(0, 2**57).map(lambda micros: to_iso(from_micros(micros)))


def _same(invocation: Invocation) -> None:
    again = said(invocation.canonical)

    assert again.command is invocation.command
    assert again.args == invocation.args
    assert again.canonical == invocation.canonical


@given(title=_TEXT, dod=st.lists(_TEXT, max_size=3), lane=st.sampled_from(list(Lane)))
@example(title="--lane B", dod=["a,b", " a", ""], lane=Lane.D)
@example(title='{"title": "x"}', dod=["[1]"], lane=Lane.A)
@example(title="title=x", dod=["x=1", "me", "\\"], lane=Lane.A)
@settings(deadline=None, max_examples=300)
def test_texts_and_lists_survive(title: str, dod: list[str], lane: Lane) -> None:
    """R-19: parse(render(x)) = x."""
    _same(called("task.create", title=title, dod=dod, lane=lane.value))


@given(
    st.fixed_dictionaries(
        {"task": st.sampled_from(["T-1", "t-1", "this", "#3", "T-1."]) | _TEXT},
        optional={
            "title": _TEXT | st.none(),
            "needs": st.lists(_TEXT, max_size=3),
            "effort": st.floats(allow_nan=False, allow_infinity=False),
            "points": st.integers(-(2**63), 2**63 - 1),
            "due": _MOMENTS,
            "estimate": st.floats(0, 1e9),
            "is_blocked": st.booleans(),
            "facts": st.dictionaries(_TEXT, _JSON, max_size=3),
        },
    )
)
@settings(deadline=None, max_examples=300)
def test_every_kind_of_value_survives(args: dict[str, Any]) -> None:
    """R-19: parse(render(x)) = x."""
    _same(called("task.set", **args))


@given(template=_TEXT, params=st.lists(_TEXT, max_size=4))
@example(template="deploy", params=["env=prod", "lane=B", "a,b"])
@settings(deadline=None, max_examples=200)
def test_a_list_without_a_name_survives(template: str, params: list[str]) -> None:
    """R-19: parse(render(x)) = x."""
    _same(called("run.start", template=template, params=params))


@given(_TEXT | st.sampled_from(["R-4", "run", "runs", "T-1", "tasks"]))
@settings(deadline=None)
def test_a_name_of_one_word_is_not_joined_by_its_argument(proposal: str) -> None:
    """R-19: `cancel "R-4"` is not `run cancel R-4`."""
    _same(called("cancel", proposal=proposal))


@given(_TEXT)
@settings(deadline=None, max_examples=300)
def test_a_quoted_text_is_one_token(text: str) -> None:
    scan = tokenise(quote(text))

    assert [token.text for token in scan.tokens] == [text]


def test_rendering_reads_well() -> None:
    command = REGISTRY.names["task list"]
    args = {
        "status": Status.IN_PROGRESS,
        "assignee": "bob",
        "tag": ("a", "b"),
        "stale": True,
    }

    line = render_line(command, args)

    assert line == "task list --status in_progress --assignee bob --tag a,b --stale"


def test_durations_and_negatives_read_well() -> None:
    command = REGISTRY.names["task set"]

    line = render_line(
        command, {"task": "T-1", "is_blocked": False, "estimate": timedelta(hours=1.5)}
    )

    assert line == "task set T-1 --estimate 1h30m --no-is-blocked"
