"""Parameters of a template as they are given: `env=prod`, or one JSON object."""

import re
from collections.abc import Mapping, Sequence

from commands.words import shown
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

_WORD = re.compile(r"([A-Za-z_][A-Za-z0-9_-]{0,63})=(.*)", re.DOTALL)


def parse_params(
    words: Sequence[str], given: Mapping[str, Json] | None
) -> dict[str, Json]:
    """Join what was said in words with what was said in JSON.

    Shape:  a word's value is a text, whatever it looks like; the template says what
            is made of it.
    Raises: InvalidArgument naming a word that is none, or a name that comes twice.
    """
    params: dict[str, Json] = {}
    for word in words:
        name, text = _split(word)
        if name in params:
            raise _twice(name)
        params[name] = text
    for name in params.keys() & (given or {}).keys():
        raise _twice(name)
    return params | dict(given or {})


def _split(word: str) -> tuple[str, str]:
    found = _WORD.fullmatch(word)
    if found is None:
        raise InvalidArgument(
            f"{shown(word)} is no parameter",
            fix=["write name=value, such as env=prod", 'quote it: note="a b"'],
            argument="params",
        )
    return found[1], found[2]


def _twice(name: str) -> InvalidArgument:
    return InvalidArgument(
        f"the parameter {shown(name)} is given twice",
        fix=[f"give {name}=… once"],
        argument="params",
    )
