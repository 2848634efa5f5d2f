"""One mirrored document on disk: whose it is, and writing it whole."""

from enum import Enum
from pathlib import Path

from core.kernel.etag import version_of
from gateway.mirror.files import Stamp, digest_of, replace_file, stamp_of
from gateway.mirror.layout import Document, Rendering
from gateway.mirror.marks import Mark
from gateway.mirror.pace import Monotonic, Pace
from gateway.mirror.record import Record


class Found(Enum):
    """What stands where a file of ours should be."""

    OURS = "ours"
    MISSING = "missing"
    EDITED = "edited"


class DocumentFile:
    """A document's file; `version` is the one that it shows, None if none of ours."""

    def __init__(
        self, folder: Path, document: Document, record: Record, *, monotonic: Monotonic
    ) -> None:
        self.name = document.name
        self.path = folder / document.name
        self.document = document
        self.version: int | None = None
        self.pace = Pace(monotonic)
        self._record = record
        self._stamp: Stamp | None = None
        self._edit: Stamp | None = None

    def is_behind(self, mark: Mark) -> bool:
        """Tell whether the database has come further, or elsewhere."""
        return self.version != self.document.version(mark)

    def inspect(self) -> Found:
        """Find out whose file it is; one whose stamp is known is not read again.

        Raises: OSError.
        """
        stamp = stamp_of(self.path)
        if stamp is None:
            self.version = self._stamp = self._edit = None
            return Found.MISSING
        if stamp == self._stamp:
            return Found.OURS
        if stamp == self._edit:
            return Found.EDITED
        return self._read(stamp)

    def write(self, rendering: Rendering) -> bool:
        """Replace the file, unless somebody touched it since it was inspected.

        Raises: OSError.
        """
        if stamp_of(self.path) != self._stamp:
            return False
        self._stamp = replace_file(self.path, [rendering.body])
        self.version = version_of(rendering.tag)
        self._record.confirm(self.name, rendering.tag)
        return True

    def _read(self, stamp: Stamp) -> Found:
        tag = self._record.find(self.name, digest_of(self.path))
        if not tag:
            self._edit = stamp
            return Found.EDITED
        self._record.confirm(self.name, tag)
        self._stamp, self._edit, self.version = stamp, None, version_of(tag)
        return Found.OURS
