"""The page that lists executors lists all of them, with all of their fields."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.kernel.problems import InvalidArgument
from core.runs.model import Step
from gateway.settings import Settings
from gateway.workers.executors.every import executors

PAGE = Path(__file__).parents[5] / "docs" / "how-to" / "choose-an-executor.md"
EXECUTORS = executors(Settings())
ROWS = {
    cells[0].strip(" `"): cells[1]
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| `")
    and "`uses`" not in line
    and (cells := re.split(r"(?<!\\)\|", line.strip("|")))
}


def fields_of(name: str) -> Sequence[str]:
    """Ask an executor for its fields, as whoever mistypes one is told them."""
    with pytest.raises(InvalidArgument) as refused:
        EXECUTORS[name].check(Step(name="a", uses=name, given={"0": 1}))
    return refused.value.fix[-1].removeprefix("it has: ").split(", ")


def test_the_table_names_all_executors() -> None:
    assert sorted(ROWS) == sorted(EXECUTORS)


@pytest.mark.parametrize("name", EXECUTORS)
def test_the_table_names_all_fields(name: str) -> None:
    named = re.findall(r"`(\w+)", ROWS[name])

    assert set(fields_of(name)) <= set(named)
