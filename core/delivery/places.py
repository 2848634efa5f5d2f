"""Where somebody is written to who has not just written: their account itself."""

from collections.abc import Mapping

from core.kernel.jsons import Json

# How a channel names a person in a place, in its own words.
_NAMED: Mapping[str, str] = {"slack": "user", "email": "to"}


def direct_place(channel: str, sender: str) -> Mapping[str, Json]:
    """Name the place where one sender alone reads; empty where nobody is written to."""
    name = _NAMED.get(channel)
    return {name: sender} if name else {}
