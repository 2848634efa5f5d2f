"""Every answer follows its fsync, as the kernel saw it."""

import re
from pathlib import Path

from tests.faults.conftest import StartGateway
from tests.faults.gateway import client, send
from tests.services import find_program

COMMANDS = 50
_TRACED = "trace=fsync,fdatasync,read,recvfrom,write,writev,sendto,sendmsg"
_SYNCED = re.compile(r"f(data)?sync(\(| resumed).* = 0")


async def test_every_answer_follows_its_fsync(
    start_gateway: StartGateway, tmp_path: Path
) -> None:
    """R-02: one client, one command after the other, none answered from memory."""
    strace = find_program("strace")
    trace = tmp_path / "trace"
    gateway = start_gateway(
        str(strace), "-f", "-s", "48", "-e", _TRACED, "-o", str(trace)
    )

    async with client() as http:
        for number in range(COMMANDS):
            answer = await send(http, gateway.url, f"task create m{number}")
            assert answer.status_code == 200
    gateway.end()

    synced = syncs_before_each_answer(trace.read_text(errors="replace"))
    assert len(synced) == COMMANDS
    assert min(synced) >= 1


def syncs_before_each_answer(trace: str) -> list[int]:
    """Count the syncs that ended between each command and its answer."""
    counts: list[int] = []
    syncs = 0
    is_waiting = False
    for line in trace.splitlines():
        if '"POST /v1/commands' in line:
            syncs, is_waiting = 0, True
        elif _SYNCED.search(line):
            syncs += 1
        elif '"HTTP/1.1 200' in line and is_waiting:
            counts.append(syncs)
            is_waiting = False
    return counts
