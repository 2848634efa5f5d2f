"""What a handler of a plugin may answer, and what is said of it when it may not."""

from types import GeneratorType
from typing import Any

from commands import bus
from core.kernel.jsons import to_json
from core.kernel.problems import Problem
from core.kernel.reply import Reply
from gateway.plugins.model import PluginFault

_MAY = "return a text, a dict, a list, a block or a Reply"


def answer_of(said: Any) -> Reply | Problem:
    """Turn what a handler returned into a reply that can be written at every door.

    Raises: PluginFault telling its author what else to return.
    """
    if isinstance(said, Problem):
        return said
    try:
        reply = said if isinstance(said, Reply) else bus.as_reply(_possible(said))
        to_json(reply)
    except (TypeError, ValueError, RecursionError) as fault:
        raise PluginFault(f"its answer cannot be written as JSON: {fault}") from fault
    return reply


def _possible(said: Any) -> Any:
    if said is None:
        raise PluginFault("it returned nothing; end the function with `return …`")
    is_wrong = isinstance(said, bytes | bytearray | memoryview | range)
    if is_wrong or isinstance(said, GeneratorType) or not _is_known(said):
        raise PluginFault(f"it returned {_article(type(said).__name__)}; {_MAY}")
    return said


def _is_known(said: Any) -> bool:
    try:
        bus.as_reply(said)
    except TypeError:
        return False
    return True


def _article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"
