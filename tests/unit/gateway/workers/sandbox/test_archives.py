"""Archives are unpacked into the folder, and into nothing else."""

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.kernel.problems import InvalidArgument
from gateway.workers.sandbox.archives import ArchiveLimits, unpack

LIMITS = ArchiveLimits(entries=20, total_bytes=100_000, entry_bytes=50_000)
SLIPS = (
    "../canary", "a/../../canary", "/tmp/canary", "..\\canary", "a\\..\\..\\canary",
    "C:\\canary", "~/canary", "a/\n../canary",
)  # fmt: skip


def a_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def a_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


KINDS = pytest.mark.parametrize("make", [a_zip, a_tar])
Make = Callable[[Path, dict[str, bytes]], Path]


@KINDS
def test_files_are_unpacked(tmp_path: Path, make: Make) -> None:
    into = _into(tmp_path)
    archive = make(tmp_path / "archive", {"a/b.txt": b"one", "c": b"two"})

    assert unpack(archive, into, LIMITS) == ["a/b.txt", "c"]
    assert (into / "a" / "b.txt").read_bytes() == b"one"


@KINDS
@pytest.mark.parametrize("name", SLIPS)
def test_nothing_slips_out(tmp_path: Path, make: Make, name: str) -> None:
    """M-WRK-12, R-67: all names are looked at before anything is written."""
    into = _into(tmp_path)
    archive = make(tmp_path / "archive", {"good": b"1", name: b"2"})

    with pytest.raises(InvalidArgument):
        unpack(archive, into, LIMITS)

    assert list(into.iterdir()) == []
    assert not list(tmp_path.rglob("*canary*"))


@KINDS
@pytest.mark.parametrize(
    "files",
    [
        {f"f{each}": b"" for each in range(30)},
        {"big": b"0" * 60_000},
        {f"f{each}": b"0" * 40_000 for each in range(3)},
    ],
)
def test_a_bomb_is_refused(tmp_path: Path, make: Make, files: dict[str, bytes]) -> None:
    """M-WRK-12, R-67: entries, the size of one, and of all together."""
    into = _into(tmp_path)

    with pytest.raises(InvalidArgument, match=r"more than|too much"):
        unpack(make(tmp_path / "archive", files), into, LIMITS)

    assert list(into.iterdir()) == []


def test_a_zip_that_lies_about_a_size_is_stopped(tmp_path: Path) -> None:
    """R-67: what it holds counts, not what it says."""
    archive = a_zip(tmp_path / "archive.zip", {"f": b"0" * 90_000})
    raw = archive.read_bytes().replace(
        (90_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    )
    archive.write_bytes(raw)
    into = _into(tmp_path)

    with pytest.raises(InvalidArgument):
        unpack(archive, into, LIMITS)

    assert sum(each.stat().st_size for each in into.iterdir()) <= 50_000


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
    ],
)
def test_a_tar_brings_no_links_and_no_devices(tmp_path: Path, kind: bytes) -> None:
    """R-67."""
    archive = tmp_path / "archive.tar"
    with tarfile.open(archive, "w") as opened:
        entry = tarfile.TarInfo("link")
        entry.type = kind
        entry.linkname = "/etc"
        opened.addfile(entry)

    with pytest.raises(InvalidArgument, match="neither"):
        unpack(archive, _into(tmp_path), LIMITS)


def test_a_zip_brings_no_links(tmp_path: Path) -> None:
    """R-67."""
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(entry, "/etc")

    with pytest.raises(InvalidArgument, match="neither"):
        unpack(archive, _into(tmp_path), LIMITS)


def test_a_link_that_is_there_is_not_written_through(tmp_path: Path) -> None:
    """R-67: a step before may have left it."""
    into, outside = _into(tmp_path), tmp_path / "outside"
    outside.mkdir()
    (into / "a").symlink_to(outside)

    with pytest.raises(InvalidArgument):
        unpack(a_zip(tmp_path / "z", {"a/canary": b"x"}), into, LIMITS)

    assert os.listdir(outside) == []


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"\x1f\x8b\x08junk", b"x" * 600])
def test_what_is_no_archive_is_told(tmp_path: Path, raw: bytes) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(raw)

    with pytest.raises(InvalidArgument, match="damaged"):
        unpack(archive, _into(tmp_path), LIMITS)


def test_a_file_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    into = _into(tmp_path)
    (into / "f").write_text("mine")

    with pytest.raises(InvalidArgument, match="already"):
        unpack(a_zip(tmp_path / "z", {"f": b"theirs"}), into, LIMITS)

    assert (into / "f").read_text() == "mine"


def _into(tmp_path: Path) -> Path:
    into = tmp_path / "into"
    into.mkdir()
    return into
