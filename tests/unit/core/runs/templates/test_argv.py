"""Command lines: cut once, without a shell, and no value becomes code."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.templates import argv
from core.runs.templates.argv import NotPlain


@pytest.mark.parametrize(
    ("line", "elements"),
    [
        ("make build", ["make", "build"]),
        ("echo 'a b' \"c d\"", ["echo", "a b", "c d"]),
        ("make {{ params.env }}", ["make", "{{ params.env }}"]),
        ("x --to={{params.env}}-{{ params.b }} y", ["x", "--to={{params.env}}-{{ params.b }}", "y"]),
        ("echo '|' \"a;b\" a\\&b", ["echo", "|", "a;b", "a&b"]),
        ("awk '{print $1}' f", ["awk", "{print $1}", "f"]),
        ("echo cost: 5$ # why", ["echo", "cost:", "5$", "#", "why"]),
        ("  make  ", ["make"]),
    ],
)  # fmt: skip
def test_a_line_is_cut_once(line: str, elements: Sequence[str]) -> None:
    assert argv.split(line) == elements


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("make | tee log", "needs a shell for |"),
        ("make && make test", "needs a shell for &&"),
        ("make; ls", "needs a shell for ;"),
        ("make > log", "needs a shell for >"),
        ("make 2>&1", "needs a shell for >&"),
        ("(make)", "needs a shell for ("),
        ("echo $HOME", "variable"),
        ('echo "$HOME"', "variable"),
        ("echo $(date)", "needs a shell"),
        ("echo `date`", "command put in"),
        ("A=1 make", "A="),
        ("make\nls", "more than one line"),
        ("echo 'a", "quote"),
        ("", "empty"),
        ("''", "empty"),
    ],
)
def test_what_only_a_shell_does_is_refused(line: str, said: str) -> None:
    with pytest.raises(NotPlain, match=r"\w") as refused:
        argv.split(line)

    assert said in str(refused.value)


@given(st.text(alphabet=" ab'\"\\|;&$`(){}params.x\n\ue000", max_size=60))
def test_any_line_is_cut_or_refused(line: str) -> None:
    """R-19."""
    try:
        elements = argv.split(line)
    except NotPlain:
        return
    assert elements
    assert all(isinstance(each, str) for each in elements)
