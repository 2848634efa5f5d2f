"""What a worker over HTTP says of what it takes."""

from datetime import timedelta

from core.kernel.lanes import Lane
from core.runs.reports import Wanted
from gateway.workers.wire import show_wanted


def test_a_claim_says_how_long_it_waits_and_lasts() -> None:
    """Idle, it is one request that is held, not many."""
    wanted = Wanted(
        worker="w1",
        host="fleet",
        lanes=(Lane.A,),
        labels=frozenset({"linux", "gpu"}),
        limit=2,
        takes_manual=False,
        lease=timedelta(seconds=90),
    )

    assert show_wanted(wanted, wait_seconds=5) == {
        "worker": "w1",
        "host": "fleet",
        "lanes": ["A"],
        "labels": ["gpu", "linux"],
        "limit": 2,
        "manual": False,
        "wait_seconds": 5,
        "lease_seconds": 90,
    }
