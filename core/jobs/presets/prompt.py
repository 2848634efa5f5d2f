"""Prompts with `{{ input.name }}` in them; what is put in is never read again.

Between the braces stands a JMESPath expression over `title`, `description` and `input`,
as in all texts with expressions. One pair of braces is left alone, for prompts show JSON
and code.
"""

import re
from collections.abc import Mapping

from core.expressions.budget import Budget, TooMuchWork
from core.expressions.roots import roots_of
from core.expressions.search import check_expression, search, too_much
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.texts import require_text
from core.providers.model import MOST_PROMPT_CHARS

PROMPT_LIMIT = 20_000

_NAME = "prompt"
_KNOWN = ("input", "title", "description")
_SLOT = re.compile(r"\{\{([^{}]*)\}\}")
_OPEN = re.compile(r"\{\{|\}\}")
_CHARACTERS_A_STEP = 4


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that could never be filled in.

    Raises: InvalidArgument saying what is wrong with it.
    """
    require_text(_NAME, prompt, limit=PROMPT_LIMIT, least=1)
    for found in _SLOT.finditer(prompt):
        if not found[1].strip():
            raise _misfit("the prompt has an empty {{ }}")
        check_expression(_NAME, found[1].strip())
        _check_roots(found[1].strip())
    if _OPEN.search(_SLOT.sub("", prompt)):
        raise _misfit("the prompt has {{ without }}, or the other way round")


def fill_prompt(prompt: str, subject: Mapping[str, Json]) -> str:
    """Put what a job says into the prompt of its preset.

    Shape:  `subject` has `title`, `description` and `input`. Texts are put in as they
            are, lists of texts line by line, everything else as JSON.
    Raises: InvalidArgument naming what the job lacks, or when it becomes too long.
    """
    budget = Budget()
    payload: Json = dict(subject)
    try:
        budget.spend(len(prompt) // _CHARACTERS_A_STEP)
    except TooMuchWork as fault:
        raise too_much(_NAME, prompt) from fault

    def put(found: re.Match[str]) -> str:
        expression = found[1].strip()
        value = search(_NAME, expression, payload, budget=budget)
        if value is None:
            raise _lacking(expression)
        return _written(value)

    filled = _SLOT.sub(put, prompt)
    if len(filled) > MOST_PROMPT_CHARS:
        raise InvalidArgument(
            f"the prompt becomes {len(filled)} characters long",
            fix=[f"say less: at most {MOST_PROMPT_CHARS}"],
            argument="input",
        )
    return filled


def _check_roots(expression: str) -> None:
    """Refuse what no job will ever say.

    Raises: InvalidArgument naming what there is.
    """
    strange = sorted(roots_of(expression) - set(_KNOWN))
    if strange:
        raise InvalidArgument(
            f"{expression[:80]!r} in the prompt begins with {strange[0][:40]!r}, which"
            " no job has",
            fix=[
                f"write {{{{ input.{strange[0][:40]} }}}}",
                "or use title or description",
            ],
            argument=_NAME,
        )


def _written(value: Json) -> str:
    """Write a value as it reads best in a prompt."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(f"- {each}" for each in value) or "(none)"
    return canonical_json(value).decode()


def _lacking(expression: str) -> InvalidArgument:
    name = expression.removeprefix("input.")
    if name == expression or not name.isidentifier():
        return InvalidArgument(
            f"the preset wants {expression}, which the job does not say",
            fix=["preset show <name>"],
            argument="input",
        )
    return InvalidArgument(
        f"the preset wants {name} in the input",
        fix=[f'--input {{"{name}": "…"}}'],
        argument="input",
    )


def _misfit(why: str) -> InvalidArgument:
    return InvalidArgument(why, fix=["write {{ input.version }}"], argument=_NAME)
