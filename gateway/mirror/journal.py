"""The event file: one line for each event, in the order of their numbers."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

from core.events import service as events
from core.events.model import Event, render_event_line
from core.kernel.principal import TenantId, system
from gateway.mirror.documents import Found
from gateway.mirror.files import Stamp, stamp_of, sync_file, sync_folder
from gateway.mirror.layout import EVENTS
from gateway.mirror.marks import Look
from gateway.mirror.record import Checkpoint

PAGE = 1_000
_PAGES_AT_ONCE = 50
_CHUNK_BYTES = 1 << 20

Page = Sequence[tuple[int, bytes]]


def pages_after(look: Look, tenant: TenantId, seq: int) -> Iterator[Page]:
    """Yield the events that follow `seq` as lines with their numbers, page by page."""

    def read(after: int) -> Sequence[Event]:
        by = system(tenant, name="mirror")
        return look(lambda tx: events.list_after(tx, after, limit=PAGE), by=by)

    while found := read(seq):
        yield [(each.seq, render_event_line(each)) for each in found]
        seq = found[-1].seq


class EventFile:
    """A file that only grows; what a crash left at its end is kept line by line.

    Shape:  `seq` is the last event in it, `checkpoint` its content up to there.
    """

    def __init__(
        self, folder: Path, look: Look, tenant: TenantId, *, known: Checkpoint
    ) -> None:
        self.name = EVENTS
        self.path = folder / EVENTS
        self.seq = known.seq
        self._size_bytes = known.size_bytes
        self._known = known
        self._sha = sha256()
        self._look = look
        self._tenant = tenant
        self._stamp: Stamp | None = None
        self._edit: Stamp | None = None

    @property
    def checkpoint(self) -> Checkpoint:
        """Where the file stands; until it was read, where it stood."""
        return self._known

    def is_behind(self, last_seq: int) -> bool:
        """Tell whether there are events that the file lacks, or no file at all."""
        return self._stamp is None or self.seq < last_seq

    def inspect(self) -> Found:
        """Find out whose file it is, and mend what a crash left of the last append.

        Raises: OSError, Unavailable.
        """
        stamp = stamp_of(self.path)
        if stamp is None:
            self._forget()
            return Found.MISSING
        if stamp == self._stamp:
            return Found.OURS
        if stamp == self._edit:
            return Found.EDITED
        if not self._adopt():
            self._edit = stamp
            return Found.EDITED
        self._stamp, self._edit = stamp_of(self.path), None
        return Found.OURS

    def append(self, last_seq: int) -> None:
        """Write what is missing up to an event, at most 50,000 lines in one go.

        Raises: OSError with the file as it was, Unavailable.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = self._stamp is None
        pages = pages_after(self._look, self._tenant, self.seq)
        for _, page in zip(range(_PAGES_AT_ONCE), pages, strict=False):
            self._append_page(page)
            if self.seq >= last_seq:
                break
        if is_new:
            self.path.touch()
            self._stamp = stamp_of(self.path)
            sync_folder(self.path.parent)

    def _append_page(self, page: Page) -> None:
        lines = b"".join([line for _, line in page])
        try:
            with self.path.open("ab") as file:
                file.write(lines)
                stamp = sync_file(file)
        except OSError:
            with suppress(OSError):
                os.truncate(self.path, self._size_bytes)
            # What stands there now is compared with the table before the next append.
            self._stamp = None
            raise
        self._take(page[-1][0], lines)
        self._stamp = stamp

    def _adopt(self) -> bool:
        """Take over the lines behind the checkpoint, and cut off a torn one.

        Shape:  False when anything in the file is not what the table says.
        """
        with self.path.open("rb") as file:
            if not self._is_known_start(file):
                return False
            for page in pages_after(self._look, self._tenant, self.seq):
                for seq, line in page:
                    found = file.read(len(line))
                    if found != line:
                        return line.startswith(found) and self._cut(file)
                    self._take(seq, line)
            return not file.read(1)

    def _is_known_start(self, file: IO[bytes]) -> bool:
        """Read up to the checkpoint and compare the digest."""
        sha, left = sha256(), self._known.size_bytes
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            sha.update(chunk)
            left -= len(chunk)
        if left or sha.hexdigest() != self._known.digest:
            return False
        self._sha = sha
        return True

    def _cut(self, file: IO[bytes]) -> bool:
        """Remove a torn line, if that is all that follows."""
        if file.read(1):
            return False
        os.truncate(self.path, self._size_bytes)
        return True

    def _take(self, seq: int, lines: bytes) -> None:
        """Note that the file goes on with these lines, up to the event `seq`."""
        self.seq = seq
        self._size_bytes += len(lines)
        self._sha.update(lines)
        self._known = Checkpoint(
            seq=seq, size_bytes=self._size_bytes, digest=self._sha.hexdigest()
        )

    def _forget(self) -> None:
        self._known = Checkpoint()
        self.seq, self._size_bytes, self._sha = 0, 0, sha256()
        self._stamp = self._edit = None
