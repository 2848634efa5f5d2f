"""From the text of a template to what it says, or to all that is wrong with it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument, Problem
from core.runs.model import Backoff, RetryRule, Step
from core.runs.templates import placeholders, yamls
from core.runs.templates.fields import Fields, Notes
from core.runs.templates.model import (
    Definition,
    Flaw,
    nearest,
    parse_name,
    require_flawless,
)
from core.runs.templates.params import read_schema
from core.runs.templates.steps import FIELDS as STEP_FIELDS
from core.runs.templates.steps import read_secrets, read_steps

StepCheck = Callable[[Step], None]
"""Refuses a step that no executor could ever run, as `Executor.check` does."""

FIELDS = (
    "name", "description", "params", "lane", "priority", "labels", "concurrency",
    "retry", "deadline", "ttl", "approval", "danger", "secrets", "steps",
)  # fmt: skip

_LONGEST = timedelta(days=30)
_LONGEST_PAUSE = timedelta(days=1)
_RETRY = RetryRule()
_REMEMBERED = 8_192


class Read(NamedTuple):
    """What a text says; `definition` is as good as it gets when there are flaws."""

    definition: Definition
    flaws: tuple[Flaw, ...] = ()


def read(text: str) -> Read:
    """Read a template, and note everything that is wrong with it.

    Shape:  short texts, as nearly all are, are read once and remembered.
    """
    return _remembered(text) if len(text) <= _REMEMBERED else read_anew(text)


def read_anew(text: str) -> Read:
    """Read a template that may be like no other."""
    try:
        document = yamls.load(text)
    except yamls.Flawed as fault:
        return Read(Definition(name=""), (fault.flaw,))
    notes = Notes(document.lines)
    definition = _definition(Fields(document.value, "", notes))
    return Read(definition, tuple(notes.flaws))


@lru_cache(maxsize=256)
def _remembered(text: str) -> Read:
    return read_anew(text)


def parse(text: str) -> Definition:
    """Read a template that has nothing wrong with it.

    Raises: InvalidArgument naming all that is.
    """
    found = read(text)
    require_flawless("the template", found.flaws)
    return found.definition


def flaws_of_steps(steps: Sequence[Step], check: StepCheck) -> Iterator[Flaw]:
    """Ask of each step whether some executor can run it.

    Shape:  of a step that waits for parameters still, only what does not depend on
            them is told: whether there is such an executor.
    """
    for place, step in enumerate(steps):
        try:
            check(step)
        except Problem as problem:
            extra = problem.extra
            named = str(extra.get("field") or extra.get("argument") or "")
            if named == "uses" or not _has_placeholder(step):
                at = _path_of(f"steps[{place}]", named)
                yield Flaw(field=at, text=problem.detail, fix="; ".join(problem.fix))


def _path_of(step: str, named: str) -> str:
    """Write the path to what an executor calls by a name: its fields are in `with`."""
    if not named:
        return step
    own = step if named in STEP_FIELDS else yamls.join(step, "with")
    return yamls.join(own, named)


def _has_placeholder(step: Step) -> bool:
    return any(True for _ in placeholders.uses_in(dict(step.given), ""))


def _definition(fields: Fields) -> Definition:
    fields.require_known(FIELDS)
    notes = fields.notes
    concurrency = Fields(fields.mapping("concurrency"), "concurrency", notes)
    concurrency.require_known(("key", "limit"))
    definition = Definition(
        name=_name(fields),
        description=fields.text("description", limit=2_000),
        params=read_schema(fields),
        lane=fields.choice("lane", Lane.C),
        priority=fields.whole("priority", 0, least=-100, most=100),
        labels=frozenset(fields.words("labels")),
        concurrency_key=concurrency.text("key", limit=200),
        concurrency_limit=concurrency.whole("limit", 1, least=1, most=1_000),
        retry=_retry(Fields(fields.mapping("retry"), "retry", notes)),
        deadline=fields.duration("deadline", most=_LONGEST),
        ttl=fields.duration("ttl", most=_LONGEST),
        needs_approval=fields.flag("approval"),
        danger=fields.text("danger", limit=500),
        steps=read_steps(fields.raw("steps"), notes, secrets=read_secrets(fields)),
    )
    _note_uses(fields, definition)
    return definition


def _name(fields: Fields) -> str:
    name = fields.text("name", limit=40, such_as="deploy")
    try:
        return parse_name(name) if name else ""
    except InvalidArgument as problem:
        fields.notes.add("name", problem.detail, "; ".join(problem.fix))
        return ""


def _retry(fields: Fields) -> RetryRule:
    fields.require_known(("max_attempts", "backoff", "base", "longest", "never"))
    most = _LONGEST_PAUSE
    return RetryRule(
        max_attempts=fields.whole(
            "max_attempts", _RETRY.max_attempts, least=1, most=20
        ),
        backoff=fields.choice("backoff", Backoff.EXPONENTIAL),
        base=fields.duration("base", most=most) or _RETRY.base,
        longest=fields.duration("longest", most=most) or _RETRY.longest,
        never=frozenset(fields.words("never")),
    )


def _note_uses(fields: Fields, definition: Definition) -> None:
    """Note each use of a parameter that is not declared, or stands where none may."""
    known = definition.properties
    values_go = ("with", "run", "argv", "env", "artifacts")
    for name in FIELDS:
        if name in ("params", "description", "danger"):
            continue
        for use in placeholders.uses_in(fields.raw(name), name):
            after = use.path.partition("].")[2]
            is_place = after.startswith(values_go) or use.path == "concurrency.key"
            if not use.name:
                fix = "write {{ params.name }}; other braces go into a parameter"
                fields.notes.add(use.path, "{{ begins no placeholder here", fix)
            elif not is_place:
                fix = f"parameters go into {', '.join(values_go)} and concurrency.key"
                fields.notes.add(use.path, "no parameter may stand here", fix)
            elif use.name not in known:
                near = nearest(use.name, known)
                fix = (
                    f"write {near}" if near else f"declare params.properties.{use.name}"
                )
                why = f"the parameter {use.name[:40]} is not declared"
                fields.notes.add(use.path, why, fix)
