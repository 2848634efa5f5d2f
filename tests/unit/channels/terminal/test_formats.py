"""Data in the formats that scripts, spreadsheets and documents read."""

import csv
import io
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.terminal.formats import OUTPUTS, format_data
from core.kernel.problems import InvalidArgument

TASKS = {
    "data": {
        "items": [
            {"id": "T-1", "title": "Fix | login", "labels": ["a"], "done": False},
            {"id": "T-2", "title": "=1+1", "labels": [], "assignee": None},
        ],
        "next": "c1",
    }
}
ONE = {"data": {"id": "T-1", "title": "Fix login"}}

JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_json_is_the_data_as_it_came() -> None:
    assert json.loads(format_data(TASKS, "json")) == TASKS["data"]


def test_yaml_reads_back() -> None:
    assert yaml.safe_load(format_data(TASKS, "yaml")) == TASKS["data"]


def test_jsonl_has_a_line_for_each_row() -> None:
    lines = format_data(TASKS, "jsonl").splitlines()

    assert [json.loads(line)["id"] for line in lines] == ["T-1", "T-2"]


def test_id_gives_one_id_a_line() -> None:
    assert format_data(TASKS, "id") == "T-1\nT-2\n"
    assert format_data(ONE, "id") == "T-1\n"


def test_csv_has_all_columns_and_no_formulas() -> None:
    rows = list(csv.reader(io.StringIO(format_data(TASKS, "csv"))))

    assert rows[0] == ["id", "title", "labels", "done", "assignee"]
    assert rows[2] == ["T-2", "'=1+1", "[]", "", ""]


@settings(deadline=None)
@given(st.sampled_from("=+-@\t\r"), st.text(st.characters(exclude_categories=["Cs"])))
def test_no_csv_cell_begins_like_a_formula(start: str, rest: str) -> None:
    """A cell that a spreadsheet would run is quoted."""
    page = format_data({"data": {"title": start + rest}}, "csv")

    cell = list(csv.reader(io.StringIO(page, newline="")))[1][0]

    assert cell == f"'{start}{rest}"


def test_md_is_a_table_with_escaped_bars() -> None:
    lines = format_data(TASKS, "md").splitlines()

    assert lines[1].startswith("| --- |")
    assert r"Fix \| login" in lines[2]


def test_table_is_plain_and_uncut() -> None:
    lines = format_data(TASKS, "table", ["id", "title"]).splitlines()

    assert lines == ["id   title", "T-1  Fix | login", "T-2  =1+1"]


def test_fields_pick_keys_in_the_order_asked() -> None:
    picked = json.loads(format_data(TASKS, "json", ["title", "id"]))

    assert list(picked["items"][0]) == ["title", "id"]
    assert picked["next"] == "c1"
    assert json.loads(format_data(ONE, "json", ["id"])) == {"id": "T-1"}


def test_query_is_jmespath_on_the_data() -> None:
    assert format_data(TASKS, "id", query="items[?title=='=1+1'].id") == "T-2\n"


@pytest.mark.parametrize(
    ("output", "fields", "query"),
    [
        ("xml", (), ""),
        ("json", ("nope",), ""),
        ("json", (), "items[?"),
        ("json", (), "abs('x')"),
        ("json", (), "items[?title > `3`]"),
        ("json", (), "sort_by(items, &nope)"),
    ],
)
def test_what_cannot_be_written_is_refused(
    output: str, fields: tuple[str, ...], query: str
) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        format_data(TASKS, output, fields, query)

    assert refusal.value.fix


@settings(deadline=None)
@given(JSONS, st.sampled_from(OUTPUTS))
def test_any_data_can_be_written_in_any_format(value: object, output: str) -> None:
    written = format_data({"data": value}, output)

    assert written == "" or written.endswith("\n")
