"""What a message that was stored first turns out to ask for, and its one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.delivery.received import Received
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Principal
from core.kernel.problems import Problem
from core.kernel.reply import Reply, ReplyStatus, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The commands of one stored message, all in one name.

    Shape:  without a command in it, `skipped` says why. A `problem` means that the
            message could not be understood or may not run; its one envelope then only
            says where it came from.
    """

    principal: Principal
    envelopes: Sequence[Envelope] = ()
    problem: Problem | None = None
    skipped: str = ""


class Source(Protocol):
    """Knows what the stored messages of one channel ask for."""

    async def open(self, stored: Received) -> Work:
        """Work out a message's commands, and in whose name they run.

        Raises: Unavailable when that cannot be told now.
        """


def conclude(work: Work, replies: Sequence[Reply]) -> Reply:
    """Join the replies to a message's commands into the one that is stored.

    Shape:  a single reply stays as it is; several become a transcript, which is an
            error when one of them is, and the first of these says why.
    """
    if not replies:
        return Reply(
            summary=f"Skipped: {work.skipped}"[:150], data={"skipped": work.skipped}
        )
    if len(replies) == 1:
        return replies[0]
    error = next((each.error for each in replies if each.error), None)
    done = sum(1 for each in replies if each.error is None)
    return Reply(
        summary=f"{done} of {len(replies)} commands done",
        status=ReplyStatus.ERROR if error else ReplyStatus.OK,
        blocks=(
            Table(
                columns=("#", "status", "summary"),
                rows=[
                    (str(number), each.status.value, each.summary)
                    for number, each in enumerate(replies, 1)
                ],
                total=len(replies),
            ),
        ),
        data={"items": [_line(each) for each in replies]},
        error=error,
    )


def _line(reply: Reply) -> dict[str, Json]:
    return {
        "status": reply.status.value,
        "summary": reply.summary,
        "code": reply.error.code if reply.error else "",
        "data": dict(reply.data),
    }
