"""How `ops` tells scripts what happened."""

from enum import IntEnum

from core.kernel.reply import Reply, ReplyStatus


class Exit(IntEnum):
    """The exit codes of `ops`."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    FORBIDDEN = 4
    CONFLICT = 5
    UNCONFIRMED = 6
    LIMITED = 7
    RUNNING = 8
    INTERRUPTED = 130


_OF_ANSWER = {
    ReplyStatus.OK: Exit.OK,
    ReplyStatus.ERROR: Exit.FAILED,
    ReplyStatus.RUNNING: Exit.RUNNING,
    ReplyStatus.NEEDS_CONFIRMATION: Exit.UNCONFIRMED,
}
_OF_STATUS = {
    400: Exit.USAGE,
    401: Exit.FORBIDDEN,
    403: Exit.FORBIDDEN,
    404: Exit.NOT_FOUND,
    409: Exit.CONFLICT,
    412: Exit.CONFLICT,
    413: Exit.USAGE,
    422: Exit.USAGE,
    428: Exit.USAGE,
    429: Exit.LIMITED,
}
_VERDICTS = ("ok", "is_valid")
"""The fields in which checks and trials say what they found."""


def exit_of(reply: Reply) -> Exit:
    """Choose the exit code of an answer; a check that found something wrong failed."""
    if reply.error is not None:
        return _OF_STATUS.get(reply.error.status, Exit.FAILED)
    if any(reply.data.get(each) is False for each in _VERDICTS):
        return Exit.FAILED
    return _OF_ANSWER[reply.status]
