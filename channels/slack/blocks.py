"""Block Kit pieces that keep Slack's limits; everything given here is plain text."""

import json
from collections.abc import Iterable, Sequence

from channels.slack.escapes import escape
from core.kernel.jsons import Json

KitBlock = dict[str, Json]

SECTION_CHARS = 3_000
FIELD_CHARS = 2_000
FIELDS = 10
BUTTON_CHARS = 75
BUTTONS = 25
CONTEXT_CHARS = 2_000

_NAME_CHARS = 200
_VALUE_CHARS = FIELD_CHARS - _NAME_CHARS - 3
_URL_CHARS = 2_000
_IN_URL = {
    " ": "%20",
    '"': "%22",
    "&": "&amp;",
    "<": "%3C",
    ">": "%3E",
    "|": "%7C",
    "\n": "%0A",
}
_URL_STARTS = ("https://", "http://", "mailto:")


def size_of(blocks: Sequence[KitBlock]) -> int:
    """Count the characters of blocks the way Slack weighs a message: as JSON."""
    return len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def mrkdwn(text: str) -> dict[str, Json]:
    """Wrap a text that is mrkdwn already; nothing more in it is made a link or a ping."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def plain(text: str, limit: int) -> dict[str, Json]:
    """Wrap a label, which Slack wants without formatting."""
    shown = escape(cut(text, limit, least="…"))
    return {"type": "plain_text", "text": shown, "emoji": False}


def section(text: str) -> KitBlock:
    """Show mrkdwn of at most 3,000 characters."""
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str) -> KitBlock:
    """Show mrkdwn small and grey."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def header(text: str) -> KitBlock:
    """Show a line large, as a heading that screen readers know."""
    return {"type": "header", "text": plain(text, 150)}


def fields(pairs: Iterable[tuple[str, str]]) -> list[KitBlock]:
    """Show names and values, ten to a block."""
    shown: list[Json] = [mrkdwn(_pair(name, value)) for name, value in pairs]
    return [
        {"type": "section", "fields": shown[start : start + FIELDS]}
        for start in range(0, len(shown), FIELDS)
    ]


def link(label: str, url: str) -> str:
    """Write a link as mrkdwn; what is no web address is shown and not linked."""
    if not url.startswith(_URL_STARTS):
        return escape(cut(": ".join(part for part in (label, url) if part), 500))
    target = "".join(_IN_URL.get(each, each) for each in url)
    if len(target) > _URL_CHARS:
        return escape(cut(label or url, 500))
    return f"<{target}|{escape(cut(label, 300)) or 'open'}>"


def cut(text: str, limit: int, *, least: str = "") -> str:
    """Shorten a text to what fits once it is escaped.

    Shape:  still the raw text; `least` stands in for a blank one.
    """
    if fits(text, limit):
        return text if text.strip() else least
    room, kept = limit - 1, 0
    while (room := room - len(escape(text[kept]))) >= 0:
        kept += 1
    return text[:kept] + "…"


def fits(text: str, limit: int) -> bool:
    """Tell whether a text has at most so many characters once it is escaped."""
    return len(text) <= limit and len(escape(text)) <= limit


def is_too_long(value: str) -> bool:
    """Tell whether a field cannot show all of a value."""
    return not fits(value, _VALUE_CHARS)


def _pair(name: str, value: str) -> str:
    label = escape(cut(name, _NAME_CHARS, least="–"))
    return f"*{label}*\n{escape(cut(value, _VALUE_CHARS, least='–'))}"
