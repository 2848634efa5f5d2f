"""The command that an alias stands for: cut into tokens once, filled in ever after.

What somebody says never passes through the tokeniser with the command around it: values
are put into tokens that exist already, so there is no line for them to break out of.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from commands.plan import Plan
from commands.render import quote
from commands.tokens import Form, Token, command_start, split_lines, tokenise
from commands.words import shown
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

# A slot is marked by characters that nobody types, while the line is cut into tokens.
_OPEN, _CLOSE = "\ue000", "\ue001"
_WRITTEN = re.compile(r"\{\{([a-z][a-z0-9_]*)\}\}|\{([a-z][a-z0-9_]*)\}")
_MARKED = re.compile(f"{_OPEN}([a-z0-9_]+){_CLOSE}")


class Value(NamedTuple):
    """What somebody said for a slot; a plain word may still be an id, a time, `me`."""

    text: str
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Template:
    """A command line with slots in its tokens, and the names of these."""

    tokens: tuple[Token, ...]
    slots: tuple[str, ...]


class Filled(NamedTuple):
    """Tokens with values in them, and the line that they are quoted from in errors."""

    text: str
    tokens: Sequence[Token]


def parse_template(line: str) -> Template:
    """Cut a command line with `{slot}` into tokens; `{{word}}` stands for `{word}`.

    Raises: InvalidArgument when it is no single line of a command.
    """
    if _OPEN in line or _CLOSE in line:
        raise _unreadable(line, "has a character that nobody can type")
    marked = _WRITTEN.sub(_mark, line)
    start, _ = command_start(marked)
    scan = tokenise(marked, start)
    if scan.fault:
        raise _unreadable(line, "has a quote or a JSON object that is not closed")
    if not scan.tokens or len(split_lines(marked)) > 1:
        raise _unreadable(line, "is not one command on one line")
    if any(each.form is Form.JSON and _names_keys(each.text) for each in scan.tokens):
        raise _unreadable(line, "has a slot in the name of a JSON field")
    names = dict.fromkeys(found[1] for found in _MARKED.finditer(marked))
    return Template(tokens=tuple(scan.tokens), slots=tuple(names))


def fill(template: Template, values: Mapping[str, Value], plan: Plan) -> Filled:
    """Put values into the tokens of a command, whatever is in them."""
    text = ""
    tokens: list[Token] = []
    for each in template.tokens:
        token = _apart(_filled(each, values), plan)
        written = _write(token)
        start = len(text) + 1 if text else 0
        text = f"{text} {written}".lstrip()
        tokens.append(token._replace(start=start, end=start + len(written)))
    return Filled(text, tokens)


def unfilled(template: Template, plan: Plan) -> Filled:
    """Leave the slots as they are, to see where they end up."""
    marks = {name: Value(f"{_OPEN}{name}{_CLOSE}") for name in template.slots}
    return fill(template, marks, plan)


def slots_in(value: Any) -> Sequence[str]:
    """Name the slots inside of a value that was bound without being filled in."""
    said = (
        value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    )
    return [found[1] for found in _MARKED.finditer(said)]


def as_written(text: str) -> str:
    """Write slots as their author did: `{app}`."""
    return _MARKED.sub(r"{\1}", text)


def _names_keys(written: str) -> bool:
    """Tell whether a value could choose the name of a field, and so of an argument."""
    waiting: list[Json] = [orjson.loads(written)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if any(_OPEN in name for name in node):
                return True
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return False


def _mark(found: re.Match[str]) -> str:
    return f"{{{found[1]}}}" if found[1] else f"{_OPEN}{found[2]}{_CLOSE}"


def _filled(token: Token, values: Mapping[str, Value]) -> Token:
    if _OPEN not in token.text:
        return token
    if token.form is Form.JSON:
        whole = _in_json(orjson.loads(token.text), values)
        return token._replace(text=orjson.dumps(whole).decode())
    used = [values[found[1]] for found in _MARKED.finditer(token.text)]
    is_word = token.form is Form.WORD and all(each.is_plain for each in used)
    return token._replace(
        text=_put(token.text, values), form=Form.WORD if is_word else Form.QUOTED
    )


def _put(text: str, values: Mapping[str, Value]) -> str:
    return _MARKED.sub(lambda found: values[found[1]].text, text)


def _in_json(node: Json, values: Mapping[str, Value]) -> Json:
    match node:
        case str():
            return _put(node, values)
        case list():
            return [_in_json(each, values) for each in node]
        case dict():
            return {name: _in_json(each, values) for name, each in node.items()}
    return node


def _apart(token: Token, plan: Plan) -> Token:
    """Make `key=value` one text where no parameter has that name."""
    name = token.key.lower().replace("-", "_")
    if not name or name.startswith("_") or name in plan.named:
        return token
    return token._replace(text=f"{token.key}={token.text}", key="", form=Form.QUOTED)


def _write(token: Token) -> str:
    if token.form is Form.FLAG:
        return token.key
    said = token.text if token.form is Form.JSON else quote(token.text)
    return f"{token.key}={said}" if token.key else said


def _unreadable(line: str, what: str) -> InvalidArgument:
    return InvalidArgument(
        f"the command {shown(line)} {what}",
        fix=['write it like: task create "Deploy {app}" --lane B'],
        argument="command",
    )
