"""The inputs of a form: one for each blank of a command, of the kind that it takes."""

from channels.slack.blocks import KitBlock, plain
from channels.slack.values import OFF, ON, action_id
from core.kernel.catalog import Blank, Input
from core.kernel.jsons import Json

_OPTIONS = 100
_OPTION_CHARS = 75
_INITIAL_CHARS = 3_000
_PLACEHOLDER_CHARS = 150


def input_block(blank: Blank, filled: str, *, label: str = "") -> KitBlock:
    """Ask for one value; `filled` stands in it already."""
    block: KitBlock = {
        "type": "input",
        "block_id": blank.name[:255],
        "label": plain(label or blank.label, 200),
        "optional": not blank.is_required,
        "element": {
            "action_id": action_id(blank.input, is_list=blank.is_list),
            **_element(blank, filled),
        },
    }
    return {**block, "hint": plain(_hint(blank), 500)} if _hint(blank) else block


def _element(blank: Blank, filled: str) -> dict[str, Json]:
    match blank.input:
        case Input.CHOICE if 0 < len(blank.choices) <= _OPTIONS:
            return _select(blank, filled)
        case Input.FLAG:
            return _switch(blank)
        case Input.INTEGER | Input.NUMBER if not blank.is_list:
            return _number(blank, filled)
        case Input.TIME if not blank.is_list:
            return {"type": "datetimepicker"}
    return _text(blank, filled)


def _select(blank: Blank, filled: str) -> dict[str, Json]:
    options: list[Json] = [_option(each) for each in blank.choices]
    if blank.is_list:
        return {"type": "multi_static_select", "options": options}
    chosen = filled or blank.default
    is_known = isinstance(chosen, str) and chosen in blank.choices
    initial: dict[str, Json] = (
        {"initial_option": _option(str(chosen))} if is_known else {}
    )
    return {"type": "static_select", "options": options, **initial}


def _option(choice: str) -> Json:
    return {"text": plain(choice, _OPTION_CHARS), "value": choice[:150]}


def _switch(blank: Blank) -> dict[str, Json]:
    """Ask for a flag; one that is on unless it is said otherwise needs both answers."""
    if blank.default is True:
        options = [_option(ON), _option(OFF)]
        return {
            "type": "static_select",
            "options": list[Json](options),
            "initial_option": options[0],
        }
    return {"type": "checkboxes", "options": [_option(ON)]}


def _number(blank: Blank, filled: str) -> dict[str, Json]:
    default = "" if blank.default is None else str(blank.default)
    initial = filled or default
    return {
        "type": "number_input",
        "is_decimal_allowed": blank.input is Input.NUMBER,
        **({"initial_value": initial} if initial else {}),
    }


def _text(blank: Blank, filled: str) -> dict[str, Json]:
    """Ask for text; lists take a value per line, and so may what begins with several."""
    default = blank.default if isinstance(blank.default, str) else ""
    initial = (filled or default)[:_INITIAL_CHARS]
    is_long = blank.is_list or blank.input is Input.JSON or "\n" in initial
    example: dict[str, Json] = (
        {"placeholder": plain(blank.example, _PLACEHOLDER_CHARS)}
        if blank.example
        else {}
    )
    return {
        "type": "plain_text_input",
        "multiline": is_long,
        **example,
        **({"initial_value": initial} if initial else {}),
    }


def _hint(blank: Blank) -> str:
    each = "One per line." if blank.is_list and not blank.choices else ""
    shape = "JSON." if blank.input is Input.JSON else ""
    return " ".join(part for part in (blank.help, each, shape) if part)
