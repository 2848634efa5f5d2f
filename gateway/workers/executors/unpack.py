"""Unpacks an archive of the run's folder."""

import asyncio

from core.runs.model import Step
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.sandbox.archives import ArchiveLimits, unpack
from gateway.workers.sandbox.paths import inside, parse_path

_FIELDS = ("archive", "into")


class Unpack:
    """Unpacks `archive`, a zip or a tar, into the folder `into`."""

    name = "files/unpack"

    def __init__(self, limits: ArchiveLimits | None = None) -> None:
        self._limits = limits or ArchiveLimits()

    def check(self, step: Step) -> None:
        """Refuse paths that lead elsewhere.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        parse_path(given.needed("archive", such_as="archive: site.zip"))
        parse_path(given.text("into", "."))

    async def run(self, work: StepWork) -> StepResult:
        """Unpack it off the event loop; it is bounded, and so not stopped half-way."""
        self.check(work.step)
        given = Given(work.step, _FIELDS)
        archive = inside(work.folder, given.text("archive"))
        into = inside(work.folder, given.text("into", "."))
        into.mkdir(parents=True, exist_ok=True)
        try:
            names = await asyncio.to_thread(unpack, archive, into, self._limits)
        except OSError as fault:
            told = f"{given.text('archive')}: {fault.strerror or fault}"
            return StepResult(code="unreadable", detail=told, is_final=True)
        return StepResult(exit_code=0, result={"files": len(names)})
