"""Leaves in peace for a while what fails again and again, and tries it with one call."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from core.kernel.problems import Unavailable

FAILURES = 5
REST = timedelta(seconds=30)
_MOST_KEPT = 1_000


class CircuitOpen(Unavailable):
    """The other side failed several times in a row, and is left in peace for now."""

    code = "circuit_open"
    title = "The other side is left in peace for now"


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float | None = None
    is_probing: bool = False


class Breaker:
    """One circuit for each host; used on one event loop.

    Shape:  a circuit opens after `failures` in a row. When it has rested, exactly one
            call goes through: if that works the circuit is closed, else it rests again.
    """

    def __init__(
        self,
        *,
        failures: int = FAILURES,
        rest: timedelta = REST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._rest = rest.total_seconds()
        self._clock = clock
        self._circuits: dict[str, _Circuit] = {}

    def enter(self, host: str) -> None:
        """Ask whether a call may be made; whoever may tells how it went.

        Raises: CircuitOpen.
        """
        circuit = self._circuits.get(host)
        if circuit is None or circuit.open_until is None:
            return
        left = circuit.open_until - self._clock()
        if left > 0 or circuit.is_probing:
            raise CircuitOpen(
                f"{host} failed {circuit.failures} times in a row",
                retry_after=max(round(left), 1),
            )
        circuit.is_probing = True

    def succeed(self, host: str) -> bool:
        """Note that a call worked; tell whether this closed the circuit."""
        circuit = self._circuits.pop(host, None)
        return circuit is not None and circuit.open_until is not None

    def fail(self, host: str) -> bool:
        """Note that a call failed; tell whether this opened the circuit."""
        if len(self._circuits) >= _MOST_KEPT and host not in self._circuits:
            self._circuits.pop(next(iter(self._circuits)))
        circuit = self._circuits.setdefault(host, _Circuit())
        circuit.failures += 1
        circuit.is_probing = False
        if circuit.failures < self._most:
            return False
        was_closed = circuit.open_until is None
        circuit.open_until = self._clock() + self._rest
        return was_closed

    def give_up(self, host: str) -> None:
        """Note that a call was neither: whoever made it was stopped."""
        if circuit := self._circuits.get(host):
            circuit.is_probing = False
