"""Writes files into a run's folder, for the steps that come after."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.runs.model import Step
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.sandbox.paths import inside, parse_path

_FIELDS = ("files",)


class WriteFiles:
    """Writes `files`, a mapping of their names to their texts."""

    name = "files/write"

    def check(self, step: Step) -> None:
        """Refuse names that lead elsewhere, and a step without files.

        Raises: InvalidArgument.
        """
        _files(Given(step, _FIELDS))

    async def run(self, work: StepWork) -> StepResult:
        """Write the files."""
        files = _files(Given(work.step, _FIELDS))
        try:
            names = await asyncio.to_thread(_write, work.folder, files)
        except OSError as fault:
            told = fault.strerror or "a file cannot be written"
            return StepResult(code="unwritable", detail=told, is_final=True)
        return StepResult(exit_code=0, result={"files": [*names]})


def _files(given: Given) -> Mapping[str, str]:
    files = given.texts_by_name("files")
    if not files:
        given.refuse("files", "files/write needs files", fix=['files: {a.md: "# A"}'])
    for each in files:
        parse_path(each)
    return files


def _write(folder: Path, files: Mapping[str, str]) -> Sequence[str]:
    for name, text in files.items():
        path = inside(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace")
    return list(files)
