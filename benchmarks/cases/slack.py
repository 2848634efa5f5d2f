"""P-5: a signed slash command until it is acknowledged, on disk by then."""

import hashlib
import hmac
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from urllib.parse import urlencode

from benchmarks.connection import NUMBER, LoadFailed, Requests, numbered
from benchmarks.floors.bolt import SECRET, TEAM
from benchmarks.http_client import HttpConnection
from benchmarks.load import Load, Sample, sample
from benchmarks.paired import CLIENTS, Bench, Contestant, paired_ratio
from benchmarks.report import Line, at_least, at_most, cost_of, rate_line
from benchmarks.servers import Server, floor, opswire

PATH = "/slack/events"

_COMMAND = {
    "team_id": TEAM,
    "channel_id": "C0BENCH01",
    "user_id": "U0BENCH01",
    "user_name": "ann",
    "command": "/ops",
    "text": "whoami",
    "trigger_id": NUMBER,
}


def measure_slack(bench: Bench) -> Iterator[Line]:
    """P-5: ours stores before it acknowledges, bare Bolt only acknowledges."""
    with bench.stage() as (servers, folder):
        bolt = servers.enter_context(floor("bolt", folder / "bolt"))
        slack = servers.enter_context(floor("slack_api", folder / "slack"))
        settings = {
            "OPSWIRE_SLACK__BOT_TOKEN": "xoxb-benchmark-0001",
            "OPSWIRE_SLACK__SIGNING_SECRET": SECRET,
            "OPSWIRE_SLACK__API_URL": f"http://127.0.0.1:{slack.port}/api/",
        }
        ours = servers.enter_context(opswire(folder / "ours", settings))
        alone = bench.take_turns(
            floor=_commands(bench, bolt, 1), ours=_commands(bench, ours, 1)
        )
        many = bench.take_turns(
            floor=_commands(bench, bolt, CLIENTS), ours=_commands(bench, ours, CLIENTS)
        )
        _require_stored(ours, [*alone["ours"], *many["ours"]])
    yield _latency_line(alone)
    path = f"signed slash command, {CLIENTS} clients, against bare Bolt"
    yield rate_line("P-5", path, many, at_least(1.0))


def _latency_line(samples: Mapping[str, Sequence[Sample]]) -> Line:
    p50 = {name: [each.p50_ms for each in found] for name, found in samples.items()}
    value = median(p50["ours"])
    return Line(
        id="P-5",
        path="signed slash command until its ack, 1 client, p50",
        samples=samples,
        floor=f"{median(p50['floor']):.2f} ms",
        ours=f"{value:.2f} ms",
        value=value,
        aim=at_most(5, "ms"),
        cost=cost_of(samples["ours"]),
        note=f"{1 / paired_ratio(p50['ours'], p50['floor']):.1f} x as fast as bare Bolt",
    )


def _commands(bench: Bench, server: Server, clients: int) -> Contestant:
    requests = _signed()
    load = Load(
        server=server,
        clients=clients,
        seconds=bench.seconds,
        connect=lambda tally: HttpConnection(requests, tally),
    )
    return lambda: sample(load)


def _signed() -> Requests:
    """Yield slash commands, each with a trigger of its own, signed as they are sent."""
    for body in numbered(urlencode(_COMMAND, safe="#").encode()):
        stamp = str(int(time.time()))
        digest = hmac.new(
            SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256
        ).hexdigest()
        yield (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nX-Slack-Request-Timestamp: {stamp}\r\n"
            f"X-Slack-Signature: v0={digest}\r\n\r\n"
        ).encode() + body


def _require_stored(server: Server, samples: Sequence[Sample]) -> None:
    """Check that every acknowledged command is one row of the inbox.

    Raises: LoadFailed when there are less or more, for then the rate means nothing.
    """
    acknowledged = sum(each.acknowledged for each in samples)
    database = sqlite3.connect(f"file:{server.database}?mode=ro", uri=True)
    query = "SELECT count(*) FROM inbox WHERE channel = 'slack'"
    rows = database.execute(query).fetchone()[0]
    database.close()
    if rows != acknowledged:
        raise LoadFailed(f"{acknowledged} were acknowledged, but {rows} are stored")
