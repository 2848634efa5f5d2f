"""Writers in processes of their own: `python -m tests.faults.writers URL COUNT EACH`."""

import os
import subprocess
import sys
from functools import partial

from core.database import Tx
from core.events import service as events
from core.kernel.principal import system
from tests.contract.conftest import open_database


def start_writers(url: str, count: int, each: int) -> "subprocess.Popen[bytes]":
    """Start `count` processes that each append `each` events."""
    words = [url, str(count), str(each)]
    return subprocess.Popen([sys.executable, "-m", "tests.faults.writers", *words])


def main(url: str, count: int, each: int) -> int:
    """Fork `count` processes that append `each` events; return how many failed."""
    children = [pid for number in range(count) if (pid := _fork(url, number, each))]
    return sum(os.waitpid(pid, 0)[1] != 0 for pid in children)


def _fork(url: str, number: int, each: int) -> int:
    pid = os.fork()
    if pid == 0:
        db = open_database(url)
        for turn in range(each):
            db.run(partial(_append, target=f"{number}-{turn}"), by=system())
        db.close()
        os._exit(0)
    return pid


def _append(tx: Tx, target: str) -> None:
    events.append(tx, "mark_set", target=target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
