"""Rebuild tasks.json from the event file alone."""

from collections.abc import Iterable
from datetime import datetime

from core.collab.replay import replay
from core.events.model import Event
from core.kernel.jsons import canonical_json, parse_json
from core.kernel.problems import InvalidArgument


def rebuild_tasks(lines: Iterable[bytes]) -> bytes:
    """Return the tasks document after all these events, as the mirror writes it.

    Shape:  the lines begin with the tenant's first event and leave none out.
    Raises: InvalidJson, InvalidArgument at the first line that does not follow.
    """
    return canonical_json({"tasks": replay(_events(lines))})


def _events(lines: Iterable[bytes]) -> Iterable[Event]:
    for number, line in enumerate(lines, start=1):
        event = _event(parse_json(line))
        if event is None or event.seq != number:
            raise InvalidArgument(
                f"line {number} is not event {number}",
                fix=["check the file: ops collab verify"],
                field="from",
            )
        yield event


def _event(line: object) -> Event | None:
    """Read one line of the event file back."""
    match line:
        case {
            "seq": int(seq), "ts": str(ts), "event": str(name), "actor": str(actor),
            "channel": str(channel), "target": str(target), "details": dict(details),
        }:  # fmt: skip
            return Event(
                seq=seq, ts=datetime.fromisoformat(ts), type=name, actor=actor,
                channel=channel, target=target, details=details,
            )  # fmt: skip
        case _:
            return None
