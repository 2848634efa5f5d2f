"""Slack's own escapes: undone in what people type, and made in what we show."""

import re

_ESCAPE = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
_ESCAPED = re.compile(r"[&<>]")

# Typed angle brackets arrive escaped, so a bare one always begins what Slack made.
_MADE = re.compile(
    r"&(?P<name>amp|lt|gt);|<(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>"
)
_MARKS = {"@": "@", "#": "#", "!": "@"}


def escape(text: str) -> str:
    """Write a text so that Slack shows it and neither links nor pings anybody."""
    return _ESCAPED.sub(lambda found: _ESCAPE[found[0]], text)


def unescape(text: str) -> str:
    """Give back what was typed: characters, links and mentions as people see them."""
    return _MADE.sub(_typed, text)


def _typed(found: re.Match[str]) -> str:
    if found["name"]:
        return _CHARACTERS[found["name"]]
    target, label = unescape(found["target"]), unescape(found["label"] or "")
    mark = _MARKS.get(target[0])
    if mark is None:
        return label or target.removeprefix("mailto:").removeprefix("tel:")
    # `<!subteam^S1|@team>` and `<!date^…|Monday>` are known by their label alone.
    name = label or target[1:].partition("^")[0]
    is_marked = name.startswith(mark) or target.startswith("!date^")
    return name if is_marked else f"{mark}{name}"
