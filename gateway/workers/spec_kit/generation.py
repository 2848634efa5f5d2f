"""Writes a first spec kit from a project's name and its description."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.workers.spec_kit import wording
from gateway.workers.spec_kit.model import CONSTITUTION, PLAN, PRD, TASKS

MOST_REQUIREMENTS = 20

_BULLET = re.compile(r"^\s*(?:[-*+•]|[0-9]{1,2}[.)])\s+")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_UNSAFE = re.compile(r"[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_TITLE_LENGTH = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing that the description asks for, in its own words."""

    number: int
    title: str
    text: str

    @property
    def id(self) -> str:
        """Its name: `REQ-1`."""
        return f"REQ-{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What a kit is written from."""

    name: str
    summary: str
    requirements: Sequence[Requirement]
    is_cut: bool = False


def generate(name: str, description: str) -> Mapping[str, str]:
    """Write the four files of a kit; the same words always give the same kit."""
    brief = read_brief(name, description)
    return {
        CONSTITUTION: wording.CONSTITUTION.format(name=brief.name),
        PRD: _prd(brief),
        PLAN: _plan(brief),
        TASKS: _tasks(brief),
    }


def slug(name: str) -> str:
    """Make of a project's name one that files can have."""
    words = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return words[:40].strip("-") or "project"


def read_brief(name: str, description: str) -> Brief:
    """Find out what a description asks for: each sentence, or each line of a list."""
    called = _plain(name)[:80] or "The project"
    clauses = list(dict.fromkeys(_clauses(description)))
    texts = clauses[:MOST_REQUIREMENTS] or [f"{called} does what it was begun for."]
    return Brief(
        name=called,
        summary=" ".join(clauses) or f"{called} has no description yet.",
        requirements=[
            Requirement(number=place, title=_title(each), text=each)
            for place, each in enumerate(texts, 1)
        ],
        is_cut=len(clauses) > MOST_REQUIREMENTS,
    )


def _clauses(description: str) -> Sequence[str]:
    """Cut a description; the lines of a paragraph belong together, those of a list not."""
    parts: list[str] = []
    is_open = False
    for line in description.splitlines():
        text = _plain(_BULLET.sub("", line))
        is_bullet = bool(_BULLET.match(line))
        if is_open and text and not is_bullet:
            parts[-1] = f"{parts[-1]} {text}"
        elif text:
            parts.append(text)
        is_open = bool(text)
    sentences = [each for part in parts for each in _SENTENCE.split(part)]
    found = [each.strip(" ;") for each in sentences]
    return [_sentence(each) for each in found if re.search(r"\w\w", each)]


def _sentence(text: str) -> str:
    whole = text[0].upper() + text[1:]
    return whole if whole[-1] in ".!?" else f"{whole}."


def _title(text: str) -> str:
    words = text.rstrip(".!?")
    if len(words) <= _TITLE_LENGTH:
        return words
    return f"{words[:_TITLE_LENGTH].rsplit(' ', 1)[0]}…"


def _plain(text: str) -> str:
    """Make of a text one line that Markdown takes for nothing else."""
    line = " ".join(_UNSAFE.sub("", text).split())
    return line.replace("<", "&lt;").replace("|", "\\|").lstrip("#").strip()


def _prd(brief: Brief) -> str:
    requirements = [
        wording.REQUIREMENT.format(
            id=each.id, n=each.number, title=each.title, text=each.text, name=brief.name
        )
        for each in brief.requirements
    ]
    more = [wording.CUT] if brief.is_cut else []
    return wording.PRD.format(
        name=brief.name,
        summary=brief.summary,
        goals="\n".join(f"- {each.title} ({each.id})" for each in brief.requirements),
        requirements="\n".join(requirements),
        questions="\n".join([*wording.QUESTIONS, *more]),
    )


def _plan(brief: Brief) -> str:
    every = ", ".join(each.id for each in brief.requirements)
    rows = [
        f"| M{each.number} | {each.title} | {each.id} | "
        f"all of AC-{each.number}.* pass in CI |"
        for each in brief.requirements
    ]
    last = len(rows) + 1
    rows.append(f"| M{last} | First release | {every} | the release notes name each |")
    return wording.PLAN.format(name=brief.name, milestones="\n".join(rows), every=every)


def _tasks(brief: Brief) -> str:
    every = ", ".join(each.id for each in brief.requirements)
    lines = [(every, wording.FRAME_TASK)]
    for each in brief.requirements:
        lines += [
            (each.id, text.format(n=each.number, title=each.title))
            for text in wording.TASKS_OF_ONE
        ]
    lines.append((every, wording.RELEASE_TASK))
    width = len(str(len(lines)))
    numbered = [
        f"- [ ] TASK-{place:0{max(width, 2)}d} ({ids}): {text}"
        for place, (ids, text) in enumerate(lines, 1)
    ]
    return wording.TASKS.format(name=brief.name, tasks="\n".join(numbered))
