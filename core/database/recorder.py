"""The seam through which events, audit and inbox join a batch without being known here."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Table

from core.database.head import Head
from core.database.statements import Session
from core.kernel.clock import Micros


class Recorder(Protocol):
    """Turns the drafts of one kind into rows, once per batch, under the locked head."""

    @property
    def draft(self) -> type:
        """The class of the drafts that are this recorder's."""

    @property
    def table(self) -> Table:
        """The table that its rows go to."""

    @property
    def merges(self) -> Sequence[str]:
        """The columns that a row with a known key sets anew, unless they are NULL."""

    def rows(
        self, head: Head, drafts: Sequence[Any], now: Micros
    ) -> Sequence[Mapping[str, object]]:
        """Number (and chain) one tenant's drafts and return their rows."""


class Lookup(Protocol):
    """Finds what is already stored under the keys of a whole batch, in one query."""

    def find(
        self, session: Session, keys: Sequence[Hashable]
    ) -> Mapping[Hashable, object]:
        """Return what is stored, for the keys that have anything."""


class NoLookup:
    """The lookup of a database that is used without an inbox."""

    def find(
        self, session: Session, keys: Sequence[Hashable]
    ) -> Mapping[Hashable, object]:
        """Find nothing."""
        return {}
