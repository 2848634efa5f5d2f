"""What can be refused: every Problem with its code, status and meaning."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from core.kernel.problems import Problem
from gateway.problems import status_of_class


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEntry:
    """One kind of refusal, as people look it up."""

    code: str
    title: str
    status: int
    doc: str


# Refused before there is a command, or a fault of ours: no Problem is raised for these.
_BY_THE_DOOR = (
    ErrorEntry(
        code="method_not_allowed",
        title="The method is not allowed here",
        status=405,
        doc="The path exists; the header Allow names its methods.",
    ),
    ErrorEntry(
        code="no_such_page",
        title="There is no such page",
        status=404,
        doc="No route has this path.",
    ),
    ErrorEntry(
        code="malformed_request",
        title="The request cannot be read",
        status=400,
        doc=(
            "It is not valid HTTP/1.1, it has too large headers (431), or it came too "
            "slowly (408). The connection is closed."
        ),
    ),
    ErrorEntry(
        code="internal",
        title="A fault of ours",
        status=500,
        doc="The log has the reason under the request id.",
    ),
)


def error_entries() -> list[ErrorEntry]:
    """List all of them by code."""
    entries = {each.code: each for each in _BY_THE_DOOR}
    for kind in filter(_is_ours, _kinds(Problem)):
        entries.setdefault(kind.code, _entry(kind))
    return sorted(entries.values(), key=lambda each: each.code)


def _kinds(parent: type[Problem]) -> Iterator[type[Problem]]:
    for kind in parent.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _is_ours(kind: type[Problem]) -> bool:
    return kind.__module__.startswith("core.")


def _entry(kind: type[Problem]) -> ErrorEntry:
    return ErrorEntry(
        code=kind.code,
        title=kind.title,
        status=status_of_class(kind),
        doc=" ".join((inspect.getdoc(kind) or "").split()),
    )
