"""Holds one program and everything that it starts, as a process of its own.

The worker gives it an order on its standard input and stays connected there. `t` asks
the program to end, `k` or the end of the connection kills all: also when the worker
itself was killed. How it ended is written to the descriptor that the order names.

With namespaces, the program runs under an init process of its own: when that ends, the
kernel kills whatever is left. Without, the warden adopts what loses its parent, and
kills its descendants until none is left.
"""

import fcntl
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TypedDict

from gateway.workers.sandbox.mounts import checked, libc, shut

_TICK_MS = 50
_PAUSE_SECONDS = 0.005
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STEADY = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

_SET_DEATH_SIGNAL, _SET_NO_NEW_PRIVILEGES, _SET_SUBREAPER = 1, 38, 36
_NEW_IPC, _NEW_USER, _NEW_PID, _NEW_NET = (
    0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
# Nobody in particular; with root's number a program would be given root's rights.
_INNER_ID = 1000


class Order(TypedDict):
    """What to run and how; `status` is the descriptor that the end is written to.

    Shape:  `input` is the descriptor that the program reads from, -1 for none. What it
            may write and see with namespaces is as `shut` in mounts.py has it.
    Units:  `memory`, `address_space` and `file` in bytes.
    """

    program: str
    argv: list[str]
    environment: dict[str, str]
    folder: str
    writable: list[str]
    hidden: list[str]
    seen: list[str]
    isolated: bool
    network: bool
    processes: int
    memory: int
    address_space: int
    file: int
    status: int
    input: int


def main() -> None:
    """Run what is ordered, and write how it ended."""
    order = _read_order()
    for each in _STEADY:
        signal.signal(each, signal.SIG_IGN)
    os.setsid()
    _come_first()
    checked(libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0))
    try:
        if order["isolated"]:
            _enter_namespaces(is_online=order["network"])
        init = os.fork()
    except OSError as fault:
        _tell(order, fault="isolation", detail=str(fault))
        return
    if init == 0:
        _be_init(order)
    _watch(order, init)


def _come_first() -> None:
    """Be scheduled before what forks without end, where this may be asked for."""
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    with suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(1))


def _read_order() -> Order:
    size = int.from_bytes(_exactly(4), "big")
    order: Order = json.loads(_exactly(size))
    return order


def _exactly(size: int) -> bytes:
    read = b""
    while len(read) < size:
        more = os.read(0, size - len(read))
        if not more:
            sys.exit(1)
        read += more
    return read


def _tell(order: Order, **how: object) -> None:
    os.write(order["status"], json.dumps(how).encode() + b"\n")


# What happens outside of the namespaces.


def _watch(order: Order, init: int) -> None:
    """Do what the worker says, and count, until the program has ended."""
    ended = os.pidfd_open(init)
    listening = select.poll()
    listening.register(0, select.POLLIN)
    listening.register(ended, select.POLLIN)
    while True:
        ready = {each for each, _ in listening.poll(_TICK_MS)}
        if ended in ready:
            break
        if 0 in ready and _is_over(init):
            break
        if excess := _excess(order):
            _tell(order, fault=excess)
            break
    _kill_all(init)


def _is_over(init: int) -> bool:
    """Read what the worker says; tell whether all is to be killed."""
    for each in os.read(0, 64) or b"k":
        if each != ord("t"):
            return True
        os.kill(init, signal.SIGTERM)
    return False


def _excess(order: Order) -> str:
    """Say what there is too much of: processes, or what they have in memory."""
    held = 0
    for count, process in enumerate(_descendants(os.getpid())):
        # The init process does not count.
        if count > order["processes"]:
            return "process_limit"
        held += _resident(process)
    return "memory_limit" if held > order["memory"] else ""


def _resident(process: int) -> int:
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _descendants(process: int) -> Iterator[int]:
    waiting = [process]
    while waiting:
        found = _children(waiting.pop())
        yield from found
        waiting += found


def _children(process: int) -> list[int]:
    try:
        threads = os.listdir(f"/proc/{process}/task")
    except OSError:
        return []
    found: list[int] = []
    for thread in threads:
        path = f"/proc/{process}/task/{thread}/children"
        with suppress(OSError), open(path, "rb") as file:
            found += map(int, file.read().split())
    return found


def _kill_all(init: int) -> None:
    """Kill until nothing is left; what could fork meanwhile is stopped first."""
    _signal(init, signal.SIGKILL)
    while left := _stopped():
        for each in left:
            _signal(each, signal.SIGKILL)
        select.select((), (), (), _PAUSE_SECONDS)
        _reap()


def _stopped() -> set[int]:
    """Stop all descendants, until none is new."""
    found: set[int] = set()
    while new := set(_descendants(os.getpid())) - found:
        for each in new:
            _signal(each, signal.SIGSTOP)
        found |= new
    return found


def _signal(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


# What happens inside of them.


def _enter_namespaces(*, is_online: bool) -> None:
    user, group = os.getuid(), os.getgid()
    kinds = _NEW_USER | _NEW_PID | _NEW_IPC | (0 if is_online else _NEW_NET)
    checked(libc.unshare(kinds))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user or _INNER_ID} {user} 1")
    _write("/proc/self/gid_map", f"{group or _INNER_ID} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _be_init(order: Order) -> None:
    """Start the program and wait for it; whatever it leaves behind is killed."""
    try:
        checked(libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0))
        checked(libc.prctl(_SET_SUBREAPER, 1, 0, 0, 0))
        if order["isolated"]:
            shut(order["writable"], hidden=order["hidden"], seen=order["seen"])
        program = os.fork()
    except OSError as fault:
        _tell(order, fault="isolation", detail=str(fault))
        os._exit(1)
    if program == 0:
        _become(order)
    signal.signal(signal.SIGTERM, lambda *_: _ask(program))
    while True:
        process, status = os.waitpid(-1, 0)
        if process == program:
            break
    code = os.waitstatus_to_exitcode(status)
    _tell(order, **({"exit": code} if code >= 0 else {"signal": -code}))
    os._exit(0)


def _ask(program: int) -> None:
    try:
        os.killpg(program, signal.SIGTERM)
    except ProcessLookupError:
        # It has not become a group of its own yet.
        _signal(program, signal.SIGTERM)


def _become(order: Order) -> None:
    """Turn into the program, with no more than it was given."""
    try:
        os.setsid()
        checked(libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0))
        for each in (*_STEADY, *_IGNORED_BY_PYTHON):
            signal.signal(each, signal.SIG_DFL)
        for kind, most in _bounds(order):
            resource.setrlimit(kind, (most, most))
        checked(libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        os.chdir(order["folder"])
        os.umask(0o077)
        source = order["input"]
        os.dup2(source if source >= 0 else os.open(os.devnull, os.O_RDONLY), 0)
        fcntl.fcntl(order["status"], fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        os.closerange(3, order["status"])
        os.closerange(order["status"] + 1, 256)
        # Arguments only, and a program that was found before: no shell is asked.
        os.execve(order["program"], order["argv"], order["environment"])  # noqa: S606
    except (OSError, ValueError) as fault:
        _tell(order, fault="not_started", detail=str(fault))
    os._exit(127)


def _bounds(order: Order) -> Iterator[tuple[int, int]]:
    yield resource.RLIMIT_CORE, 0
    yield resource.RLIMIT_FSIZE, order["file"]
    yield resource.RLIMIT_AS, order["address_space"]
    # It counts per user, here those in the namespace. What has too many processes is
    # killed by the count above; this keeps it from growing until then.
    others = 0 if order["isolated"] else _count_of_user()
    yield resource.RLIMIT_NPROC, others + 2 * order["processes"]


def _count_of_user() -> int:
    own = os.getuid()
    found = 0
    for each in os.listdir("/proc"):
        with suppress(OSError):
            if each.isdecimal() and os.stat(f"/proc/{each}").st_uid == own:
                found += len(os.listdir(f"/proc/{each}/task"))
    return found
