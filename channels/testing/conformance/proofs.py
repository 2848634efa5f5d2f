"""Looks up what a `quality.toml` names, below the folder that the names begin at."""

import re
from dataclasses import dataclass
from pathlib import Path

from channels.base import ChannelSpec
from channels.testing.conformance.scale import (
    Criterion,
    Grade,
    Quality,
    grade,
    read_quality,
)

_TEST_FILE = re.compile(r"(?:\w+/)*test_\w+\.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Tells whether a proof is a test that exists, or prose where that will do."""

    root: Path

    def __call__(self, proof: str, criterion: Criterion) -> bool:
        """Look one proof up; a test file counts when it has tests, or the one named."""
        file, _, name = proof.partition("::")
        path = (self.root / file).resolve()
        if not path.is_relative_to(self.root.resolve()) or not path.is_file():
            return False
        if not _TEST_FILE.fullmatch(file):
            return criterion.is_prose
        wanted = re.escape(name) if name else r"test_\w+"
        tests = re.compile(rf"^(async )?def {wanted}\(", re.MULTILINE)
        return bool(tests.search(path.read_text(encoding="utf-8")))


def root_of(path: Path) -> Path:
    """Find where the proofs of a `quality.toml` begin: the project that it is in."""
    home = path.absolute().parent
    for folder in (home, *home.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    return home


def graded(path: Path, spec: ChannelSpec) -> tuple[Quality, Grade]:
    """Read a `quality.toml`, and find out what the channel reaches.

    Raises: ValueError for a word that the scale does not know.
    """
    quality = read_quality(path)
    proofs = Proofs(root=root_of(path))
    return quality, grade(quality, spec.capabilities, is_shown=proofs)


def check_quality(path: Path, spec: ChannelSpec) -> None:
    """Check that a channel reaches the level that it declares, and not a better one."""
    quality, reached = graded(path, spec)
    assert quality.channel == spec.name, f"{path} is about {quality.channel}"
    assert reached.level >= quality.level, reached
    assert reached.level == quality.level, f"it is better than it says: {reached}"
