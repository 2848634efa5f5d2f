"""Reads Markdown as far as a spec kit needs it: headings and lines that are no code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with the lines below it, up to the next heading of any level.

    Shape:  `lines` are pairs of a line's number, from 1, and its text without code.
            `has_code` tells that there is a block of code as well.
    """

    level: int
    title: str
    line: int
    lines: Sequence[tuple[int, str]]
    has_code: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written below the heading itself."""
        return not self.has_code and not any(text.strip() for _, text in self.lines)


def read_sections(text: str) -> Sequence[Section]:
    """Cut a document at its headings; what stands before the first has level 0."""
    found: list[Section] = []
    level, title, start, has_code = 0, "", 1, False
    lines: list[tuple[int, str]] = []
    fence = ""
    for number, raw in enumerate(_without_comments(text).splitlines(), 1):
        opened = _FENCE.match(raw)
        if fence or opened:
            fence, has_code = _after_fence(fence, raw), True
            continue
        heading = _HEADING.fullmatch(raw)
        if heading is None:
            lines.append((number, _INLINE_CODE.sub("", raw)))
            continue
        found.append(
            Section(
                level=level, title=title, line=start, lines=lines, has_code=has_code
            )
        )
        level, title, start = len(heading[1]), heading[2], number
        lines, has_code = [], False
    last = Section(level=level, title=title, line=start, lines=lines, has_code=has_code)
    return [*found, last]


def within(sections: Sequence[Section], place: int) -> Sequence[Section]:
    """List a section with those below it, as far as the next of its own level."""
    own = sections[place]
    below: list[Section] = [own]
    for each in sections[place + 1 :]:
        if each.level <= own.level:
            break
        below.append(each)
    return below


def _after_fence(fence: str, line: str) -> str:
    """Tell which fence is open after a line; "" for none."""
    found = _FENCE.match(line)
    if not fence:
        return found[1] if found else ""
    closes = bool(found) and line.strip().startswith(fence)
    return "" if closes and set(line.strip()) == {fence[0]} else fence


def _without_comments(text: str) -> str:
    """Blank comments out, so that the lines keep their numbers."""
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
