"""What an object looks like now, in a word: consent and approvals are bound to it."""

from collections.abc import Callable, Mapping

from commands.registry import Command
from core.collab import tasks
from core.database import Tx


def state_of(tx: Tx, command: Command, target: str) -> str:
    """Tell the state of what a command is about; "" when it has none.

    Shape:  the fields that the command declares, so that what does not matter to it (a
            heartbeat) changes nothing; else the object's ETag.
    """
    if not target:
        return ""
    if command.fingerprint is not None:
        return command.fingerprint(tx, target)
    parameter = command.parameter(command.target)
    reader = _ETAGS.get(parameter.prefix) if parameter else None
    return reader(tx, target) if reader else ""


def _task(tx: Tx, target: str) -> str:
    found = tasks.find_(tx, target)
    return found.etag if found else "gone"


_ETAGS: Mapping[str, Callable[[Tx, str], str]] = {"T": _task}
