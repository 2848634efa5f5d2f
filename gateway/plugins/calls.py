"""Which handlers of plugins run now and for how long, so that no one holds up the rest."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from core.database.database import GUEST_THREADS
from core.kernel.problems import CommandDisabled, Unavailable

SLOW_SECONDS = 1.0
STUCK_SECONDS = 10.0

_RETRY_SECONDS = 2


class Manner(StrEnum):
    """How a handler runs: on a thread of readers, on the writer's, on a loop."""

    READ = "read"
    WRITE = "write"
    ASYNC = "async"


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """A handler at work.

    Shape:  `key` is its plugin's. It `is_current` until its plugin is read anew.
    Units:  `begun` is of the monotonic clock.
    """

    key: str
    plugin: str
    command: str
    manner: Manner
    begun: float
    is_current: bool = True
    is_told: bool = False


class Calls:
    """Counts the handlers at work, and refuses what would only wait behind them."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, *, threads: int = GUEST_THREADS
    ) -> None:
        self._now = now
        self._threads = threads
        self._lock = Lock()
        self._running: list[Call] = []

    def require_free(self, key: str, *, plugin: str, manner: Manner) -> None:
        """Make sure that a plugin may be asked for something more.

        Raises: CommandDisabled while a handler of it does not return; Unavailable while
                its reads, or those of all plugins, are busy with slow ones.
        """
        own = [each for each in self.lasting(SLOW_SECONDS) if each.key == key]
        for each in own:
            if each.is_current and self.is_stuck(each):
                raise CommandDisabled(
                    f"plugin {plugin} is disabled until {self.told(each)} ends",
                    fix=[f"plugin show {plugin}"],
                )
        if manner is Manner.READ:
            self._require_thread([each for each in own if each.is_current])

    def begin(self, key: str, *, plugin: str, command: str, manner: Manner) -> Call:
        """Note that a handler begins."""
        call = Call(
            key=key, plugin=plugin, command=command, manner=manner, begun=self._now()
        )
        with self._lock:
            self._running.append(call)
        return call

    def end(self, call: Call) -> float:
        """Note that it has ended; return the seconds that it took."""
        with self._lock:
            self._running.remove(call)
        return self._now() - call.begun

    def retire(self, key: str) -> None:
        """Have what still runs of a plugin no longer count against its next version."""
        with self._lock:
            for each in self._running:
                each.is_current = each.is_current and each.key != key

    def lasting(self, seconds: float) -> Sequence[Call]:
        """List what has been going on for so long, the oldest first."""
        with self._lock:
            running = list(self._running)
        return [each for each in running if self._now() - each.begun > seconds]

    def is_stuck(self, call: Call) -> bool:
        """Tell whether a thread that others need is held for too long."""
        is_held = call.manner is not Manner.ASYNC
        return is_held and self._now() - call.begun > STUCK_SECONDS

    def told(self, call: Call) -> str:
        """Say how long a handler has been at work."""
        return f"{call.command}, at work for {self._now() - call.begun:.0f} s,"

    def _require_thread(self, own: Sequence[Call]) -> None:
        reads = [
            each for each in self.lasting(SLOW_SECONDS) if each.manner is Manner.READ
        ]
        slow = next((each for each in own if each.manner is Manner.READ), None)
        if slow is None and len(reads) >= self._threads:
            slow = reads[0]
        if slow is not None:
            raise Unavailable(
                f"plugin {slow.plugin} is busy with {self.told(slow)} so this is "
                "not read behind it",
                retry_after=_RETRY_SECONDS,
                fix=[f"try again in {_RETRY_SECONDS} s", f"plugin show {slow.plugin}"],
            )
