"""What a message that was stored first turns out to ask for, and its one answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.database import Tx
from core.delivery.received import Received
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Principal
from core.kernel.problems import Problem
from core.kernel.reply import Block, Reply, ReplyStatus, Text
from gateway.answers import Answer

OnDone = Callable[[Tx, Answer], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The commands of one stored message, all in one name.

    Shape:  without a command in it, `skipped` says why. A `problem` means that the
            message could not be understood or may not run; its one envelope then only
            says where it came from. `refused` holds the problems of single commands by
            their place. `reply_to` is where the answer is delivered, empty
            when nobody waits for one. `is_transcript` stops at the first command that
            fails, as a person who wrote several lines expects. `can_edit` says that
            what is sent there can be edited later. `on_done` is what else happens, in
            the unit that ends the message, with the answer that is kept of it. `done`
            are the lines that an earlier run did, each as often as it did.
    """

    principal: Principal
    envelopes: Sequence[Envelope] = ()
    problem: Problem | None = None
    refused: Mapping[int, Problem] = field(default_factory=dict)
    skipped: str = ""
    reply_to: Mapping[str, Json] = field(default_factory=dict)
    is_transcript: bool = False
    can_edit: bool = False
    on_done: Sequence[OnDone] = ()
    done: Sequence[str] = ()


class Source(Protocol):
    """Knows what the stored messages of one channel ask for.

    Shape:  `is_chat` tells that people talk there: what one of them says is run in
            order, and above a limit it is refused; deliveries of machines wait.
    """

    @property
    def is_chat(self) -> bool:
        """Whether people talk on this channel."""

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
    asked = len(work.envelopes)
    if asked == 1:
        return replies[0]
    error = next((each.error for each in replies if each.error), None)
    done = sum(1 for each in replies if each.error is None)
    return Reply(
        summary=f"{done} of {asked} commands done",
        status=ReplyStatus.ERROR if error else ReplyStatus.OK,
        blocks=tuple(_transcript(work, replies)),
        data={
            "items": [_line(each) for each in replies],
            "not_run": asked - len(replies),
        },
        undo=next((each.undo for each in reversed(replies) if each.undo), None),
        error=error,
    )


def _transcript(work: Work, replies: Sequence[Reply]) -> Iterator[Block]:
    """Show each command with its answer, and those that were not run."""
    for number, (envelope, reply) in enumerate(
        zip(work.envelopes, replies, strict=False), 1
    ):
        outcome = "failed" if reply.error else _OUTCOMES[reply.status]
        said = reply.command or envelope.text or envelope.command
        yield Text(md=f"**{number}. `{said}`** {outcome}: {reply.summary}")
        yield from reply.blocks
    for number, envelope in enumerate(work.envelopes[len(replies) :], len(replies) + 1):
        yield Text(md=f"**{number}. `{envelope.text or envelope.command}`** not run")


_OUTCOMES = {
    ReplyStatus.OK: "done",
    ReplyStatus.RUNNING: "running",
    ReplyStatus.NEEDS_CONFIRMATION: "waits for your confirmation",
    ReplyStatus.ERROR: "failed",
}


def _line(reply: Reply) -> dict[str, Json]:
    return {
        "status": reply.status.value,
        "command": reply.command,
        "summary": reply.summary,
        "code": reply.error.code if reply.error else "",
        "data": dict(reply.data),
    }
