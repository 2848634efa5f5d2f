"""Feature flags in a file that is read again when it changes, so no restart is needed."""

import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_log = logging.getLogger(__name__)


class Flags(BaseModel):
    """What is switched on now."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, populate_by_name=True
    )

    demo_mode: bool = Field(
        default=False,
        alias="demoMode",
        description="Fill an empty board with the backlog.",
    )
    scheduler_enabled: bool = Field(
        default=True,
        alias="schedulerEnabled",
        description="Let the gateway act by the clock, such as reclaiming stale leases.",
    )


class FlagFile:
    """The flags of one file; a file that is missing means the defaults.

    Shape:  a file that cannot be read keeps the flags that were in force, and is
            logged once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._flags = Flags()
        self._stamp = 0

    def current(self) -> Flags:
        """Return the flags, read again if the file has changed."""
        try:
            stamp = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return self._flags
        if stamp != self._stamp:
            self._stamp = stamp
            self._flags = self._read()
        return self._flags

    def _read(self) -> Flags:
        try:
            return Flags.model_validate_json(self._path.read_bytes())
        except (ValidationError, OSError) as fault:
            _log.warning("flags.unreadable", extra={"error": str(fault)})
            return self._flags
