"""The files of one tenant: kept up with the database, never over somebody's edit."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from core.database import Database, Tx
from core.events import service as events
from core.kernel.clock import Clock, from_micros, to_iso, to_micros
from core.kernel.principal import TenantId, system
from gateway.mirror.documents import DocumentFile, Found
from gateway.mirror.files import digest_of, sync_folder
from gateway.mirror.journal import EventFile
from gateway.mirror.layout import ASIDE, DOCUMENTS, RECORD, Rendering
from gateway.mirror.marks import Look, Mark
from gateway.mirror.pace import Monotonic, Pace
from gateway.mirror.record import Hold, load_record, save_record

_log = logging.getLogger(__name__)

HOLD = timedelta(minutes=15)
CHECK_SECONDS = 1.0

AnyFile = DocumentFile | EventFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every tenant's mirror works with."""

    db: Database
    look: Look
    clock: Clock
    monotonic: Monotonic


class TenantMirror:
    """Brings a tenant's files to where the database is, and finds edits.

    Shape:  an edited file is told once (`mirror_drift`) and left alone for 15 minutes,
            or until somebody takes it away; then it is set aside and written again.
    """

    def __init__(self, tenant: TenantId, folder: Path, desk: Desk) -> None:
        self.folder = folder
        self._by = system(tenant, name="mirror")
        self._desk = desk
        self._record = load_record(folder / RECORD)
        self._documents = [
            DocumentFile(folder, each, self._record, monotonic=desk.monotonic)
            for each in DOCUMENTS
        ]
        self._events = EventFile(
            folder, desk.look, tenant, known=self._record.checkpoint
        )
        self._append_pace = Pace(desk.monotonic)
        self._files: Sequence[AnyFile] = (*self._documents, self._events)
        self._check_at = 0.0

    def follow(self, mark: Mark, *, is_final: bool = False) -> float:
        """Write what differs from the database and is due; all of it if it is final.

        Shape:  the seconds until something that differs is due.
        Raises: OSError, Unavailable.
        """
        if is_final or self._desk.monotonic() >= self._check_at:
            for file in self._files:
                self._is_free(file)
            self._check_at = self._desk.monotonic() + CHECK_SECONDS
        behind = [each for each in self._documents if each.is_behind(mark)]
        due = [each for each in behind if is_final or not each.pace.due_in]
        self._write_all([each for each in due if self._is_free(each)])
        if is_final or not self._append_pace.due_in:
            self._append(mark)
        if is_final:
            self._save()
        return self._due_in(mark)

    def edited(self) -> Sequence[AnyFile]:
        """Inspect every file; list those that hold somebody's edit."""
        return [each for each in self._files if each.inspect() is Found.EDITED]

    def set_aside(self, file: AnyFile) -> Path:
        """Keep an edit under another name, so that the mirror goes on.

        Raises: OSError, Unavailable.
        """
        moment = f"{self._desk.clock.now():%Y%m%dT%H%M%S}"
        name = f"{file.path.stem}-{moment}-{digest_of(file.path)[:8]}{file.path.suffix}"
        aside = self.folder / ASIDE / name
        aside.parent.mkdir(exist_ok=True)
        file.path.replace(aside)
        sync_folder(aside.parent)
        file.inspect()
        self._tell("mirror_resumed", file, aside=f"{ASIDE}/{name}")
        return aside

    def _is_free(self, file: AnyFile) -> bool:
        """Tell whether a file may be written; an edit found now is told and held."""
        if file.inspect() is not Found.EDITED:
            self._end_hold(file)
            return True
        hold = self._record.holds.get(file.name)
        if hold is None:
            self._begin_hold(file)
            return False
        if to_micros(self._desk.clock.now()) < hold.until:
            return False
        self.set_aside(file)
        self._end_hold(file)
        return True

    def _due_in(self, mark: Mark) -> float:
        """Return the seconds until something can be written; an edit waits for checks."""
        paces = {
            each.name: each.pace for each in self._documents if each.is_behind(mark)
        }
        if self._events.is_behind(mark.event_seq):
            paces[self._events.name] = self._append_pace
        free = paces.keys() - self._record.holds.keys()
        return min((paces[name].due_in for name in free), default=CHECK_SECONDS)

    def _begin_hold(self, file: AnyFile) -> None:
        hold = Hold(
            base=self._record.written(file.name),
            until=to_micros(self._desk.clock.now() + HOLD),
        )
        self._tell("mirror_drift", file, expected=hold.base, digest=digest_of(file.path),
                   held_until=to_iso(from_micros(hold.until)))  # fmt: skip
        self._record.holds[file.name] = hold
        self._save()

    def _end_hold(self, file: AnyFile) -> None:
        if self._record.holds.pop(file.name, None) is not None:
            self._save()

    def _tell(self, event: str, file: AnyFile, **details: str) -> None:
        _log.warning(event, extra={"file": str(file.path)})

        def append(tx: Tx) -> None:
            events.append(tx, event, target=file.name, **details)

        self._desk.db.run(append, by=self._by)

    def _write_all(self, files: Sequence[DocumentFile]) -> None:
        """Render, record what is to come, then write."""
        if not files:
            return
        drafts = [(each, *self._render(each)) for each in files]
        for file, rendering, _ in drafts:
            self._record.expect(file.name, rendering.tag)
        self._save()
        for file, rendering, cost in drafts:
            begun = self._desk.monotonic()
            file.write(rendering)
            spent = cost + self._desk.monotonic() - begun
            file.pace.spent(spent, rows=rendering.rows)

    def _append(self, mark: Mark) -> None:
        """Append the events that the file lacks; many in one go cost one wait."""
        if self._events.is_behind(mark.event_seq) and self._is_free(self._events):
            begun = self._desk.monotonic()
            self._events.append(mark.event_seq)
            self._append_pace.spent(self._desk.monotonic() - begun, rows=0)

    def _render(self, file: DocumentFile) -> tuple[Rendering, float]:
        begun = self._desk.monotonic()
        rendering = self._desk.look(file.document.render, by=self._by)
        return rendering, self._desk.monotonic() - begun

    def _save(self) -> None:
        self._record.checkpoint = self._events.checkpoint
        save_record(self.folder / RECORD, self._record)
