"""The calls of a worker that reaches the queue over HTTP alone."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.kernel.ids import random_id
from core.kernel.problems import Unavailable
from core.runs.artifacts.model import INLINE_BYTES, name_for
from core.runs.model import Progress
from core.runs.reports import Beat, Outcome, Report, Wanted
from gateway.workers.calls import Claimed, Produced
from gateway.workers.files import measure, read_whole
from gateway.workers.link import Link, Sent
from gateway.workers.wire import (
    parse_beat,
    parse_claimed,
    show_outcome,
    show_progress,
    show_report,
    show_wanted,
)

WAIT_SECONDS = 5
"""How long a claim waits for work at the gateway; a worker that stops waits as long."""

_ANSWER_SECONDS = 10.0
_BEAT_SECONDS = 8.0
_TELL_SECONDS = 60.0
_UPLOAD_SECONDS = 180.0
_MOST_REPORTS = 500


class RemoteCalls:
    """Implements `Calls` by the routes `/runs.*`, `/events.append` and `/artifacts.put`.

    Shape:  whatever has an effect that must not come twice carries a key, under which
            it may be sent again. `secrets` are read once for each attempt and not kept.
    """

    def __init__(self, link: Link, *, wait_seconds: int = WAIT_SECONDS) -> None:
        self._link = link
        self._wait_seconds = wait_seconds
        self._has_reached = False

    async def claim(self, wanted: Wanted) -> Sequence[Claimed]:
        """Take runs; the gateway holds the call for a while when there are none.

        The first call is not held, so that it is soon known whether the gateway, and
        the key, are good.
        """
        wait_seconds = self._wait_seconds if self._has_reached else 0
        told = await self._link.call(
            "/runs.claim",
            show_wanted(wanted, wait_seconds=wait_seconds),
            key=random_id("claim"),
            within=wait_seconds + _ANSWER_SECONDS,
        )
        self._has_reached = True
        try:
            return [parse_claimed(each) for each in told["runs"]]
        except (KeyError, TypeError, ValueError) as fault:
            raise _strange() from fault

    async def beat(self, held: Claimed, progress: Progress | None = None) -> Beat:
        """Say that the work goes on; tried until the next one is due."""
        body = _about(held)
        if progress is not None:
            body["progress"] = show_progress(progress)
        told = await self._link.call("/runs.heartbeat", body, within=_BEAT_SECONDS)
        try:
            return parse_beat(told)
        except (KeyError, TypeError, ValueError) as fault:
            raise _strange() from fault

    async def report(self, held: Claimed, reports: Sequence[Report]) -> None:
        """Tell what happened, in order."""
        for at in range(0, len(reports), _MOST_REPORTS):
            part = reports[at : at + _MOST_REPORTS]
            await self._link.call(
                "/events.append",
                _about(held, events=[show_report(each) for each in part]),
                key=random_id("report"),
                within=_TELL_SECONDS,
            )

    async def put(self, held: Claimed, produced: Produced) -> None:
        """Keep a file: a small one with the call itself, else by a signed upload."""
        measured = await measure(produced.path)
        body = _about(
            held,
            name=name_for(produced.name),
            kind=produced.kind,
            partial=produced.is_partial,
        )
        is_small = measured.size_bytes <= INLINE_BYTES
        if is_small:
            content = await read_whole(produced.path)
            body |= {
                "content": base64.b64encode(content).decode(),
                "encoding": "base64",
            }
        else:
            body |= {"size": measured.size_bytes, "sha256": measured.sha256}
        told = await self._link.call(
            "/artifacts.put", body, key=random_id("put"), within=_TELL_SECONDS
        )
        if not is_small and told.get("upload_url"):
            await self._upload(produced.path, str(told["upload_url"]))

    async def secrets(self, held: Claimed) -> Mapping[str, str]:
        """Read the stored secrets that the steps name."""
        if not any(step.secrets for step in held.steps):
            return {}
        told = await self._link.call("/runs.secrets", _about(held))
        try:
            return {str(name): str(text) for name, text in told["secrets"].items()}
        except (KeyError, AttributeError) as fault:
            raise _strange() from fault

    async def complete(self, held: Claimed, outcome: Outcome) -> None:
        """End the attempt."""
        await self._link.call(
            "/runs.complete",
            _about(held, **show_outcome(outcome)),
            key=random_id("complete"),
            within=_TELL_SECONDS,
        )

    async def hand_back(self, held: Claimed, reason: str) -> None:
        """Give the run back to the queue; a gateway that is gone is not waited for."""
        await self._link.call(
            "/runs.hand-back",
            _about(held, reason=reason),
            key=random_id("back"),
            within=_BEAT_SECONDS,
        )

    async def _upload(self, path: Path, url: str) -> None:
        # The address is the gateway's public one; this worker may know it by another.
        place = urlsplit(url)
        target = f"{place.path}?{place.query}" if place.query else place.path
        sent = Sent(
            method="PUT",
            target=target,
            body=await read_whole(path),
            content_type="application/octet-stream",
            within=_UPLOAD_SECONDS,
            is_signed=False,
        )
        await self._link.send(sent)


def _about(held: Claimed, **more: Any) -> dict[str, Any]:
    return {"run_id": held.run_id, "fence": held.fence, **more}


def _strange() -> Unavailable:
    return Unavailable("the gateway answered something that no worker understands")
