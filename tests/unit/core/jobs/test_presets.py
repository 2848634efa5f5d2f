"""Presets and tools: named, checked when they are made, and safe to fill in."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Database, Tx
from core.jobs.presets import service as presets
from core.jobs.presets.builtin import PRESETS
from core.jobs.presets.model import MOST, Preset, checked
from core.jobs.presets.prompt import check_prompt, fill_prompt
from core.jobs.tools import service as tools
from core.jobs.tools.model import Tool, ToolKind
from core.kernel.jsons import Json
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import AlreadyExists, Conflict, InvalidArgument, NotFound

OTHER = system(TenantId("other"))
WEEKLY = Preset(name="weekly", prompt="Sum up {{ input.news }}", input={"news": []})
SEARCH = Tool(name="search-docs", description="Searches", kind=ToolKind.MCP)


def subject(**values: Json) -> Mapping[str, Json]:
    return {"title": "T", "description": "", "input": values}


def test_a_preset_is_read_as_it_was_made(db: Database, ann: Principal) -> None:
    """M-JOB-09."""
    made = db.run(lambda tx: presets.create(tx, WEEKLY), by=ann)

    assert (made.author, made.prompt) == ("ann", WEEKLY.prompt)
    assert db.run(lambda tx: presets.get_(tx, "weekly"), by=ann) == made
    names = [each.name for each in db.run(presets.list_, by=ann)]
    assert names == ["changelog", "lint", "release-notes", "weekly"]


def test_a_preset_changes_and_goes(db: Database, ann: Principal) -> None:
    db.run(lambda tx: presets.create(tx, WEEKLY), by=ann)

    later = replace(WEEKLY, description="For Mondays", variants=4)
    changed = db.run(lambda tx: presets.change(tx, later), by=ann)
    assert (changed.description, changed.variants) == ("For Mondays", 4)

    db.run(lambda tx: presets.delete(tx, "weekly"), by=ann)
    with pytest.raises(NotFound):
        db.run(lambda tx: presets.get_(tx, "weekly"), by=ann)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_what_comes_with_opswire_stays(db: Database, ann: Principal, name: str) -> None:
    with pytest.raises(AlreadyExists):
        db.run(lambda tx: presets.create(tx, replace(WEEKLY, name=name)), by=ann)
    with pytest.raises(Conflict, match="comes with Opswire") as refused:
        db.run(lambda tx: presets.delete(tx, name), by=ann)

    assert refused.value.fix == (f"preset create my-{name} --like {name}",)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_of_opswire_works_as_it_is(name: str) -> None:
    preset = PRESETS[name]

    checked(preset)
    filled = fill_prompt(preset.prompt, subject(**preset.input))

    assert "{{" not in filled
    assert "T" in filled


def test_presets_belong_to_their_tenant(db: Database, ann: Principal) -> None:
    """R-60."""
    db.run(lambda tx: presets.create(tx, WEEKLY), by=ann)
    db.run(lambda tx: tools.create(tx, SEARCH), by=ann)

    assert len(db.run(presets.list_, by=OTHER)) == len(PRESETS)
    assert db.run(tools.list_, by=OTHER) == []
    with pytest.raises(NotFound):
        db.run(lambda tx: presets.delete(tx, "weekly"), by=OTHER)
    with pytest.raises(NotFound):
        db.run(lambda tx: tools.change(tx, SEARCH), by=OTHER)


def test_a_team_has_two_hundred_presets_at_most(db: Database, ann: Principal) -> None:
    def fill(tx: Tx) -> None:
        for number in range(MOST):
            presets.create(tx, replace(WEEKLY, name=f"p-{number:03}x"))

    db.run(fill, by=ann)

    with pytest.raises(Conflict, match="200 presets"):
        db.run(lambda tx: presets.create(tx, WEEKLY), by=ann)


@pytest.mark.parametrize(
    "preset",
    [
        replace(WEEKLY, name="W 1"),
        replace(WEEKLY, name="t-12"),
        replace(WEEKLY, prompt=""),
        replace(WEEKLY, prompt="x" * 20_001),
        replace(WEEKLY, prompt="{{ }}"),
        replace(WEEKLY, prompt="{{ input.x"),
        replace(WEEKLY, prompt="input.x }}"),
        replace(WEEKLY, prompt="{{ {{ input.x }} }}"),
        replace(WEEKLY, prompt="{{ input. }}"),
        replace(WEEKLY, description="two\nlines"),
        replace(WEEKLY, variants=0),
        replace(WEEKLY, variants=9),
        replace(WEEKLY, input={"x": "y" * 70_000}),
        replace(WEEKLY, tools=[f"tool-{n}x" for n in range(11)]),
    ],
)
def test_a_preset_that_could_not_work_is_refused(preset: Preset) -> None:
    with pytest.raises(InvalidArgument) as refused:
        checked(preset)

    assert refused.value.fix


def test_a_preset_names_tools_that_there_are(db: Database, ann: Principal) -> None:
    with pytest.raises(NotFound, match="the tool search-docs"):
        db.run(
            lambda tx: presets.create(tx, replace(WEEKLY, tools=["search-docs"])),
            by=ann,
        )


@given(text=st.text(max_size=100))
def test_what_is_put_in_is_never_read_again(text: str) -> None:
    """A value with braces, or with another expression in it, stays what it is."""
    for value in (text, f"{{{{ input.b }}}}{text}", "{{ title }}"):
        filled = fill_prompt("<{{ input.a }}|{{input.b}}>", subject(a=value, b="b"))

        assert filled == f"<{value}|b>"


def test_single_braces_are_left_alone() -> None:
    prompt = 'Answer as {"a": {"b": 1}} for {{ title }}'.replace("}} for", "} } for")

    check_prompt(prompt)

    assert fill_prompt(prompt, subject()) == prompt.replace("{{ title }}", "T")


def test_no_expression_runs_code() -> None:
    with pytest.raises(InvalidArgument):
        fill_prompt("{{ __import__('os') }}", subject())


def test_what_the_job_does_not_say_is_named() -> None:
    with pytest.raises(InvalidArgument, match="wants version in the input"):
        fill_prompt("{{ input.version }}", subject())


@pytest.mark.parametrize(
    "expression", ["evil.x", "evil", "input.a || evil", "join(', ', names)"]
)
def test_a_prompt_begins_with_what_a_job_has(expression: str) -> None:
    """M-JOB-09: it is refused when it is made, and not when a job wants it."""
    with pytest.raises(InvalidArgument, match="no job has") as refused:
        checked(replace(WEEKLY, prompt=f"a {{{{ {expression} }}}}"))

    assert refused.value.fix[0].startswith("write {{ input.")


def test_a_tool_that_presets_name_stays(db: Database, ann: Principal) -> None:
    db.run(lambda tx: tools.create(tx, SEARCH), by=ann)
    with_tool = replace(WEEKLY, tools=("search-docs",))
    db.run(lambda tx: presets.create(tx, with_tool), by=ann)

    with pytest.raises(Conflict, match="named by the preset weekly") as refused:
        db.run(lambda tx: presets.require_unnamed(tx, "search-docs"), by=ann)

    assert refused.value.extra["presets"] == ["weekly"]
    db.run(lambda tx: presets.delete(tx, "weekly"), by=ann)
    db.run(lambda tx: presets.require_unnamed(tx, "search-docs"), by=ann)


def test_a_tool_that_is_gone_is_told_with_its_preset(
    db: Database, ann: Principal
) -> None:
    with pytest.raises(Conflict, match="the preset weekly gives the tool gone") as bad:
        db.run(lambda tx: tools.offered(tx, ["gone"], preset="weekly"), by=ann)

    assert "preset set weekly --tools <the others>" in bad.value.fix


def test_a_prompt_stays_within_bounds() -> None:
    with pytest.raises(InvalidArgument, match="characters long"):
        fill_prompt("{{ input.a }}" * 20, subject(a="x" * 9_000))


def test_a_tool_is_registered_changed_and_removed(db: Database, ann: Principal) -> None:
    made = db.run(lambda tx: tools.create(tx, SEARCH), by=ann)
    assert db.run(tools.list_, by=ann) == [made]
    with pytest.raises(AlreadyExists):
        db.run(lambda tx: tools.create(tx, SEARCH), by=ann)

    off = replace(SEARCH, is_enabled=False)
    assert not db.run(lambda tx: tools.change(tx, off), by=ann).is_enabled
    with pytest.raises(Conflict, match="switched off"):
        db.run(lambda tx: tools.offered(tx, ["search-docs"], preset="w"), by=ann)

    db.run(lambda tx: tools.delete(tx, "search-docs"), by=ann)
    assert db.run(tools.list_, by=ann) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"type": "array"},
        {"type": "object", "properties": 7},
        {"type": "object", "properties": {"a": {"type": "word"}}},
        {"type": "object", "$ref": "https://example.org/schema"},
        {"type": "object", "description": "x" * 9_000},
    ],
)
def test_parameters_are_a_schema_of_an_object(
    db: Database, ann: Principal, parameters: dict[str, Json]
) -> None:
    tool = replace(SEARCH, parameters=parameters)

    with pytest.raises(InvalidArgument):
        db.run(lambda tx: tools.create(tx, tool), by=ann)


def test_a_schema_may_not_be_endlessly_deep(db: Database, ann: Principal) -> None:
    deep: Json = {"type": "object"}
    for _ in range(100):
        deep = {"type": "object", "properties": {"a": deep}}
    assert isinstance(deep, dict)
    tool = replace(SEARCH, parameters=deep)

    with pytest.raises(InvalidArgument, match="nested"):
        db.run(lambda tx: tools.create(tx, tool), by=ann)


def test_lists_of_texts_are_put_in_line_by_line() -> None:
    filled = fill_prompt("{{ input.a }}|{{ input.b }}", subject(a=["x", "y"], b=[]))

    assert filled == "- x\n- y|(none)"
