"""The last word on arguments: a strict model, its refusals in our words."""

from collections.abc import Mapping
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from commands.plan import Plan
from commands.words import shown
from core.kernel.problems import InvalidArgument

_DEEPEST = 250


def validated(
    model: type[BaseModel], values: Mapping[str, Any], plan: Plan
) -> dict[str, Any]:
    """Return what the model makes of JSON-like values, with its defaults.

    Raises: InvalidArgument about the first value that does not fit.
    """
    try:
        raw = orjson.dumps(values)
    except orjson.JSONEncodeError as fault:
        raise _unwritable(fault) from fault
    try:
        return dict(model.__pydantic_validator__.validate_json(raw).__dict__)
    except ValidationError as fault:
        raise _refusal(plan, fault) from fault


def _unwritable(fault: orjson.JSONEncodeError) -> InvalidArgument:
    """Say why arguments cannot be written down; only its words tell the faults apart."""
    if "ecursion" in str(fault):
        return InvalidArgument(
            f"an argument is nested more than {_DEEPEST} lists or objects deep",
            fix=["send it flatter, or pick a part of it"],
        )
    return InvalidArgument(
        "an argument is not valid Unicode, or a number is too long",
        fix=["send UTF-8 without lone surrogates, and numbers of 64 bits"],
    )


def _refusal(plan: Plan, fault: ValidationError) -> InvalidArgument:
    first = fault.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    parameter = plan.named.get(name)
    if parameter is None:
        return InvalidArgument("the arguments are nested too deeply", fix=plan.help)
    if first["type"] == "missing":
        return InvalidArgument(
            f"{name} is missing for {plan.command.name}",
            fix=[*plan.command.examples[:1], *plan.help],
            argument=name,
        )
    said = "what was given" if parameter.is_secret else _said(first["input"])
    wanted = first["msg"].replace("Input should", "it should", 1)
    return InvalidArgument(
        f"{said} does not fit {parameter.flag}: {wanted}", fix=plan.help, argument=name
    )


def _said(value: object) -> str:
    if isinstance(value, str):
        return shown(value)
    return shown(orjson.dumps(value, default=str).decode())
