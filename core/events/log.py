"""The human log: events told as Markdown, day by day; pure."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from core.events.model import Event
from core.kernel.jsons import Json

_SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]<>#|&~"})
_TEXT_LIMIT = 80


def render_human_log(told: Sequence[Event]) -> str:
    """Render events as Markdown, a heading for each day and a line for each event.

    Shape:  times are UTC; whatever people wrote is escaped and shortened.
    """
    if not told:
        return "No events.\n"
    days = groupby(told, key=lambda event: event.ts.date())
    return "\n".join(_day(day, list(of_day)) for day, of_day in days)


def _day(day: date, told: Sequence[Event]) -> str:
    lines = "\n".join(_line(event) for event in told)
    return f"## {day:%A, %d %B %Y}\n\n{lines}\n"


def _line(event: Event) -> str:
    words = event.type.replace("_", " ")
    target = f" **{_escape(event.target)}**" if event.target else ""
    door = f" via {_escape(event.channel)}" if event.channel else ""
    parts = [
        f"{_escape(name)}: {_escape(_short(v))}" for name, v in event.details.items()
    ]
    details = f" ({'; '.join(parts)})" if parts else ""
    return (
        f"- {event.ts:%H:%M:%S} {_escape(event.actor)}{door}: {words}{target}{details}"
    )


def _short(value: Json) -> str:
    match value:
        case list():
            text = ", ".join(_short(each) for each in value)
        case dict():
            text = ", ".join(f"{name} {_short(each)}" for name, each in value.items())
        case _:
            text = " ".join(str(value).split())
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 1]}…"


def _escape(text: str) -> str:
    return text.translate(_SPECIAL)
