"""Commands that try templates, and make runs of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_params import parse_params
from commands.run_replies import begun
from commands.run_start import reply_to_of
from commands.run_views import RunData
from commands.schema import Doc
from commands.template_data import (
    TemplateTrialData,
)
from commands.template_views import (
    as_written,
    flaws_block,
    trial_of,
    trial_view,
)
from commands.templates import Named, Written, change_commands
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import SUMMARY_LIMIT, Block, Reply
from core.runs import service as runs
from core.runs.templates import service as templates
from core.runs.templates import yamls
from core.runs.templates.model import Template, require_flawless
from core.runs.templates.reading import StepCheck, read

Params = Annotated[Sequence[str], Doc("Its parameters, such as env=prod.")]
JsonParams = Annotated[
    dict[str, Any] | None, Doc("Parameters of any type, or named like a flag.")
]


class _Trials:
    """Handlers of the commands that make runs of templates, or only would."""

    def __init__(self, check: StepCheck) -> None:
        self._check = check

    def validate(
        self,
        ctx: Context,
        template: Annotated[str, Doc("A template's name or id.")] = "",
        params: Params = (),
        *,
        json_params: JsonParams = None,
        text: Annotated[str, Doc("A template that is not stored, as YAML.")] = "",
        definition: Written = None,
    ) -> Reply:
        """Say all that is wrong with parameters, or with the text of a template."""
        if [bool(template), bool(text), definition is not None].count(True) != 1:
            raise InvalidArgument(
                "either a template or a text is tried",
                fix=["template validate deploy env=prod", "template validate --text …"],
                argument="template",
            )
        if not template:
            return _judged(text or yamls.dump(definition), self._check)
        given = parse_params(params, json_params)
        return _tried(ctx, template, given, self._check)

    def run(
        self,
        ctx: Context,
        template: Named,
        params: Params = (),
        *,
        json_params: JsonParams = None,
        edition: Annotated[int, Doc("An earlier one; the latest if left out.")] = 0,
    ) -> Reply:
        """Start a run of a template; a dry run says all that is wrong.

        A word such as env=prod is a parameter, unless it has the name of a flag: then
        say it in --json-params. `run start` takes more flags.
        """
        given = parse_params(params, json_params)
        if ctx.options.dry_run:
            return _tried(ctx, template, given, self._check, edition=edition)
        wanted = templates.prepare(
            ctx.tx, template, given, check=self._check, version=edition
        )
        made = runs.create(ctx.tx, replace(wanted, reply_to=reply_to_of(ctx)))
        return begun(made, about=(_about(ctx, made.template),))


def template_commands(check: StepCheck) -> Sequence[Command]:
    """Build the commands that need to know the executors; `check` asks them."""
    trials = _Trials(check)
    return (
        *change_commands(check),
        command(
            "template validate",
            scope="templates:read",
            http="POST /v1/templates/validate",
            paths=["/v1/templates/{template}/validate"],
            result=TemplateTrialData,
            examples=["template validate deploy env=prod version=1.9.2"],
        )(trials.validate),
        command(
            "template run",
            scope="runs:write",
            danger="risky",
            is_previewed=True,
            http="POST /v1/templates/{template}/run",
            target="template",
            status=202,
            result=RunData,
            examples=["template run spec-kit name=Pay --dry-run"],
        )(trials.run),
    )


def _tried(
    ctx: Context,
    name: str,
    given: Mapping[str, Json],
    check: StepCheck,
    *,
    edition: int = 0,
) -> Reply:
    template = templates.get_(ctx.tx, name, edition=edition)
    require_flawless(f"the template {template.name}", read(template.text).flaws)
    run, flaws = templates.try_(ctx.tx, template, given, check=check)
    return trial_of(template, run, flaws)


def _judged(text: str, check: StepCheck) -> Reply:
    """Show what is wrong with a text; parameters are not asked for."""
    flaws = templates.flaws_of(text, check=check)
    definition = read(text).definition
    name = definition.name or "the template"
    said = f"has {blocks.count(len(flaws), 'problem')}" if flaws else "is valid"
    tried = Template(name=definition.name, text=text, definition=definition)
    return Reply(
        summary=f"{name} {said}"[:SUMMARY_LIMIT],
        blocks=tuple(flaws_block(flaws)),
        data=trial_view(tried, as_written(tried), flaws),
    )


def _about(ctx: Context, name: str) -> Block:
    danger = templates.get_(ctx.tx, name).definition.danger
    return blocks.fields(("template", name), ("beware", danger))
