"""Formats Markdown files of a run's folder."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from core.kernel.jsons import Json
from core.runs.model import Step
from gateway.workers.calls import Produced
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.executors.tools import run_module
from gateway.workers.sandbox.paths import check_pattern, matching

_FIELDS = ("files", "only_check", "wrap")
_FILES = ("**/*.md",)


class DocsFormat:
    """Formats the files that `files` match; with `only_check` it only tells.

    Shape:  `wrap` is keep, no, or how long a line may be. The result lists what was,
            or would be, changed; changed files are kept.
    """

    name = "docs/format"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def check(self, step: Step) -> None:
        """Refuse patterns that look elsewhere.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        for each in given.texts("files", _FILES):
            check_pattern(each)
        given.flag("only_check")
        _wrap(given)

    async def run(self, work: StepWork) -> StepResult:
        """Format the files."""
        self.check(work.step)
        given = Given(work.step, _FIELDS)
        names = list(matching(work.folder, given.texts("files", _FILES)))
        if not names:
            return StepResult(exit_code=0, result={"files": 0, "changed": []})
        only_check = given.flag("only_check")
        before = _digests(work.folder, names)
        how = ["--check"] if only_check else []
        result = await run_module(
            self._sandbox,
            work,
            "mdformat",
            [*how, "--wrap", _wrap(given), *(f"./{each}" for each in names)],
        )
        if only_check:
            return _checked(result, len(names))
        after = _digests(work.folder, names)
        return _told(work.folder, result, before, after)


def _wrap(given: Given) -> str:
    wrap = given.json("wrap") if isinstance(given.json("wrap"), int) else None
    if wrap is not None:
        return str(given.number("wrap", 80, least=20, most=1_000))
    return given.choice("wrap", ("keep", "no"), "keep")


def _digests(folder: Path, names: Sequence[str]) -> Mapping[str, str]:
    return {
        name: sha256((folder / name).read_bytes()).hexdigest()
        for name in names
        if (folder / name).is_file()
    }


def _checked(result: StepResult, count: int) -> StepResult:
    found = replace(result, result={"files": count, "is_formatted": result.is_good})
    if result.code != "exit_code":
        return found
    told = "some files are not formatted; the log names them"
    return replace(found, code="not_formatted", detail=told, is_final=True)


def _told(
    folder: Path,
    result: StepResult,
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> StepResult:
    changed = [name for name in before if before[name] != after.get(name)]
    return replace(
        result,
        result={"files": len(before), "changed": list[Json](changed)},
        produced=[
            Produced(name=name, path=folder / name) for name in changed if name in after
        ],
    )
