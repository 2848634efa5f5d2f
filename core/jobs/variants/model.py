"""A variant: one text that was made for a job; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from core.jobs.model import Format
from core.kernel.clock import to_iso
from core.kernel.etag import digest, entity_tag
from core.kernel.ids import JobId, VariantId
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import NotFound
from core.kernel.texts import require_line, require_text
from core.providers.model import MOST_BODY_CHARS

TITLE_LIMIT = 200


class VariantStatus(StrEnum):
    """What has become of a variant: as it was made, changed by a person, or accepted."""

    DRAFT = "draft"
    EDITED = "edited"
    ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One text that was made for a job; of one job at most one is accepted.

    Shape:  `position` counts from 1 within the job.
    Units:  `score` is 0 to 100; `cost_micros` its share of what all of them cost, in
            millionths of a dollar.
    """

    id: VariantId
    job_id: JobId
    position: int
    title: str
    body: str
    format: Format = Format.MD
    provider: str = ""
    model: str = ""
    score: int = 0
    cost_micros: int = 0
    edited_by: str = ""
    edited_at: datetime | None = None
    accepted_by: str = ""
    accepted_at: datetime | None = None
    created_at: datetime
    version: int = 1

    @property
    def status(self) -> VariantStatus:
        """What has become of it."""
        if self.accepted_at is not None:
            return VariantStatus.ACCEPTED
        return VariantStatus.EDITED if self.edited_by else VariantStatus.DRAFT

    @property
    def is_accepted(self) -> bool:
        """Whether it is the one of its job that was chosen."""
        return self.accepted_at is not None

    @cached_property
    def shown(self) -> Mapping[str, Json]:
        """The variant as JSON, all of it but its own etag; times in ISO 8601."""
        return _show(self)

    @cached_property
    def etag(self) -> str:
        """The strong entity tag: version and digest of the canonical view."""
        return entity_tag(self.version, digest(canonical_json(self.shown)))

    @cached_property
    def tagged(self) -> dict[str, Json]:
        """The variant as JSON together with its etag; not to be changed."""
        return {**self.shown, "etag": self.etag}


def require_title(title: str) -> str:
    """Return a title that can be stored and shown on one line.

    Raises: InvalidArgument.
    """
    return require_line("title", title, limit=TITLE_LIMIT)


def require_body(body: str) -> str:
    """Return a body that can be stored and exported.

    Raises: InvalidArgument.
    """
    return require_text("body", body, limit=MOST_BODY_CHARS, least=1)


def unknown(reference: str) -> NotFound:
    """Say that there is no such variant."""
    return NotFound(
        f"the variant {reference[:40]}", fix=["job list", "variant list J-1"]
    )


def _show(variant: Variant) -> dict[str, Json]:
    return {
        "id": variant.id,
        "job_id": variant.job_id,
        "position": variant.position,
        "title": variant.title,
        "body": variant.body,
        "format": variant.format.value,
        "status": variant.status.value,
        "provider": variant.provider,
        "model": variant.model,
        "score": variant.score,
        "cost_micros": variant.cost_micros,
        "edited_by": variant.edited_by,
        "edited_at": _moment(variant.edited_at),
        "accepted_by": variant.accepted_by,
        "accepted_at": _moment(variant.accepted_at),
        "created_at": to_iso(variant.created_at),
        "version": variant.version,
    }


def _moment(at: datetime | None) -> str | None:
    return to_iso(at) if at else None
