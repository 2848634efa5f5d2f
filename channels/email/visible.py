"""What of an HTML mail nobody can see: not displayed, without size, or white on white."""

import re
from collections.abc import Mapping
from typing import NamedTuple

Colour = tuple[int, int, int]

_CLOSE = 24
_MOST_NAMES = 1_000
_STYLE_CHARS = 2_000
_STYLES = re.compile(r"<style\b[^>]{0,500}>", re.IGNORECASE)
_NAMES = re.compile(r"[.#]([\w-]{1,80})")
_LENGTH = r"0*(?:[.]0*\d{0,2})?(?:px|pt|em|rem|ex|in|cm|mm|vw|vh|%)?"
_HIDDEN = re.compile(
    rf"""(?<![\w-])(?:
      display\s*:\s*none
    | visibility\s*:\s*(?:hidden|collapse)
    | mso-hide\s*:\s*all
    | (?:font-size|line-height|(?:max-)?height|(?:max-)?width|opacity)
        \s*:\s*{_LENGTH}\s*(?:!\s*important\s*)?(?:;|\Z)
    | font-size\s*:\s*1(?:[.]\d+)?(?:px|pt)
    | text-indent\s*:\s*-\d{{3,}}
    | (?:left|top|right|bottom|margin-left|margin-top)\s*:\s*-\d{{3,}}
    | clip\s*:\s*rect\(\s*[01](?:px)?\b
    | color\s*:\s*transparent
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_INK = re.compile(r"(?<![\w-])color\s*:\s*([^;!]{1,60})", re.IGNORECASE)
_GROUND = re.compile(
    r"(?<![\w-])background(?:-color)?\s*:\s*([^;!]{1,60})", re.IGNORECASE
)
_HEX = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})")
_CLEAR = re.compile(r"rgba\([^)]*[,/]\s*0*[.]?0*\s*\)")
_NAMED: Mapping[str, Colour] = {
    "white": (255, 255, 255),
    "snow": (255, 250, 250),
    "ivory": (255, 255, 240),
    "whitesmoke": (245, 245, 245),
    "black": (0, 0, 0),
}


class Look(NamedTuple):
    """The colours in which an element is shown; None where they cannot be told."""

    ink: Colour | None = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)

    def inside(self, given: Mapping[str, str]) -> "Look":
        """Work out the colours of an element inside, from its attributes."""
        style = given.get("style", "")[:_STYLE_CHARS]
        ink = _last(_INK, style) or given.get("color", "")
        ground = _last(_GROUND, style) or given.get("bgcolor", "")
        return Look(
            _colour(ink) if ink else self.ink,
            _colour(ground) if ground else self.ground,
        )


def is_hidden(given: Mapping[str, str], look: Look) -> bool:
    """Tell whether an element cannot be seen, by its attributes and colours."""
    style = given.get("style", "")
    if "hidden" in given or len(style) > _STYLE_CHARS or _HIDDEN.search(style):
        return True
    if _CLEAR.search(_last(_INK, style)):
        return True
    if look.ink is None or look.ground is None:
        return False
    pairs = zip(look.ink, look.ground, strict=True)
    return all(abs(one - other) <= _CLOSE for one, other in pairs)


def hidden_names(html: str) -> frozenset[str]:
    """Find the classes and ids that the mail's own style sheets hide."""
    names: set[str] = set()
    at = 0
    while (opened := _STYLES.search(html, at)) and len(names) < _MOST_NAMES:
        end = html.find("</", opened.end())
        at = end if end >= 0 else len(html)
        for rule in html[opened.end() : at].split("}"):
            selector, _, style = rule.rpartition("{")
            if _HIDDEN.search(style):
                names.update(_NAMES.findall(selector))
    return frozenset(names)


def _last(pattern: re.Pattern[str], style: str) -> str:
    found = pattern.findall(style[:_STYLE_CHARS])
    return found[-1].strip().lower() if found else ""


def _colour(written: str) -> Colour | None:
    written = written.strip().lower()
    if found := _HEX.search(written):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * d for d in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.search(written):
        return int(found[1]), int(found[2]), int(found[3])
    return next((_NAMED[each] for each in written.split() if each in _NAMED), None)
