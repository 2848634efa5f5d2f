"""A unit of work on its way through the database, and how its caller learns of it."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

from core.database.tx import Tx
from core.kernel.principal import Principal


class Unit:
    """Work to run inside a transaction, for one principal.

    `key` is what the lookup is asked for; work that may be run twice needs one.
    The outcome is `result` or `fault`; the callers are told after COMMIT only.
    """

    __slots__ = (
        "_loop",
        "_settle",
        "fault",
        "is_settled",
        "key",
        "principal",
        "result",
        "work",
    )

    def __init__(
        self,
        work: Callable[[Tx], Any],
        principal: Principal,
        *,
        key: Hashable = None,
        settle: Callable[["Unit"], None] | None = None,
        loop: AbstractEventLoop | None = None,
    ) -> None:
        self.work = work
        self.principal = principal
        self.key = key
        self.result: Any = None
        self.fault: BaseException | None = None
        self.is_settled = False
        self._settle = settle
        self._loop = loop

    def run(self, tx: Tx) -> None:
        """Do the work in `tx`; a fault undoes this unit alone and is kept for its caller."""
        with _Scope(self, tx):
            self.result = self.work(tx)

    def settle(self) -> None:
        """Tell the caller, on the thread that its callback wants."""
        self.is_settled = True
        if self._settle is not None:
            self._settle(self)

    @property
    def loop(self) -> AbstractEventLoop | None:
        """The event loop that the caller waits on, None for a blocking one."""
        return self._loop


class _Scope:
    """Hands whatever the work raises to the unit's caller instead of the writer."""

    def __init__(self, unit: Unit, tx: Tx) -> None:
        self._unit = unit
        self._tx = tx

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        self._unit.fault = fault
        if fault is not None:
            self._tx.drafts.clear()
        self._tx.close(is_good=fault is None)
        return isinstance(fault, Exception)


def settle_all(units: Sequence[Unit]) -> None:
    """Tell all callers; those of one loop with a single wake-up."""
    by_loop: dict[AbstractEventLoop, list[Unit]] = {}
    for unit in units:
        if unit.loop is None:
            unit.settle()
        else:
            by_loop.setdefault(unit.loop, []).append(unit)
    for loop, waiting in by_loop.items():
        for unit in waiting:
            unit.is_settled = True
        # A loop that was closed meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle_here, waiting)


def blocking_settler(future: "Future[Any]") -> Callable[[Unit], None]:
    """Make the callback of a caller that waits in a thread of its own."""

    def settle(unit: Unit) -> None:
        if unit.fault is None:
            future.set_result(unit.result)
        else:
            future.set_exception(unit.fault)

    return settle


def _settle_here(units: Sequence[Unit]) -> None:
    for unit in units:
        unit.settle()
