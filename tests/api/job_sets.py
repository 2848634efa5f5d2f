"""Jobs whose runs are over, for tests that speak HTTP."""

from core.jobs.variants import service as variants
from tests.api.gateway import Gateway
from tests.api.run_sets import admin_of
from tests.jobs import a_reviewed_job as reviewed

BODIES = ("The first text.", "The second text.")


def a_reviewed_job(gateway: Gateway) -> None:
    """Have J-1 in review, with V-1 and V-2."""
    reviewed(gateway.graph.db, admin_of(gateway), *BODIES)


def an_accepted_variant(gateway: Gateway) -> None:
    """Have J-1 with V-1 accepted."""
    a_reviewed_job(gateway)
    gateway.graph.db.run(lambda tx: variants.accept(tx, "V-1"), by=admin_of(gateway))
