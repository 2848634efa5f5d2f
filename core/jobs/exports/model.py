"""An export: an accepted variant as a file to take away; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.clock import to_iso
from core.kernel.ids import ExportId
from core.kernel.jsons import Json
from core.kernel.problems import NotFound

LINK_KIND = "export"
LINK_TTL = timedelta(hours=24)


class ExportFormat(StrEnum):
    """What kind of file an export is."""

    ZIP = "zip"
    MD = "md"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A file that was made of an accepted variant; its content is an artifact."""

    id: ExportId
    variant_id: str
    job_id: str
    format: ExportFormat
    name: str
    artifact_id: str
    size_bytes: int
    sha256: str
    actor: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFilter:
    """Which exports a list shows; what is empty restricts nothing."""

    job: str = ""
    variant: str = ""
    format: ExportFormat | None = None


def view(export: Export) -> dict[str, Json]:
    """Show an export as JSON."""
    return {
        "id": export.id,
        "variant_id": export.variant_id,
        "job_id": export.job_id,
        "format": export.format.value,
        "name": export.name,
        "artifact_id": export.artifact_id,
        "size_bytes": export.size_bytes,
        "sha256": export.sha256,
        "created_by": export.actor,
        "created_at": to_iso(export.created_at),
    }


def unknown(reference: str) -> NotFound:
    """Say that there is no such export."""
    return NotFound(f"the export {reference[:40]}", fix=["export list"])
