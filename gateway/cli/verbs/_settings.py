"""The settings of this machine, with what a verb's options say instead."""

from typing import Any

from pydantic import ValidationError

from core.kernel.problems import InvalidArgument
from gateway.settings import Settings


def settings_with(**given: Any) -> Settings:
    """Read the settings; options that were not given are None and change nothing.

    Raises: InvalidArgument naming the setting that does not fit, and never its value.
    """
    try:
        return Settings(
            **{name: each for name, each in given.items() if each is not None}
        )
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        full = name if name.startswith("OPSWIRE_") else f"OPSWIRE_{name}"
        raise InvalidArgument(
            f"{full}: {first['msg']}", fix=[f"set or unset {full}"]
        ) from fault
