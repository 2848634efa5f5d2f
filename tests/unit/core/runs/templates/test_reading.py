"""All that is wrong with a template is told at once, each with its place and fix."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.runs.model import Backoff
from core.runs.templates import reading, steps, yamls
from core.runs.templates.builtins import built_in
from core.runs.templates.reading import parse, read, read_anew
from tests.unit.core.runs.templates.test_yamls import JUNK, VALUES

WHOLE = """\
name: deploy
description: Brings a version to a place.
lane: A
priority: 5
labels: [linux, big]
concurrency: {key: "deploy-{{ params.env }}", limit: 2}
retry: {max_attempts: 5, backoff: linear, base: 10s, longest: 2m, never: [exit_code]}
deadline: 1h30m
ttl: 2d
danger: It restarts the site.
secrets: [TOKEN]
params:
  properties:
    env: {type: string, enum: [staging, prod]}
    version: {type: string, default: "1.0"}
  required: [env]
steps:
  - name: release
    uses: docker
    with: {image: "site:{{ params.version }}", argv: [deploy, "{{ params.env }}"]}
    needs: [build]
    secrets: {KEY: deploy-key}
    timeout: 90
    tries: 3
    continue_on_error: true
  - name: build
    run: make build VERSION={{ params.version }}
    env: {DEBUG: 1, FAST: true}
    artifacts: ["dist/*-{{ params.version }}.whl"]
"""


def flaws_in(text: str) -> list[tuple[str, str]]:
    """Pair the field and the fix of each flaw."""
    return [(each.field, each.fix) for each in read(text).flaws]


def test_everything_that_a_template_says_is_read() -> None:
    """M-RUN-11, M-RUN-12."""
    found = parse(WHOLE)
    release, build = found.steps

    assert (found.name, found.lane, found.priority) == ("deploy", Lane.A, 5)
    assert found.labels == {"linux", "big"}
    assert (found.concurrency_limit, found.deadline) == (2, timedelta(minutes=90))
    assert (found.ttl, found.danger) == (timedelta(days=2), "It restarts the site.")
    assert (found.retry.max_attempts, found.retry.backoff) == (5, Backoff.LINEAR)
    assert found.retry.never == {"exit_code"}
    assert list(found.properties) == ["env", "version"]
    assert release.secrets == {"TOKEN": "TOKEN", "KEY": "deploy-key"}
    assert (release.timeout, release.tries) == (timedelta(seconds=90), 3)
    assert release.goes_on
    assert build.uses == "shell"
    assert build.given == {"argv": ["make", "build", "VERSION={{ params.version }}"]}
    assert build.env == {"DEBUG": "1", "FAST": "true"}
    assert [each.name for each in steps.in_order(found.steps)] == ["build", "release"]


def test_a_plain_template_needs_a_name_and_steps() -> None:
    found = parse("name: hello\nsteps: [{name: greet, run: echo hello}]")

    assert (found.lane, found.retry.max_attempts) == (Lane.C, 3)
    assert found.steps[0].timeout == timedelta(minutes=10)


@pytest.mark.parametrize(
    ("before", "after", "flaw"),
    [
        ("lane: A", "laen: A", ("laen", "write lane:")),
        ("lane: A", "lane: E", ("lane", "use A, B, C, D")),
        ("priority: 5", "priority: high", ("priority", "use -100 to 100")),
        ("priority: 5", "priority: 500", ("priority", "use -100 to 100")),
        ("name: deploy", "name: t-12", ("name", "put a word before it: my-t-12")),
        ("deadline: 1h30m", "deadline: soon", ("deadline", "write deadline: 90s, 15m or 1h30m; at most 30 d")),
        ("limit: 2", "limit: 0", ("concurrency.limit", "use 1 to 1000")),
        ("backoff: linear", "backoff: liner", ("retry.backoff", "backoff: linear")),
        ("labels: [linux, big]", "labels: [1]", ("labels[0]", 'quote it: "1"')),
        ("needs: [build]", "needs: [biuld]", ("steps[0].needs", "needs: [build]")),
        ("needs: [build]", "needs: [release]", ("steps[0].needs", "take one of these needs away")),
        ("- name: build", "- name: release", ("steps[1].name", "give each step a name of its own")),
        ("- name: build", "- name: Build It", ("steps[1].name", "use 1 to 40 of a-z, 0-9, - and _")),
        ("tries: 3", "tries: 0", ("steps[0].tries", "use 1 to 10")),
        ("timeout: 90", "tiemout: 90", ("steps[0].tiemout", "write timeout:")),
        ("uses: docker", "uses: '{{ params.env }}'", ("steps[0].uses", "parameters go into with, run, argv, env, artifacts and concurrency.key")),
        ("params.env }}\"]", "params.evn }}\"]", ("steps[0].with.argv[1]", "write env")),
        ("[deploy, ", "[sh, -c, ", ("steps[0].with.argv", 'argv: [sh, -c, "echo \\"$OPS_PARAM_X\\""], which is read and not run')),
        ("make build V", "make | tee V", ("steps[1].run", "argv: [sh, -c, 'make | tee VERSION={{ params.version }}'], or one step for each command")),
        ("enum: [staging, prod]", "enum: staging", ("params.properties.env.enum", "see json-schema.org, draft 2020-12")),
        ("required: [env]", "required: [enf]", ("params.required", "write env")),
        ("type: string, default: \"1.0\"", "type: integer, default: x", ("params.properties.version.default", "give a default that fits, or none")),
        ("type: string, default: \"1.0\"", "$ref: 'http://example.com/x'", ("params.properties.version.$ref", "leave $ref out")),
        ("type: string, default: \"1.0\"", "pattern: '(?=a)'", ("params.properties.version.pattern", "use a regular expression without lookaround and back references")),
        ("    env: {type", "    ENV: {type: string}\n    env: {type", ("params.properties.env", "use names that differ in more than case")),
        ("DEBUG: 1", "DEBUG: [1]", ("steps[1].env.DEBUG", "write DEBUG: a text")),
        ("{KEY: deploy-key}", "{KEY: }", ("steps[0].secrets.KEY", "write KEY: a text")),
        ("DEBUG: 1", "a-b: 1", ("steps[1].env", "use letters, digits and _, such as DEPLOY_TOKEN")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_fix(
    before: str, after: str, flaw: tuple[str, str]
) -> None:
    """M-RUN-12."""
    assert before in WHOLE

    found = flaws_in(WHOLE.replace(before, after, 1))

    assert flaw in found


def test_all_is_told_at_once() -> None:
    """M-RUN-12: nobody mends one fault to be told of the next."""
    text = WHOLE
    for before, after in (
        ("lane: A", "lane: E"), ("tries: 3", "tries: x"), ("needs: [build]", "needs: [a]"),
    ):  # fmt: skip
        text = text.replace(before, after)

    with pytest.raises(InvalidArgument) as refused:
        parse(text)

    problems = refused.value.extra["problems"]
    assert isinstance(problems, list)
    assert [each.partition(" ")[0] for each in problems] == [
        "lane", "steps[0].tries", "steps[0].needs",
    ]  # fmt: skip
    assert all("(line " in each and "(fix: " in each for each in problems)


def test_a_schema_has_an_end() -> None:
    many = {f"p{each}": {"type": "string"} for each in range(600)}
    text = yamls.dump({"name": "x", "params": {"properties": many}, "steps": [{"name": "a", "uses": "noop"}]})  # type: ignore[dict-item]  # fmt: skip

    assert [each for each, _ in flaws_in(text)] == ["params"]


def test_flaws_have_lines() -> None:
    found = read(WHOLE.replace("tries: 3", "tries: x"))

    assert [each.line for each in found.flaws] == [24]


@given(JUNK)
def test_any_text_is_a_template_or_has_flaws(text: str) -> None:
    """R-19: nothing but Problems, whatever is stored."""
    found = read_anew(text)

    assert found.flaws or found.definition.steps


@given(st.dictionaries(st.sampled_from(reading.FIELDS), VALUES))
def test_fields_of_any_type_are_read_or_refused(fields: dict[str, object]) -> None:
    found = read_anew(yamls.dump({**fields}))  # type: ignore[dict-item]

    assert found.flaws or found.definition.steps


@given(st.dictionaries(st.sampled_from(steps.FIELDS), VALUES), VALUES)
def test_steps_of_any_shape_are_read_or_refused(
    fields: dict[str, object], params: object
) -> None:
    text = yamls.dump({"name": "x", "params": params, "steps": [{"name": "a", "uses": "noop", **fields}]})  # type: ignore[dict-item]  # fmt: skip

    found = read_anew(text)

    assert all(each.text for each in found.flaws)


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_template_says_what_it_is_for(name: str) -> None:
    found = built_in()[name]

    assert found.definition.description
    assert all(
        isinstance(each, dict) and each.get("description")
        for each in found.definition.properties.values()
    )
