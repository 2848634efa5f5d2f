"""What a terminal, a log or a browser must never get from us: unseen characters.

Removed are control characters except newline and tab, whole escape sequences (a
terminal would obey them), characters that reorder text on the screen, and invisible
ones where no script needs them.
"""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any

import orjson

from core.kernel.reply import SUMMARY_LIMIT, Reply

_UNSEEN = re.compile(
    r"""
      (?: \x1b[\]PX^_] | [\x90\x98\x9d-\x9f] )          # OSC, DCS, SOS, PM, APC: text
          [^\x07\x1b\x9c\n]*+ (?: \x07 | \x1b\\ | \x9c )?  # up to its end or the line's
    | (?: \x1b\[ | \x9b ) [0-?]*+ [ -/]*+ [@-~]?        # CSI
    | \x1b [ -/]*+ [0-~]?                               # every other escape
    | [\0-\x08\x0b-\x1f\x7f-\x9f]                       # C0 and C1
    | [\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]    # writing direction
    | [\u180e\u200b\u2060-\u2065\ufeff\ufff9-\ufffb]    # no width
    | [\u2028\u2029\ud800-\udfff]                       # line breaks few expect; no text
    | [\U000e0000-\U000e007f]                           # tags: hidden ASCII
    """,
    re.VERBOSE,
)

# Persian and emoji need the joiners; between other characters they only hide.
_JOINERS = re.compile(
    r"(?<![^\0-\x7f\u200c\u200d])[\u200c\u200d]++"
    r"|[\u200c\u200d]++(?![^\0-\x7f\u200c\u200d])"
)

# The same in JSON, where control characters are escaped and the rest is UTF-8. It may
# find too much (the text `\u00`), never too little.
_SUSPECT = re.compile(
    rb"""
      \\[ubfr] | \x7f | \xc2[\x80-\x9f] | \xd8\x9c | \xe1\xa0\x8e
    | \xe2\x80[\x8b-\x8f\xa8-\xae] | \xe2\x81[\xa0-\xaf]
    | \xef\xbb\xbf | \xef\xbf[\xb9-\xbb] | \xf3\xa0[\x80\x81]
    """,
    re.VERBOSE,
)

# Whatever JSON escapes but quotes, backslashes, newlines and tabs.
_ODD_ESCAPE = re.compile(rb'\\[^"\\nt]')

_AS_STORED = ("data", "extra")


def sanitise(text: str) -> str:
    """Drop what a reader cannot see and a machine might obey; keep newline and tab."""
    if text.isascii() and text.isprintable():
        return text
    return _JOINERS.sub("", _UNSEEN.sub("", text))


def sanitise_line(text: str, *, limit: int) -> str:
    """Sanitise a text that must stand on one line of at most `limit` characters."""
    line = " ".join(sanitise(text).split()) if not _is_line(text) else text
    return line if len(line) <= limit else line[: limit - 1] + "…"


def sanitise_reply(reply: Reply) -> Reply:
    """Sanitise everything that is shown of a reply; `data` stays as it is stored.

    Shape:  a clean reply, which is nearly every one, is returned itself.
    """
    if not _is_suspect(reply):
        return reply
    cleaned: Reply = _clean(reply)
    return replace(cleaned, summary=sanitise_line(reply.summary, limit=SUMMARY_LIMIT))


def is_plain(reply: Reply, body: bytes) -> bool:
    """Tell at a glance that `body`, the reply in JSON, leaves nothing to sanitise.

    Shape:  never True when `sanitise_reply` would change the reply; often False when
            it would not, as for every text that is not ASCII.
    """
    return (
        body.isascii()
        and b"\x7f" not in body
        and not _ODD_ESCAPE.search(body)
        and reply.summary.isprintable()
        and len(reply.summary) <= SUMMARY_LIMIT
    )


def _is_line(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_suspect(reply: Reply) -> bool:
    if (
        len(reply.summary) > SUMMARY_LIMIT
        or "\n" in reply.summary
        or "\t" in reply.summary
    ):
        return True
    shown = (
        reply.summary,
        reply.blocks,
        reply.undo,
        reply.error,
        reply.command,
        reply.actor,
        reply.id,
        reply.request_id,
        reply.url,
        reply.channel,
    )
    try:
        raw = orjson.dumps(shown)
    except orjson.JSONEncodeError:  # a lone surrogate is no text
        return True
    is_plain = raw.isascii() and b"\\" not in raw and b"\x7f" not in raw
    return not is_plain and _SUSPECT.search(raw) is not None


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return sanitise(value) if type(value) is str else value
    if isinstance(value, list | tuple):
        return tuple(_clean(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                each.name: _clean(getattr(value, each.name))
                for each in fields(value)
                if each.name not in _AS_STORED
            },
        )
    return value
