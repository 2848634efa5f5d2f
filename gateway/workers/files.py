"""Files that steps left behind, read off the event loop."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

_DIGEST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a content is known by before it is sent."""

    size_bytes: int
    sha256: str


async def measure(path: Path) -> Measured:
    """Read a file through for its size and digest.

    Raises: OSError.
    """
    return await asyncio.to_thread(_measure, path)


async def read_whole(path: Path) -> bytes:
    """Read a small file.

    Raises: OSError.
    """
    return await asyncio.to_thread(path.read_bytes)


async def list_pieces(path: Path, size_bytes: int) -> AsyncIterator[tuple[int, bytes]]:
    """Yield the pieces of a file with their numbers, from 0; all but the last are full.

    Raises: OSError.
    """
    with await asyncio.to_thread(path.open, "rb") as file:
        seq = 0
        while piece := await asyncio.to_thread(file.read, size_bytes):
            yield seq, piece
            seq += 1


def _measure(path: Path) -> Measured:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_DIGEST_BYTES):
            digest.update(piece)
            size += len(piece)
    return Measured(size_bytes=size, sha256=digest.hexdigest())
