"""Small tools to look at lines of mail with."""

import re
from collections.abc import Iterable

_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u180e]")


def bare(line: str) -> str:
    """Return a line without what cannot be seen, inside it and around it."""
    if line.isascii():
        return line.strip()
    return _UNSEEN.sub("", line.replace("\xa0", " ")).strip()


def any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Build what finds any of some phrases, as words of their own where words have edges."""
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile("|".join(_whole(each) for each in longest_first))


def _whole(phrase: str) -> str:
    begin = r"(?<![a-z])" if phrase[0].isascii() else ""
    end = r"(?![a-z])" if phrase[-1].isalpha() and phrase[-1].isascii() else ""
    return f"{begin}{re.escape(phrase)}{end}"
