"""Command lines of steps: cut once, when the template is read, and never by a shell."""

import re
import shlex

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_MARK = "\ue000"
_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", re.DOTALL)
_OPERATOR = re.compile(r"[();<>|&]+")
_EXPANSION = re.compile(r"(?<!\\)\$[A-Za-z_{(]|(?<!\\)`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


class NotPlain(ValueError):
    """A line that needs a shell, or cannot be cut."""


def split(line: str) -> list[str]:
    """Cut a `run:` line into the elements of a command; a placeholder is one word.

    Raises: NotPlain saying what in it only a shell would understand.
    """
    bare = _PLACEHOLDER.sub(_MARK, line.strip().replace(_MARK, ""))
    _require_plain(bare)
    try:
        words = shlex.split(bare)
    except ValueError as fault:
        raise NotPlain("a quote in it is not closed") from fault
    if not words or not words[0]:
        raise NotPlain("it is empty")
    if _ASSIGNMENT.match(words[0]):
        raise NotPlain(f"{words[0][:40]} is set by a shell; the step's env: does that")
    kept = iter(_PLACEHOLDER.findall(line))
    return [re.sub(_MARK, lambda _: str(next(kept)), word) for word in words]


def _require_plain(line: str) -> None:
    """Refuse what only a shell would do.

    Raises: NotPlain.
    """
    if "\n" in line:
        raise NotPlain("it has more than one line")
    if found := _OPERATOR.search(_QUOTED.sub("", line)):
        raise NotPlain(f"it needs a shell for {found[0]}")
    if _EXPANSION.search(_QUOTED.sub(_unless_literal, line)):
        raise NotPlain("it wants a variable or a command put in ($ or `)")


def _unless_literal(quoted: re.Match[str]) -> str:
    """Keep what double quotes hold: a shell would look into that."""
    return quoted[0] if quoted[0].startswith('"') else ""
