"""The CommonMark subset of replies, laid out in lines."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from rich.cells import cell_len, chop_cells

from channels.terminal.paint import Ink, Paper

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^*\n]+)\*\*|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<url>[^)\s]+)\)"
)
_HEADING = re.compile(r"#{1,6}\s+(.*)")
_BULLET = re.compile(r"(\s*)[-*+]\s+(.*)")
_FENCE = re.compile(r"\s*(```|~~~)")


class Word(NamedTuple):
    """A piece of a line; broken only if it is too wide and plain text."""

    text: str
    ink: Ink = Ink.PLAIN
    url: str = ""


def lay_out(md: str, paper: Paper) -> Iterator[str]:
    """Yield the lines of a text: headings, bullets, code fences and paragraphs."""
    is_fenced = False
    for line in md.split("\n"):
        if _FENCE.match(line):
            is_fenced = not is_fenced
        elif is_fenced:
            yield f"  {line}"
        else:
            yield from _line(line, paper)


def wrap(text: str, width: int) -> Iterator[str]:
    """Break plain text at spaces, and inside a word only if it is wider than `width`."""
    for line in text.split("\n"):
        yield from _wrapped(
            [Word(piece) for piece in _pieces(line)],
            Paper(width=width, has_colour=False),
        )


def _line(line: str, paper: Paper) -> Iterator[str]:
    if heading := _HEADING.fullmatch(line):
        yield from _wrapped(
            [Word(each, Ink.BOLD) for each in _pieces(heading[1])], paper
        )
    elif bullet := _BULLET.fullmatch(line):
        indent = f"{bullet[1]}• "
        inner = Paper(
            width=max(paper.width - len(indent), 1), has_colour=paper.has_colour
        )
        for number, each in enumerate(_wrapped(_words(bullet[2], paper), inner)):
            yield (" " * len(indent) if number else indent) + each
    else:
        yield from _wrapped(_words(line, paper), paper)


def _words(line: str, paper: Paper) -> list[Word]:
    """Cut a line at its spaces; what stands side by side without one stays together."""
    words: list[Word] = []
    end = 0
    for found in _INLINE.finditer(line):
        words += map(Word, _pieces(line[end : found.start()]))
        words += _marked(found, paper)
        end = found.end()
    words += map(Word, _pieces(line[end:]))
    return words


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s+|\S+", text)


def _marked(found: re.Match[str], paper: Paper) -> Iterator[Word]:
    if found["url"]:
        yield Word(found["label"], url=found["url"])
    elif found["code"]:
        # Without colours the backticks are what sets a command apart.
        text = found["code"] if paper.has_colour else found[0]
        yield from (Word(piece, Ink.CODE) for piece in _pieces(text))
    else:
        ink = Ink.BOLD if found["bold"] else Ink.ITALIC
        yield from (
            Word(piece, ink) for piece in _pieces(found["bold"] or found["italic"])
        )


def _wrapped(words: list[Word], paper: Paper) -> Iterator[str]:
    """Fill lines up to the paper's width; always at least one line."""
    line, used, gap = "", 0, ""
    for word in words:
        if not word.text.strip():
            gap = " "
            continue
        for text in _broken(word, paper):
            cells = cell_len(text)
            if used and used + len(gap) + cells > paper.width:
                yield line
                line, used, gap = "", 0, ""
            lead = gap if used else ""
            line += lead + _painted(word, text, paper)
            used, gap = used + len(lead) + cells, ""
    yield line


def _broken(word: Word, paper: Paper) -> list[str]:
    """Cut a word that is too wide; addresses and code stay whole, to be copied."""
    text = _shown(word, paper)
    is_whole = word.ink is Ink.CODE or "://" in text
    return [text] if is_whole else chop_cells(text, paper.width)


def _shown(word: Word, paper: Paper) -> str:
    if word.url and not paper.has_colour:
        return paper.link(word.text, word.url)
    return word.text


def _painted(word: Word, text: str, paper: Paper) -> str:
    if word.url and paper.has_colour:
        return paper.link(text, word.url)
    return paper.paint(text, word.ink)
