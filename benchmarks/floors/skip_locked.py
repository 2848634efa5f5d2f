"""A bare queue in Postgres: insert, claim by SKIP LOCKED, complete; nothing else.

No tenants, fences, events, audit, lanes, keys, labels or idempotency.
"""

import threading
import time

import psycopg

_SCHEMA = """
CREATE TABLE IF NOT EXISTS bare (
    id bigserial PRIMARY KEY, status text NOT NULL, input text NOT NULL, worker text
);
CREATE INDEX IF NOT EXISTS ix_bare ON bare (id) WHERE status = 'queued';
TRUNCATE bare;
"""
_ADD = "INSERT INTO bare (status, input) VALUES ('queued', %s)"
_CLAIM = """
UPDATE bare SET status = 'running', worker = %s WHERE id = (
    SELECT id FROM bare WHERE status = 'queued' ORDER BY id LIMIT 1
    FOR UPDATE SKIP LOCKED
) RETURNING id
"""
_END = "UPDATE bare SET status = 'done' WHERE id = %s"


def runs_per_second(url: str, *, threads: int, seconds: float) -> float:
    """Run the loop in so many threads, each with its connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
    counts = [0] * threads
    stop = threading.Event()

    def loop(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set():
                connection.execute(_ADD, ['{"n": 1}'])
                # All that waits may be locked by others just now.
                while not (
                    row := connection.execute(_CLAIM, [f"w{number}"]).fetchone()
                ):
                    pass
                connection.execute(_END, row)
                counts[number] += 1

    workers = [threading.Thread(target=loop, args=(n,)) for n in range(threads)]
    began = time.perf_counter()
    for each in workers:
        each.start()
    stop.wait(seconds)
    stop.set()
    for each in workers:
        each.join()
    return sum(counts) / (time.perf_counter() - began)
