"""The keystore file: private, whole, shared, and never silently replaced."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.kernel.problems import Conflict, NotFound, Unavailable
from core.secrets.model import KeyRing, Purpose
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keystore.json"


def test_a_ring_is_made_at_first_use_and_kept(path: Path) -> None:
    first = FileKeystore(path).ring(Purpose.SEAL)

    assert FileKeystore(path).ring(Purpose.SEAL) == first
    assert len(first.keys[first.current]) == 32


def test_the_file_is_private(path: Path) -> None:
    FileKeystore(path).ring(Purpose.SEAL)

    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "keystore.json",
        "keystore.json.lock",
    ]


def test_each_purpose_has_keys_of_its_own(path: Path) -> None:
    keystore = FileKeystore(path)

    seal, sign = keystore.ring(Purpose.SEAL), keystore.ring(Purpose.SIGN)

    assert not set(seal.keys.values()) & set(sign.keys.values())
    assert keystore.ring(Purpose.SEAL) == seal


def test_rotation_is_live_in_other_processes(path: Path) -> None:
    """R-06: a second reader of the file sees the new key without a restart."""
    here, there = FileKeystore(path), FileKeystore(path)
    old = there.ring(Purpose.SIGN)

    new = here.rotate(Purpose.SIGN)

    assert there.ring(Purpose.SIGN) == new
    assert new.current != old.current
    assert new.keys[old.current] == old.keys[old.current]


def test_a_retired_key_is_gone_everywhere(path: Path) -> None:
    here, there = FileKeystore(path), FileKeystore(path)
    old = there.ring(Purpose.SIGN).current
    here.rotate(Purpose.SIGN)

    here.retire(Purpose.SIGN, old)

    assert old not in there.ring(Purpose.SIGN).keys


def test_the_current_key_and_an_unknown_one_are_not_retired(path: Path) -> None:
    keystore = FileKeystore(path)
    current = keystore.ring(Purpose.SEAL).current

    with pytest.raises(Conflict):
        keystore.retire(Purpose.SEAL, current)
    with pytest.raises(NotFound):
        keystore.retire(Purpose.SEAL, "k9")


def test_first_use_by_many_at_once_makes_one_ring(path: Path) -> None:
    def first_use(_: int) -> KeyRing:
        return FileKeystore(path).ring(Purpose.SEAL)

    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(first_use, range(16)))

    assert all(ring == rings[0] for ring in rings)


def test_rotations_at_once_lose_no_key(path: Path) -> None:
    first = FileKeystore(path).ring(Purpose.SEAL)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: FileKeystore(path).rotate(Purpose.SEAL), range(8)))

    ring = FileKeystore(path).ring(Purpose.SEAL)
    assert len(ring.keys) == 9
    assert first.current in ring.keys


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        '{"rings": {"other": {"current": "k", "keys": {}}}}',
        '{"rings": {"seal": {"current": "k", "keys": {}}}}',
        '{"rings": {"seal": {"current": "k", "keys": {"k": "AAAA"}}}}',
        '{"rings": {"seal": {"current": "k", "keys": {"k": "?"}}}}',
        '{"x": 1}',
    ],
)
def test_a_damaged_file_fails_closed_and_stays(path: Path, body: str) -> None:
    path.parent.mkdir()
    path.write_text(body)
    path.chmod(0o600)

    with pytest.raises(Unavailable, match="damaged"):
        FileKeystore(path).ring(Purpose.SEAL)
    assert path.read_text() == body


def test_a_file_that_others_can_read_is_refused(path: Path) -> None:
    FileKeystore(path).ring(Purpose.SEAL)
    path.chmod(0o644)

    with pytest.raises(Unavailable, match="open to other users"):
        FileKeystore(path).ring(Purpose.SEAL)


def test_a_file_that_vanished_is_not_replaced(path: Path) -> None:
    """A new ring would seal under keys that the backup does not have."""
    keystore = FileKeystore(path)
    keystore.ring(Purpose.SEAL)
    path.unlink()

    with pytest.raises(Unavailable, match="gone"):
        keystore.ring(Purpose.SEAL)
    assert not path.exists()


def test_secrets_survive_a_rotation_of_the_file(path: Path) -> None:
    """R-70."""
    sealed = Vault(FileKeystore(path)).seal(b"hunter2", context="here")

    FileKeystore(path).rotate(Purpose.SEAL)

    assert Vault(FileKeystore(path)).open_(sealed, context="here") == b"hunter2"
