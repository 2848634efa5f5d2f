"""mail-parser-reply asked for a second opinion, within bounds it can take.

It is quadratic in the length of a line and slow even without that, but knows turns of
phrase that our own rules may not. So its pattern for the heads of quotes is shown a few
short lines around each place that looks like one, and no more than a few such places.
"""

import re
from collections.abc import Iterator, Sequence

from mailparser_reply.constants import (  # type: ignore[import-untyped]  # it has no types
    MAIL_LANGUAGES,
)
from mailparser_reply.parser import (  # type: ignore[import-untyped]  # the same
    EmailMessage,
)

_LINE_CHARS = 200
_LINES_ABOVE, _LINES_BELOW = 3, 4
_MOST_PLACES = 3
_LEAD = re.compile(r".*[:：]|-{5,}.*")
_FIELD = re.compile(r"[* ]*[^\W\d][\w -]{0,24} ?[:：].*")
_HEAD: re.Pattern[str] = EmailMessage(
    text="", languages=list(MAIL_LANGUAGES)
).HEADER_REGEX


def drop_quotes(lines: Sequence[str], keeps: list[bool]) -> None:
    """Mark as old what the library takes for the quote of an earlier mail."""
    numbers = [number for number, keep in enumerate(keeps) if keep]
    kept = [lines[number][:_LINE_CHARS] for number in numbers]
    for place in _places(kept):
        start = max(place - _LINES_ABOVE, 0)
        text = "\n".join(kept[start : place + _LINES_BELOW])
        if head := _HEAD.search(text):
            # Its pattern may begin with the line break above.
            begin = head.start() + len(head[0]) - len(head[0].lstrip())
            for number in numbers[start + text.count("\n", 0, begin) :]:
                keeps[number] = False
            return


def _places(lines: Sequence[str]) -> Iterator[int]:
    """Yield where the head of a quote might be: a line of leads, or two of fields."""
    found = 0
    for number, line in enumerate(lines):
        is_field = bool(_FIELD.fullmatch(line))
        is_pair = is_field and number > 0 and bool(_FIELD.fullmatch(lines[number - 1]))
        if is_pair or _LEAD.fullmatch(line):
            yield number
            found += 1
        if found == _MOST_PLACES:
            return
