"""Reads the steps of a template."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.kernel.jsons import Json
from core.runs.model import Step
from core.runs.templates import argv, code, graph
from core.runs.templates.fields import Fields, Notes
from core.runs.templates.model import MOST_STEPS, nearest
from core.runs.templates.placeholders import names_in, written

FIELDS = (
    "name", "uses", "run", "argv", "with", "needs", "env", "secrets", "artifacts",
    "timeout", "tries", "continue_on_error",
)  # fmt: skip
SHELL = "shell"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_TIMEOUT = timedelta(minutes=10)
_LONGEST = timedelta(days=1)
_MOST_TRIES = 10


def read_steps(
    value: Json, notes: Notes, *, secrets: Mapping[str, str]
) -> Sequence[Step]:
    """Read all steps, in the order in which they are written.

    Shape:  `secrets` are given to every step, beside its own.
    """
    if not isinstance(value, list) or not value:
        notes.add(
            "steps",
            "a template has at least one step",
            "steps: [{name: build, run: make build}]",
        )
        return ()
    if len(value) > MOST_STEPS:
        notes.add("steps", f"there are {len(value)} steps", f"use at most {MOST_STEPS}")
        return ()
    steps = [
        _step(Fields(each, f"steps[{place}]", notes), secrets)
        for place, each in enumerate(value)
    ]
    _note_doubles(steps, notes)
    _note_needs(steps, notes)
    return steps


def in_order(steps: Sequence[Step]) -> Sequence[Step]:
    """Put steps in the order in which they run: what they need comes before them."""
    by_name = {each.name: each for each in steps}
    names, left = graph.order({each.name: each.needs for each in steps})
    return [by_name[name] for name in (*names, *left)]


def read_secrets(fields: Fields) -> dict[str, str]:
    """Read which secrets are put into the environment: a list of names, or a mapping."""
    value = fields.raw("secrets")
    if isinstance(value, dict):
        pairs = {name: _text(fields, f"secrets.{name}", value[name]) for name in value}
    else:
        pairs = {each: each for each in fields.words("secrets")}
    _note_variables(fields, "secrets", pairs)
    return pairs


def _step(fields: Fields, secrets: Mapping[str, str]) -> Step:
    fields.require_known(FIELDS)
    name = fields.text("name", such_as="build")
    if name and not _NAME.fullmatch(name):
        fix = "use 1 to 40 of a-z, 0-9, - and _"
        fields.notes.add(fields.at("name"), f"{name[:40]!r} names no step", fix)
    env = {
        key: _text(fields, f"env.{key}", each, is_empty_fine=True)
        for key, each in fields.mapping("env").items()
    }
    _note_variables(fields, "env", env)
    _note_code(fields, env)
    return Step(
        name=name,
        uses=_uses(fields),
        given=_given(fields),
        needs=tuple(fields.words("needs")),
        env=env,
        secrets={**secrets, **read_secrets(fields)},
        artifacts=tuple(fields.words("artifacts")),
        timeout=fields.duration("timeout", most=_LONGEST) or _TIMEOUT,
        tries=fields.whole("tries", 1, least=1, most=_MOST_TRIES),
        goes_on=fields.flag("continue_on_error"),
    )


def _uses(fields: Fields) -> str:
    """Read which executor does the step; `run` and `argv` are the shell's."""
    if not (fields.has("run") or fields.has("argv")):
        return fields.text("uses", limit=100, such_as=SHELL)
    uses = fields.text("uses", limit=100)
    if uses not in ("", SHELL):
        fix = "move run: and argv: under with:, or leave uses: out"
        fields.notes.add(fields.at("uses"), f"{uses} does not stand beside run:", fix)
    return SHELL


def _given(fields: Fields) -> dict[str, Json]:
    """Read what the executor is given; a `run:` line becomes `argv`."""
    given = dict(fields.mapping("with"))
    at = fields.at("with")
    for name in ("run", "argv"):
        if fields.has(name):
            given[name] = fields.raw(name)
            at = fields.path
    if "run" in given:
        _cut(given, at, fields.notes)
    if "argv" in given:
        _note_argv(given["argv"], f"{at}.argv", fields.notes)
    return given


def _cut(given: dict[str, Json], at: str, notes: Notes) -> None:
    """Put `argv` in the place of a `run:` line."""
    line = given.pop("run")
    if "argv" in given:
        notes.add(f"{at}.run", "run and argv say the same thing", "keep one of them")
        return
    if not isinstance(line, str):
        notes.add(f"{at}.run", "it is no text", "run: make build")
        return
    try:
        given["argv"] = list(argv.split(line))
    except argv.NotPlain as fault:
        script = line.strip().partition("\n")[0][:60] or "make build"
        fix = f"argv: [sh, -c, '{script}'], or one step for each command"
        notes.add(f"{at}.run", f"steps run without a shell: {fault}", fix)


def _note_argv(value: Json, at: str, notes: Notes) -> None:
    if not isinstance(value, list) or not value:
        notes.add(at, "it is no list of texts", "argv: [make, build]")
        return
    wrong = [str(each)[:40] for each in value if not isinstance(each, str)]
    if wrong:
        notes.add(at, f"{wrong[0]} is no text", f'quote it: "{wrong[0]}"')
    elif flaw := code.argv_flaw([str(each) for each in value]):
        fix = 'argv: [sh, -c, "echo \\"$OPS_PARAM_X\\""], which is read and not run'
        notes.add(at, f"a value could become code: {flaw}", fix)


def _note_variables(fields: Fields, name: str, values: Mapping[str, str]) -> None:
    for each in values:
        if not _VARIABLE.fullmatch(each):
            fix = "use letters, digits and _, such as DEPLOY_TOKEN"
            fields.notes.add(fields.at(name), f"{each[:40]!r} names no variable", fix)


def _note_code(fields: Fields, env: Mapping[str, str]) -> None:
    """Note each parameter in a variable that some program would run."""
    for name, value in env.items():
        if names_in(value) and code.is_code_variable(name):
            fix = f"write the value of {name} out, or use another variable"
            why = f"a value could become code: programs run what {name[:40]} holds"
            fields.notes.add(fields.at(f"env.{name}"), why, fix)


def _note_doubles(steps: Sequence[Step], notes: Notes) -> None:
    seen: set[str] = set()
    for place, each in enumerate(steps):
        if each.name and each.name in seen:
            fix = "give each step a name of its own"
            notes.add(f"steps[{place}].name", f"{each.name} stands twice", fix)
        seen.add(each.name)


def _note_needs(steps: Sequence[Step], notes: Notes) -> None:
    """Note the needs that no step meets, and those that go in a circle."""
    needs = {each.name: each.needs for each in steps}
    for place, step in enumerate(steps):
        for each in step.needs:
            if each not in needs:
                near = nearest(each, needs)
                fix = f"needs: [{near}]" if near else "name a step of this template"
                notes.add(f"steps[{place}].needs", f"no step is named {each[:40]}", fix)
    _, left = graph.order(needs)
    if left:
        way = " > ".join(graph.circle(needs, left))
        place = [each.name for each in steps].index(left[0])
        fix = "take one of these needs away"
        notes.add(f"steps[{place}].needs", f"they go in a circle: {way}", fix)


def _text(
    fields: Fields, name: str, value: Json, *, is_empty_fine: bool = False
) -> str:
    """Read what is a text for a process, which YAML may have taken for a number."""
    is_missing = value is None and not is_empty_fine
    if is_missing or isinstance(value, list | dict):
        fields.refuse(name, value, f"write {name.partition('.')[2]}: a text")
    return "" if value is None else written(value)
