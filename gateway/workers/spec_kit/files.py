"""A spec kit on disk: read from a folder, written into one, packed into a zip file."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from gateway.workers.spec_kit.model import SECTIONS
from gateway.workers.spec_kit.validation import MOST_BYTES

_EPOCH = (1980, 1, 1, 0, 0, 0)


def read_kit(folder: Path) -> Mapping[str, str]:
    """Read the files of a kit that are there; what is no UTF-8 is read as far as it is.

    Raises: OSError.
    """
    paths = {name: folder / name for name in SECTIONS}
    return {name: _read(path) for name, path in paths.items() if path.is_file()}


def write_kit(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files into a folder, which is made if need be.

    Raises: OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    return [folder / name for name in files]


def pack(path: Path, root: str, files: Mapping[str, str]) -> None:
    """Pack files below a folder `root`; the same files give the same bytes.

    Raises: OSError.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(f"{root}/{name}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1).decode(errors="replace")
