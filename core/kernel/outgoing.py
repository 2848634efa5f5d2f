"""What leaves, and in which order."""

from enum import IntEnum


class Lane(IntEnum):
    """How soon something leaves when not everything can; the lowest first."""

    CONTROL = 0
    APPROVALS = 1
    FINALS = 2
    PROGRESS = 3
    DIGESTS = 4
