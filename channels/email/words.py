"""Small tools to look at lines of mail with."""

import re
from collections.abc import Iterable

_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\u180e]")


def bare(line: str) -> str:
    """Return a line without what cannot be seen, inside it and around it."""
    if line.isascii():
        return line.strip()
    return _UNSEEN.sub("", line.replace("\xa0", " ")).strip()


class Phrases:
    """Some phrases to look for, as words of their own where words have edges."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases = tuple(dict.fromkeys(phrases))
        longest_first = sorted(self._phrases, key=len, reverse=True)
        self._pattern = re.compile("|".join(_whole(each) for each in longest_first))

    def are_in(self, text: str) -> bool:
        """Tell whether any of them stands in a text in lower case."""
        # Nearly no text has one, and looking for them plainly is much quicker.
        is_likely = any(each in text for each in self._phrases)
        return is_likely and self._pattern.search(text) is not None


def _whole(phrase: str) -> str:
    begin = r"(?<![a-z])" if phrase[0].isascii() else ""
    end = r"(?![a-z])" if phrase[-1].isalpha() and phrase[-1].isascii() else ""
    return f"{begin}{re.escape(phrase)}{end}"
