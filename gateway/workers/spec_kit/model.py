"""What a spec kit is made of, and what can be found in one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

CONSTITUTION, PRD, PLAN, TASKS = "constitution.md", "prd.md", "plan.md", "tasks.md"

SECTIONS: Mapping[str, Sequence[str]] = {
    CONSTITUTION: ("Purpose", "Principles", "Quality gates", "Governance"),
    PRD: ("Summary", "Users", "Goals", "Not in scope", "Requirements"),
    PLAN: ("Approach", "Milestones", "Risks", "Verification"),
    TASKS: ("Tasks",),
}
"""The files of a kit, and the sections that each of them has to have."""

REQUIREMENT = re.compile(r"\bREQ-[1-9][0-9]{0,3}\b")
CRITERION = re.compile(r"\bAC-[1-9][0-9]{0,3}\.[1-9][0-9]{0,2}\b")
TASK = re.compile(r"\bTASK-[0-9]{1,4}\b")


class Level(StrEnum):
    """How bad a finding is: an error fails the kit, a warning is told."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a kit lacks.

    Shape:  `code` is a word such as `missing_file`; `line` counts from 1, 0 where
            there is none.
    """

    code: str
    file: str
    text: str
    fix: str
    line: int = 0
    level: Level = Level.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in a kit, and how much there is of each thing."""

    name: str
    files: Sequence[str]
    requirements: int
    criteria: int
    tasks: int
    findings: Sequence[Finding]

    @property
    def errors(self) -> Sequence[Finding]:
        """What fails the kit."""
        return [each for each in self.findings if each.level is Level.ERROR]

    @property
    def warnings(self) -> Sequence[Finding]:
        """What is told and fails nothing."""
        return [each for each in self.findings if each.level is Level.WARNING]

    @property
    def is_valid(self) -> bool:
        """Whether the kit has no errors."""
        return not self.errors
