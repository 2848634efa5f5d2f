"""A refused upgrade ends the sample with the server's words."""

from pathlib import Path

import pytest

from benchmarks.connection import LoadFailed
from benchmarks.load import Load, sample
from benchmarks.servers import floor
from benchmarks.websocket_client import WebSocketConnection, exec_line


def test_refused_upgrade_fails_the_sample(tmp_path: Path) -> None:
    requests = exec_line("whoami")
    with floor("starlette_echo", tmp_path) as server:
        load = Load(
            server=server,
            clients=1,
            seconds=0.1,
            connect=lambda tally: WebSocketConnection(requests, tally, key="k"),
        )

        with pytest.raises(LoadFailed, match=r"no welcome: b'HTTP/1\.1 403"):
            sample(load)
