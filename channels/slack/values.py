"""What people filled into a form: read off Slack's state, then as arguments."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from core.kernel.catalog import Input
from core.kernel.clock import to_iso
from core.kernel.jsons import Json

ON, OFF = "yes", "no"
LIST_MARK = "+"
"""An action_id is what its blank takes, such as `integer`; with this it takes several."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def action_id(kind: Input, *, is_list: bool) -> str:
    """Name an input so that what is filled into it can be read again."""
    return f"{kind.value}{LIST_MARK if is_list else ''}"


def read_values(state: Mapping[str, Any]) -> dict[str, Json]:
    """Keep what was filled in: blank to (how it takes values, what it took)."""
    return {
        str(name): [str(action), _taken(taken)]
        for name, actions in (state.get("values") or {}).items()
        for action, taken in actions.items()
    }


def arguments(values: Mapping[str, Json]) -> dict[str, Json]:
    """Turn what was filled in into arguments; what was left empty is none.

    Shape:  types are those that the blank asked for. What cannot be one stays a text,
            and the command says what is wrong with it.
    """
    return {name: value for name, value in _filled(values) if value not in (None, "")}


def _filled(values: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    for name, pair in values.items():
        if not isinstance(pair, list) or len(pair) != 2:
            continue
        how, taken = str(pair[0]), pair[1]
        kind = how.removesuffix(LIST_MARK)
        if not how.endswith(LIST_MARK):
            yield name, _value(kind, taken)
        elif several := [_value(kind, each) for each in _several(taken)]:
            yield name, several


def _taken(taken: Mapping[str, Any]) -> Json:
    """Read one input's value, whatever element it is."""
    match taken.get("type"):
        case "static_select" | "external_select":
            return _chosen(taken.get("selected_option"))
        case "multi_static_select":
            return [_chosen(each) for each in taken.get("selected_options") or ()]
        case "checkboxes":
            return ON if taken.get("selected_options") else None
        case "datetimepicker":
            moment = taken.get("selected_date_time")
            return moment if isinstance(moment, int) else None
    value = taken.get("value")
    return value if isinstance(value, str) else None


def _chosen(option: object) -> Json:
    return str(option["value"]) if isinstance(option, Mapping) else None


def _several(taken: Json) -> list[Json]:
    """Read a list: what was chosen, or a text with one value per line."""
    if isinstance(taken, str):
        return [line.strip() for line in taken.splitlines() if line.strip()]
    return list(taken) if isinstance(taken, list) else []


def _value(kind: str, taken: Json) -> Json:
    if isinstance(taken, int) and kind == Input.TIME and not isinstance(taken, bool):
        return to_iso(datetime.fromtimestamp(taken, UTC))
    if not isinstance(taken, str):
        return taken
    text = taken.strip()
    if kind == Input.FLAG:
        return {ON: True, OFF: False}.get(text)
    if kind == Input.INTEGER and _WHOLE.fullmatch(text):
        return int(text)
    if kind == Input.NUMBER:
        return _number(text)
    return _json(text) if kind == Input.JSON else taken


def _number(text: str) -> Json:
    try:
        return float(text)
    except ValueError:
        return text


def _json(text: str) -> Json:
    try:
        found: Json = json.loads(text)
    except ValueError:
        return text
    return found
