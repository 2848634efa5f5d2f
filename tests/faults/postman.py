"""A postman in a process of its own: `python -m tests.faults.postman URL PORT`.

What it delivers it says, as a line, to a port on loopback, and waits to hear `ok`.
"""

import asyncio
import subprocess
import sys
from datetime import timedelta

from channels.base import Capabilities, Parcel, Postponed
from core.kernel.principal import TenantId, system
from gateway.outbox import Post, Postman, budget_of
from tests.contract.conftest import open_database

DEADLINE = timedelta(milliseconds=600)


class LineCourier:
    """Delivers over TCP."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def deliver(self, parcel: Parcel) -> str:
        """Say the parcel's id; whoever takes it answers."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as fault:
            raise Postponed("nobody listens") from fault
        writer.write(f"{parcel.id}\n".encode())
        answer = await reader.readline()
        writer.close()
        if answer != b"ok\n":
            raise Postponed("hung up")
        return f"ref-{parcel.id}"


def start_postman(url: str, port: int) -> "subprocess.Popen[bytes]":
    """Start a postman over a database."""
    words = [sys.executable, "-m", "tests.faults.postman", url, str(port)]
    return subprocess.Popen(words)


async def main(url: str, port: int) -> None:
    """Deliver until killed."""

    async def tenants() -> list[TenantId]:
        return [system().tenant]

    post = Post(LineCourier(port), budget_of(Capabilities(edit=True)))
    await Postman(
        open_database(url),
        {"slack": post},
        tenants=tenants,
        is_on=lambda *_: True,
        deadline=DEADLINE,
    ).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
