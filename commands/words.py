"""Single words: ids in all the ways they are pasted, and words as they are echoed."""

import re

from core.kernel.ids import PREFIX_NOUNS

_SHOWN_LIMIT = 60
_BACK = ("this", "last")

_NUMBERED = re.compile(r"([A-Za-z]{1,2})-([1-9][0-9]{0,17})\.?")
_LINK = re.compile(
    r"(?:ops://|https?://[^\s/?#]+/(?:[^\s?#]*/)?)"
    r"([A-Za-z]{1,2}-[1-9][0-9]{0,17})[/.]?(?:[?#]\S*)?"
)
_ANGLES = (("<", ">"), ("&lt;", "&gt;"))


def shown(text: str) -> str:
    """Quote what somebody wrote for an error: short, and without control characters."""
    short = text if len(text) <= _SHOWN_LIMIT else text[: _SHOWN_LIMIT - 1] + "…"
    return '"' + "".join(char if char.isprintable() else "�" for char in short) + '"'


def is_reference(word: str) -> bool:
    """Tell whether a word stands for what was said before: `this`, `last`, `#3`."""
    return word in _BACK or word.startswith("#")


def is_echoable(text: str) -> bool:
    """Tell whether a line can be repeated in an answer as it is."""
    return len(text) <= 500 and text.isprintable()


def id_in(word: str) -> str:
    """Find the one id that a word stands for; "" when it stands for none.

    Shape:  `t-12`, `T-12.`, `ops://T-12`, a link that ends in an id, and Slack's
            `<link|label>`, its angles written out or escaped.
    """
    found = _NUMBERED.fullmatch(word)
    if found is None and word[:1] in "<&oOhH":
        found = _in_link(word)
    if found is None:
        return ""
    prefix, _, number = found[0].upper().rstrip(".").partition("-")
    return f"{prefix}-{number}" if prefix in PREFIX_NOUNS else ""


def _in_link(word: str) -> re.Match[str] | None:
    for opening, closing in _ANGLES:
        if word.startswith(opening) and word.rstrip(".").endswith(closing):
            inner = word.rstrip(".")[len(opening) : -len(closing)]
            link, _, label = inner.partition("|")
            return _linked(link) or _NUMBERED.fullmatch(label)
    return _linked(word)


def _linked(link: str) -> re.Match[str] | None:
    found = _LINK.fullmatch(link)
    return _NUMBERED.fullmatch(found[1]) if found else None
