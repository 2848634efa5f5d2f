"""The files of a gateway that works, is killed, and works again."""

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import httpx2
import orjson
import pytest

from core.collab.replay import replay
from core.database import Tx
from core.events import service as events
from core.events.model import Event, render_event_line
from core.kernel.jsons import canonical_json
from core.kernel.principal import system
from gateway.opening import open_database
from gateway.settings import Settings
from tests.integration.mirror.process import GatewayProcess

TASKS = "state/tasks.json"
EVENTS = "events/events.jsonl"
WRITERS = 8
BOARD_EVENTS = {"task_created", "task_changed", "status_changed", "note_added"}


def call(client: httpx2.Client, command: str, **args: Any) -> None:
    """Send a command; a refusal is an answer like any other."""
    answer = client.post("/v1/commands", json={"command": command, "args": args})
    assert answer.status_code < 500, answer.text


def mutate(client: httpx2.Client, dice: random.Random) -> None:
    """Do one thing to the board, by chance."""
    task = f"T-{dice.randint(1, 20)}"
    match dice.randrange(6):
        case 0 | 1:
            call(client, "task.create", title=f"Task {dice.random()}", dod=["tests"])
        case 2:
            call(client, "task.set", task=task, title=f"Title {dice.random()}")
        case 3:
            call(client, "task.note", task=task, text="x" * dice.randrange(1, 900))
        case 4:
            call(client, "task.tick", task=task, which="1", undone=dice.random() < 0.5)
        case _:
            call(client, "task.claim", task=task)


def write_much(process: GatewayProcess, each: int) -> None:
    """Let eight clients change the board at once, `each` times."""

    def write(seed: int) -> None:
        dice = random.Random(seed)
        with process.client() as client:
            for _ in range(each):
                mutate(client, dice)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


def file_digest(process: GatewayProcess, kind: str) -> str:
    """What `sha256sum` says of a state file."""
    body = (process.folder / f"state/{kind}.json").read_bytes()
    return hashlib.sha256(body).hexdigest()


def is_up_to_date(process: GatewayProcess) -> bool:
    return all(
        file_digest(process, kind) == process.etag(kind)[1]
        for kind in ("tasks", "locks", "agents")
    )


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again until something holds; after 30 seconds it never will."""
    begun = time.monotonic()
    pause = threading.Event()
    while not holds():
        assert time.monotonic() - begun < 30
        pause.wait(0.02)


@contextmanager
def watched(process: GatewayProcess, name: str) -> Iterator[list[bytes]]:
    """Read a file over and over; give every content that was seen, once."""
    seen: list[bytes] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.001):
            body = (process.folder / name).read_bytes()
            if not seen or seen[-1] != body:
                seen.append(body)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield seen
    is_over.set()
    watcher.join()


def all_events(tx: Tx) -> list[Event]:
    return list(events.list_after(tx, 0, limit=1_000_000))


def told(process: GatewayProcess) -> list[Event]:
    """Read the event table of a gateway that has ended."""
    db = open_database(Settings(data=process.data))
    found = db.look(all_events, by=system())
    db.close()
    return found


def committed_bodies(table: list[Event]) -> list[bytes]:
    """Rebuild tasks.json as it was at every version, from 0 on."""
    board = [event for event in table if event.type in BOARD_EVENTS]
    return [
        canonical_json({"tasks": replay(board[:version])})
        for version in range(len(board) + 1)
    ]


def test_files_are_there_once_the_gateway_is_ready(process: GatewayProcess) -> None:
    """`M-LAY-04`."""
    for name in (TASKS, "state/locks.json", "state/agents.json", EVENTS, "logs/log.md"):
        assert (process.folder / name).exists()


def test_five_hundred_changes_are_in_the_files_within_a_second(
    process: GatewayProcess,
) -> None:
    """`M-COL-07`: the digest of the file is the one in the ETag."""
    write_much(process, 500 // WRITERS + 1)

    wait_until(lambda: is_up_to_date(process))
    assert process.etag("tasks")[0] > 100


def test_reader_sees_committed_versions_alone(process: GatewayProcess) -> None:
    """`M-COL-08`, `M-COL-12`: never a torn file, and never an older one after a newer."""
    with watched(process, TASKS) as bodies, watched(process, EVENTS) as journals:
        while len(bodies) < 6:
            write_much(process, 10)
        wait_until(lambda: is_up_to_date(process))
    process.stop()
    table = told(process)

    committed = committed_bodies(table)
    versions = [committed.index(body) for body in bodies]
    assert all(before < after for before, after in pairwise(versions))
    lines = b"".join(map(render_event_line, table))
    assert all(lines.startswith(journal) for journal in journals)
    assert (process.folder / EVENTS).read_bytes() == lines


def crash_while_writing(process: GatewayProcess, *, seed: int) -> None:
    """Kill the gateway while eight clients write."""
    dice = random.Random(seed)
    is_over = threading.Event()

    def write(number: int) -> None:
        mine = random.Random(seed * WRITERS + number)
        with process.client() as client:
            while not is_over.is_set():
                try:
                    mutate(client, mine)
                except httpx2.TransportError:
                    return

    with ThreadPoolExecutor(WRITERS) as pool:
        writing = [pool.submit(write, number) for number in range(WRITERS)]
        threading.Event().wait(dice.uniform(0.05, 0.6))
        process.kill()
        is_over.set()
        for each in writing:
            each.result()


def require_whole(process: GatewayProcess) -> None:
    """Check what a crash has left, before anybody mends it."""
    for kind in ("tasks", "locks", "agents"):
        assert orjson.loads((process.folder / f"state/{kind}.json").read_bytes())


def check_crashes(process: GatewayProcess, count: int) -> None:
    for seed in range(count):
        crash_while_writing(process, seed=seed)
        require_whole(process)
        process.start()
        wait_until(lambda: is_up_to_date(process))
    process.stop()

    table = told(process)
    assert [each.target for each in table if each.type == "mirror_drift"] == []
    lines = b"".join(map(render_event_line, table))
    assert (process.folder / EVENTS).read_bytes() == lines


def test_files_are_whole_after_a_crash(process: GatewayProcess) -> None:
    """`R-21`, `M-COL-08`: kill -9 while eight clients write, then start again."""
    check_crashes(process, 3)


@pytest.mark.soak
def test_files_are_whole_after_many_crashes(process: GatewayProcess) -> None:
    """`R-21`, `M-COL-08`."""
    check_crashes(process, 25)


def test_hand_edit_is_told_while_the_gateway_runs(process: GatewayProcess) -> None:
    edited = process.folder / TASKS
    edited.write_bytes(b'{"tasks":["mine"]}')

    def is_told() -> bool:
        return b"mirror_drift" in (process.folder / EVENTS).read_bytes()

    wait_until(is_told)
    write_much(process, 2)
    assert edited.read_bytes() == b'{"tasks":["mine"]}'
    edited.unlink()
    wait_until(edited.exists)
    wait_until(lambda: is_up_to_date(process))
