"""Writes what was found in a spec kit: for programs as JSON, for people as Markdown."""

from dataclasses import asdict
from typing import Any

from gateway.workers.spec_kit.model import Finding, Report

MARK = "<!-- spec-kit -->"
"""Begins a summary, so that whoever comments with one finds the one before."""


def view(report: Report) -> dict[str, Any]:
    """Show a report to programs."""
    return {
        "name": report.name,
        "is_valid": report.is_valid,
        "files": list(report.files),
        "requirements": report.requirements,
        "criteria": report.criteria,
        "tasks": report.tasks,
        "errors": len(report.errors),
        "warnings": len(report.warnings),
        "findings": [asdict(each) for each in report.findings],
    }


def render_markdown(report: Report) -> str:
    """Write a report for people."""
    state = "is complete" if report.is_valid else "is not complete"
    counts = (
        f"{len(report.files)} files, {report.requirements} requirements, "
        f"{report.criteria} acceptance criteria, {report.tasks} tasks; "
        f"{len(report.errors)} errors, {len(report.warnings)} warnings."
    )
    lines = [MARK, f"## Spec kit {_cell(report.name)} {state}", "", counts]
    if report.findings:
        lines += ["", "| level | where | what | fix |", "| --- | --- | --- | --- |"]
        lines += [_row(each) for each in report.findings]
    return "\n".join([*lines, ""])


def render_line(finding: Finding) -> str:
    """Write one finding on a line, as compilers do."""
    at = f"{finding.file}:{finding.line}" if finding.line else finding.file
    return f"{at}: {finding.level}: {finding.text} ({finding.fix})"


def _row(finding: Finding) -> str:
    at = f"{finding.file}:{finding.line}" if finding.line else finding.file
    cells = (finding.level.value, at, finding.text, finding.fix)
    return f"| {' | '.join(_cell(each) for each in cells)} |"


def _cell(text: str) -> str:
    plain = text.replace("\n", " ").replace("|", "\\|")
    return plain.replace("<", "&lt;")
