"""`--wait`: what a command began is followed here, and told until it is over."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from core.kernel.ids import PREFIX_NOUNS
from core.kernel.reply import GOES_ON, Reply
from gateway.cli.client import Client
from gateway.cli.terminal import Terminal

_PATH = "/v1/events"
_POLL_SECONDS = 20
_ENDS = frozenset(
    {
        "run_succeeded",
        "run_failed",
        "run_cancelled",
        "job_completed",
        "job_failed",
        "job_cancelled",
    }
)
_FOLLOWED = ("R", "J")
_GOING_ON = frozenset(
    {
        "scheduled",
        "awaiting_approval",
        "queued",
        "retry_wait",
        "claimed",
        "running",
        "paused",
        "cancelling",
    }
)
_QUIET = ("lease_", "task_", "run_queued")

Event = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Story:
    """What is told of one thing while it runs, and whether it is over."""

    target: str
    tell: Callable[[str], None]
    is_over: bool = field(default=False, init=False)

    def take(self, event: Event) -> None:
        """Tell of an event, if it is worth a line."""
        kind = str(event.get("event", ""))
        self.is_over = self.is_over or kind in _ENDS
        if not kind.startswith(_QUIET):
            line = _line_of(kind, event.get("details") or {})
            self.tell(f"{self.target} {line}".rstrip())


def is_followed(reply: Reply) -> bool:
    """Tell whether a reply names something that goes on and can be followed."""
    is_taken = reply.status in GOES_ON and not reply.data.get("dry_run")
    return is_taken and bool(target_of(reply)) and not is_over(reply)


def target_of(reply: Reply) -> str:
    """Name what a command is about, "" for nothing that comes to an end by itself."""
    target = str(reply.data.get("id", ""))
    return target if target.partition("-")[0] in _FOLLOWED else ""


def is_over(reply: Reply) -> bool:
    """Tell whether what is shown has ended, or cannot be shown."""
    return reply.error is not None or reply.data.get("status") not in _GOING_ON


def has_failed(reply: Reply) -> bool:
    """Tell whether what is shown ended, and not well."""
    return reply.data.get("status") in ("failed", "timed_out", "cancelled")


def show_line(target: str) -> str:
    """Write the line that shows how something stands."""
    return f"{PREFIX_NOUNS[target.partition('-')[0]]} show {target}"


def follow(client: Client, begun: Reply, terminal: Terminal, *, seconds: float) -> bool:
    """Tell what happens to what a command began; False when the time is up before.

    Shape:  one line that is drawn anew for a person, a line for each step else.
    """
    target, place = target_of(begun), str(begun.data.get("created_at") or "15m")
    story = Story(target=target, tell=terminal.progress)
    end = time.monotonic() + seconds
    while not story.is_over and (left := end - time.monotonic()) > 0:
        place = _poll(client, story, place, wait=int(min(left, _POLL_SECONDS)) or 1)
        if not place:
            break
    terminal.end_progress()
    return story.is_over


def _poll(client: Client, story: Story, place: str, *, wait: int) -> str:
    """Wait for events after a place and tell them; give the next place, "" for none."""
    query = urlencode({"target": story.target, "since": place, "wait": wait})
    answer = client.get(f"{_PATH}?{query}")
    batch = orjson.loads(answer.body) if answer.status == 200 else {}
    for event in batch.get("items", ()):
        story.take(event)
    return str(batch.get("next", ""))


def _line_of(kind: str, details: Event) -> str:
    match kind:
        case "run_progress":
            return f"{details.get('done', 0)}/{details.get('total', 0)} " + str(
                details.get("note", "")
            )
        case _ if kind.startswith("executor_"):
            return f"{details.get('step', '')}: {kind.removeprefix('executor_')}"
    words = kind.removeprefix("run_").removeprefix("job_").replace("_", " ")
    worker = f" by {details['worker']}" if details.get("worker") else ""
    return f"{words}{worker}"
