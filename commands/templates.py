"""Commands over templates: what they say, their editions, and what changes them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import unified_diff
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.template_data import (
    EditionPageData,
    TemplateData,
    TemplateDiffData,
    TemplatePageData,
)
from commands.template_views import (
    edition_of,
    edition_view,
    one_of,
    view_of,
)
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Code, Reply, Text
from core.runs.templates import service as templates
from core.runs.templates import yamls
from core.runs.templates.reading import StepCheck

_FENCED = re.compile(r"\s*```[a-z]*\n(.*?)```\s*", re.DOTALL)

Named = Annotated[str, Doc("A template's name or id.")]
YamlText = Annotated[str, Doc("The whole template as YAML, in quotes.")]
Written = Annotated[dict[str, Any] | None, Doc("The same as an object, not as text.")]


@command(
    "template list",
    scope="templates:read",
    http="GET /v1/templates",
    result=TemplatePageData,
    examples=["template list"],
)
def list_(ctx: Context) -> Reply:
    """List the team's templates and the built-in ones by name."""
    known = templates.list_(ctx.tx)
    rows = [
        (
            each.name,
            edition_of(each),
            each.definition.lane,
            ", ".join(each.definition.properties),
            each.definition.description.partition("\n")[0],
        )
        for each in known
    ]
    return Reply(
        summary=blocks.count(len(known), "template"),
        blocks=(blocks.table(("name", "edition", "lane", "params", "what"), rows),),
        data={"items": [view_of(each) for each in known], "next": None},
    )


@command(
    "template show",
    scope="templates:read",
    http="GET /v1/templates/{template}",
    target="template",
    result=TemplateData,
    examples=["template show deploy", "template show deploy --edition 2"],
)
def show(
    ctx: Context,
    template: Named,
    *,
    edition: Annotated[int, Doc("An earlier one; the latest if left out.")] = 0,
) -> Reply:
    """Show a template: its parameters, its steps and its text."""
    found = templates.get_(ctx.tx, template, edition=edition)
    return one_of(found, f"{found.name} ({edition_of(found)})")


@command(
    "template versions",
    scope="templates:read",
    http="GET /v1/templates/{template}/versions",
    target="template",
    result=EditionPageData,
    examples=["template versions deploy"],
)
def versions(ctx: Context, template: Named) -> Reply:
    """List the editions of a template, the newest first."""
    found = templates.versions(ctx.tx, template)
    if not found:
        return blocks.empty(
            f"{template[:40]} is built in and has one edition",
            ("Show", f"template show {template}"),
        )
    rows = [
        (each.edition, each.author, f"{blocks.age(each.created_at, ctx.tx.now)} ago")
        for each in found
    ]
    return Reply(
        summary=f"{blocks.count(len(found), 'edition')} of {template}"[:150],
        blocks=(blocks.table(("edition", "by", "age"), rows),),
        data={"items": [edition_view(each) for each in found], "next": None},
    )


@command(
    "template diff",
    scope="templates:read",
    http="GET /v1/templates/{template}/diff",
    target="template",
    result=TemplateDiffData,
    examples=["template diff deploy", "template diff deploy 1 3"],
)
def diff(
    ctx: Context,
    template: Named,
    before: Annotated[int, Doc("The one before the other, if left out.")] = 0,
    after: Annotated[int, Doc("The latest, if left out.")] = 0,
) -> Reply:
    """Show what changed from one edition of a template to another."""
    new = templates.get_(ctx.tx, template, edition=after)
    old = templates.get_(ctx.tx, template, edition=before or max(new.edition - 1, 1))
    lines = unified_diff(
        old.text.splitlines(),
        new.text.splitlines(),
        f"edition {old.edition}",
        f"edition {new.edition}",
        lineterm="",
    )
    text = "\n".join(lines)
    told = f"{new.name}: edition {old.edition} to {new.edition}"
    return Reply(
        summary=told if text else f"{told}: nothing changed",
        blocks=(Code(text=text, lang="diff"),) if text else (),
        data={
            "name": new.name,
            "before": old.edition,
            "after": new.edition,
            "diff": text,
        },
    )


@command(
    "template delete",
    scope="templates:write",
    danger="risky",
    is_personal=True,
    http="DELETE /v1/templates/{template}",
    target="template",
    result=TemplateData,
    examples=["template delete deploy"],
)
def delete(ctx: Context, template: Named) -> Reply:
    """Remove a template; its runs and its editions stay on record."""
    gone = templates.delete(ctx.tx, template)
    return Reply(
        summary=f"Deleted {gone.name} (edition {gone.edition})",
        blocks=(
            Text(md=f"`template show {gone.id} --edition {gone.edition}` has it."),
        ),
        data=view_of(gone),
    )


class _Changes:
    """Handlers of the commands that change templates."""

    def __init__(self, check: StepCheck) -> None:
        self._check = check

    def create(
        self, ctx: Context, text: YamlText = "", *, definition: Written = None
    ) -> Reply:
        """Store a template, or your own in the place of a built-in one."""
        wanted = _text_of(text, definition)
        made = templates.create(ctx.tx, wanted, check=self._check)
        return one_of(made, f"Created {made.name} ({made.id})")

    def set_(
        self,
        ctx: Context,
        template: Named,
        text: YamlText = "",
        *,
        definition: Written = None,
        edition: Annotated[int, Doc("Take the text of an earlier one again.")] = 0,
    ) -> Reply:
        """Give a template another text, which is its next edition."""
        before = templates.get_(ctx.tx, template)
        wanted = (
            templates.get_(ctx.tx, template, edition=edition).text
            if edition and not (text or definition)
            else _text_of(text, definition)
        )
        tag = ctx.options.if_match
        after = templates.set_(
            ctx.tx, template, wanted, check=self._check, if_match=tag
        )
        if after.edition == before.edition:
            return one_of(after, f"{after.name} has that text already")
        back = f"template set {after.name} --edition {before.edition}"
        reply = one_of(after, f"{after.name} is now edition {after.edition}")
        line = f"{back} --if-match {after.etag}"
        return replace(reply, undo=blocks.undo(ctx, line))


def change_commands(check: StepCheck) -> Sequence[Command]:
    """Build the commands that change templates; `check` knows the executors."""
    changes = _Changes(check)
    return (
        command(
            "template create",
            scope="templates:write",
            danger="write",
            is_personal=True,
            http="POST /v1/templates",
            status=201,
            result=TemplateData,
            examples=[
                'template create "name: hello\nsteps: [{name: greet, run: echo hello}]"'
            ],
        )(changes.create),
        command(
            "template set",
            scope="templates:write",
            danger="write",
            is_personal=True,
            http="PUT /v1/templates/{template}",
            if_match="required",
            target="template",
            result=TemplateData,
            examples=["template set deploy --edition 2"],
        )(changes.set_),
    )


COMMANDS: Sequence[Command] = (list_, show, versions, diff, delete)


def _text_of(text: str, definition: dict[str, Any] | None) -> str:
    """Give the text of a template, however it was given; a fence around it is left out.

    Raises: InvalidArgument when it was not, or twice.
    """
    if bool(text) == (definition is not None):
        raise InvalidArgument(
            "a template is given as YAML text or as an object",
            fix=['template create "name: hello\nsteps: …"', "help template create"],
            argument="text",
        )
    fenced = _FENCED.fullmatch(text)
    return fenced[1] if fenced else text or yamls.dump(definition)
