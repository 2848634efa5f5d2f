"""The keystore in a file: mode 0600, replaced atomically, shared by all processes."""

import fcntl
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from core.kernel.problems import Conflict, NotFound, Unavailable
from core.secrets.model import KEY_BYTES, KeyRing, Purpose

_MODE = 0o600
_OTHERS = 0o077


class _RingFile(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    current: str
    keys: dict[str, str]


class _StoreFile(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    rings: dict[str, _RingFile] = {}


class _Stamp(NamedTuple):
    """What changes whenever the file is replaced."""

    inode: int
    mtime_ns: int
    size_bytes: int


class FileKeystore:
    """Key rings in one JSON file, created at first use.

    Shape:  the file is read again when another process has replaced it, so that a
            rotation is live everywhere; changes are made under a lock file.
    Raises: Unavailable when the file is damaged, or readable by other users.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._rings: dict[Purpose, KeyRing] = {}

    def ring(self, purpose: Purpose) -> KeyRing:
        """Return a ring, made at first use."""
        self._refresh()
        found = self._rings.get(purpose)
        return found or self._create(purpose)

    def rotate(self, purpose: Purpose) -> KeyRing:
        """Add a key and make it current."""
        with self._changing():
            old = self._rings.get(purpose)
            return self._save(purpose, _grow(old.keys if old else {}))

    def retire(self, purpose: Purpose, key_id: str) -> KeyRing:
        """Forget a key for good.

        Raises: NotFound, Conflict for the current key.
        """
        self.ring(purpose)
        with self._changing():
            ring = self._rings[purpose]
            if key_id not in ring.keys:
                raise NotFound(f"the key {key_id[:40]}")
            if key_id == ring.current:
                raise Conflict(f"the key {key_id} is in use", fix=["rotate first"])
            keys = {name: key for name, key in ring.keys.items() if name != key_id}
            return self._save(purpose, KeyRing(current=ring.current, keys=keys))

    def _create(self, purpose: Purpose) -> KeyRing:
        with self._changing():
            found = self._rings.get(purpose)
            return found or self._save(purpose, _grow({}))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Keep other processes out while the file is read, changed and replaced."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            yield
        finally:
            os.close(lock)

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._require_never_seen()
            return
        stamp = _Stamp(status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return
        if status.st_mode & _OTHERS:
            raise Unavailable(
                f"the keystore {self._path} is open to other users",
                fix=[f"chmod 600 {self._path}"],
            )
        self._rings, self._stamp = _parse(self._path), stamp

    def _require_never_seen(self) -> None:
        """A keystore that has vanished must not be replaced by an empty one."""
        if self._stamp is not None:
            raise Unavailable(
                f"the keystore {self._path} is gone", fix=["restore it from its backup"]
            )

    def _save(self, purpose: Purpose, ring: KeyRing) -> KeyRing:
        self._replace({**self._rings, purpose: ring})
        self._refresh()
        return ring

    def _replace(self, rings: dict[Purpose, KeyRing]) -> None:
        body = _render(rings)
        temporary = self._path.with_name(f"{self._path.name}.{token_hex(4)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        _sync_folder(self._path.parent)


def _grow(keys: Mapping[str, bytes]) -> KeyRing:
    """Add a random key and make it current."""
    name = f"k{len(keys) + 1}-{token_hex(4)}"
    return KeyRing(current=name, keys={**keys, name: token_bytes(KEY_BYTES)})


def _render(rings: Mapping[Purpose, KeyRing]) -> bytes:
    file = _StoreFile(
        rings={
            purpose.value: _RingFile(
                current=ring.current,
                keys={name: b64encode(key).decode() for name, key in ring.keys.items()},
            )
            for purpose, ring in rings.items()
        }
    )
    return file.model_dump_json(indent=1).encode()


def _parse(path: Path) -> dict[Purpose, KeyRing]:
    try:
        file = _StoreFile.model_validate_json(path.read_bytes())
        return {Purpose(name): _to_ring(ring) for name, ring in file.rings.items()}
    except ValueError:
        # The cause is left out on purpose: it quotes what it could not read.
        raise Unavailable(
            f"the keystore {path} is damaged", fix=["restore it from its backup"]
        ) from None


def _to_ring(file: _RingFile) -> KeyRing:
    keys = {name: b64decode(key, validate=True) for name, key in file.keys.items()}
    if file.current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
        raise ValueError("a ring has no current key, or one of another length")
    return KeyRing(current=file.current, keys=keys)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
