"""Contestants that take turns, so that a slow minute of the machine hits them alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.connection import NUMBER, Requests
from benchmarks.http_client import HttpConnection, post_line, post_same_line
from benchmarks.load import Load, Sample, sample
from benchmarks.servers import Server
from benchmarks.websocket_client import WebSocketConnection, exec_line

CLIENTS = 64
COMMANDS_PATH = "/v1/commands"
CREATE = f'task create "Fix login redirect {NUMBER}" --lane B --dod "tests,docs"'

Contestant = Callable[[], Sample]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """How long and how often to measure, and where servers may write meanwhile."""

    seconds: float
    rounds: int
    scratch: Path

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Lend a folder that is gone afterwards."""
        with TemporaryDirectory(dir=self.scratch, prefix="opswire-bench-") as name:
            yield Path(name)

    @contextmanager
    def stage(self) -> Iterator[tuple[ExitStack, Path]]:
        """Lend a folder, and a stack that stops its servers before the folder goes."""
        with self.folder() as folder, ExitStack() as servers:
            yield servers, folder

    def take_turns(self, **contestants: Contestant) -> Mapping[str, Sequence[Sample]]:
        """Sample every contestant once per round, in the order given."""
        samples: dict[str, list[Sample]] = {name: [] for name in contestants}
        for _ in range(self.rounds):
            for name, contestant in contestants.items():
                samples[name].append(contestant())
        return samples

    def writes(
        self, server: Server, path: str = COMMANDS_PATH, *, clients: int = CLIENTS
    ) -> Contestant:
        """Send the mutating command over HTTP, each time with a new key."""
        return self._http(server, post_line(path, CREATE, key=_key(server)), clients)

    def reads(self, server: Server, line: str, path: str = COMMANDS_PATH) -> Contestant:
        """Send a reading command over HTTP."""
        return self._http(server, post_same_line(path, line, key=_key(server)), CLIENTS)

    def frames(self, server: Server) -> Contestant:
        """Send the mutating command over WebSocket sessions, one at a time in each."""
        requests = exec_line(CREATE)
        load = Load(
            server=server,
            clients=CLIENTS,
            seconds=self.seconds,
            connect=lambda tally: WebSocketConnection(requests, tally, key=server.key),
        )
        return lambda: sample(load)

    def _http(self, server: Server, requests: Requests, clients: int) -> Contestant:
        load = Load(
            server=server,
            clients=clients,
            seconds=self.seconds,
            connect=lambda tally: HttpConnection(requests, tally),
        )
        return lambda: sample(load)


def rates(samples: Sequence[Sample]) -> list[float]:
    """Take the answers per second out of samples."""
    return [each.rate for each in samples]


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios of samples that were taken next to each other.

    It may differ a little from the ratio of the two medians, which a disturbance of
    one single sample can move.
    """
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def _key(server: Server) -> str:
    """Give floors a credential too, so that all requests have the same size."""
    return server.key or "0" * 40
