"""The `-o` formats: a reply's data as scripts, spreadsheets and documents want it."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jmespath
import orjson
import yaml
from jmespath.exceptions import JMESPathError

from channels.terminal import tables
from channels.terminal.paint import Paper
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

OUTPUTS = ("auto", "table", "json", "jsonl", "yaml", "csv", "md", "id")

_UNLIMITED_CELLS = 1_000_000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# JMESPath leaves comparisons to Python, so a text beside a number raises what Python
# raises; its own errors are ValueErrors.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

Row = Mapping[str, Json]


def format_data(
    reply: Mapping[str, Any], output: str, fields: Sequence[str] = (), query: str = ""
) -> str:
    """Write the `data` of a reply (as JSON) in one of OUTPUTS; `auto` is `json`.

    Shape:  `query` (JMESPath) is applied to `data` first, then `fields` pick keys of
            each row; a list `{"items": …}` counts as its rows unless it is written as
            JSON or YAML whole. Ends with a newline unless it is empty.
    Raises: InvalidArgument for a query that cannot be read, an unknown field or format.
    """
    require_format(output, query)
    chosen = _picked(_queried(reply.get("data"), query), fields)
    return _WRITERS[output](chosen)


def require_format(output: str, query: str = "") -> None:
    """Check what can be checked before there is any data.

    Raises: InvalidArgument for an unknown format, or a query that cannot be read.
    """
    if output not in _WRITERS:
        raise InvalidArgument(
            f"-o {output} is no format", fix=[f"-o {each}" for each in OUTPUTS]
        )
    if query:
        try:
            jmespath.compile(query)
        except (JMESPathError, RecursionError) as fault:
            raise _unreadable(query, fault) from fault


def rows_of(value: Json) -> list[Json]:
    """See a value as rows: the items of a list, the elements of an array, or itself."""
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value = value["items"]
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _queried(value: Json, query: str) -> Json:
    if not query:
        return value
    try:
        found: Json = jmespath.search(query, value)
    except _FAULTS as fault:
        raise _unreadable(query, fault) from fault
    return found


def _unreadable(query: str, fault: Exception) -> InvalidArgument:
    return InvalidArgument(
        f"--query {query!r} does not work: {fault}".replace("\n", " "),
        fix=["--query 'items[].id'"],
    )


def _picked(value: Json, fields: Sequence[str]) -> Json:
    """Keep some keys of each row, in the order asked for."""
    if not fields:
        return value
    rows = [row for row in rows_of(value) if isinstance(row, dict)]
    _require_known(fields, rows)
    picked: list[Json] = [{field: row.get(field) for field in fields} for row in rows]
    if isinstance(value, list):
        return picked
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        return {**value, "items": picked}
    return picked[0] if picked else None


def _require_known(fields: Sequence[str], rows: Sequence[Row]) -> None:
    known = {key for row in rows for key in row}
    unknown = [field for field in fields if field not in known]
    if rows and unknown:
        raise InvalidArgument(
            f"--fields {unknown[0]} is no field here",
            fix=[f"--fields {','.join(sorted(known))}"],
        )


def _json(value: Json) -> str:
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, option=option).decode()


def _jsonl(value: Json) -> str:
    return _lines(orjson.dumps(row).decode() for row in rows_of(value))


def _yaml(value: Json) -> str:
    return yaml.safe_dump(
        value, sort_keys=False, allow_unicode=True, default_flow_style=False
    )


def _csv(value: Json) -> str:
    columns, rows = _grid(value)
    if not columns:
        return ""
    cells = [[_safe_cell(cell) for cell in row] for row in (columns, *rows)]
    # The writer sees to line feeds, but a carriage return would break a bare cell.
    is_broken = any("\r" in cell for row in cells for cell in row)
    page = io.StringIO()
    csv.writer(
        page,
        lineterminator="\n",
        quoting=csv.QUOTE_ALL if is_broken else csv.QUOTE_MINIMAL,
    ).writerows(cells)
    return page.getvalue()


def _safe_cell(text: str) -> str:
    """Keep a spreadsheet from running a cell as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _md(value: Json) -> str:
    columns, rows = _grid(value)
    lines = (columns, ["---"] * len(columns), *rows) if columns else ()
    return _lines("| " + " | ".join(map(_md_cell, line)) + " |" for line in lines)


def _md_cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")


def _table(value: Json) -> str:
    columns, rows = _grid(value)
    paper = Paper(width=_UNLIMITED_CELLS, has_colour=False)
    return _lines(tables.lay_out(columns, rows, paper)) if columns else ""


def _ids(value: Json) -> str:
    rows = rows_of(value)
    return _lines(
        str(row["id"]) if isinstance(row, dict) else str(row)
        for row in rows
        if not isinstance(row, dict) or "id" in row
    )


def _grid(value: Json) -> tuple[list[str], list[list[str]]]:
    """See a value as columns and rows of text; the columns of all rows, in order."""
    rows: list[Row] = [
        row if isinstance(row, dict) else {"value": row} for row in rows_of(value)
    ]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return columns, [[_cell(row.get(key)) for key in columns] for row in rows]


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


_WRITERS: Mapping[str, Callable[[Json], str]] = {
    "auto": _json,
    "json": _json,
    "jsonl": _jsonl,
    "yaml": _yaml,
    "csv": _csv,
    "md": _md,
    "table": _table,
    "id": _ids,
}
