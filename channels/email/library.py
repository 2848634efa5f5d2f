"""mail-parser-reply asked for a second opinion, within bounds it can take.

It is quadratic in the length of a line and knows languages that our own rules may not,
so it sees a few thousand characters, in short lines, and only where something in them
looks like the head of a quote.
"""

import re
from collections.abc import Sequence

from mailparser_reply import (  # type: ignore[import-untyped]  # it has no types
    EmailReplyParser,
)
from mailparser_reply.constants import (  # type: ignore[import-untyped]  # the same
    MAIL_LANGUAGES,
)

_CHARS = 8_192
_LINE_CHARS = 200
_HEAD = re.compile(r".*[:：]|-{5,}.*")
_SEPARATOR = re.compile(r"[_-]{32,}")
_PARSER = EmailReplyParser(languages=list(MAIL_LANGUAGES))


def drop_quotes(lines: Sequence[str], keeps: list[bool]) -> None:
    """Mark as old what the library takes for the quote of an earlier mail."""
    numbers = [number for number, keep in enumerate(keeps) if keep]
    kept = _bounded([lines[number] for number in numbers])
    while kept and not kept[0]:
        kept, numbers = kept[1:], numbers[1:]
    if not any(_HEAD.fullmatch(line) for line in kept):
        return
    replies = _PARSER.read("\n".join(kept)).replies
    new = len(replies[0].content.split("\n")) if replies[0].content else 0
    if len(replies) > 1:
        for number in numbers[new:]:
            keeps[number] = False


def _bounded(lines: Sequence[str]) -> list[str]:
    bounded: list[str] = []
    left = _CHARS
    for line in lines:
        bounded.append(_SEPARATOR.sub("----", line[:_LINE_CHARS]))
        left -= len(bounded[-1]) + 1
        if left < 0:
            break
    return bounded
