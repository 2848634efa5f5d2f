"""What a person wrote anew, parted from what they quote, sign and are made to append.

Three steps: what is quoted goes, then what stands at the end of nearly every mail, and
last mail-parser-reply may find a quote in what is left. When in doubt a line counts as
quoted, for a quoted command must never run. One pass over the lines, whatever they are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from channels.email import endings, library
from channels.email.languages import (
    OPENERS,
    ORIGINALS,
    OTHER_FIELDS,
    SENDER_FIELDS,
    WROTE,
)
from channels.email.words import Phrases, bare

REPLY_ABOVE = "##- Please write above this line -##"

_LINE_CHARS = 400  # of a line that is looked at; the rest decides nothing
_WRAPPED_CHARS = 60  # a quoted line this long may go on below without its mark
_ATTRIBUTION_LINES = 4
_HEADER_LINES = 10

_MARK = re.compile(r"[>＞»]|\|\s?>|[\w.]{1,4}>(?=\s|>)")
_COMMAND = re.compile(r"[!！/]\w")
_RULE = re.compile(r"[-_=*—–]{5,}|[_]{3,}")
_LONG_RULE = re.compile(r"_{20,}")
_FRAME = "-_=*#—–"
_TITLE_CHARS = 100
_ORIGINAL = Phrases(ORIGINALS)
_WROTE = Phrases(WROTE)
_DATE = re.compile(
    r"\d{1,2}\s?[:.h時时]\s?\d{2}|(?<!\d)\d{4}(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d"
)
_DATED = re.compile(r"\W{0,3}\d{1,4}[./-]\d{1,2}[./-]\d")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}[.\w-]{0,190}")
_OPENER = re.compile(rf"(?:{'|'.join(OPENERS)})\b.*\d|\w{{2,4}}[.,]? .*\d")
_NAME = re.compile(r"([^\W\d_][^:：\d]{0,24}?)\s?[:：]")
_LABELLED = re.compile(r"[^\s:：][^:：]{0,29}[:：]\s?\S")
_FIELDS = frozenset({*SENDER_FIELDS, *OTHER_FIELDS})
_SENDERS = frozenset(SENDER_FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripped:
    """What is new in a mail, and all that was taken away, in the order of the mail.

    Shape:  when something new stands above the first quote, `below` has what seems to
            be new below it. Nobody can tell whether it is: a quote that bears no marks
            may begin with lines that do.
    """

    text: str
    below: str
    cut: str


def strip(text: str) -> Stripped:
    """Part the new text from the rest.

    Shape:  the lines of the new text stand as they were written; no line is lost, each
            is in one of the three, but for blank ones at the edges.
    """
    lines = text.split("\n")
    shown = [bare(line[:_LINE_CHARS]) for line in lines]
    keeps = _unquoted(shown)
    quote = keeps.index(False) if False in keeps else len(lines)
    endings.drop_banner(shown, keeps)
    endings.drop_endings(shown, keeps)
    library.drop_quotes(shown, keeps)
    marked = list(zip(lines, keeps, strict=True))
    above = _join(line for line, keep in marked[:quote] if keep)
    below = _join(line for line, keep in marked[quote:] if keep)
    return Stripped(
        text=above or below,
        below=below if above else "",
        cut="\n".join(line for line, keep in marked if not keep),
    )


def _join(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip("\n\r\t \u200b\ufeff")


def _unquoted(lines: Sequence[str]) -> list[bool]:
    """Tell for each line whether it is new, by what quotes look like."""
    keeps = [True] * len(lines)
    number = 0
    while number < len(lines):
        line = lines[number]
        if _is_marked(line):
            number = _end_of_wrapped(lines, number, keeps)
            continue
        if line and _begins_old(lines, number):
            return _without_rest(keeps, number)
        if line.endswith((":", "：")) and (first := _attribution(lines, number)) >= 0:
            for each in range(first, number + 1):
                keeps[each] = False
            if not _is_marked(_next(lines, number)):
                return _without_rest(keeps, number)
        number += 1
    return keeps


def _without_rest(keeps: list[bool], number: int) -> list[bool]:
    return keeps[:number] + [False] * (len(keeps) - number)


def _is_marked(line: str) -> bool:
    return bool(_MARK.match(line))


def _end_of_wrapped(lines: Sequence[str], number: int, keeps: list[bool]) -> int:
    """Take a quoted line away, and below it what a mail program broke off from it."""
    keeps[number] = False
    is_long = len(lines[number]) >= _WRAPPED_CHARS
    number += 1
    while number < len(lines) and lines[number] and not _is_marked(lines[number]):
        is_between = _is_marked(_next(lines, number, skip_blank=False))
        if not is_long and not (is_between and _COMMAND.match(lines[number])):
            break
        keeps[number] = False
        is_long = len(lines[number]) >= _WRAPPED_CHARS
        number += 1
    return number


def _begins_old(lines: Sequence[str], number: int) -> bool:
    """Tell whether from this line on everything is somebody else's."""
    line = lines[number]
    if line == REPLY_ABOVE or (line[:3] == "##-" and line[-3:] == "-##"):
        return True
    if _LONG_RULE.fullmatch(line):
        return True
    is_ruled = bool(_RULE.fullmatch(line))
    return (
        (
            (is_ruled or _field(line))
            and _is_header_block(lines, number, is_ruled=is_ruled)
        )
        or ("@" in line and _is_foreign_header_block(lines, number))
        or _is_title(line.lower())
    )


def _is_title(line: str) -> bool:
    """Tell whether a line says that an older mail follows: `--- Original message ---`."""
    title = line.rstrip(":： ")
    is_framed = {*title[:2], *title[-2:]} <= {*_FRAME} and len(title) > 4
    inner = title.strip(f"{_FRAME} ")
    if is_framed and len(inner) <= _TITLE_CHARS:
        return _is_attribution(inner, is_quoted_next=False) or _ORIGINAL.are_in(inner)
    return line.endswith((":", "：")) and len(line) < 60 and _ORIGINAL.are_in(line)


def _is_header_block(lines: Sequence[str], number: int, *, is_ruled: bool) -> bool:
    """Tell whether the headers of an older mail stand here: `From: … Sent: … To: …`."""
    names: set[str] = set()
    start = number + is_ruled
    for line in lines[start : start + _HEADER_LINES]:
        name = _field(line)
        if line and not name and not names:
            return False
        names.add(name)
    names.discard("")
    # With a sender a rule and one more field will do, for some programs give no more.
    return len(names) >= 3 or (
        is_ruled and len(names) == 2 and not names.isdisjoint(_SENDERS)
    )


def _is_foreign_header_block(lines: Sequence[str], number: int) -> bool:
    """Tell the same in a language that we do not know, by its shape and an address."""
    block = lines[number : number + 4]
    return (
        bool(_ADDRESS.search(block[0]))
        and len(block) == 4
        and all(_LABELLED.match(line) for line in block)
    )


def _field(line: str) -> str:
    """Return the header that a line shows, `from` for `*From:* Ann`; "" if none."""
    if ":" not in line[:40] and "：" not in line[:40]:
        return ""
    found = _NAME.match(line.replace("*", "").lstrip("_ ").lower())
    name = found[1].strip() if found else ""
    return name if name in _FIELDS else ""


def _attribution(lines: Sequence[str], last: int) -> int:
    """Find where a sentence like `On … ann wrote:` begins that ends here; -1 if none."""
    text = ""
    is_quoted_next = _is_marked(_next(lines, last))
    for first in range(last, max(last - _ATTRIBUTION_LINES, -1), -1):
        if not lines[first] or _is_marked(lines[first]):
            return -1
        text = f"{lines[first]} {text}".lower()
        if _is_attribution(text, is_quoted_next=is_quoted_next):
            return _first_of(lines, first, text)
    return -1


def _is_attribution(text: str, *, is_quoted_next: bool) -> bool:
    clues = (
        _WROTE.are_in(text[-80:]) or _WROTE.are_in(text[:80]),
        bool(_DATE.search(text)),
        bool(_ADDRESS.search(text)),
    )
    if is_quoted_next and (clues[0] or _DATED.match(text)):
        return True
    return sum(clues) >= 2


def _first_of(lines: Sequence[str], first: int, text: str) -> int:
    """Go up to the line that begins the sentence, when a mail program broke it."""
    for above in (first - 1, first - 2):
        if _OPENER.match(text) or above < 0 or not lines[above]:
            break
        line = lines[above].lower()
        if _is_marked(line) or line.endswith((".", "!", "?")):
            break
        if re.match(rf"(?:{'|'.join(OPENERS)})\b", line) and re.search(r"\d", line):
            return above
    return first


def _next(lines: Sequence[str], number: int, *, skip_blank: bool = True) -> str:
    """Return the next line below, by default the next that says something."""
    for line in lines[number + 1 : number + 6]:
        if line or not skip_blank:
            return line
    return ""
