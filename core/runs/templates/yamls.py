"""YAML as templates use it: bounded, without aliases and tags, each key once.

Plain words mean what they mean in JSON, and nothing else: `no` is a text, `0777` is one,
and so is `2026-11-21`.
"""

import math
import re
from collections.abc import Mapping
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
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{each}" for each in ("str", "seq", "map"))
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
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as fault:
        raise _broken(fault) from fault
    except (yaml.YAMLError, ValueError, OverflowError) as fault:
        line = loader.line + 1 if loader else _unprintable_line(text)
        raise _flawed(
            "it holds a character that YAML does not allow",
            "leave control characters out, or quote them",
            line=line,
        ) from fault
    if root is None:
        raise _flawed("it is empty", "write name: and steps:", line=0)
    lines: dict[str, int] = {}
    return Document(_value(root, "", lines), lines)


def dump(value: Json) -> str:
    """Write a value as YAML that `load` reads as the same, keys as they come."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000
    )


def join(path: str, key: str) -> str:
    """Write the path of a field: `retry.base`."""
    return f"{path}.{key}" if path else key


class _Loader(yaml.SafeLoader):
    """Composes nodes alone; what plain words mean is decided below."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML looks it up on the class
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node that is no alias and not too deep."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            why = "it uses an alias (*name); write the value out where it is needed"
            raise yaml.composer.ComposerError(None, None, why, mark)
        if self.depth >= _DEEPEST:
            why = f"it is nested more than {_DEEPEST} deep"
            raise yaml.composer.ComposerError(None, None, why, mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _value(node: yaml.Node, path: str, lines: dict[str, int]) -> Json:
    line = lines[path] = node.start_mark.line + 1
    if node.tag not in _PLAIN_TAGS:
        why = f"it has the tag {node.tag.rpartition(':')[2][:40]}"
        raise _flawed(why, "leave tags (!name) out", field=path, line=line)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        parts = enumerate(node.value)
        return [_value(each, f"{path}[{place}]", lines) for place, each in parts]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, path, line)


def _mapping(node: yaml.MappingNode, path: str, lines: dict[str, int]) -> Json:
    found: dict[str, Json] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if not name or _UNSTORABLE.search(name):
            raise _flawed(
                "a key is no text", "write name: value", field=path, line=line
            )
        if name in found:
            why = f"the key {name[:40]} stands twice"
            raise _flawed(why, "keep one of them", field=join(path, name), line=line)
        found[name] = _value(value, join(path, name), lines)
    return found


def _scalar(node: yaml.ScalarNode, path: str, line: int) -> Json:
    text = str(node.value)
    if _UNSTORABLE.search(text):
        why = "it holds a character that cannot be stored"
        fix = "leave NUL and lone surrogates out"
        raise _flawed(why, fix, field=path, line=line)
    return text if node.style is not None else _plain(text)


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
