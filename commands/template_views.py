"""What is shown of templates, and how their data is filled in."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from commands import blocks
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.reply import SUMMARY_LIMIT, Block, Code, Reply
from core.runs.model import NewRun, Step
from core.runs.templates.model import Definition, Edition, Flaw, Template
from core.runs.templates.reading import read
from core.runs.templates.steps import in_order

_FLAWS_SHOWN = 20


def view_of(template: Template) -> dict[str, Json]:
    """Show a template."""
    definition = template.definition
    created_at = to_iso(template.created_at) if template.created_at else None
    return {
        "id": template.id,
        "name": template.name,
        "edition": template.edition,
        "latest": template.latest,
        "is_built_in": template.is_built_in,
        **_settings_of(definition),
        "params": dict(definition.params),
        "steps": [step_view(each) for each in definition.steps],
        "text": template.text,
        "author": template.author,
        "created_at": created_at,
        "problems": [flaw_view(each) for each in read(template.text).flaws],
        "etag": template.etag,
    }


def edition_view(edition: Edition) -> dict[str, Json]:
    """Show one text that a template had."""
    return {
        "edition": edition.edition,
        "author": edition.author,
        "created_at": to_iso(edition.created_at),
        "text": edition.text,
    }


def flaw_view(flaw: Flaw) -> dict[str, Json]:
    """Show what is wrong."""
    return {
        "field": flaw.field,
        "line": flaw.line,
        "problem": flaw.text,
        "fix": flaw.fix,
    }


def step_view(step: Step) -> dict[str, Json]:
    """Show a step."""
    return {
        "name": step.name,
        "uses": step.uses,
        "with": dict(step.given),
        "needs": list[Json](step.needs),
        "env": dict[str, Json](step.env),
        "secrets": dict[str, Json](step.secrets),
        "artifacts": list[Json](step.artifacts),
        "timeout_s": step.timeout.total_seconds(),
        "tries": step.tries,
        "continue_on_error": step.goes_on,
    }


def one_of(template: Template, summary: str) -> Reply:
    """Show one template, with what can be done about it."""
    name, definition = template.name, template.definition
    return Reply(
        summary=summary[:SUMMARY_LIMIT],
        blocks=(
            blocks.fields(
                ("what", definition.description),
                ("edition", edition_of(template)),
                ("lane", definition.lane),
                ("labels", ", ".join(sorted(definition.labels))),
                ("danger", definition.danger),
            ),
            *_params_block(definition),
            blocks.table(
                ("step", "uses", "needs", "timeout"),
                [
                    (each.name, each.uses, ", ".join(each.needs), _span(each.timeout))
                    for each in in_order(definition.steps)
                ],
            ),
            Code(text=template.text, lang="yaml"),
            blocks.actions(
                ("Dry run", f"template run {name} --dry-run"),
                ("Versions", f"template versions {name}"),
            ),
        ),
        data=view_of(template),
    )


def as_written(template: Template) -> NewRun:
    """Make the run that a template would be if its parameters stayed where they are."""
    definition = template.definition
    return NewRun(
        lane=definition.lane,
        priority=definition.priority,
        labels=definition.labels,
        concurrency_key=definition.concurrency_key,
        concurrency_limit=definition.concurrency_limit,
        steps=in_order(definition.steps),
    )


def trial_of(template: Template, run: NewRun, flaws: Sequence[Flaw]) -> Reply:
    """Show what a template would become, or all that keeps it from that."""
    said = f"has {blocks.count(len(flaws), 'problem')}" if flaws else "can run"
    return Reply(
        summary=f"{template.name} {said} with these parameters"[:SUMMARY_LIMIT],
        blocks=(
            blocks.fields(*_params(run.input)),
            *flaws_block(flaws),
            *([] if flaws else [_step_lines(run.steps)]),
            blocks.fields(("danger", template.definition.danger)),
        ),
        data=trial_view(template, run, flaws),
    )


def trial_view(
    template: Template, run: NewRun, flaws: Sequence[Flaw]
) -> dict[str, Json]:
    """Show what a template would become for programs."""
    return {
        "name": template.name,
        "edition": template.edition,
        "is_valid": not flaws,
        "params": dict(run.input),
        "problems": [flaw_view(each) for each in flaws],
        "lane": run.lane.value,
        "priority": run.priority,
        "labels": list[Json](sorted(run.labels)),
        "concurrency": _concurrency(run.concurrency_key, run.concurrency_limit),
        "danger": template.definition.danger,
        "steps": [] if flaws else [step_view(each) for each in run.steps],
    }


def flaws_block(flaws: Sequence[Flaw]) -> Sequence[Block]:
    """Show what is wrong under each other."""
    if not flaws:
        return ()
    rows = [(each.field, each.line or "", each.text, each.fix) for each in flaws]
    return [blocks.table(("field", "line", "problem", "fix"), rows[:_FLAWS_SHOWN])]


def edition_of(template: Template) -> str:
    """Write which edition it is: `3 of 4`."""
    if template.is_built_in:
        return "built in"
    is_latest = template.edition == template.latest
    return f"{template.edition}{'' if is_latest else f' of {template.latest}'}"


def _settings_of(definition: Definition) -> dict[str, Json]:
    retry = definition.retry
    key, limit = definition.concurrency_key, definition.concurrency_limit
    return {
        "description": definition.description,
        "lane": definition.lane.value,
        "priority": definition.priority,
        "labels": list[Json](sorted(definition.labels)),
        "concurrency": _concurrency(key, limit),
        "retry": {
            "max_attempts": retry.max_attempts,
            "backoff": retry.backoff.value,
            "base_s": retry.base.total_seconds(),
            "longest_s": retry.longest.total_seconds(),
            "never": list[Json](sorted(retry.never)),
        },
        "deadline_s": _seconds(definition.deadline),
        "ttl_s": _seconds(definition.ttl),
        "danger": definition.danger,
    }


def _concurrency(key: str, limit: int) -> dict[str, Json]:
    return {"key": key, "limit": limit}


def _seconds(length: timedelta | None) -> float | None:
    return length.total_seconds() if length is not None else None


def _span(length: timedelta) -> str:
    return f"{length.total_seconds():g} s"


def _params_block(definition: Definition) -> Sequence[Block]:
    if not definition.properties:
        return ()
    required = set(definition.required)
    rows = [
        (
            name,
            _kind(schema),
            _default(schema, is_required=name in required),
            _doc(schema),
        )
        for name, schema in definition.properties.items()
    ]
    return [blocks.table(("parameter", "type", "default", "what"), rows)]


def _kind(schema: Json) -> str:
    if not isinstance(schema, dict):
        return ""
    choices = schema.get("enum")
    if isinstance(choices, list):
        return " | ".join(str(each) for each in choices)
    kind = schema.get("type", "")
    return " or ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _default(schema: Json, *, is_required: bool) -> str:
    if isinstance(schema, dict) and "default" in schema:
        return str(schema["default"])
    return "(required)" if is_required else ""


def _doc(schema: Json) -> str:
    return str(schema.get("description", "")) if isinstance(schema, dict) else ""


def _params(values: Mapping[str, Json]) -> Sequence[tuple[str, object]]:
    return [(name, str(value)[:200]) for name, value in values.items()]


def _step_lines(steps: Sequence[Step]) -> Block:
    lines = [
        f"{place}. {each.name} ({each.uses})" for place, each in enumerate(steps, 1)
    ]
    return Code(text="\n".join(lines), lang="text")
