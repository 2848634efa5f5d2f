"""What a reader will see of bytes that a step prints, and where in them that stands.

The same is left out as `core.kernel.sanitise` drops from a text: escape sequences,
control characters, and characters without a width. What is cut off at the end counts as
what it may become.
"""

import re
from bisect import bisect_right

_UNSEEN = re.compile(
    rb"""
      (?: \x1b[\]PX^_] | \xc2[\x90\x98\x9d-\x9f] )      # OSC, DCS, SOS, PM, APC
          (?: [^\x07\x1b\xc2\n] | \xc2(?!\x9c) )*+
          (?: \x07 | \x1b\\ | \xc2\x9c )?
    | (?: \x1b\[ | \xc2\x9b ) [0-?]*+ [ -/]*+ [@-~]?      # CSI
    | \x1b [ -/]*+ [0-~]?                                 # every other escape
    | [\0-\x08\x0b-\x1f\x7f] | \xc2[\x80-\x9f]           # C0 and C1
    | \xd8\x9c | \xe1\xa0\x8e | \xe2\x80[\x8b-\x8f\xa8-\xae]
    | \xe2\x81[\xa0-\xaf] | \xef\xbb\xbf | \xef\xbf[\xb9-\xbb]
    | \xed[\xa0-\xbf][\x80-\xbf] | \xf3\xa0[\x80\x81][\x80-\xbf]
    | (?: \xc2 | \xd8 | \xe1\xa0? | \xe2[\x80\x81]? | \xef[\xbb\xbf]?
        | \xed[\xa0-\xbf]? | \xf3(?:\xa0[\x80\x81]?)? ) \Z
    """,
    re.VERBOSE,
)
_INTRODUCER_BYTES = 3


class Seen:
    """What is seen of some bytes.

    Shape:  `text` is what is left of them; `is_all` says that it is all of them.
    """

    def __init__(self, raw: bytes) -> None:
        parts: list[bytes] = []
        self._starts, self._shifts = [0], [0]
        last = length = 0
        for found in _UNSEEN.finditer(raw):
            parts.append(raw[last : found.start()])
            length += len(parts[-1])
            last = found.end()
            self._starts.append(length)
            self._shifts.append(last - length)
        self.is_all = not parts
        self.text = b"".join((*parts, raw[last:]))

    def at(self, place: int) -> int:
        """Say where a byte that is seen stands in all of them."""
        return place + self._shifts[bisect_right(self._starts, place) - 1]

    def place(self, begin: int, past: int) -> tuple[int, int]:
        """Say where a piece of what is seen, never an empty one, stands in all."""
        return self.at(begin), self.at(past - 1) + 1


def shortened(raw: bytes) -> bytes:
    """Leave out what is not seen, but for the beginning of what has not ended yet."""
    ends = [each.start() for each in _UNSEEN.finditer(raw) if each.end() == len(raw)]
    rest = raw[ends[0] :][:_INTRODUCER_BYTES] if ends else b""
    return Seen(raw).text + rest
