"""The CommonMark subset of replies in Slack's two dialects, neither of which may ping."""

import re
from collections.abc import Iterator

from channels.slack.blocks import SECTION_CHARS, KitBlock, link, section
from channels.slack.escapes import escape

_MARKDOWN_CHARS = 4_000
_MOST_CHARS = 20_000  # twice what a message shows, so that the rest is missed there
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<url>[^()\s]+)\)|(?P<bare>https?://[^\s<>|)]+)"
)
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)")
_FENCE = re.compile(r"\s*(```|~~~)")

# Slack decodes no entity inside an address, so only its angle brackets are changed.
_ADDRESS = re.compile(r"(?:\]\([^()\s]*\)|https?://[^\s<>)]+)")


def as_markdown(md: str) -> list[KitBlock]:
    """Show a text in `markdown` blocks, which know CommonMark themselves."""
    return [
        {"type": "markdown", "text": part}
        for part in _parts(_defused(md[:_MOST_CHARS]), _MARKDOWN_CHARS)
    ]


def as_mrkdwn(md: str) -> list[KitBlock]:
    """Show a text in sections, for workspaces that refuse the newer blocks."""
    return [
        section(part) for part in _parts(_translated(md[:_MOST_CHARS]), SECTION_CHARS)
    ]


def _defused(md: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(md):
        parts += (escape(md[end : found.start()]), _address(found[0]))
        end = found.end()
    return "".join((*parts, escape(md[end:])))


def _address(text: str) -> str:
    return text.replace("<", "%3C").replace(">", "%3E")


def _translated(md: str) -> str:
    is_fenced = False
    lines = []
    for line in md.split("\n"):
        if _FENCE.match(line):
            is_fenced = not is_fenced
            lines.append("```")
        else:
            lines.append(_verbatim(line) if is_fenced else _line(line))
    return "\n".join([*lines, "```"] if is_fenced else lines)


def _verbatim(text: str) -> str:
    """Show a line inside of a fence; what would close that is broken up."""
    return escape(text.replace("```", "`\u2060`\u2060`"))


def _line(line: str) -> str:
    if heading := _HEADING.fullmatch(line):
        return f"*{escape(heading[1].replace('*', ''))}*"
    if bullet := _BULLET.fullmatch(line):
        return f"{bullet[1]}• {_inline(bullet[2])}"
    return _inline(line)


def _inline(text: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _INLINE.finditer(text):
        parts += (escape(text[end : found.start()]), _marked(found))
        end = found.end()
    return "".join((*parts, escape(text[end:])))


def _marked(found: re.Match[str]) -> str:
    if found["code"]:
        return f"`{escape(found['code'])}`"
    if found["bold"]:
        return f"*{escape(found['bold'])}*"
    url = found["url"] or found["bare"]
    return link(found["label"] or url, url)


def _parts(text: str, limit: int) -> Iterator[str]:
    """Cut a text at its lines into parts of at most `limit` characters.

    A fence that is cut is closed and opened again; blank parts are left out.
    """
    part: list[str] = []
    used, fence = 0, ""
    for line in _short_lines(text, limit - 20):
        if used + len(line) + 1 > limit - 8 and part:
            yield from _whole(part, fence)
            part = [fence] if fence else []
            used = len(fence) + 1
        part.append(line)
        used += len(line) + 1
        if found := _FENCE.match(line):
            fence = "" if fence else found[1]
    yield from _whole(part, fence)


def _whole(part: list[str], fence: str) -> Iterator[str]:
    text = "\n".join([*part, fence] if fence else part)
    if text.strip():
        yield text


def _short_lines(text: str, limit: int) -> Iterator[str]:
    """Yield lines; one that is too long is cut, but never inside of an escape."""
    for line in text.split("\n"):
        rest = line
        while len(rest) > limit:
            end = _safe_end(rest, limit)
            yield rest[:end]
            rest = rest[end:]
        yield rest


def _safe_end(text: str, limit: int) -> int:
    """Find where a line may be cut: before an entity or a link that is still open."""
    head = text[:limit]
    for mark, close in (("&", ";"), ("<", ">")):
        at = head.rfind(mark)
        if at > 0 and close not in head[at:]:
            head = head[:at]
    return len(head)
