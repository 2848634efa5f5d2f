"""The shapes of what artifact commands answer, and how they are shown."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from commands import blocks
from core.kernel.reply import Code, Table
from core.runs.artifacts.model import Artifact, ArtifactKind

_SHOWN_CHARS = 3_000
_LANGUAGES = {
    ArtifactKind.MARKDOWN: "markdown",
    ArtifactKind.JSON: "json",
    ArtifactKind.DIFF: "diff",
}
_STEPS = ((1_000_000, "MB"), (1_000, "kB"))


class ArtifactData(TypedDict):
    """An artifact; `url` is where its content is, "" while it is not there."""

    id: str
    subject: str
    attempt: int
    name: str
    kind: str
    state: str
    size_bytes: int
    sha256: str
    is_partial: bool
    url: str
    created_at: str


class ArtifactListData(TypedDict):
    """What belongs to a run or an export, in the order it came."""

    items: list[ArtifactData]
    next: None


class ArtifactTextData(ArtifactData):
    """An artifact with its content, "" when that is large or no text."""

    content: str


class ArtifactPutData(ArtifactData):
    """An artifact that was put; `upload_url` takes its content, "" if it is there."""

    upload_url: str
    upload_until: str


def size(size_bytes: int) -> str:
    """Write a size for people: `12 B`, `3.4 kB`, `12.0 MB`."""
    for unit_bytes, unit in _STEPS:
        if size_bytes >= unit_bytes:
            return f"{size_bytes / unit_bytes:.1f} {unit}"
    return f"{size_bytes} B"


def table_of(found: Sequence[Artifact]) -> Table:
    """Show artifacts as rows."""
    return blocks.table(
        ("id", "name", "kind", "size", "state"),
        [
            (each.id, each.name, each.kind, size(each.size_bytes), state_of(each))
            for each in found
        ],
    )


def state_of(artifact: Artifact) -> str:
    """Say whether it is there, and whether it is all of what it was to be."""
    partial = " (partial)" if artifact.is_partial else ""
    return f"{artifact.state}{partial}"


def code_of(artifact: Artifact, text: str) -> Code:
    """Show the beginning of a text."""
    cut = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}\n…"
    return Code(text=cut, lang=_LANGUAGES.get(artifact.kind, ""))
