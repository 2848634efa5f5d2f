"""Reads from the settings what steps are held in, and what they see nothing of."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlalchemy import make_url

from gateway.settings import Settings
from gateway.workers.executors.sandbox import Sandbox
from gateway.workers.sandbox.limits import MIB, Isolation, Limits


def sandbox_of(settings: Settings) -> Sandbox:
    """Build what steps run in."""
    own = settings.sandbox
    limits = Limits(
        output_bytes=int(own.output_mib * MIB),
        memory_bytes=own.memory_mib * MIB,
        file_bytes=own.file_mib * MIB,
        processes=own.processes,
        writable=sorted(words_in(own.writable)),
        hidden=hidden_of(settings),
    )
    return Sandbox(limits, Isolation(own.isolation))


def hidden_of(settings: Settings) -> Sequence[str]:
    """List what steps see nothing of: all that is kept, and what people keep here.

    Shape:  wherever links lead; whether something is there is seen at each step.
    """
    named: list[str | Path] = [
        settings.data,
        settings.work_folder,
        *_database_files(settings.database),
        *map(os.path.expanduser, words_in(settings.sandbox.hide)),
    ]
    return sorted({os.path.realpath(each) for each in named} - {"/"})


def words_in(text: str) -> frozenset[str]:
    """Read a list as settings have it: `git,make`."""
    return frozenset(each.strip() for each in text.split(",")) - {""}


def _database_files(database: str) -> Iterator[str]:
    url = make_url(database)
    if url.get_backend_name() == "sqlite" and url.database:
        yield from (f"{url.database}{end}" for end in ("", "-wal", "-shm", "-journal"))
