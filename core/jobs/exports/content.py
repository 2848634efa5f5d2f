"""What is in an export's file: equal variants of equal jobs make equal bytes."""

import re
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO

import orjson

from core.jobs.exports.model import ExportFormat
from core.jobs.model import Job
from core.jobs.variants.model import Variant
from core.kernel.jsons import Json

# The moment that every entry of an archive carries: the first that the format knows.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644
_UNIX = 3
_SLUG_CHARS = 60
_CHANGING = frozenset({"status", "changed_at", "finished_at", "version", "reason"})
_KINDS = {
    ExportFormat.ZIP: "file",
    ExportFormat.MD: "markdown",
    ExportFormat.JSON: "json",
}


def render(job: Job, variant: Variant, format_: ExportFormat) -> bytes:
    """Make the content of the file."""
    match format_:
        case ExportFormat.ZIP:
            return _archive(_entries(job, variant))
        case ExportFormat.MD:
            return _markdown(variant)
        case ExportFormat.JSON:
            return _pretty({"job": _told(job), "variant": dict(variant.shown)})


def name_of(variant: Variant, format_: ExportFormat) -> str:
    """Name the file: `release-notes-V-71.zip`; a title never makes it anything else."""
    words = re.sub(r"[^a-z0-9]+", "-", variant.title.lower())
    slug = words[:_SLUG_CHARS].strip("-")
    return f"{f'{slug}-' if slug else ''}{variant.id}.{format_.value}"


def kind_of(format_: ExportFormat) -> str:
    """Say what kind of artifact the file is."""
    return _KINDS[format_]


def _entries(job: Job, variant: Variant) -> Mapping[str, bytes]:
    """List the files of an archive; the manifest comes last and names the others."""
    files = {
        f"variant.{variant.format.value}": variant.body.encode(),
        "job.json": _pretty(_told(job)),
        "variant.json": _pretty(
            {name: value for name, value in variant.shown.items() if name != "body"}
        ),
    }
    listed: list[Json] = [
        {
            "name": name,
            "size_bytes": len(content),
            "sha256": sha256(content).hexdigest(),
        }
        for name, content in files.items()
    ]
    manifest: dict[str, Json] = {
        "job": job.id,
        "variant": variant.id,
        "accepted_by": variant.accepted_by,
        "accepted_at": variant.shown["accepted_at"],
        "files": listed,
    }
    return {**files, "manifest.json": _pretty(manifest)}


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = _UNIX
            entry.external_attr = _FILE_MODE << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _markdown(variant: Variant) -> bytes:
    """Write the body under its title, unless it begins with a heading of its own."""
    if variant.format == "json":
        return f"# {variant.title}\n\n```json\n{variant.body}\n```\n".encode()
    has_heading = variant.body.lstrip().startswith("# ")
    return (
        variant.body if has_heading else f"# {variant.title}\n\n{variant.body}"
    ).encode()


def _told(job: Job) -> dict[str, Json]:
    """Show of a job what does not change when it is exported."""
    return {name: value for name, value in job.shown.items() if name not in _CHANGING}


def _pretty(value: object) -> bytes:
    return orjson.dumps(
        value,
        option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )
