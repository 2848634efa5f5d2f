"""Looks for faults in the Python files of a run's folder."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.kernel.jsons import Json, parse_json
from core.kernel.problems import InvalidJson
from core.runs.model import Step
from gateway.workers.calls import Produced
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.executors.tools import run_module
from gateway.workers.sandbox.paths import inside, is_plain, parse_path

_FIELDS = ("paths", "select", "fails")
_REPORT = "lint.json"
_MOST_TOLD = 50
_MOST_BYTES = 20 * 1_048_576
_RULE = re.compile(r"[A-Z]{1,4}[0-9]{0,5}")


class Lint:
    """Runs ruff over `paths`; the findings are its result, and an artifact.

    Shape:  `select` are rules, such as E or F401; without any, those that the files'
            own configuration asks for. With `fails: false` findings are no failure.
    """

    name = "lint"

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def check(self, step: Step) -> None:
        """Refuse paths that lead elsewhere, and what is no rule.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        for each in given.texts("paths"):
            parse_path(each)
        for each in given.texts("select"):
            if not _RULE.fullmatch(each):
                given.refuse("select", f"{each[:20]!r} is no rule", fix=["select: [E]"])
        given.flag("fails", default=True)

    async def run(self, work: StepWork) -> StepResult:
        """Look for faults."""
        self.check(work.step)
        given = Given(work.step, _FIELDS)
        paths = given.texts("paths") or ["."]
        rules = [part for each in given.texts("select") for part in ("--select", each)]
        report = inside(work.folder, _REPORT)
        report.unlink(missing_ok=True)
        result = await run_module(
            self._sandbox,
            work,
            "ruff",
            [
                "check", "--no-cache", "--exit-zero", "--output-format", "json",
                "--output-file", _REPORT, *rules,
                "--", *(str(inside(work.folder, each)) for each in paths),
            ],
        )  # fmt: skip
        if not result.is_good:
            return result
        return _told(work, _read(report), report, given)


def _read(report: Path) -> Sequence[Mapping[str, Json]]:
    if not is_plain(report) or report.stat().st_size > _MOST_BYTES:
        return []
    try:
        found = parse_json(report.read_bytes())
    except InvalidJson:
        return []
    return (
        [each for each in found if isinstance(each, dict)]
        if isinstance(found, list)
        else []
    )


def _told(
    work: StepWork, found: Sequence[Mapping[str, Json]], report: Path, given: Given
) -> StepResult:
    by_rule = Counter(str(each.get("code")) for each in found)
    result: dict[str, Json] = {
        "findings": len(found),
        "by_rule": dict[str, Json](sorted(by_rule.items())),
        "first": [_one(work.folder, each) for each in found[:_MOST_TOLD]],
    }
    good = StepResult(
        exit_code=0,
        result=result,
        produced=[Produced(name=_REPORT, path=report, kind="json")],
    )
    if not found or not given.flag("fails", default=True):
        return good
    told = f"there are {len(found)} findings; {_REPORT} lists them"
    return replace(good, code="findings", detail=told, exit_code=1, is_final=True)


def _one(folder: Path, finding: Mapping[str, Json]) -> dict[str, Json]:
    place = finding.get("location")
    line = place.get("row") if isinstance(place, dict) else None
    name = str(finding.get("filename", "")).removeprefix(f"{folder}/")
    return {
        "file": name,
        "line": line,
        "rule": finding.get("code"),
        "text": finding.get("message"),
    }
