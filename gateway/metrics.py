"""What the gateway counts: for Prometheus, and as live figures for the tiles."""

import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import Counter as Total

from core.kernel.reply import Reply, ReplyStatus

_WINDOW_SECONDS = 60.0
_SAMPLES = 10_000
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Sample(NamedTuple):
    """One answered command."""

    at: float
    channel: str
    seconds: float
    is_good: bool


class Metrics:
    """Counts answered commands per channel and outcome, and how long they took.

    Units:  the live figures look back over the last 60 s, at most 10,000 commands.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answered = Total(
            "opswire_commands_total",
            "Commands answered.",
            ("channel", "outcome"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "opswire_command_seconds",
            "Time from receipt to answer.",
            ("channel",),
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.waiting = Gauge(
            "opswire_writes_waiting",
            "Writes queued for the database.",
            registry=self.registry,
        )
        self.runs = Gauge(
            "opswire_runs",
            "Runs that wait for a worker, or are held by one.",
            ("lane", "state"),
            registry=self.registry,
        )
        self.oldest_run = Gauge(
            "opswire_runs_oldest_seconds",
            "How long the oldest run has waited for a worker.",
            registry=self.registry,
        )
        self.stuck_runs = Gauge(
            "opswire_runs_stuck",
            "Held runs of silent workers that nobody has taken back.",
            registry=self.registry,
        )
        self._recent: deque[Sample] = deque(maxlen=_SAMPLES)
        self._children: dict[tuple[str, str], Total] = {}
        self._timers: dict[str, Histogram] = {}

    def observe(self, channel: str, reply: Reply, *, seconds: float) -> None:
        """Count one answer."""
        outcome = reply.error.code if reply.error else reply.status.value
        self._total(channel, outcome).inc()
        self._timer(channel).observe(seconds)
        is_good = reply.status is not ReplyStatus.ERROR
        self._recent.append(Sample(time.monotonic(), channel, seconds, is_good))

    def figures(self) -> Mapping[str, object]:
        """Sum up the last minute: latency, success rate, commands per channel."""
        since = time.monotonic() - _WINDOW_SECONDS
        recent = [sample for sample in self._recent if sample.at >= since]
        count = len(recent)
        return {
            "commands": count,
            "commands_per_channel": dict(Counter(sample.channel for sample in recent)),
            "avg_latency_ms": round(1000 * sum(s.seconds for s in recent) / count, 2)
            if count
            else 0.0,
            "success_rate": round(sum(s.is_good for s in recent) / count, 4)
            if count
            else 1.0,
        }

    def exposition(self) -> bytes:
        """Write everything in the Prometheus text format."""
        return generate_latest(self.registry)

    def _total(self, channel: str, outcome: str) -> Total:
        child = self._children.get((channel, outcome))
        if child is None:
            child = self._children[channel, outcome] = self._answered.labels(
                channel, outcome
            )
        return child

    def _timer(self, channel: str) -> Histogram:
        timer = self._timers.get(channel)
        if timer is None:
            timer = self._timers[channel] = self._seconds.labels(channel)
        return timer
