"""Checks a spec kit: its files, their sections, and that all of it hangs together."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.workers.spec_kit.documents import Section, read_sections, within
from gateway.workers.spec_kit.model import (
    CRITERION,
    PLAN,
    PRD,
    REQUIREMENT,
    SECTIONS,
    TASK,
    TASKS,
    Finding,
    Level,
    Report,
)

MOST_BYTES = 1 << 20

_MARKER = re.compile(
    r"\bTODO\b|\bTBD\b|\bFIXME\b|\bXXX\b|\?\?\?|NEEDS CLARIFICATION"
    r"|lorem ipsum|\{\{[^}]*\}\}|<(?:fill|insert|your|name of)\b[^>]*>",
    re.IGNORECASE,
)
_TASK_LINE = re.compile(
    r"\s*(?:[-*+]|[0-9]+[.)])?\s*(?:\[[ xX]\]\s*)?\**(TASK-[0-9]{1,4})\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Requirement:
    id: str
    line: int
    criteria: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    id: str
    line: int
    requirements: Sequence[str]


def validate(name: str, files: Mapping[str, str]) -> Report:
    """Check a kit; `files` are the texts of what there is, by their names."""
    present = {each: read_sections(files[each]) for each in SECTIONS if each in files}
    requirements = _requirements(present.get(PRD, ()))
    tasks = _tasks(present.get(TASKS, ()))
    findings = [
        *_missing_files(files),
        *(found for each in present for found in _structure(each, present[each])),
        *_requirement_findings(requirements, is_there=PRD in present),
        *_task_findings(tasks, requirements, is_there=TASKS in present),
        *_plan_findings(present.get(PLAN, ()), requirements),
        *(found for each in present for found in _markers(each, present[each])),
    ]
    return Report(
        name=name,
        files=[each for each in SECTIONS if each in files],
        requirements=len(requirements),
        criteria=sum(len(each.criteria) for each in requirements),
        tasks=len(tasks),
        findings=findings,
    )


def _missing_files(files: Mapping[str, str]) -> Iterator[Finding]:
    for each in SECTIONS:
        if each not in files:
            fix = "write it, or start from: template run generate-spec-kit"
            yield Finding(code="missing_file", file=each, text="it is missing", fix=fix)
        elif len(files[each].encode(errors="replace")) > MOST_BYTES:
            fix = "split the project"
            yield Finding(
                code="too_large", file=each, text="it is larger than 1 MiB", fix=fix
            )


def _structure(file: str, sections: Sequence[Section]) -> Iterator[Finding]:
    titles = [each for each in sections if each.level == 1]
    if len(titles) != 1:
        text = "it has no title" if not titles else f"it has {len(titles)} titles"
        fix = "begin with one line: # Name of the project"
        yield Finding(code="title", file=file, text=text, fix=fix, line=1)
    for wanted in SECTIONS[file]:
        place = _find(sections, wanted)
        if place is None:
            text = f"the section {wanted} is missing"
            fix = f"add: ## {wanted}"
            yield Finding(code="missing_section", file=file, text=text, fix=fix)
        elif all(each.is_empty for each in within(sections, place)):
            yield Finding(
                code="empty_section",
                file=file,
                line=sections[place].line,
                text=f"the section {wanted} is empty",
                fix="say it, if only in a sentence",
            )


def _find(sections: Sequence[Section], wanted: str) -> int | None:
    """Find a section by the beginning of its title."""
    for place, each in enumerate(sections):
        if each.level == 2 and each.title.casefold().startswith(wanted.casefold()):
            return place
    return None


def _requirements(sections: Sequence[Section]) -> Sequence[_Requirement]:
    """List the requirements: sections whose titles begin with `REQ-<n>`."""
    found: list[_Requirement] = []
    for place, each in enumerate(sections):
        named = REQUIREMENT.match(each.title)
        if named:
            lines = [pair for part in within(sections, place) for pair in part.lines]
            own = [CRITERION.search(text) for _, text in lines]
            criteria = [hit[0] for hit in own if hit]
            found.append(_Requirement(id=named[0], line=each.line, criteria=criteria))
    return found


def _requirement_findings(
    requirements: Sequence[_Requirement], *, is_there: bool
) -> Iterator[Finding]:
    if is_there and not requirements:
        fix = "add: ### REQ-1: what it does"
        yield Finding(
            code="no_requirements", file=PRD, text="there is no requirement", fix=fix
        )
    times = Counter(each.id for each in requirements)
    for each in requirements:
        for code, text, fix in _lacks(each, times[each.id]):
            yield Finding(code=code, file=PRD, line=each.line, text=text, fix=fix)


def _lacks(each: _Requirement, times: int) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a requirement: a code, a text and a fix."""
    number = each.id.removeprefix("REQ-")
    if times > 1:
        fix = "give each requirement a number of its own"
        yield "duplicate_requirement", f"{each.id} stands {times} times", fix
    if not each.criteria:
        fix = f"add: - [ ] AC-{number}.1: Given …, when …, then …"
        yield "no_criteria", f"{each.id} has no acceptance criteria", fix
    for stray in each.criteria:
        if not stray.startswith(f"AC-{number}."):
            fix = f"call it AC-{number}.<n>, or move it"
            yield "stray_criterion", f"{stray} stands below {each.id}", fix


def _tasks(sections: Sequence[Section]) -> Sequence[_Task]:
    """List the tasks: lines, or headings, that begin with `TASK-<n>`."""
    found: list[_Task] = []
    for section in sections:
        heading = TASK.match(section.title)
        if heading:
            body = " ".join([section.title, *(text for _, text in section.lines)])
            found.append(_task(heading[0], section.line, body))
        for number, text in section.lines:
            named = _TASK_LINE.match(text)
            if named:
                found.append(_task(named[1], number, text))
    return found


def _task(name: str, line: int, text: str) -> _Task:
    return _Task(id=name, line=line, requirements=REQUIREMENT.findall(text))


def _task_findings(
    tasks: Sequence[_Task], requirements: Sequence[_Requirement], *, is_there: bool
) -> Iterator[Finding]:
    if is_there and not tasks:
        fix = "add: - [ ] TASK-01 (REQ-1): what is done"
        yield Finding(code="no_tasks", file=TASKS, text="there is no task", fix=fix)
    if not tasks:
        return
    known = {each.id for each in requirements}
    times = Counter(each.id for each in tasks)
    for task in tasks:
        yield from _findings_of_task(task, known)
        if times[task.id] > 1:
            yield Finding(
                code="duplicate_task",
                file=TASKS,
                line=task.line,
                text=f"{task.id} stands {times[task.id]} times",
                fix="give each task a number of its own",
            )
    yield from _undone(tasks, requirements)


def _undone(
    tasks: Sequence[_Task], requirements: Sequence[_Requirement]
) -> Iterator[Finding]:
    """Yield the requirements that no task names."""
    done = {name for each in tasks for name in each.requirements}
    for requirement in requirements:
        if requirement.id not in done:
            yield Finding(
                code="no_task",
                file=TASKS,
                text=f"no task names {requirement.id}",
                fix=f"add: - [ ] TASK-<n> ({requirement.id}): what is done",
            )


def _findings_of_task(task: _Task, known: set[str]) -> Iterator[Finding]:
    if not task.requirements:
        yield Finding(
            code="task_without_requirement",
            file=TASKS,
            line=task.line,
            text=f"{task.id} names no requirement",
            fix=f"write {task.id} (REQ-<n>): …",
        )
    for each in sorted(set(task.requirements) - known):
        yield Finding(
            code="unknown_requirement",
            file=TASKS,
            line=task.line,
            text=f"{task.id} names {each}, which prd.md has not",
            fix="name one of prd.md, or add it there",
        )


def _plan_findings(
    sections: Sequence[Section], requirements: Sequence[_Requirement]
) -> Iterator[Finding]:
    """Warn of requirements that the plan says nothing of."""
    if not sections:
        return
    text = " ".join(
        part for each in sections for part in (each.title, *(t for _, t in each.lines))
    )
    named = set(REQUIREMENT.findall(text))
    for each in requirements:
        if each.id not in named:
            yield Finding(
                code="unplanned_requirement",
                file=PLAN,
                text=f"{each.id} is in no milestone",
                fix=f"name {each.id} where it is built",
                level=Level.WARNING,
            )


def _markers(file: str, sections: Sequence[Section]) -> Iterator[Finding]:
    """Yield what was left for later."""
    for section in sections:
        for number, text in [(section.line, section.title), *section.lines]:
            found = _MARKER.search(text)
            if found:
                yield Finding(
                    code="unresolved_marker",
                    file=file,
                    line=number,
                    text=f"{found[0][:40]!r} was left for later",
                    fix="decide it, or move it to the open questions in words",
                )
