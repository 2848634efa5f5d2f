"""Commands that make runs: of a template, or of nothing but an input."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.render import as_json
from commands.run_params import parse_params
from commands.run_replies import begun
from commands.run_views import RunData
from commands.schema import Doc, Ref
from core.delivery.outbox.model import lasting
from core.delivery.places import direct_place
from core.kernel.jsons import Json, to_json
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Block, Reply, ReplyStatus
from core.runs import service as runs
from core.runs.model import MANUAL, NewRun, ReplyTo, Run, Step
from core.runs.templates import service as templates
from core.runs.templates.service import StepCheck
from core.runs.views import view

_SHOWN_PARAM = 200


class _Starting:
    """The handlers that look at steps before anything is queued."""

    def __init__(self, check: StepCheck) -> None:
        self._check = check

    def start(
        self,
        ctx: Context,
        template: Annotated[str, Doc("A template's name or id.")],
        params: Annotated[
            Sequence[str],
            Doc("Its parameters, such as env=prod; quote a=b with spaces."),
        ] = (),
        *,
        lane: Annotated[Lane | None, Doc("Left out, the template's.")] = None,
        priority: Annotated[int | None, Doc("The higher the sooner.")] = None,
        labels: Annotated[Sequence[str], Doc("What a worker must have besides.")] = (),
        key: Annotated[str, Doc("The same key gives the run that there is.")] = "",
        delay: Annotated[timedelta | None, Doc("Start so long from now.")] = None,
        at: Annotated[datetime | None, Doc("Start at this moment.")] = None,
        ttl: Annotated[timedelta | None, Doc("End it if nobody claims it.")] = None,
        deadline: Annotated[timedelta | None, Doc("End it if it takes longer.")] = None,
        edition: Annotated[int, Doc("An earlier one of the template.")] = 0,
        task: Annotated[str, Ref("T"), Doc("The task that it is done for.")] = "",
        json_params: Annotated[
            dict[str, Any] | None, Doc("Parameters of any type, or named like a flag.")
        ] = None,
    ) -> Reply:
        """Start a run of a template.

        A word such as env=prod is a parameter, unless it has the name of a flag: then
        say it in --json-params.
        """
        wanted = templates.prepare(
            ctx.tx,
            template,
            parse_params(params, json_params),
            check=self._check,
            version=edition,
        )
        run = runs.create(
            ctx.tx,
            replace(
                wanted,
                **_said(lane=lane, priority=priority, ttl=ttl, deadline=deadline),
                labels=wanted.labels | frozenset(labels),
                starts_at=_starts_at(ctx, delay, at) or wanted.starts_at,
                idempotency_key=key,
                task=task,
                reply_to=reply_to_of(ctx),
            ),
        )
        about = blocks.fields(*_about(ctx, run))
        return begun(run, about=(about, *_inputs(run)))

    def create(
        self,
        ctx: Context,
        *,
        template: Annotated[str, Doc("A template's name or id.")] = "",
        kind: Annotated[
            Literal["manual", "noop"] | None,
            Doc("Without a template: manual waits for a worker of yours."),
        ] = None,
        input: Annotated[dict[str, Any] | None, Doc("The parameters.")] = None,
        lane: Annotated[Lane | None, Doc("Left out, the template's, or C.")] = None,
        priority: int | None = None,
        labels: Sequence[str] = (),
        idempotency_key: Annotated[
            str, Doc("The same key gives the run that there is.")
        ] = "",
        delay: Annotated[timedelta | None, Doc("Start so long from now.")] = None,
        at: Annotated[datetime | None, Doc("Start at this moment.")] = None,
        ttl: Annotated[timedelta | None, Doc("End it if nobody claims it.")] = None,
        deadline: Annotated[timedelta | None, Doc("End it if it takes longer.")] = None,
        edition: Annotated[int, Doc("An earlier one of the template.")] = 0,
        alias: Annotated[str, Doc("What people call it.")] = "",
        task: Annotated[str, Ref("T")] = "",
        concurrency_key: Annotated[
            str, Doc("Of the runs that share it one is held at a time.")
        ] = "",
    ) -> Reply:
        """Make a run of a template, or one without steps that waits for a worker."""
        if template:
            _require_no_kind(kind)
            wanted = templates.prepare(
                ctx.tx, template, input or {}, check=self._check, version=edition
            )
        else:
            _require_no_edition(edition)
            wanted = _without_template(kind, input or {})
        run = runs.create(
            ctx.tx,
            replace(
                wanted,
                **_said(lane=lane, priority=priority, ttl=ttl, deadline=deadline),
                labels=wanted.labels | frozenset(labels),
                starts_at=_starts_at(ctx, delay, at) or wanted.starts_at,
                idempotency_key=idempotency_key,
                alias=alias or wanted.alias,
                task=task,
                concurrency_key=concurrency_key or wanted.concurrency_key,
                reply_to=reply_to_of(ctx),
            ),
        )
        about = blocks.fields(*_about(ctx, run))
        reply = begun(run, about=(about, *_inputs(run)))
        return replace(reply, status=ReplyStatus.OK, data=view(run))


def start_commands(check: StepCheck) -> Sequence[Command]:
    """Build the commands that make runs; `check` refuses steps that could never run."""
    starting = _Starting(check)
    return (
        command(
            "run start",
            scope="runs:write",
            danger="risky",
            is_previewed=True,
            http="POST /v1/runs/start",
            status=202,
            result=RunData,
            examples=["run start deploy env=prod version=1.9.2 --lane A --wait 90s"],
        )(starting.start),
        command(
            "run create",
            scope="runs:write",
            danger="risky",
            is_previewed=True,
            http="POST /runs.create",
            paths=["/v1/runs"],
            status=201,
            result=RunData,
            examples=[
                'run create --template deploy --input {"env":"prod"}',
                'run create --kind manual --input {"what":"call the customer"}',
            ],
        )(starting.create),
    )


def reply_to_of(ctx: Context) -> ReplyTo:
    """Say where whoever asks is told of the progress: nowhere, where a door answers.

    Shape:  who asked with `--private` in a room is told in person.
    """
    origin = ctx.origin
    if not origin.reply_to:
        return ReplyTo()
    place = lasting(origin.reply_to)
    if ctx.options.is_public is False and not place.get("to"):
        place = direct_place(origin.channel, origin.sender) or place
    return ReplyTo(channel=origin.channel, account=origin.account, place=place)


def _require_no_kind(kind: str | None) -> None:
    if kind is not None:
        raise InvalidArgument(
            "a template says what kind of run it is",
            fix=["leave kind out", "leave template out"],
            argument="kind",
        )


def _require_no_edition(edition: int) -> None:
    if edition:
        raise InvalidArgument(
            "only a template has an edition",
            fix=["leave edition out", "run create --template deploy --edition 2"],
            argument="edition",
        )


def _without_template(kind: str | None, given: Mapping[str, Json]) -> NewRun:
    """Make a run that has no template; a noop has one step, which does nothing."""
    if kind is None:
        raise InvalidArgument(
            "a run needs a template or a kind",
            fix=["run create --template deploy", "run create --kind manual"],
            argument="template",
        )
    if kind == MANUAL:
        return NewRun(kind=MANUAL, input=given)
    return NewRun(kind=kind, input=given, steps=(Step(name="noop", uses="noop"),))


def _starts_at(
    ctx: Context, delay: timedelta | None, at: datetime | None
) -> datetime | None:
    if delay is None:
        return at
    if at is not None:
        raise InvalidArgument(
            "a run starts either after a while or at a moment",
            fix=["leave --delay out", "leave --at out"],
            argument="at",
        )
    return ctx.tx.now + delay


def _said(**values: Any) -> dict[str, Any]:
    """Keep what was said; the rest stays as the template has it."""
    return {name: value for name, value in values.items() if value is not None}


def _about(ctx: Context, run: Run) -> Sequence[tuple[str, object]]:
    name = run.alias or run.template
    edition = f", edition {run.template_version}" if run.template_version else ""
    danger = ""
    if run.template:
        danger = templates.get_(ctx.tx, run.template).definition.danger
    return (
        ("template", f"{name}{edition}" if run.template else ""),
        ("kind", "" if run.template else run.kind),
        ("lane", run.lane),
        ("priority", run.priority or ""),
        ("labels", " ".join(sorted(run.labels))),
        ("task", run.task),
        ("starts", as_json(run.available_at) if run.status == "scheduled" else ""),
        ("beware", danger),
    )


def _inputs(run: Run) -> Sequence[Block]:
    """Show the parameters as they are, defaults included."""
    pairs = [(name, _written(value)) for name, value in run.input.items()]
    return [blocks.fields(*pairs)] if pairs else []


def _written(value: Json) -> str:
    text = value if isinstance(value, str) else to_json(value).decode()
    return text if len(text) <= _SHOWN_PARAM else f"{text[:_SHOWN_PARAM]}…"
