"""The one table from Problem to HTTP status, and the problem+json document."""

from http import HTTPStatus

from core.kernel.problems import (
    AssuranceTooLow,
    BadRequest,
    Conflict,
    Forbidden,
    KeyReused,
    LinkExpired,
    NotFound,
    PluginFailed,
    PreconditionRequired,
    Problem,
    RateLimited,
    StaleVersion,
    TookTooLong,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from core.kernel.reply import ErrorBlock, ErrorInfo, Reply, ReplyStatus

STATUS: dict[type[Problem], int] = {
    BadRequest: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    AssuranceTooLow: 403,
    NotFound: 404,
    Conflict: 409,
    LinkExpired: 410,
    StaleVersion: 412,
    TooLarge: 413,
    UnsupportedMedia: 415,
    KeyReused: 422,
    PreconditionRequired: 428,
    RateLimited: 429,
    PluginFailed: 500,
    Unavailable: 503,
    TookTooLong: 504,
}

ERROR_BASE = "/docs/errors"

_LAST_RESORT = ("check the names and ids that you sent", "help")


def status_of(problem: Problem) -> int:
    """Find the status of a problem."""
    return status_of_class(type(problem))


def status_of_class(kind: type[Problem]) -> int:
    """Find the status of the nearest class in the table."""
    return next(STATUS[each] for each in kind.__mro__ if each in STATUS)


def to_error(problem: Problem, *, status: int | None = None) -> ErrorInfo:
    """Describe a problem for a reply and for problem+json."""
    return ErrorInfo(
        type=f"{ERROR_BASE}/{problem.code.replace('_', '-')}",
        code=problem.code,
        title=problem.title,
        detail=problem.detail,
        status=status or status_of(problem),
        fix=problem.fix or _LAST_RESORT,
        extra=problem.extra,
    )


def to_reply(error: ErrorInfo) -> Reply:
    """Answer with an error."""
    return Reply(
        summary=f"{error.title}: {error.detail}"[:150],
        status=ReplyStatus.ERROR,
        blocks=(ErrorBlock(title=error.title, detail=error.detail, fix=error.fix),),
        error=error,
    )


def to_document(
    error: ErrorInfo, *, request_id: str, instance: str = ""
) -> dict[str, object]:
    """Write an error as RFC 9457 problem details with `code`, `fix` and `request_id`."""
    return {
        **error.extra,
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "fix": list(error.fix),
        "request_id": request_id,
        **({"instance": instance} if instance else {}),
    }


def unexpected(request_id: str) -> ErrorInfo:
    """Describe a fault of ours without telling what it was."""
    return ErrorInfo(
        type=f"{ERROR_BASE}/internal",
        code="internal",
        title=HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
        detail=f"something failed here; the log has it under {request_id}",
        status=500,
        fix=["try again", "tell an admin the request id"],
    )
