"""The steps `spec-kit/generate` and `spec-kit/validate`."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.kernel.jsons import Json, canonical_json
from core.runs.model import Step
from core.runs.reports import LogReport
from gateway.workers.calls import Produced
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.sandbox.paths import inside, is_plain, parse_path
from gateway.workers.spec_kit.files import pack, read_kit, write_kit
from gateway.workers.spec_kit.generation import generate, slug
from gateway.workers.spec_kit.model import SECTIONS, Report
from gateway.workers.spec_kit.reports import render_line, render_markdown, view
from gateway.workers.spec_kit.validation import validate

_GENERATE = ("name", "description", "folder")
_VALIDATE = ("name", "folder", "files")
_REPORT_JSON, _REPORT_MD = "spec-kit-report.json", "spec-kit-report.md"


class GenerateSpecKit:
    """Writes the four files of a kit into `folder`, and packs them into a zip file."""

    name = "spec-kit/generate"

    def check(self, step: Step) -> None:
        """Refuse a step without a project's name.

        Raises: InvalidArgument.
        """
        given = Given(step, _GENERATE)
        given.needed("name", such_as="name: Pay")
        given.text("description")
        _folder_of(given)

    async def run(self, work: StepWork) -> StepResult:
        """Write the files."""
        given = Given(work.step, _GENERATE)
        name = given.needed("name", such_as="name: Pay")
        files = generate(name, given.text("description"))
        folder = _folder_of(given) or slug(name)
        paths = await asyncio.to_thread(
            _write, work.folder, folder, archive=slug(name), files=files
        )
        report = validate(name, files)
        await _say(work, f"wrote {', '.join(files)} into {folder}")
        return StepResult(
            exit_code=0,
            result={
                "folder": folder,
                "files": list[Json](files),
                "requirements": report.requirements,
                "tasks": report.tasks,
            },
            produced=_produced(paths),
        )


class ValidateSpecKit:
    """Checks the kit in `folder`, or the one whose `files` are given, and reports.

    Shape:  a kit with errors fails the step for good, with the code `spec_invalid`; the
            report is kept all the same.
    """

    name = "spec-kit/validate"

    def check(self, step: Step) -> None:
        """Refuse a step that names no kit, or files that are no texts.

        Raises: InvalidArgument.
        """
        given = Given(step, _VALIDATE)
        given.text("name")
        _folder_of(given)
        for each in given.texts_by_name("files"):
            if each not in SECTIONS:
                given.refuse(
                    "files",
                    f"a spec kit has no {each[:40]}",
                    fix=[f"use {', '.join(SECTIONS)}"],
                )

    async def run(self, work: StepWork) -> StepResult:
        """Read the files and check them."""
        given = Given(work.step, _VALIDATE)
        folder = _folder_of(given)
        files = given.texts_by_name("files")
        if not files:
            files = await asyncio.to_thread(_read, work.folder, folder)
        report = validate(given.text("name") or folder or "the kit", files)
        for each in report.findings:
            await _say(work, render_line(each))
        await _say(
            work, f"{len(report.errors)} errors, {len(report.warnings)} warnings"
        )
        paths = await asyncio.to_thread(_write_report, work.folder, report)
        produced = _produced(paths)
        shown = view(report)
        if report.is_valid:
            return StepResult(exit_code=0, result=shown, produced=produced)
        return StepResult(
            code="spec_invalid",
            detail=f"the spec kit has {len(report.errors)} errors",
            exit_code=1,
            is_final=True,
            result=shown,
            produced=produced,
        )


def _folder_of(given: Given) -> str:
    if not given.has("folder"):
        return ""
    folder = given.text("folder")
    if folder:
        parse_path(folder)
    return folder


def _read(own: Path, folder: str) -> Mapping[str, str]:
    """Read the files of a kit; what a step before linked elsewhere is none of it."""
    where = inside(own, folder) if folder else own
    kit = read_kit(where)
    return {name: kit[name] for name in kit if is_plain(where / name)}


def _write(
    own: Path, folder: str, *, archive: str, files: Mapping[str, str]
) -> Sequence[Path]:
    """Write a kit and its archive, through no link that a step before has made."""
    for name in files:
        inside(own, f"{folder}/{name}")
    packed = inside(own, f"{archive}-spec-kit.zip")
    written = write_kit(inside(own, folder), files)
    pack(packed, archive, files)
    return [*written, packed]


def _write_report(own: Path, report: Report) -> Sequence[Path]:
    as_json = canonical_json(view(report)).decode()
    texts = {_REPORT_JSON: f"{as_json}\n", _REPORT_MD: render_markdown(report)}
    for name in texts:
        inside(own, name)
    return write_kit(own, texts)


_KINDS = {".md": "markdown", ".json": "json"}


def _produced(paths: Sequence[Path]) -> Sequence[Produced]:
    return [
        Produced(
            name=each.name,
            path=each,
            kind=_KINDS.get(each.suffix, "file"),
        )
        for each in paths
    ]


async def _say(work: StepWork, text: str) -> None:
    await work.tell(LogReport(text=f"{text}\n", step=work.step.name))
