"""From the raw text of a delivery to what the expressions of a map look at; pure."""

from urllib.parse import parse_qs

from core.kernel.jsons import Json, parse_json
from core.kernel.problems import InvalidJson, UnsupportedMedia

HEADERS, QUERY = "_headers", "_query"

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1_000


def parse_payload(body: str, content_type: str) -> Json:
    """Read a body: JSON whatever it calls itself, else a form if it says so.

    Shape:  an empty body is an empty object. A field of a form that comes several times
            is a list. JSON in a field named `payload` is decoded, and is the payload
            when it is the only field.
    Raises: InvalidJson, UnsupportedMedia when it is said to be something else.
    """
    if not body.strip():
        return {}
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        return parse_json(body)
    except InvalidJson:
        if media_type == _FORM and not _says_json(body):
            return _form(body)
        if media_type == _FORM or _may_be_json(media_type):
            raise
    raise UnsupportedMedia(
        f"the body is {media_type[:100]}",
        fix=["send Content-Type: application/json", f"send Content-Type: {_FORM}"],
    )


def with_surroundings(
    payload: Json, *, headers: dict[str, Json], query: dict[str, Json]
) -> Json:
    """Put what came around an object beside its own keys; anything else stays alone."""
    if not isinstance(payload, dict):
        return payload
    return {**payload, HEADERS: headers, QUERY: query}


def without_surroundings(payload: Json) -> Json:
    """Take that away again, for showing what the sender itself wrote."""
    if not isinstance(payload, dict):
        return payload
    return {
        name: value for name, value in payload.items() if name not in (HEADERS, QUERY)
    }


def _may_be_json(media_type: str) -> bool:
    return (
        media_type in ("", "application/json", "text/plain", "text/json")
        or media_type.endswith("+json")
        or media_type == "application/octet-stream"
    )


def _says_json(body: str) -> bool:
    """Tell whether a body that calls itself a form was written as JSON."""
    begins = body.lstrip()[:2]
    return begins[:1] == "{" or begins in ("[{", "[[", '["')


def _form(body: str) -> Json:
    count = body.count("&") + 1
    if count > _MOST_FIELDS:
        raise InvalidJson(
            f"the form has {count} fields, and at most {_MOST_FIELDS} are read",
            fix=["send fewer fields, or the same as JSON"],
        )
    try:
        named = parse_qs(
            body,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
        )
    except ValueError as fault:
        raise InvalidJson(
            "the body is neither JSON nor a form", fix=["send one of the two, in UTF-8"]
        ) from fault
    fields: dict[str, Json] = {
        name: values[0] if len(values) == 1 else list(values)
        for name, values in named.items()
    }
    inner = fields.get("payload")
    if isinstance(inner, str) and inner[:1] in ("{", "["):
        fields["payload"] = parse_json(inner)
    return fields["payload"] if list(fields) == ["payload"] else fields
