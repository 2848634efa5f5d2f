"""What a process of a step sees in its environment, and which programs it can start."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PARAMETER = "OPS_PARAM_"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_OTHER = re.compile(r"[^A-Z0-9]+")
# With these, what is loaded or looked up is another thing than what was asked for.
_REFUSED = re.compile(r"LD_.*|DYLD_.*|GCONV_PATH|PATH|HOME|TMPDIR|OPS_.*")


def environment_of(
    folder: Path,
    *,
    parameters: Mapping[str, Json],
    own: Mapping[str, str],
    **facts: str,
) -> dict[str, str]:
    """Build an environment from nothing: the worker's own is not handed on.

    Shape:  parameters become `OPS_PARAM_<NAME>`, texts as they are and others as JSON;
            facts become `OPS_<NAME>`; `own` is what the step asks for. Git looks for a
            repository no higher than in the folder: ours may lie in a checkout.
    """
    return {
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "GIT_TERMINAL_PROMPT": "0",
        **{_variable(name): _text(value) for name, value in parameters.items()},
        **own,
        **{f"OPS_{name.upper()}": value for name, value in facts.items()},
        "PATH": PATH,
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
    }


def check_names(names: Mapping[str, str], *, field: str) -> None:
    """Refuse names of variables that cannot be, or that steps may not set.

    Raises: InvalidArgument.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"{name[:100]!r} in {field} is no name of a variable",
                fix=["use letters, digits and _, such as DEPLOY_KEY"],
                argument=field,
            )
        if _REFUSED.fullmatch(name.upper()):
            raise InvalidArgument(
                f"a step may not set {name}",
                fix=[f"leave {name} out of {field}"],
                argument=field,
            )


def require_allowed(name: str, allowed: frozenset[str]) -> None:
    """Refuse a program that workers may not start; none allow any.

    Raises: InvalidArgument.
    """
    if allowed and name not in allowed:
        raise InvalidArgument(
            f"workers may not start {name[:100]!r}",
            fix=[f"use one of: {', '.join(sorted(allowed))}"],
            argument="argv",
        )


def find_program(
    name: str, *, path: str = PATH, allowed: frozenset[str] = frozenset()
) -> str:
    """Find a program on the path that the step has, and give where it is.

    Shape:  a path is found only if it begins at the root, as it is written.
    Raises: InvalidArgument; as `require_allowed`.
    """
    require_allowed(name, allowed)
    found = shutil.which(name, path=path) if _is_plausible(name) else None
    if found is None:
        raise InvalidArgument(
            f"there is no program {name[:100]!r} here",
            fix=["install it where the worker runs", f"it is looked for in {path}"],
            argument="argv",
        )
    return found


def check_argv(argv: Sequence[str]) -> None:
    """Refuse arguments that no process can be given.

    Raises: InvalidArgument.
    """
    if not argv or any("\0" in each for each in argv):
        raise InvalidArgument(
            "argv has no program, or an argument holds a NUL",
            fix=['argv: ["make", "deploy"]'],
            argument="argv",
        )


def _is_plausible(name: str) -> bool:
    # A relative path would lead to what a step before has written.
    return bool(name) and "\0" not in name and (os.sep not in name or name[0] == os.sep)


def _variable(name: str) -> str:
    return PARAMETER + _OTHER.sub("_", name.upper())


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value.replace("\0", "")
    return canonical_json(value).decode()
