"""Has a provider write drafts; what it wrote is the result of the step."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import TypeVar

from core.kernel.problems import InvalidArgument, TookTooLong, Unavailable
from core.providers.model import (
    MOCK,
    Generated,
    Provider,
    Request,
    checked,
    parse_request,
    view,
)
from core.runs.model import Step
from core.runs.reports import LogReport, Note
from gateway.adapters.breaker import Breaker
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given

PATIENCE = timedelta(seconds=120)

_FIELDS = ("provider", "title", "prompt", "input", "count", "format", "tools")
_FORMATS = ("md", "txt", "json")
_Answer = TypeVar("_Answer")


class _Stopped(Exception):
    """The step was told to stop before the provider answered."""


class Generate:
    """Asks `provider` for `count` drafts, behind a breaker for each provider.

    Units:  a provider has `patience` for one answer.
    """

    name = "provider/generate"

    def __init__(
        self, providers: Mapping[str, Provider], *, patience: timedelta = PATIENCE
    ) -> None:
        self._providers = providers
        self._patience_seconds = patience.total_seconds()
        self._breaker = Breaker()

    def check(self, step: Step) -> None:
        """Refuse a provider that is not there, and a request that does not fit.

        Raises: InvalidArgument.
        """
        given = Given(step, _FIELDS)
        given.choice("provider", sorted(self._providers), MOCK)
        given.choice("format", _FORMATS, "md")
        parse_request(step.given)

    async def run(self, work: StepWork) -> StepResult:
        """Ask, wait, and give back what was written."""
        self.check(work.step)
        provider = self._providers[str(work.step.given.get("provider", MOCK))]
        request = parse_request(work.step.given)
        try:
            generated = await self._ask(provider, request, work)
        except _Stopped:
            return StepResult(code="cancelled", detail="it was told to stop")
        except InvalidArgument as problem:
            return StepResult(
                code="unusable_answer", detail=problem.detail, is_final=True
            )
        await work.tell(LogReport(step=work.step.name, text=_told(generated)))
        return StepResult(exit_code=0, result=view(generated, request))

    async def _ask(
        self, provider: Provider, request: Request, work: StepWork
    ) -> Generated:
        """Ask a provider, unless it is left in peace, and tell when that begins or ends.

        Raises: CircuitOpen, TookTooLong, Unavailable; InvalidArgument when what comes
                cannot be kept; _Stopped.
        """
        name = provider.name
        self._breaker.enter(name)
        is_over = False
        try:
            generated = await self._answer_of(provider, request, work.stop)
            is_over = True
        except (Unavailable, TookTooLong):
            is_over = True
            if self._breaker.fail(name):
                await _tell(work, "circuit_opened", name)
            raise
        finally:
            if not is_over:
                self._breaker.give_up(name)
        if self._breaker.succeed(name):
            await _tell(work, "circuit_closed", name)
        return checked(generated, request)

    async def _answer_of(
        self, provider: Provider, request: Request, stop: asyncio.Event
    ) -> Generated:
        """Wait for an answer, as long as there is patience.

        Raises: as `_ask`.
        """
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await _unless(stop, provider.generate(request))
        except TimeoutError as fault:
            raise TookTooLong(
                f"the provider {provider.name} gave no answer within "
                f"{self._patience_seconds:g} s"
            ) from fault


async def _tell(work: StepWork, happened: str, provider: str) -> None:
    await work.tell(Note(type=happened, details={"provider": provider}))


async def _unless(stop: asyncio.Event, work: Awaitable[_Answer]) -> _Answer:
    """Wait for some work, but not beyond the moment that it is to stop.

    Raises: _Stopped.
    """
    doing = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise _Stopped
        return doing.result()
    finally:
        for each in (doing, stopping):
            each.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)


def _told(generated: Generated) -> str:
    usage = generated.usage
    return (
        f"{generated.provider} {generated.model} wrote {len(generated.drafts)} drafts: "
        f"{usage.input_tokens} tokens in, {usage.output_tokens} out, "
        f"{generated.cost_micros} millionths of a dollar\n"
    )
