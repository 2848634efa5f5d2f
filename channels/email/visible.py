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
_NOTHING = r"(?:0+(?:[.]0+\d?)?|[.]0+\d?)(?:px|pt|em|rem|ex|in|cm|mm|vw|vh|%)?"
_HIDDEN = re.compile(
    rf"""(?<![\w-])(?:
      display\s*:\s*none
    | visibility\s*:\s*(?:hidden|collapse)
    | mso-hide\s*:\s*all
    | (?:(?:max-)?height|(?:max-)?width|opacity)
        \s*:\s*{_NOTHING}\s*(?:!\s*important\s*)?(?:;|\Z)
    | text-indent\s*:\s*-\d{{3,}}
    | (?:left|top|right|bottom|margin-left|margin-top)\s*:\s*-\d{{3,}}
    | clip\s*:\s*rect\(\s*[01](?:px)?\b
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_SIZE = re.compile(r"(?<![\w-])font-size\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_TINY = re.compile(
    rf"{_NOTHING}|(?:0?[.]\d+|1)(?:[.]\d+)?(?:px|pt)|0?[.]0\d*(?:r?em|%)"
)
_RELATIVE = re.compile(r"[\d.]+(?:em|ex|%)|smaller|larger|inherit")
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
    """How text in an element is shown, unless an element inside changes it.

    Shape:  a colour is None where it cannot be told.
    """

    ink: Colour | None = (0, 0, 0)
    ground: Colour | None = (255, 255, 255)
    is_tiny: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether text that looks so can be read."""
        if self.is_tiny:
            return False
        if self.ink is None or self.ground is None:
            return True
        pairs = zip(self.ink, self.ground, strict=True)
        return any(abs(one - other) > _CLOSE for one, other in pairs)

    def inside(self, given: Mapping[str, str]) -> "Look":
        """Work out the look of an element inside, from its attributes."""
        style = given.get("style", "")[:_STYLE_CHARS]
        ground = _last(_GROUND, style) or given.get("bgcolor", "")
        behind = (_colour(ground) or self.ground) if ground else self.ground
        ink = _last(_INK, style) or given.get("color", "")
        size = _last(_SIZE, style)
        return Look(
            ink=_ink(ink, behind) if ink else self.ink,
            ground=behind,
            is_tiny=_is_tiny(size, self) if size else self.is_tiny,
        )


def is_hidden(given: Mapping[str, str]) -> bool:
    """Tell whether an element, and all that is in it, cannot be seen."""
    style = given.get("style", "")
    return "hidden" in given or len(style) > _STYLE_CHARS or bool(_HIDDEN.search(style))


def hidden_names(html: str) -> frozenset[str]:
    """Find the classes and ids that the mail's own style sheets hide."""
    names: set[str] = set()
    at = 0
    while (opened := _STYLES.search(html, at)) and len(names) < _MOST_NAMES:
        end = html.find("</", opened.end())
        at = end if end >= 0 else len(html)
        for rule in html[opened.end() : at].split("}"):
            selector, _, style = rule.rpartition("{")
            look = Look().inside({"style": style})
            if _HIDDEN.search(style) or not look.is_seen:
                names.update(_NAMES.findall(selector))
    return frozenset(names)


def _last(pattern: re.Pattern[str], style: str) -> str:
    found = pattern.findall(style[:_STYLE_CHARS])
    return found[-1].strip().lower() if found else ""


def _ink(written: str, ground: Colour | None) -> Colour | None:
    is_clear = "transparent" in written or _CLEAR.search(written)
    return ground if is_clear else _colour(written)


def _is_tiny(size: str, around: Look) -> bool:
    if _RELATIVE.fullmatch(size) and around.is_tiny:
        return True
    return bool(_TINY.fullmatch(size))


def _colour(written: str) -> Colour | None:
    written = written.strip().lower()
    if found := _HEX.search(written):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * d for d in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.search(written):
        return int(found[1]), int(found[2]), int(found[3])
    return next((_NAMED[each] for each in written.split() if each in _NAMED), None)
