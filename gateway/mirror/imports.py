"""Send the commands of an import down the one road, task by task."""

from collections.abc import AsyncIterator, Sequence

from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.principal import Principal
from core.kernel.reply import Reply
from gateway.mirror.edits import Call, Edit
from gateway.pipeline import Pipeline

CHANNEL = "cli"


class Importer:
    """Applies edits as a principal; each is checked, authorised and audited.

    Shape:  every command names the tag that the one before left, so that a task which
            somebody else changes meanwhile is refused and not overwritten.
    """

    def __init__(self, pipeline: Pipeline, by: Principal, clock: Clock) -> None:
        self._pipeline = pipeline
        self._by = by
        self._clock = clock

    async def apply(self, edits: Sequence[Edit]) -> AsyncIterator[tuple[Edit, str]]:
        """Apply the edits in their order; yield each with its refusal, "" if it went."""
        for edit in edits:
            yield edit, edit.refusal or await self._apply(edit)

    async def _apply(self, edit: Edit) -> str:
        tag = edit.etag
        for call in edit.calls:
            reply = await self._send(call, tag)
            if reply.error is not None:
                return f"{reply.error.title}: {reply.error.detail}"
            tag = str(reply.data.get("etag", ""))
        return ""

    async def _send(self, call: Call, tag: str) -> Reply:
        envelope = Envelope(
            channel=CHANNEL,
            command=call.command,
            args=call.args,
            if_match=tag if call.is_matched else "",
            received_at=self._clock.now(),
            credential=self._by,
        )
        return (await self._pipeline.handle(envelope)).reply
