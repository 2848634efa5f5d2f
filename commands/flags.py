"""The flags that every command takes, declared the way a command declares its own."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from commands.invocation import Options
from commands.schema import Form, parameters_of
from core.kernel.problems import InvalidArgument

Output = Literal["auto", "table", "json", "jsonl", "yaml", "csv", "md", "id"]

SHORT = {"-o": "output"}
WAIT_UNLESS_SAID = "90s"


def _everywhere(
    _: None,
    *,
    output: Output = "auto",
    fields: Sequence[str] = (),
    query: str = "",
    dry_run: bool = False,
    yes: bool = False,
    confirm: str = "",
    reason: str = "",
    if_match: str = "",
    wait: timedelta | None = None,
    quiet: bool = False,
    public: bool | None = None,
    private: bool | None = None,
) -> None:
    """Declare names, types and defaults; it is read and never called."""


GLOBALS = parameters_of(_everywhere)
MODEL = Form("options", GLOBALS).model
_NONE = Options()


def options_of(given: Mapping[str, Any]) -> Options:
    """Turn validated global flags into Options.

    Raises: InvalidArgument when a reply is to be both public and private.
    """
    if not given:
        return _NONE
    chosen = dict(given)
    public, private = chosen.pop("public", None), chosen.pop("private", None)
    if public is not None and private is not None:
        raise InvalidArgument(
            "a reply cannot be told twice who may see it", fix=["--public", "--private"]
        )
    is_public = public if private is None else not private
    fields = tuple(chosen.pop("fields", ()))
    return Options(is_public=is_public, fields=fields, **chosen)
