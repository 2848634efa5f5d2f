"""A sample is an honest one: it counts good answers and fails on any other."""

import sqlite3
from pathlib import Path

import pytest

from benchmarks.connection import LoadFailed
from benchmarks.http_client import HttpConnection, post_line
from benchmarks.load import Load, sample
from benchmarks.servers import Server, canned, floor


def load_of(server: Server, path: str) -> Load:
    """Two clients for a tenth of a second."""
    requests = post_line(path, "whoami", key="k")
    return Load(
        server=server,
        clients=2,
        seconds=0.1,
        connect=lambda tally: HttpConnection(requests, tally),
    )


def lines_in(path: Path) -> int:
    """Count what the committing floor stored."""
    rows = sqlite3.connect(path).execute("SELECT count(*) FROM lines")
    count: int = rows.fetchone()[0]
    return count


def test_sample_measures_a_server(tmp_path: Path) -> None:
    with canned(tmp_path) as server:
        found = sample(load_of(server, "/echo"))

    assert found.rate > 0
    assert found.acknowledged > 2
    assert 0 < found.p50_ms <= found.p99_ms


def test_floor_stores_every_line_it_acknowledged(tmp_path: Path) -> None:
    with floor("fastapi_commit", tmp_path) as server:
        found = sample(load_of(server, "/commit"))

    assert lines_in(tmp_path / "floor.db") == found.acknowledged


def test_refusal_fails_the_sample_with_the_words_of_the_server(tmp_path: Path) -> None:
    with (
        floor("starlette_echo", tmp_path) as server,
        pytest.raises(LoadFailed, match="404 Not Found"),
    ):
        sample(load_of(server, "/nowhere"))
