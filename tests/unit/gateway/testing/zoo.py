"""A plugin with a command of each kind; it lies beside the tests that use it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from commands import command
from commands.context import AsyncContext, Context
from core.kernel.jsons import Json
from core.kernel.problems import Conflict


@command("zoo feed", scope="zoo:write", danger="write")
def feed(
    ctx: Context,
    animal: str,
    *,
    times: int = 1,
    loud: bool = False,
    foods: Sequence[str] = (),
    at: datetime | None = None,
    every: timedelta | None = None,
) -> dict[str, Json]:
    """Feed an animal."""
    return {
        "animal": animal,
        "times": times,
        "loud": loud,
        "foods": list(foods),
        "at": str(at),
        "every": str(every),
        "reason": ctx.options.reason,
    }


@command("zoo ask", scope="zoo:read")
async def ask(ctx: AsyncContext, animal: str) -> str:
    """Ask an animal, which takes a moment."""
    await asyncio.sleep(0)
    return f"{animal} greets {ctx.principal.name}"


@command("zoo open", scope="zoo:write", danger="risky")
def open_(ctx: Context, cage: str) -> str:
    """Open a cage."""
    return f"{cage} is open"


@command("zoo empty", scope="zoo:write", danger="destructive", target="cage")
def empty(ctx: Context, cage: str) -> str:
    """Let everybody out, for good."""
    return f"{cage} is empty"


@command("zoo close", scope="zoo:write", danger="write")
def close(ctx: Context, cage: str) -> str:
    """Close a cage, which is closed."""
    raise Conflict(f"{cage} is closed already", fix=["zoo open C1"])


@command("zoo count", scope="zoo:read")
def count(ctx: Context) -> str:
    """Count the animals, and fail in a way that nobody foresaw."""
    raise ValueError("they do not stand still")
