"""The four lanes in which work queues, from the most urgent to the least."""

from enum import StrEnum


class Lane(StrEnum):
    """A queue of its own; tasks and runs stand in one of four."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
