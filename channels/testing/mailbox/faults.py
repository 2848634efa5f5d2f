"""The ways in which the built-in mail servers misbehave when they are told to."""

from enum import StrEnum


class ImapFault(StrEnum):
    """What may happen to somebody who reads a mailbox."""

    BYE = "bye"
    """Says BYE during IDLE and hangs up."""
    HANG = "hang"
    """Takes a command and never answers it."""
    HALF_OPEN = "half_open"
    """Neither reads nor writes on a connection that stays open."""
    CUT_LITERAL = "cut_literal"
    """Hangs up in the middle of a mail."""
    REFUSE_LOGIN = "refuse_login"
    """Says that the password is wrong."""
    GARBAGE = "garbage"
    """Greets with what is no IMAP at all."""
    SLOW_GREETING = "slow_greeting"
    """Takes the connection and says nothing."""


class SmtpFault(StrEnum):
    """What may happen to somebody who sends a mail."""

    CLOSING = "421"
    BUSY = "450"
    LOCAL_ERROR = "451"
    NO_MAILBOX = "550"
    REJECTED = "554"
    HANG = "hang"
    GARBAGE = "garbage"
    DROP_AFTER_DATA = "drop"


class Faults:
    """How often each fault is still to happen."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def plan(self, fault: ImapFault | SmtpFault, times: int = 1) -> None:
        """Have a fault happen so many times; 0 ends it."""
        self._left[fault] = times

    def take(self, fault: ImapFault | SmtpFault) -> bool:
        """Tell whether a fault is to happen now, and count it."""
        left = self._left.get(fault, 0)
        if left > 0:
            self._left[fault] = left - 1
        return left > 0
