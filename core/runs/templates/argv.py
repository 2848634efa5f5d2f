"""Command lines of steps: cut once, when the template is read, and never by a shell."""

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath

from core.runs.templates.placeholders import names_in

_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
_MARK = "\ue000"
_QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\\.""", re.DOTALL)
_OPERATOR = re.compile(r"[();<>|&]+")
_EXPANSION = re.compile(r"(?<!\\)\$[A-Za-z_{(]|(?<!\\)`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_TAKES_VALUE = re.compile(r"-[A-Za-z]*[oOWXIrdDF]")
_INTERPRETER = re.compile(
    r"(?:ba|da|a|z|k|fi)?sh|busybox|python[0-9.]*|perl|ruby|node|php|[gm]?awk|sed"
)


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


def script_flaw(argv: Sequence[str]) -> str:
    """Say why a command would run a parameter as code; "" when it does not.

    Shape:  neither the program nor the script of an interpreter, nor the options
            before that, may hold a placeholder: a value there could become code.
    """
    if argv and names_in(argv[0]):
        return "the program itself is a parameter"
    for place, each in enumerate(argv):
        if _INTERPRETER.fullmatch(PurePosixPath(each).name):
            named = _names_up_to_script(argv[place + 1 :], is_program=not place)
            if named:
                return f"the script holds the parameter {named[0]}"
    return ""


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


def _names_up_to_script(rest: Sequence[str], *, is_program: bool) -> Sequence[str]:
    """List the parameters in an interpreter's options and its script.

    Shape:  further right than the program, a word such as `node` is an interpreter
            only if an option follows.
    """
    if not is_program and not (rest and rest[0].startswith("-")):
        return ()
    named: list[str] = []
    is_value = False
    for each in rest:
        named += names_in(each)
        is_option = each.startswith("-")
        if not is_option and not is_value:
            break
        is_value = is_option and bool(_TAKES_VALUE.fullmatch(each))
    return named
