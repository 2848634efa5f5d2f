"""A real Alertmanager of the test's own, which reports to a gateway."""

import asyncio
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.services import find_program, free_port

_CONFIG = """
route:
  receiver: opswire
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: opswire
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          basic_auth:
            username: alertmanager
            password_file: {key_file}
"""


class Alertmanager:
    """Takes alerts as Prometheus reports them."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"

    async def until_ready(self) -> None:
        """Wait until it answers."""
        async with httpx2.AsyncClient(base_url=self._base, timeout=5) as client:
            for _ in range(200):
                try:
                    answer = await client.get("/-/ready")
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
                else:
                    assert answer.status_code == 200
                    return
        raise AssertionError("Alertmanager did not start")

    async def report(
        self, name: str, *, is_firing: bool, hosts: Sequence[str] = ("db-1",)
    ) -> None:
        """Tell it that something is wrong, or that it is over, on each of the hosts."""
        now = datetime.now(UTC)
        alerts = [
            {
                "labels": {"alertname": name, "instance": f"{host}.example:9100"},
                "annotations": {
                    "summary": f"{name} on {host}",
                    "description": "Look at it.",
                },
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                "endsAt": (now + timedelta(hours=1 if is_firing else 0)).isoformat(),
            }
            for host in hosts
        ]
        async with httpx2.AsyncClient(base_url=self._base, timeout=5) as client:
            answer = await client.post("/api/v2/alerts", json=alerts)
        assert answer.status_code == 200, answer.text

    async def fingerprints(self) -> dict[str, str]:
        """Name what it calls each alert that is wrong now."""
        async with httpx2.AsyncClient(base_url=self._base, timeout=5) as client:
            found: list[dict[str, Any]] = (await client.get("/api/v2/alerts")).json()
        return {each["labels"]["alertname"]: each["fingerprint"] for each in found}


@contextmanager
def an_alertmanager(folder: Path, *, url: str, key: str) -> Iterator[Alertmanager]:
    """Run one that delivers to `url` with an API key, until the block ends."""
    program = find_program("prometheus-alertmanager")
    port = free_port()
    key_file, config = folder / "key", folder / "alertmanager.yml"
    key_file.write_text(key)
    config.write_text(_CONFIG.format(url=url, key_file=key_file))
    command = [
        str(program),
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield Alertmanager(port)
        finally:
            process.terminate()
            process.wait(timeout=10)
