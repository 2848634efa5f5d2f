"""YAML as templates use it: bounded, without aliases and tags, each key once.

Plain words mean what they mean in JSON, and nothing else: `no` is a text, `0777` is one,
and so is `2026-11-21`.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import yaml

from core.kernel.jsons import Json
from core.runs.templates.model import MOST_TEXT_BYTES, Flaw

_DEEPEST = 24
_MOST_DIGITS = 18
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
)
_WORDS: Mapping[str, Json] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Document(NamedTuple):
    """A value, and the line of each path in it, counted from 1."""

    value: Json
    lines: Mapping[str, int]


class Flawed(Exception):
    """The text cannot be read; `flaw` says where and why."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(str(flaw))
        self.flaw = flaw


def load(text: str) -> Document:
    """Read one YAML document.

    Raises: Flawed at the first place that cannot be read.
    """
    if len(text.encode(errors="replace")) > MOST_TEXT_BYTES:
        raise _flawed("it is longer than 64 KiB", "move scripts into files", line=0)
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as fault:
        raise _broken(fault) from fault
    except (yaml.YAMLError, ValueError, OverflowError) as fault:
        raise _flawed(
            "it holds a character that YAML does not allow",
            "leave control characters out, or quote them",
            line=_unprintable_line(text),
        ) from fault


def dump(value: Json) -> str:
    """Write a value as YAML that `load` reads as the same, keys as they come."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000
    )


def join(path: str, key: str) -> str:
    """Write the path of a field: `retry.base`."""
    return f"{path}.{key}" if path else key


class _Reader:
    """Makes values of the events of a parser, and stops where it is too much."""

    def __init__(self, text: str) -> None:
        # The parser in C takes a thirtieth of the time; a build may come without it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=loader)
        self._lines: dict[str, int] = {}

    def document(self) -> Document:
        """Read all there is."""
        event = next(self._events)
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise _flawed("it is empty", "write name: and steps:", line=0)
        value = self._value(event, "", 0)
        for after in self._events:
            if isinstance(after, yaml.DocumentStartEvent):
                line = _line_of(after)
                fix = "keep one, and store the others by themselves"
                raise _flawed("there is a second document", fix, line=line)
        if value is None:
            raise _flawed("it is empty", "write name: and steps:", line=0)
        return Document(value, self._lines)

    def _value(self, event: yaml.Event, path: str, depth: int) -> Json:
        line = self._lines[path] = _line_of(event)
        if why := _refusal(event, depth):
            fix = "write the value out where it is needed, without * and !"
            raise _flawed(why, fix, field=path, line=line)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        assert isinstance(event, yaml.ScalarEvent)
        return _scalar(event, path, line)

    def _sequence(self, path: str, depth: int) -> Json:
        found: list[Json] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, f"{path}[{len(found)}]", depth + 1))
        return found

    def _mapping(self, path: str, depth: int) -> Json:
        found: dict[str, Json] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line_of(event)
            name = event.value if isinstance(event, yaml.ScalarEvent) else ""
            at = join(path, name)
            if not name or _UNSTORABLE.search(name):
                fix = "write name: value"
                raise _flawed("a key is no text", fix, field=path, line=line)
            if name in found:
                why = f"the key {name[:40]} stands twice"
                raise _flawed(why, "keep one of them", field=at, line=line)
            found[name] = self._value(next(self._events), at, depth + 1)
        return found


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _refusal(event: yaml.Event, depth: int) -> str:
    """Say why a value is not taken, whatever it is; "" when it may be."""
    if isinstance(event, yaml.AliasEvent):
        return "it uses an alias"
    if depth >= _DEEPEST:
        return f"it is nested more than {_DEEPEST} deep"
    tag = getattr(event, "tag", None)
    return f"it has the tag {tag.rpartition(':')[2][:40]}" if tag else ""


def _scalar(event: yaml.ScalarEvent, path: str, line: int) -> Json:
    text = str(event.value)
    if _UNSTORABLE.search(text):
        why = "it holds a character that cannot be stored"
        fix = "leave NUL and lone surrogates out"
        raise _flawed(why, fix, field=path, line=line)
    return text if event.style else _plain(text)


def _plain(text: str) -> Json:
    """Say what a word without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text.lstrip("+-")) <= _MOST_DIGITS:
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write a text, in quotes if it would mean something else without."""
    style = None if _plain(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


class _Dumper(yaml.SafeDumper):
    """Quotes what would be no text without quotes."""

    yaml_representers: ClassVar[dict[Any, Any]] = {
        **yaml.SafeDumper.yaml_representers,
        str: _represent,
    }

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out."""
        return True


def _broken(fault: yaml.MarkedYAMLError) -> Flawed:
    mark = fault.problem_mark or fault.context_mark
    said = f"{fault.context}, {fault.problem}" if fault.context else fault.problem
    return _flawed(
        f"it is no YAML: {said or 'it cannot be read'}"[:300],
        "mend this line; quote what holds : or # or begins with a special character",
        line=mark.line + 1 if mark else 0,
    )


def _unprintable_line(text: str) -> int:
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 0


def _flawed(text: str, fix: str, *, field: str = "", line: int) -> Flawed:
    return Flawed(Flaw(field=field, text=text, fix=fix, line=line))
