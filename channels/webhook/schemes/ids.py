"""The id that a sender puts inside of a body that it signs; pure."""

import orjson

from channels.webhook.schemes.base import Proven, digest

_ID_LIMIT = 200


def known_by(field: str, body: bytes, *, signed: bytes) -> Proven:
    """Know a message by a field of its body, else by all that was signed.

    Shape:  such an id outlives a new attempt, which is signed with a new time and may
            tell of itself in the body; it is the sender's word for "the same".
    """
    found = _id_in(body, field)
    if not found:
        return Proven(digest(signed), digest(body))
    return Proven(found, digest(found.encode()))


def _id_in(body: bytes, field: str) -> str:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    found = said.get(field) if isinstance(said, dict) else None
    return found if isinstance(found, str) and len(found) <= _ID_LIMIT else ""
