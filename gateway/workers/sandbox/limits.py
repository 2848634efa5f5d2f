"""How much a step may use, and how it is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MIB = 1_048_576

# Programs reserve far more addresses than they ever touch.
_ADDRESSES_PER_BYTE = 8


class Isolation(StrEnum):
    """Whether steps run in namespaces of their own: if possible, always, or never."""

    AUTO = "auto"
    REQUIRED = "required"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one step may use at most; what exceeds it is killed and told.

    Units:  `output_bytes` of both streams together; `memory_bytes` of all its processes
            together; `file_bytes` of one file.
    Shape:  `writable` are folders beside its own that it may write to; `hidden` are
            folders and files of which it sees nothing but its own folder, where it has
            namespaces.
    """

    output_bytes: int = 10 * MIB
    memory_bytes: int = 2_048 * MIB
    file_bytes: int = 1_024 * MIB
    processes: int = 256
    writable: Sequence[str] = ()
    hidden: Sequence[str] = ()

    @property
    def address_space_bytes(self) -> int:
        """How many addresses a single process may reserve."""
        return self.memory_bytes * _ADDRESSES_PER_BYTE
