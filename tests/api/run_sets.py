"""Runs that are held, and what they left behind, for tests that speak HTTP."""

from core.database import Tx
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, system
from core.runs import calls, claims
from core.runs import service as runs
from core.runs.artifacts import service as artifacts
from core.runs.model import NewRun, ReplyTo, Run
from core.runs.reports import LogReport, Report, Wanted
from tests.api.gateway import Gateway
from tests.integration.served import Served

WORKER = "w1"


def admin_of(gateway: Gateway | Served) -> Principal:
    """The admin, as the bootstrap key makes one."""
    admin = gateway.graph.db.run(users.ensure_admin, by=system())
    return to_principal(admin, Assurance.SECRET)


def held_run(gateway: Gateway | Served, *, reply_to: ReplyTo | None = None) -> Run:
    """Have a run that a worker of the admin's holds."""

    def work(tx: Tx) -> Run:
        new = NewRun(kind="manual", reply_to=reply_to or ReplyTo())
        runs.create(tx, new)
        (held,) = claims.claim(tx, Wanted(worker=WORKER))
        return held

    return gateway.graph.db.run(work, by=admin_of(gateway))


def told(gateway: Gateway | Served, run: Run, *reports: Report) -> None:
    """Have the run's worker tell something."""
    gateway.graph.db.run(
        lambda tx: calls.report(tx, run.id, fence=run.fence, reports=reports),
        by=admin_of(gateway),
    )


def a_held_run(gateway: Gateway) -> None:
    """Have R-1, held with the fence 1, which printed three lines in two steps."""
    run = held_run(gateway)
    told(
        gateway,
        run,
        LogReport(step="build", text="one\ntwo\n"),
        LogReport(step="migrate", text="\x1b[31mthree\x1b[0m\n"),
    )


def an_unapproved_run(gateway: Gateway) -> None:
    """Have R-1, which waits until somebody else approves it."""
    new = NewRun(kind="manual", needs_approval=True)
    gateway.graph.db.run(lambda tx: runs.create(tx, new), by=system())


def an_artifact(gateway: Gateway) -> None:
    """Have R-1 with A-1, a short text."""
    run = held_run(gateway)
    gateway.graph.db.run(
        lambda tx: artifacts.put(
            tx, subject=run.id, name="plan.md", kind="file", content=b"# Plan\n"
        ),
        by=admin_of(gateway),
    )
