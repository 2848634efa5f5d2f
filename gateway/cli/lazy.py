"""Load what only some runs of `ops` need.

A command must answer at once, so the web server, the database and the REPL are loaded
by the verbs that use them. This is the one place that imports while running.
"""

from importlib import import_module
from typing import Any


def load(place: str) -> Any:
    """Import `package.module:name` and return what is there."""
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
