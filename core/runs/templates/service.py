"""Keep templates and make runs of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.kernel.etag import is_match
from core.kernel.ids import TemplateId
from core.kernel.jsons import Json
from core.kernel.problems import AlreadyExists, Conflict, NotFound, StaleVersion
from core.runs.model import NewRun, Step
from core.runs.secrets import service as secrets
from core.runs.templates import store
from core.runs.templates.builtins import built_in
from core.runs.templates.filling import filled
from core.runs.templates.model import (
    COLLECTION,
    KIND,
    MOST_TEMPLATES,
    Definition,
    Edition,
    Flaw,
    Template,
    require_flawless,
    spelled,
    unknown,
)
from core.runs.templates.params import resolve
from core.runs.templates.placeholders import written_in
from core.runs.templates.reading import StepCheck, flaws_of_steps, parse, read
from core.runs.templates.steps import in_order

__all__ = [
    "StepCheck",
    "create",
    "delete",
    "flaws_of",
    "get_",
    "list_",
    "prepare",
    "set_",
    "try_",
    "versions",
]

_MOST_EDITIONS = 100
_KEY_LIMIT = 200

Tried = tuple[NewRun, Sequence[Flaw]]
"""A run as it would be, and why it cannot be."""


def prepare(
    tx: Tx,
    name_or_id: str,
    params: Mapping[str, Json],
    *,
    check: StepCheck,
    version: int = 0,
) -> NewRun:
    """Make of a template and its parameters the run that it stands for.

    Shape:  `params` are values, or texts as they are typed. They become the run's
            `input`, defaults included. The run's
            `template` and `alias` are the template's name, whichever way it was
            named; its `template_version` is the edition, 0 for a built-in one. The
            steps stand in the order in which they run. `version` 0 is the latest.
    Raises: NotFound; InvalidArgument naming all that is wrong with the parameters, each
            by its name, or with the steps.
    """
    template = get_(tx, name_or_id, edition=version)
    require_flawless(f"the template {template.name}", read(template.text).flaws)
    run, flaws = try_(tx, template, params, check=check)
    require_flawless(f"template run {template.name}", flaws)
    return run


def try_(
    tx: Tx, template: Template, params: Mapping[str, Json], *, check: StepCheck
) -> Tried:
    """Make the run that a template would become, and say what keeps it from that."""
    definition = template.definition
    values, wrong = resolve(definition, params)
    steps = [filled(each, values) for each in in_order(definition.steps)]
    flaws = list(wrong) or [
        *flaws_of_steps(steps, check),
        *_flaws_of_secrets(tx, steps),
    ]
    key = written_in(definition.concurrency_key, values)[:_KEY_LIMIT]
    run = NewRun(
        kind=KIND,
        alias=template.name,
        template=template.name,
        template_version=template.edition,
        lane=definition.lane,
        priority=definition.priority,
        input=values,
        steps=steps,
        retry=definition.retry,
        deadline=definition.deadline,
        ttl=definition.ttl,
        concurrency_key=key,
        concurrency_limit=definition.concurrency_limit,
        labels=definition.labels,
        needs_approval=definition.needs_approval,
    )
    return run, flaws


def flaws_of(text: str, *, check: StepCheck) -> Sequence[Flaw]:
    """List everything that is wrong with the text of a template."""
    definition, flaws = read(text)
    return flaws or list(flaws_of_steps(definition.steps, check))


def create(tx: Tx, text: str, *, check: StepCheck) -> Template:
    """Store a template under the name that its text gives it.

    Shape:  one with the name of a built-in template takes that one's place. One that
            was deleted goes on with the next edition.
    Raises: InvalidArgument naming all flaws, AlreadyExists, Conflict when there are two
            hundred.
    """
    definition = _flawless(text, check)
    name = definition.name
    kept = store.find(tx, name)
    if kept and not kept.is_deleted:
        raise AlreadyExists(
            f"the template {name} exists already",
            fix=[f"template set {name} <text>", f"template show {name}"],
        )
    if len(store.list_(tx, most=MOST_TEMPLATES)) == MOST_TEMPLATES:
        raise Conflict(
            f"there are {MOST_TEMPLATES} templates already",
            fix=["template list", "template delete <name>"],
        )
    new = kept or store.add(tx, TemplateId(tx.new_id("TP")), name)
    made = _stored(tx, new, text)
    append(tx, "template_created", target=made.id, name=made.name, edition=made.edition)
    return made


def set_(
    tx: Tx, name_or_id: str, text: str, *, check: StepCheck, if_match: str = ""
) -> Template:
    """Give a template another text, which is a new edition; the same one changes nothing.

    Raises: NotFound, StaleVersion, InvalidArgument naming all flaws, Conflict for a
            built-in template and for a text that names another one.
    """
    before = get_(tx, name_or_id)
    _require_match(before, if_match)
    kept = _require_own(tx, before, "template create <text>, to have your own instead")
    definition = _flawless(text, check)
    if definition.name != before.name:
        raise Conflict(
            f"the text is of the template {definition.name}, and not of {before.name}",
            fix=[f"name: {before.name}", "template create <text>"],
        )
    if text == before.text:
        return before
    after = _stored(tx, kept, text)
    append(
        tx, "template_changed", target=after.id, name=after.name, edition=after.edition
    )
    return after


def delete(tx: Tx, name_or_id: str) -> Template:
    """Remove a template; the runs made of it keep their edition.

    Shape:  a built-in one of the same name is there again from then on.
    Raises: NotFound, Conflict for a built-in template.
    """
    before = get_(tx, name_or_id)
    kept = _require_own(tx, before, "template list")
    store.mark_deleted(tx, kept)
    tx.bump(COLLECTION)
    append(tx, "template_deleted", target=before.id, name=before.name)
    return before


def get_(tx: Tx, name_or_id: str, *, edition: int = 0) -> Template:
    """Get a template by its name or its id, in one edition or the latest.

    Shape:  `_` and `-` are one in names. An edition can be had of a deleted one too.
    Raises: NotFound.
    """
    reference = spelled(name_or_id)
    kept = store.find(tx, reference)
    if kept and (edition or not kept.is_deleted):
        return _in_edition(tx, kept, edition or kept.latest)
    found = built_in().get(reference)
    if found is None or edition:
        raise unknown(name_or_id, [each.name for each in list_(tx)])
    return found


def list_(tx: Tx) -> Sequence[Template]:
    """List a team's templates and the built-in ones by name."""
    kept = store.list_(tx, most=MOST_TEMPLATES)
    own = {each.name: _in_edition(tx, each, each.latest) for each in kept}
    return [each for _, each in sorted({**built_in(), **own}.items())]


def versions(tx: Tx, name_or_id: str) -> Sequence[Edition]:
    """List the last hundred editions of a template, the newest first.

    Raises: NotFound.
    """
    template = get_(tx, name_or_id)
    if template.is_built_in:
        return ()
    return store.list_editions(tx, template.id, most=_MOST_EDITIONS)


def _stored(tx: Tx, kept: store.Kept, text: str) -> Template:
    after = store.add_edition(tx, kept, text)
    tx.bump(COLLECTION)
    return _in_edition(tx, after, after.latest)


def _in_edition(tx: Tx, kept: store.Kept, edition: int) -> Template:
    found = store.find_edition(tx, kept.id, edition)
    if found is None:
        raise NotFound(
            f"edition {edition} of the template {kept.name}",
            fix=[f"template versions {kept.name}"],
            field="version",
        )
    return Template(
        id=kept.id,
        name=kept.name,
        edition=edition,
        latest=kept.latest,
        text=found.text,
        author=found.author,
        created_at=found.created_at,
        definition=replace(read(found.text).definition, name=kept.name),
    )


def _flaws_of_secrets(tx: Tx, steps: Sequence[Step]) -> Iterator[Flaw]:
    """Name each stored secret that steps would be given, and that there is not, once."""
    first = {
        name: place
        for place, step in reversed([*enumerate(steps)])
        for name in step.secrets.values()
    }
    for name in sorted(secrets.missing(tx, first)):
        yield Flaw(
            field=f"steps[{first[name]}].secrets",
            text=f"the secret {name[:80]} does not exist",
            fix=f"secret set {name[:80]} <value>",
        )


def _flawless(text: str, check: StepCheck) -> Definition:
    require_flawless("the template", flaws_of(text, check=check))
    return parse(text)


def _require_match(template: Template, if_match: str) -> None:
    """Let a change pass when its If-Match names the present text; "" always does.

    Raises: StaleVersion with the current tag.
    """
    if if_match and not is_match(if_match, template.etag):
        raise StaleVersion(
            f"the template {template.name}",
            etag=template.etag,
            changed_by=template.author,
        )


def _require_own(tx: Tx, template: Template, fix: str) -> store.Kept:
    kept = store.find(tx, template.id) if template.id else None
    if kept is None:
        raise Conflict(f"{template.name} is built in", fix=[fix])
    return kept
