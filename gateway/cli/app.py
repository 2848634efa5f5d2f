"""Where `ops` begins: a verb of this machine, lines from a pipe, or a remote command."""

import difflib
import os
import sys
from collections.abc import Mapping, Sequence

from core.kernel.problems import (
    BadRequest,
    Forbidden,
    NotFound,
    Problem,
    Unauthenticated,
)
from gateway.cli import batch, remote
from gateway.cli.exits import Exit
from gateway.cli.lazy import load
from gateway.cli.session import credential_of
from gateway.cli.terminal import Terminal
from gateway.verbs import VERBS

# A command of the gateway that goes on here, under the name of the verb that does it.
_GOES_ON: Mapping[tuple[str, ...], str] = {
    ("webhook", "listen"): "listen",
    ("run", "logs"): "logs",
}
_LOCAL = "gateway.cli.local:run"


def main(argv: Sequence[str] | None = None, terminal: Terminal | None = None) -> int:
    """Run `ops` with these words; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    here = terminal or Terminal.of_process()
    try:
        return _run(words, here)
    except Problem as problem:
        remote.say_problem(problem, here)
        _hint(words, here)
        return _exit_of(problem)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever reads has gone (`ops … | head`); nothing may be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def overview() -> str:
    """List what this program does itself."""
    lines = [f"  {name:<12}{what}" for name, what in VERBS.items()]
    lines.append("  webhook listen W-3  follow deliveries as they come in")
    lines.append("  run logs R-7 --follow  follow what a run prints")
    return "\n".join(
        [
            "ops VERB, or any command of a gateway: ops task list --status review",
            "",
            *lines,
            "",
            "`ops help` lists the commands of the gateway at OPSWIRE_URL.",
        ]
    )


def _run(words: Sequence[str], terminal: Terminal) -> int:
    if _is_verb(words) or _is_first_key(words, terminal):
        return int(load(_LOCAL)(words, terminal))
    if verb := _goes_on(words):
        return int(load(_LOCAL)([verb, *words[2:]], terminal))
    if words[:1] in (["--help"], ["-h"]) or (not words and terminal.source.isatty()):
        terminal.print(overview() + "\n")
        return Exit.OK
    if words[:1] == ["--version"]:
        return int(load(_LOCAL)(["version"], terminal))
    if not words or words[0] == "-":
        return batch.run(words, terminal)
    return remote.run(words, terminal)


def _goes_on(words: Sequence[str]) -> str:
    """Name the verb that does what the gateway answers once only; "" for none."""
    verb = _GOES_ON.get(tuple(words[:2]), "")
    return "" if verb == "logs" and "--follow" not in words else verb


def _is_verb(words: Sequence[str]) -> bool:
    """Tell whether this machine does it; `export create V-71` is the gateway's."""
    if words[:1] == ["export"]:
        return words[1:2] in ([], ["slack-manifest"], ["--help"])
    if words[:1] == ["worker"]:
        return all(each.startswith("-") for each in words[1:2])
    if words[:1] == ["plugin"]:
        return words[1:2] in ([], ["new"], ["test"], ["--help"])
    return bool(words) and words[0] in VERBS


def _is_first_key(words: Sequence[str], terminal: Terminal) -> bool:
    """Tell whether a key is wanted by somebody who has nothing to sign in with yet.

    No gateway makes one for another tenant, whatever one is signed in to.
    """
    if list(words[:2]) != ["key", "create"]:
        return False
    if any(each.partition("=")[0] == "--tenant" for each in words):
        return True
    has_gateway = bool(terminal.environ.get("OPSWIRE_URL"))
    return not has_gateway and not credential_of(terminal).token()


def _hint(words: Sequence[str], terminal: Terminal) -> None:
    """Say which verb of this machine may have been meant."""
    if not words or words[0] in VERBS:
        return
    if close := difflib.get_close_matches(words[0], VERBS, n=1):
        terminal.say(f"try: ops {close[0]}")


def _exit_of(problem: Problem) -> Exit:
    if isinstance(problem, BadRequest):
        return Exit.USAGE
    if isinstance(problem, Unauthenticated | Forbidden):
        return Exit.FORBIDDEN
    return Exit.NOT_FOUND if isinstance(problem, NotFound) else Exit.FAILED
