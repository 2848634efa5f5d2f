"""Check spec kits: their four files, sections, acceptance criteria and tasks.

Without names, all kits below spec/ of the folder that it is started in. Exits with 0 when all are valid, 1 when one is not, 2 when there is nothing to check.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gateway.workers.spec_kit.files import read_kit  # noqa: E402 - found by the line above
from gateway.workers.spec_kit.model import Report  # noqa: E402 - as above
from gateway.workers.spec_kit.reports import (  # noqa: E402 - as above
    render_line,
    render_markdown,
    view,
)
from gateway.workers.spec_kit.validation import validate  # noqa: E402 - as above

_VALID, _INVALID, _NOTHING = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the kits that are named, or all below spec/, and say what was found."""
    options = _parser().parse_args(arguments)
    folders = options.folders or _folders_of(Path("spec"))
    if missing := [each for each in folders if not each.is_dir()]:
        print(f"{missing[0]} is no folder", file=sys.stderr)
        return _NOTHING
    if not folders:
        print("there is no spec kit below spec/; name its folder", file=sys.stderr)
        return _NOTHING
    reports = [validate(each.resolve().name, read_kit(each)) for each in folders]
    if options.summary:
        text = "\n".join(render_markdown(each) for each in reports)
        options.summary.write_text(text, encoding="utf-8")
    _print(reports, folders, is_json=options.json)
    is_good = all(
        each.is_valid and not (options.strict and each.findings) for each in reports
    )
    return _VALID if is_good else _INVALID


def _print(
    reports: Sequence[Report], folders: Sequence[Path], *, is_json: bool
) -> None:
    if is_json:
        shown = [view(each) for each in reports]
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for report, folder in zip(reports, folders, strict=True):
        for finding in report.findings:
            print(f"{folder}/{render_line(finding)}")
        state = "valid" if report.is_valid else "not valid"
        print(
            f"{folder}: {state}, {report.requirements} requirements, "
            f"{report.criteria} criteria, {report.tasks} tasks"
        )


def _folders_of(root: Path) -> list[Path]:
    return sorted(each for each in root.glob("*") if each.is_dir())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "folders", nargs="*", type=Path, help="all below ./spec if none"
    )
    parser.add_argument("--json", action="store_true", help="print reports as JSON")
    parser.add_argument("--strict", action="store_true", help="warnings fail as well")
    parser.add_argument("--summary", type=Path, help="write Markdown to this file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
