"""What stands behind a quote that never closes: words, for whoever takes text as it is."""

import re
from collections.abc import Iterator

from commands.tokens import Form, Scan, Token, tokenise

_WRITTEN = re.compile(r"\S+")


def begin_of(text: str, scan: Scan) -> int:
    """Tell where a text stops being tokens; its length when it is tokens to the end."""
    if scan.fault is None:
        return len(text)
    end = scan.tokens[-1].end if scan.tokens else 0
    found = _WRITTEN.search(text, end)
    return found.start() if found else len(text)


def loose_tokens(text: str, scan: Scan) -> Iterator[Token]:
    """Cut what is no token at its spaces; each word that is one by itself stays one.

    Units:  looks at each character a few times, however many quotes there are.
    """
    for found in _WRITTEN.finditer(text, begin_of(text, scan)):
        alone = tokenise(found[0])
        is_one = alone.fault is None and len(alone.tokens) == 1
        start, end = found.span()
        if is_one:
            yield alone.tokens[0]._replace(start=start, end=end)
        else:
            yield Token(found[0], start, end, Form.OPEN)
