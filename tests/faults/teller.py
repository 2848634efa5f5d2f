"""A postman of webhooks in a process of its own: `python -m tests.faults.teller FOLDER`.

The folder holds the database and the keystore; what is tried again is so at once.
"""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from tests.contract.conftest import open_database
from tests.tellers import Terms, telling

DEADLINE = timedelta(milliseconds=600)


def soon(attempt: int, *, chance: float) -> float:
    """Try again after a twentieth of a second."""
    return 0.05


def start_teller(folder: Path) -> "subprocess.Popen[bytes]":
    """Start one over a folder."""
    words = [sys.executable, "-m", "tests.faults.teller", str(folder)]
    return subprocess.Popen(words)


async def main(folder: Path) -> None:
    """Deliver until killed."""
    db = open_database(f"sqlite:///{folder}/ops.db")
    vault = Vault(FileKeystore(folder / "keystore.json"))
    terms = Terms(
        schedule=soon, rests=[DEADLINE / 10], deadline=DEADLINE, patience=DEADLINE
    )
    async with telling(db, vault, terms=terms) as postman:
        await postman.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
