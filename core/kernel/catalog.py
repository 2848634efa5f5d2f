"""What can be asked, in the kernel's words: for forms, dialogs and type-ahead."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.kernel.jsons import Json

ASKING = frozenset({"risky", "destructive"})


class Input(StrEnum):
    """How a form asks for a value."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """One value that a form asks for.

    Shape:  `example` shows how it is written (`T-12`, `15m`), `help` says what it is.
            `default` is None where leaving it out says the same.
    """

    name: str
    input: Input
    is_required: bool = False
    is_list: bool = False
    choices: Sequence[str] = ()
    default: Json = None
    example: str = ""
    help: str = ""

    @property
    def label(self) -> str:
        """What people read beside it: `Needs confirmation` for `needs_confirmation`."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One command as people choose it and fill it in.

    Shape:  `danger` is read, write, risky or destructive. What is not `is_offered`
            makes no sense as a form, or asks for a secret that no form may hold.
    """

    name: str
    summary: str
    usage: str
    danger: str
    blanks: Sequence[Blank] = ()
    is_offered: bool = True

    @property
    def is_read(self) -> bool:
        """Whether running it changes nothing."""
        return self.danger == "read"

    @property
    def is_asking(self) -> bool:
        """Whether it wants somebody's consent before it runs."""
        return self.danger in ASKING


class Catalog:
    """The commands that run here, found by their name, a line or what is typed."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {each.name: each for each in entries}

    def find(self, name: str) -> Entry | None:
        """Find a command by its name."""
        return self._entries.get(name)

    def of_line(self, line: str) -> Entry | None:
        """Find the command of a canonical line; a reply and a button carry such lines."""
        noun, verb, *_ = [*line.split(maxsplit=2), "", ""]
        return self._entries.get(f"{noun} {verb}") or self._entries.get(noun)

    def search(self, typed: str, *, limit: int) -> list[Entry]:
        """List what may be meant by what was typed so far, the likeliest first."""
        words = typed.lower().split()
        ranked = [
            (rank, each.name, each)
            for each in self._entries.values()
            if each.is_offered and (rank := _rank(each, words)) is not None
        ]
        return [each for _, _, each in sorted(ranked, key=lambda row: row[:2])][:limit]


def _rank(entry: Entry, words: Sequence[str]) -> int | None:
    """Rank an entry: its name begins so, a word of it does, or its summary says so."""
    if entry.name.startswith(" ".join(words)):
        return 0
    parts = entry.name.split()
    if all(any(part.startswith(word) for part in parts) for word in words):
        return 1
    text = f"{entry.name} {entry.summary}".lower()
    return 2 if all(word in text for word in words) else None
