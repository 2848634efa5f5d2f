"""The executors that a worker has, and what refuses steps that none of them could do."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from commands.suggest import nearest
from core.kernel.addresses import parse_allowed
from core.kernel.problems import InvalidArgument
from core.runs.model import Step
from gateway.adapters.breaker import Breaker
from gateway.adapters.exchange import Bounds, Caller, LateCaller
from gateway.adapters.providers.every import providers
from gateway.settings import Settings
from gateway.workers.executors.api import ANSWER_BYTES, Api
from gateway.workers.executors.base import Executor
from gateway.workers.executors.changelog import Changelog
from gateway.workers.executors.confines import sandbox_of, words_in
from gateway.workers.executors.docker import Docker
from gateway.workers.executors.docs_format import DocsFormat
from gateway.workers.executors.flow import Flow
from gateway.workers.executors.generate import Generate
from gateway.workers.executors.lint import Lint
from gateway.workers.executors.mcp_call import Mcp
from gateway.workers.executors.noop import Noop
from gateway.workers.executors.shell import Shell
from gateway.workers.executors.spec_kit import GenerateSpecKit, ValidateSpecKit
from gateway.workers.executors.unpack import Unpack
from gateway.workers.executors.write import WriteFiles
from gateway.workers.sandbox.environment import check_names
from gateway.workers.sandbox.paths import check_pattern

StepCheck = Callable[[Step], None]


def executors(
    settings: Settings, further: Iterable[Executor] = ()
) -> Mapping[str, Executor]:
    """List all executors by the names that steps use; `further` ones need more."""
    sandbox = sandbox_of(settings)
    outside = _outside(settings)
    api = Api(outside, Breaker())
    programs = words_in(settings.workers.programs)
    every: tuple[Executor, ...] = (
        Noop(),
        Generate(providers()),
        Shell(sandbox, programs),
        Docker(sandbox, programs),
        api,
        Flow(api),
        Mcp(sandbox, outside, programs),
        DocsFormat(sandbox),
        Lint(sandbox),
        Changelog(
            sandbox, [*map(Path, sorted(words_in(settings.sandbox.repositories)))]
        ),
        Unpack(),
        GenerateSpecKit(),
        ValidateSpecKit(),
        WriteFiles(),
        *further,
    )
    return {each.name: each for each in every}


def check_step(executors: Mapping[str, Executor]) -> StepCheck:
    """Build what refuses a step before anything is queued."""

    def check(step: Step) -> None:
        executor = executors.get(step.uses)
        if executor is None:
            near = nearest(step.uses, [*executors])
            known = f"use one of: {', '.join(sorted(executors))}"
            raise InvalidArgument(
                f"step {step.name}: there is no executor {step.uses[:40]!r}",
                fix=[*(f"did you mean {each}?" for each in near[:1]), known],
                argument="uses",
            )
        check_names(step.env, field="env")
        check_names(step.secrets, field="secrets")
        for each in step.artifacts:
            check_pattern(each)
        executor.check(step)

    return check


def _outside(settings: Settings) -> Caller:
    allowed = parse_allowed(settings.outbound.allow)
    return LateCaller(allowed, Bounds(answer_bytes=ANSWER_BYTES))
