"""The settings of this machine, with what a verb's options say instead."""

from typing import Any

import click
from pydantic import ValidationError

from gateway.settings import Settings


def settings_with(**given: Any) -> Settings:
    """Read the settings; options that were not given are None and change nothing.

    Raises: ClickException naming the setting that does not fit.
    """
    try:
        return Settings(
            **{name: each for name, each in given.items() if each is not None}
        )
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        raise click.ClickException(f"{name}: {first['msg']}") from fault
