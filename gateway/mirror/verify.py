"""Compare the files with the database, and write copies of them elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.kernel.etag import digest
from core.kernel.principal import TenantId, system
from gateway.mirror.files import replace_file
from gateway.mirror.journal import pages_after
from gateway.mirror.layout import DOCUMENTS, EVENTS, Document, tenant_folder
from gateway.mirror.marks import Look, read_marks


class Verdict(StrEnum):
    """How a file stands to the database."""

    SAME = "same"
    BEHIND = "behind"
    DIFFERENT = "different"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One file and what the database says of it; `tag` is the database's own."""

    path: Path
    verdict: Verdict
    tag: str = ""


def compare_all(look: Look, root: Path) -> Sequence[Comparison]:
    """Compare the files of every tenant, byte for byte.

    Shape:  `BEHIND` is an event file that lacks the newest lines; an older document is
            `DIFFERENT`, because nothing but the present one can be compared.
    Raises: OSError, Unavailable.
    """
    return [
        each
        for mark in look(read_marks, by=system())
        for each in _compare(look, mark.tenant, tenant_folder(root, mark.tenant))
    ]


def export_all(look: Look, root: Path) -> Sequence[Path]:
    """Write the files of every tenant to another folder, each of one version.

    Raises: OSError, Unavailable.
    """
    written = []
    for mark in look(read_marks, by=system()):
        folder = tenant_folder(root, mark.tenant)
        for document in DOCUMENTS:
            body = look(document.render, by=system(mark.tenant)).body
            replace_file(folder / document.name, [body])
            written.append(folder / document.name)
        replace_file(folder / EVENTS, _lines(look, mark.tenant))
        written.append(folder / EVENTS)
    return written


def _compare(look: Look, tenant: TenantId, folder: Path) -> Iterator[Comparison]:
    for document in DOCUMENTS:
        yield _compare_document(look, tenant, folder, document)
    path = folder / EVENTS
    yield Comparison(path=path, verdict=_compare_events(look, tenant, path))


def _compare_document(
    look: Look, tenant: TenantId, folder: Path, document: Document
) -> Comparison:
    path = folder / document.name
    tag = look(document.render, by=system(tenant)).tag
    if not path.exists():
        return Comparison(path=path, verdict=Verdict.MISSING, tag=tag)
    is_same = tag.endswith(f"-{digest(path.read_bytes())}")
    verdict = Verdict.SAME if is_same else Verdict.DIFFERENT
    return Comparison(path=path, verdict=verdict, tag=tag)


def _compare_events(look: Look, tenant: TenantId, path: Path) -> Verdict:
    """Walk file and table together; the size is taken first, as the file may grow."""
    if not path.exists():
        return Verdict.MISSING
    left = path.stat().st_size
    with path.open("rb") as file:
        for line in _lines(look, tenant):
            if not left:
                return Verdict.BEHIND
            if file.read(len(line)) != line:
                return Verdict.DIFFERENT
            left -= len(line)
    return Verdict.SAME if left <= 0 else Verdict.DIFFERENT


def _lines(look: Look, tenant: TenantId) -> Iterator[bytes]:
    for page in pages_after(look, tenant, 0):
        yield from (line for _, line in page)
