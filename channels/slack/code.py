"""Code in fences: all of it while it is short, else its first and last lines."""

from collections.abc import Iterator, Sequence

from channels.slack.blocks import (
    SECTION_CHARS,
    KitBlock,
    context,
    cut,
    fits,
    section,
)
from channels.slack.escapes import escape

LINES_SHOWN = 100
CHARS_SHOWN = 6_000
_LINE_CHARS = 1_000
_FENCE_CHARS = 8


def as_code(text: str, *, more: str) -> Iterator[KitBlock]:
    """Show code; `more` says, as mrkdwn, where all of it is."""
    lines = text.rstrip("\n").split("\n")
    first, last = _shown(lines)
    yield from _fenced(first)
    if hidden := len(lines) - len(first) - len(last):
        yield context(f"… {hidden} lines are not shown.{more}")
        yield from _fenced(last)
    elif not all(fits(line, _LINE_CHARS) for line in lines):
        yield context(f"… marks where a long line goes on.{more}")


def _shown(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Choose the lines to show, made safe: all, or as many from each end."""
    if len(lines) <= LINES_SHOWN:
        whole = [_safe(line) for line in lines]
        if sum(map(len, whole)) <= CHARS_SHOWN:
            return whole, ()
    half = LINES_SHOWN // 2
    first = _within([_safe(line) for line in lines[:half]])
    rest = lines[len(first) :][-half:]
    last = _within([_safe(line) for line in reversed(rest)])
    return first, list(reversed(last))


def _within(lines: Sequence[str]) -> Sequence[str]:
    room = CHARS_SHOWN // 2
    for count, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return lines[:count]
    return lines


def _fenced(lines: Sequence[str]) -> Iterator[KitBlock]:
    page: list[str] = []
    used = _FENCE_CHARS
    for line in lines:
        if used + len(line) + 1 > SECTION_CHARS and page:
            yield section(_fence(page))
            page, used = [], _FENCE_CHARS
        page.append(line)
        used += len(line) + 1
    if any(line.strip() for line in page):
        yield section(_fence(page))


def _fence(lines: Sequence[str]) -> str:
    return "\n".join(["```", *lines, "```"])


def _safe(line: str) -> str:
    """Escape a line, and break up what would close the fence."""
    return escape(cut(line, _LINE_CHARS)).replace("```", "`\u2060`\u2060`")
