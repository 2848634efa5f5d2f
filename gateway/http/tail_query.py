"""What a caller of the event tail asks for: where to begin, what, and how to wait."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.types import Scope

from commands.times import parse_time
from core.events.model import EventFilter
from core.kernel.problems import InvalidArgument, InvalidHeader, InvalidQuery
from core.kernel.texts import require_line
from gateway.http.asgi import Headers
from gateway.tails import Since

LONGEST_WAIT_SECONDS = 60
_MOST_PARAMETERS = 40
_MOST_DIGITS = 18
_VALUE_LIMIT = 200

_FILTERS: Mapping[str, str] = {
    "task": "targets",
    "run": "targets",
    "agent": "targets",
    "target": "targets",
    "type": "types",
    "actor": "actors",
    "channel": "channels",
}
PARAMETERS: Mapping[str, str] = {
    "since": "Begin after this number, or at this time; without it, now",
    "wait": "Answer JSON instead of a stream, after at most so many seconds (0 to 60)",
    "task": "Only events about these tasks, separated by commas",
    "run": "Only events about these runs",
    "agent": "Only events about these agents",
    "target": "Only events about any of these",
    "type": "Only events of these types, such as task_created",
    "actor": "Only what these people and agents did",
    "channel": "Only what came in by these channels",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TailQuery:
    """A request for events; `wait_seconds` is None for a stream."""

    wanted: EventFilter
    since: Since
    wait_seconds: int | None


def parse_tail(scope: Scope, *, now: datetime, timezone: str) -> TailQuery:
    """Read the query and `Last-Event-ID`, which goes before `since`.

    Raises: InvalidQuery, InvalidHeader.
    """
    given = _parameters(scope["query_string"])
    last_id = Headers.of(scope).get(b"last-event-id").strip()
    since = given.get("since", "")
    return TailQuery(
        wanted=_filter(given),
        since=_number(last_id) if last_id else _since(since, now, timezone),
        wait_seconds=_wait(given.get("wait", "")),
    )


def _parameters(raw: bytes) -> dict[str, str]:
    """Read parameters that are known and given once; an empty one is not given."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii", "replace"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as fault:
        raise InvalidQuery(
            "the query cannot be read", fix=["encode it in UTF-8"]
        ) from fault
    given: dict[str, str] = {}
    for name, text in pairs:
        if name not in PARAMETERS:
            raise InvalidQuery(
                f"{name[:40]!r} is not a parameter here",
                fix=[f"use {', '.join(PARAMETERS)}"],
            )
        if name in given:
            raise InvalidQuery(f"{name!r} is given twice", fix=["separate with commas"])
        given[name] = text
    return given


def _filter(given: Mapping[str, str]) -> EventFilter:
    sets: dict[str, set[str]] = {}
    for name, kind in _FILTERS.items():
        values = [part for part in given.get(name, "").split(",") if part]
        if name in ("task", "run"):
            values = [value.upper() for value in values]
        sets.setdefault(kind, set()).update(_storable(name, each) for each in values)
    return EventFilter(**{kind: frozenset(values) for kind, values in sets.items()})


def _storable(name: str, value: str) -> str:
    try:
        return require_line(name, value, limit=_VALUE_LIMIT)
    except InvalidArgument as fault:
        raise InvalidQuery(fault.detail, fix=fault.fix) from fault


def _since(text: str, now: datetime, timezone: str) -> Since:
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return int(text)
    try:
        return parse_time(text, now=now, timezone=timezone, is_past=True)
    except InvalidArgument as fault:
        raise InvalidQuery(
            f"'since' is neither a number nor a time: {fault.detail}",
            fix=["since=120", "since=2026-11-04T09:00Z", "since=15m"],
        ) from fault


def _number(last_id: str) -> int:
    if not last_id.isdigit() or len(last_id) > _MOST_DIGITS:
        raise InvalidHeader(
            "Last-Event-ID is not the id of an event",
            fix=["send it as it was received"],
        )
    return int(last_id)


def _wait(text: str) -> int | None:
    if not text:
        return None
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        raise InvalidQuery(
            f"'wait' is a number of seconds from 0 to {LONGEST_WAIT_SECONDS}",
            fix=["wait=30"],
        )
    return seconds
