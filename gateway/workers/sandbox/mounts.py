"""Decides what of the file system one program sees: a mount namespace of its own."""

import ctypes
import os
import stat
from collections.abc import Sequence

_NEW_NS = 0x00020000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_NO_SUID, _NO_DEVICES, _NO_EXEC = 0x2, 0x4, 0x8
_MOUNT_SETATTR, _HERE, _ALL_BELOW, _READ_ONLY = 442, -100, 0x8000, 0x1
_OPEN_TREE, _MOVE_MOUNT, _FROM_EMPTY_PATH = 428, 429, 0x4
# A copy of a tree of mounts, closed when a program starts.
_AS_COPY = 0x1 | os.O_CLOEXEC | _ALL_BELOW
_ROOM, _NO_ROOM = b"size=64m,nr_inodes=65536,mode=1777", b"size=64k,mode=755"
_ROOMS = ("/dev/shm", "/tmp")  # noqa: S108 - empty ones, which nobody else sees
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# What programs compute on; disks are not among it.
_FURTHER_DEVICES = ("nvidia", "dri", "kfd")
_OWN_TERMINALS = b"newinstance,ptmxmode=0666,mode=620"
_DEVICE_LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx",
}  # fmt: skip

libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user")
    ]


def checked(outcome: int) -> None:
    """Raise what the system says; 0 is success.

    Raises: OSError.
    """
    if outcome != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def shut(
    writable: Sequence[str], *, hidden: Sequence[str], seen: Sequence[str]
) -> None:
    """Shut this process in: all is read-only but `writable`, and `hidden` is empty.

    Shape:  what is `writable` or `seen` is there also where it is below what is hidden;
            of paths that contain each other, the longer one counts. /tmp and /dev/shm
            are its own, and /dev has no disks. Called first in a process namespace,
            whose processes are the ones in /proc.
    Raises: OSError.
    """
    checked(libc.unshare(_NEW_NS))
    _mount(None, b"/", None, _RECURSIVE | _PRIVATE)
    devices = _devices()
    empty = {"/dev", *_ROOMS, *hidden}.difference(writable)
    shown = {*writable, *devices, *(each for each in seen if _is_below(each, empty))}
    # They are taken before anything covers them.
    trees = {each: _tree(each) for each in shown}
    for each in sorted(empty | shown, key=_parts):
        if each in empty:
            _cover(each, _ROOM if each in _ROOMS else _NO_ROOM)
        else:
            _put(trees[each], each)
    _finish_devices()
    _set_mount(b"/", _MountAttributes(set=_READ_ONLY | _NO_DEVICES), _ALL_BELOW)
    for each in {*writable, *_ROOMS}:
        _set_mount(each.encode(), _MountAttributes(clear=_READ_ONLY), 0)
    for each in devices:
        _set_mount(each.encode(), _MountAttributes(clear=_NO_DEVICES), 0)
    _mount(b"devpts", b"/dev/pts", b"devpts", _NO_SUID | _NO_EXEC, _OWN_TERMINALS)
    _mount(b"proc", b"/proc", b"proc", _NO_SUID | _NO_DEVICES | _NO_EXEC)


def _parts(path: str) -> list[str]:
    return path.split("/")


def _devices() -> list[str]:
    return [
        f"/dev/{name}"
        for name in os.listdir("/dev")
        if name in _DEVICES or name.startswith(_FURTHER_DEVICES)
    ]


def _is_below(path: str, folders: set[str]) -> bool:
    below = any(path.startswith(f"{each}/") for each in folders)
    return below and path not in folders and os.path.exists(path)


def _tree(path: str) -> int:
    """Copy what is mounted at a path, and below, to be put elsewhere."""
    number = ctypes.c_long(_OPEN_TREE)
    tree: int = libc.syscall(number, _HERE, path.encode(), ctypes.c_uint(_AS_COPY))
    checked(min(tree, 0))
    return tree


def _put(tree: int, path: str) -> None:
    """Show a copy at a path, which is made where something has been covered."""
    if not os.path.exists(path):
        is_folder = stat.S_ISDIR(os.fstat(tree).st_mode)
        os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
        if not is_folder:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    number = ctypes.c_long(_MOVE_MOUNT)
    end = ctypes.c_uint(_FROM_EMPTY_PATH)
    checked(libc.syscall(number, tree, b"", _HERE, path.encode(), end))
    os.close(tree)


def _cover(path: str, options: bytes) -> None:
    """Have nothing seen of a folder or a file; what is not there needs no cover."""
    if path in _ROOMS:
        os.makedirs(path, exist_ok=True)
    if os.path.isdir(path):
        _mount(b"none", path.encode(), b"tmpfs", _NO_SUID | _NO_DEVICES, options)
    elif os.path.exists(path):
        # Which cannot even be opened there, for devices are switched off.
        _mount(b"/dev/null", path.encode(), None, _BIND)


def _finish_devices() -> None:
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, f"/dev/{name}")
    os.mkdir("/dev/pts")


def _mount(
    source: bytes | None,
    target: bytes,
    kind: bytes | None,
    flags: int,
    options: bytes | None = None,
) -> None:
    checked(libc.mount(source, target, kind, ctypes.c_ulong(flags), options))


def _set_mount(path: bytes, attributes: _MountAttributes, below: int) -> None:
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    number = ctypes.c_long(_MOUNT_SETATTR)
    checked(libc.syscall(number, _HERE, path, below, ctypes.byref(attributes), size))
