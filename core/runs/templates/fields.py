"""Reads the fields of a template one by one, and notes all that is wrong with them."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from core.kernel.jsons import Json
from core.runs.templates.model import MOST_FLAWS, Flaw, nearest
from core.runs.templates.yamls import join

Choice = TypeVar("Choice", bound=StrEnum)

_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?")
_LONGEST_TEXT = 10_000
_MOST_WORDS = 200
_KINDS = {
    str: "a text", bool: "true or false", int: "a whole number", float: "a number",
    list: "a list", dict: "a mapping", type(None): "nothing",
}  # fmt: skip


class Notes:
    """What was found wrong so far, with the line of each field."""

    def __init__(self, lines: Mapping[str, int] | None = None) -> None:
        self._lines = lines or {}
        self.flaws: list[Flaw] = []

    def add(self, field: str, text: str, fix: str) -> None:
        """Note that something is wrong with a field."""
        if len(self.flaws) < MOST_FLAWS:
            line = self._line_of(field)
            self.flaws.append(Flaw(field=field, text=text, fix=fix, line=line))

    def _line_of(self, field: str) -> int:
        """Find the line of a field, or of the nearest field around it."""
        while field and field not in self._lines:
            field = field[: max(field.rfind("."), field.rfind("["), 0)]
        return self._lines.get(field, 0)


class Fields:
    """The fields of one mapping; each is read once, by its type."""

    def __init__(self, value: Json, path: str, notes: Notes) -> None:
        self._values = value if isinstance(value, dict) else {}
        self.path = path
        self.notes = notes
        if not isinstance(value, dict):
            self.refuse("", value, "write name: value lines")

    def require_known(self, known: Collection[str]) -> None:
        """Note every field that does not belong here."""
        for name in self._values:
            if name not in known:
                near = nearest(name, known)
                fix = f"write {near}:" if near else f"use {', '.join(sorted(known))}"
                self.notes.add(self.at(name), f"there is no field {name[:40]}", fix)

    def at(self, name: str) -> str:
        """Write the path of a field."""
        return join(self.path, name) if name else self.path

    def has(self, name: str) -> bool:
        """Tell whether a field is given."""
        return self._values.get(name) is not None

    def raw(self, name: str) -> Json:
        """Give a field as it stands; None when it is not given."""
        return self._values.get(name)

    def text(self, name: str, *, limit: int = _LONGEST_TEXT, such_as: str = "") -> str:
        """Read a text; with `such_as` it has to be given."""
        value = self._values.get(name)
        if value is None or value == "":
            if such_as:
                self.notes.add(self.at(name), "it is missing", f"{name}: {such_as}")
            return ""
        if not isinstance(value, str):
            self.refuse(name, value, f'quote it: {name}: "{str(value)[:40]}"')
            return ""
        if len(value) > limit:
            fix = f"use at most {limit} characters"
            self.notes.add(self.at(name), f"it has {len(value)} characters", fix)
        return value

    def whole(self, name: str, default: int, *, least: int, most: int) -> int:
        """Read a whole number."""
        value = self._values.get(name)
        if value is None:
            return default
        fix = f"use {least} to {most}"
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse(name, value, fix)
            return default
        if not least <= value <= most:
            self.notes.add(self.at(name), f"{value} is not possible", fix)
        return value

    def flag(self, name: str) -> bool:
        """Read true or false; false when it is not given."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, value, f"{name}: true")
        return value is True

    def choice(self, name: str, default: Choice) -> Choice:
        """Read one of some words."""
        kind, value = type(default), self._values.get(name)
        if value is None:
            return default
        words = [each.value for each in kind]
        if value in words:
            return kind(str(value))
        near = nearest(str(value), words)
        fix = f"{name}: {near}" if near else f"use {', '.join(words)}"
        self.notes.add(self.at(name), f"{str(value)[:40]} is none of its words", fix)
        return default

    def duration(self, name: str, *, most: timedelta) -> timedelta | None:
        """Read a length of time, such as 90, 90s or 1h30m; None when it is not given."""
        value = self._values.get(name)
        if value is None:
            return None
        length = parse_duration(value)
        if length is None or not timedelta() < length <= most:
            days = f"{most.days} d" if most.days else f"{most.seconds} s"
            fix = f"write {name}: 90s, 15m or 1h30m; at most {days}"
            self.notes.add(self.at(name), f"{str(value)[:40]!r} is no such time", fix)
            return None
        return length

    def words(self, name: str) -> Sequence[str]:
        """Read a list of texts; a single text is a list of one."""
        value = self._values.get(name)
        listed = [value] if isinstance(value, str) else value
        if listed is None:
            return ()
        if not isinstance(listed, list) or len(listed) > _MOST_WORDS:
            self.refuse(name, value, f"{name}: [one, two]")
            return ()
        for place, each in enumerate(listed):
            if not isinstance(each, str) or not each:
                fix = f'quote it: "{str(each)[:40]}"'
                self.refuse(f"{name}[{place}]", each, fix)
        return [each for each in listed if isinstance(each, str) and each]

    def mapping(self, name: str) -> dict[str, Json]:
        """Read a mapping; an empty one when it is not given."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, dict):
            self.refuse(name, value, f"{name}: {{key: value}}")
        return value if isinstance(value, dict) else {}

    def refuse(self, name: str, value: Json, fix: str) -> None:
        """Note that a field is of the wrong type."""
        kind = _KINDS.get(type(value), "something else")
        self.notes.add(self.at(name), f"{kind} does not fit here", fix)


def parse_duration(value: Json) -> timedelta | None:
    """Read seconds, or a text such as 90s or 1h30m; None when it is neither."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return timedelta(seconds=value) if 0 <= value < 10**9 else None
    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
