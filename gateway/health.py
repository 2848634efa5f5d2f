"""Whether the gateway lives, is ready, and how its parts are."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from core.database import Database
from core.database.schema import SchemaState, schema_state
from core.kernel.principal import system
from core.kernel.problems import Unavailable

_CHECK_SECONDS = 2.0
_CACHE_SECONDS = 1.0


class Check(NamedTuple):
    """How one part is; `fix` says what to do when it is not ok."""

    is_ok: bool
    detail: str
    fix: str = ""


class Readiness:
    """Runs the checks of /readyz, each for at most 2 s, and keeps the answer for 1 s."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[Check]]]) -> None:
        self._checks = checks
        self._answer: Mapping[str, Check] = {}
        self._checked_at = 0.0
        self._lock = asyncio.Lock()
        self.is_closing = False

    async def check(self) -> Mapping[str, Check]:
        """Return the state of every part, by name."""
        if self.is_closing:
            return {"gateway": Check(is_ok=False, detail="shutting down")}
        async with self._lock:
            if time.monotonic() - self._checked_at > _CACHE_SECONDS:
                names = list(self._checks)
                found = await asyncio.gather(
                    *(_timed(self._checks[name]) for name in names)
                )
                self._answer = dict(zip(names, found, strict=True))
                self._checked_at = time.monotonic()
            return self._answer


def database_checks(db: Database) -> dict[str, Callable[[], Awaitable[Check]]]:
    """Check the schema, a read, and a write that reaches the disk."""

    async def schema() -> Check:
        state = await asyncio.to_thread(schema_state, db.engine)
        is_ok = state is SchemaState.CURRENT
        return Check(
            is_ok, f"the schema is {state.value}", "" if is_ok else "run: ops migrate"
        )

    async def reads() -> Check:
        await db.read(lambda tx: tx.event_seq, by=system())
        return Check(is_ok=True, detail="answers")

    async def queue() -> Check:
        await db.write(lambda tx: tx.touch(), by=system())
        return Check(is_ok=True, detail=f"{db.waiting} writes waiting")

    return {"migrations": schema, "database": reads, "queue": queue}


async def _timed(check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return Check(is_ok=False, detail=f"no answer within {_CHECK_SECONDS:g} s")
    except (SQLAlchemyError, Unavailable, OSError) as fault:
        return Check(is_ok=False, detail=_told(fault), fix="ops doctor")


def _told(fault: Exception) -> str:
    return fault.detail if isinstance(fault, Unavailable) else "does not answer"
