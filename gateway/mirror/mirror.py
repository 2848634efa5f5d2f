"""Follows the database with files, in the one process that may write the folder."""

import asyncio
import threading
import time
from contextlib import suppress
from pathlib import Path

from core.database import Database
from core.kernel.clock import Clock
from core.kernel.principal import TenantId, system
from core.kernel.problems import Unavailable
from gateway.mirror.files import FolderLock
from gateway.mirror.layout import LOCK, tenant_folder
from gateway.mirror.marks import Mark, OwnReader, read_marks
from gateway.mirror.pace import Monotonic
from gateway.mirror.tenant import CHECK_SECONDS, Desk, TenantMirror

_LOOK_SECONDS = 0.5
_FIRST_SECONDS = 1.0


def is_followed(folder: Path) -> bool:
    """Tell whether some process keeps this folder up with the database now.

    Raises: OSError.
    """
    lock = FolderLock(folder / LOCK)
    is_free = lock.acquire()
    lock.release()
    return not is_free


class Mirror:
    """Keeps the collaboration files of all tenants up with the database.

    Shape:  commits of this process wake it; those of others are seen twice a second.
            Of several processes over one folder one writes, and the next takes over
            when it ends. `tick` is a supervisor's round: what it raises is an outage,
            told once and tried again.
    """

    def __init__(
        self, db: Database, folder: Path, clock: Clock, *,
        monotonic: Monotonic = time.monotonic,
    ) -> None:  # fmt: skip
        self._folder = folder
        self._lock = FolderLock(folder / LOCK)
        self._reader = OwnReader(db, clock)
        self._db = db
        self._desk = Desk(
            db=db, look=self._reader.look, clock=clock, monotonic=monotonic
        )
        self._tenants: dict[TenantId, TenantMirror] = {}
        self._busy = threading.Lock()
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._due_in = 0.0

    async def start(self) -> None:
        """Listen to commits and write the files once, unless that takes long."""
        self._loop = asyncio.get_running_loop()
        self._db.on_commit(self._wake)
        with suppress(OSError, Unavailable, TimeoutError):
            async with asyncio.timeout(_FIRST_SECONDS):
                await asyncio.to_thread(self.follow)

    async def tick(self) -> None:
        """Wait for a commit, or half a second, then follow.

        Raises: OSError when the disk fails, Unavailable when the database does.
        """
        with suppress(TimeoutError):
            pause = min(_LOOK_SECONDS, self._due_in)
            async with asyncio.timeout(pause):
                await self._woken.wait()
        self._woken.clear()
        await asyncio.to_thread(self.follow)

    async def stop(self) -> None:
        """Bring the files up to date once more and let another process write."""
        was_started, self._loop = self._loop is not None, None
        if was_started:
            with suppress(OSError, Unavailable):
                await asyncio.to_thread(self.follow, is_final=True)
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Let go of the folder and of the database."""
        with self._busy:
            self._is_closed = True
            self._lock.release()
            self._reader.close()

    def follow(self, *, is_final: bool = False) -> bool:
        """Bring all files to where the database is; tell whether that is our part.

        Shape:  paced unless it is final. One tenant's fault does not stop the others.
        Raises: OSError, Unavailable.
        """
        with self._busy:
            if self._is_closed or not self._lock.acquire():
                return False
            fault: OSError | None = None
            self._due_in = CHECK_SECONDS
            for mark in self._reader.look(read_marks, by=system()):
                try:
                    self._follow(mark, is_final=is_final)
                except OSError as each:
                    fault = each
            if fault is not None:
                raise fault
            return True

    def put_back(self, *, only: Path | None = None) -> list[Path]:
        """Set edited files aside, whoever writes the folder; list where they are now.

        Raises: OSError, Unavailable.
        """
        with self._busy:
            marks = self._reader.look(read_marks, by=system())
            return [
                mirror.set_aside(file)
                for mirror in map(self._mirror_of, marks)
                for file in mirror.edited()
                if only is None or file.path.absolute() == only.absolute()
            ]

    def _follow(self, mark: Mark, *, is_final: bool) -> None:
        due_in = self._mirror_of(mark).follow(mark, is_final=is_final)
        self._due_in = min(self._due_in, due_in)

    def _mirror_of(self, mark: Mark) -> TenantMirror:
        tenant = mark.tenant
        if tenant not in self._tenants:
            folder = tenant_folder(self._folder, tenant)
            self._tenants[tenant] = TenantMirror(tenant, folder, self._desk)
        return self._tenants[tenant]

    def _wake(self, _: set[TenantId]) -> None:
        """Hear of a commit, on the writer's thread; many become one wake-up."""
        loop = self._loop
        if loop is not None and not loop.is_closed() and not self._woken.is_set():
            loop.call_soon_threadsafe(self._woken.set)
