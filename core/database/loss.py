"""A batch that was lost as a whole, and what its callers are told."""

from dataclasses import dataclass

from core.database.unit import Unit
from core.kernel.problems import Unavailable

PATIENCE_SECONDS = 2.0

_MIGRATE = "run: ops migrate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Why a transaction failed as a whole.

    Shape:  `is_outage` when the fault lies with the database; `is_fate_known` unless
            COMMIT itself failed, for then it may have been stored all the same.
    Units:  `seconds` is how long the batch took to fail.
    """

    fault: Exception
    is_outage: bool
    is_fate_known: bool
    seconds: float

    @property
    def is_slow(self) -> bool:
        """Whether trying again would keep callers waiting for too long."""
        return self.seconds >= PATIENCE_SECONDS

    def lets_rerun(self, unit: Unit) -> bool:
        """Tell whether a unit may run again: one with a key finds what it stored."""
        return self.is_fate_known or unit.key is not None

    def told(self, *, is_own: bool) -> Exception:
        """Return what a caller is told; `is_own` when its unit was alone."""
        if _has_no_tables(self.fault):
            return Unavailable(
                "the database has no tables of ours", retry_after=5, fix=[_MIGRATE]
            )
        if is_own and not self.is_outage:
            return self.fault
        if self.is_fate_known:
            return Unavailable(
                "the database does not answer; nothing was stored", retry_after=2
            )
        return Unavailable(
            "the database went away while storing; it may have been stored",
            retry_after=2,
            fix=["look first, or send it again with the same key"],
        )


def _has_no_tables(fault: Exception) -> bool:
    return "no such table" in str(fault) or "UndefinedTable" in type(fault).__name__
