"""Colours, links and widths of terminal text."""

from dataclasses import dataclass
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"


class Ink(StrEnum):
    """How a piece of text looks, as its SGR parameters; PLAIN is as it comes."""

    PLAIN = ""
    BOLD = "1"
    DIM = "2"
    ITALIC = "3"
    CODE = "36"
    GOOD = "1;32"
    BAD = "1;31"
    WARN = "1;33"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What is written on: how wide it is, in cells, and whether it takes colours."""

    width: int
    has_colour: bool

    def paint(self, text: str, ink: Ink) -> str:
        """Colour a text, if there are colours."""
        if not (self.has_colour and text and ink):
            return text
        return f"\x1b[{ink.value}m{text}\x1b[0m"

    def link(self, label: str, url: str) -> str:
        """Write a link: a real one where colours are, else label and address."""
        if self.has_colour and url.startswith(("https://", "http://", "mailto:")):
            return f"\x1b]8;;{url}\x1b\\{label}\x1b]8;;\x1b\\"
        return url if label in ("", url) else f"{label}: {url}"


def fit(text: str, cells: int) -> str:
    """Cut a text to so many cells, with an ellipsis where something went missing."""
    if cell_len(text) <= cells:
        return text
    return (
        set_cell_size(text, max(cells - 1, 0)).rstrip() + ELLIPSIS if cells > 0 else ""
    )


def pad(text: str, cells: int) -> str:
    """Fit a text into exactly so many cells."""
    return set_cell_size(fit(text, cells), cells)
