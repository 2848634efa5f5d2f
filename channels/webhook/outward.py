"""What is posted to a receiver, how it is signed, and when the next try is due; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from standardwebhooks import Webhook

from channels.base import Parcel
from core.kernel.clock import to_iso
from core.kernel.jsons import to_json
from core.kernel.sanitise import sanitise
from core.kernel.version import VERSION

REPLIED = "command.replied"
ANSWER_BYTES = 2_048
LONGEST_ASKED = timedelta(hours=24)

_MINUTE, _HOUR = 60.0, 3600.0
# After so many tries each delivery waits for the last of these, until its day is over.
_PAUSES = (5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR)
_JITTER = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is posted for one delivery: the same bytes at each of its tries."""

    id: str
    body: bytes

    def headers(self, keys: Sequence[bytes], *, now: datetime) -> dict[str, str]:
        """Sign it anew, once with each key, for both ends may be rotating."""
        text = self.body.decode()
        signatures = [Webhook(key).sign(self.id, now, text) for key in keys]
        return {
            "Content-Type": "application/json",
            "User-Agent": f"Opswire/{VERSION}",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def render_message(parcel: Parcel) -> Message:
    """Write what a receiver is told: an event under its name, or a command's reply.

    Shape:  an event carries the moment at which it happened, a reply the one at which
            it was put into the outbox.
    """
    sent = parcel.reply.data
    posted_at = to_iso(parcel.posted_at) if parcel.posted_at else ""
    body = {
        "type": sent.get("event", "") if _is_event(parcel) else REPLIED,
        "timestamp": sent.get("ts", posted_at) if _is_event(parcel) else posted_at,
        "data": sent,
    }
    return Message(id=parcel.id, body=to_json(body))


def seconds_until_next(attempt: int, *, chance: float) -> float:
    """Say how long a delivery waits after its so many-th try: +-20 % by chance.

    Units:  `attempt` counts from 1, `chance` goes from 0 to 1.
    """
    pause = _PAUSES[min(attempt, len(_PAUSES)) - 1]
    return pause * (1 - _JITTER + 2 * _JITTER * chance)


def parse_retry_after(headers: Mapping[str, str], *, now: datetime) -> float:
    """Read for how many seconds a receiver asks to be left alone, a day at most.

    Shape:  seconds or a date, as HTTP has them; 0 when it does not ask, or nobody can
            tell for how long.
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        seconds = float(asked[:9])
    else:
        seconds = (_moment(asked, now) - now).total_seconds()
    return max(0.0, min(seconds, LONGEST_ASKED.total_seconds()))


def beginning_of(body: bytes) -> str:
    """Keep the beginning of an answer, as text that can be stored and shown."""
    return sanitise(body[:ANSWER_BYTES].decode(errors="replace"))


def _moment(date: str, now: datetime) -> datetime:
    """Read a date of HTTP; what is none is now."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return now
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_event(parcel: Parcel) -> bool:
    return parcel.place.get("kind") == "event"
