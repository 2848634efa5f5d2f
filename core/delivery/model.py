"""Messages that came in, and the replies stored with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core.kernel.principal import TenantId


class InboxState(StrEnum):
    """How far a stored message has come."""

    RECEIVED = "received"
    DONE = "done"


# Where somebody talks to us: (channel, account, conversation, sender).
Place = tuple[str, str, str, str]


class InboxKey(NamedTuple):
    """What makes a message the same message when it comes again."""

    tenant: TenantId
    channel: str
    account: str
    sender: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message found in the inbox; `reply` is its answer as JSON, "" while it waits."""

    key: InboxKey
    request_hash: str
    state: InboxState
    reply: str
    seq: int = 0
    request_id: str = ""


@dataclass(slots=True, kw_only=True)
class InboxDraft:
    """A message with its answer, before its batch numbers it; `seq` is 0 until then."""

    key: InboxKey
    conversation: str
    reply_id: str
    request_id: str
    request_hash: str
    reply: str
    state: InboxState = InboxState.DONE
    payload: str = ""
    claimed_until: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a conversation remembers, so that `last`, `#3`, `more` and `undo` work."""

    last_id: str = ""
    listed_ids: tuple[str, ...] = ()
    more_line: str = ""
    reply_id: str = ""

    def then(self, draft: "MemoryDraft") -> "Memory":
        """Return what is remembered once a draft has been noted."""
        is_list = draft.listed_ids is not None
        return Memory(
            reply_id=self.reply_id if draft.reply_id is None else draft.reply_id,
            last_id=self.last_id if draft.last_id is None else draft.last_id,
            listed_ids=draft.listed_ids or () if is_list else self.listed_ids,
            more_line=draft.more_line or "" if is_list else self.more_line,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDraft:
    """What a reply adds to a conversation's memory; None leaves a thing as it was."""

    place: Place
    reply_id: str | None = None
    last_id: str | None = None
    listed_ids: tuple[str, ...] | None = None
    more_line: str | None = None

    def then(self, later: "MemoryDraft") -> "MemoryDraft":
        """Join a later draft of the same place onto this one."""
        is_list = later.listed_ids is not None
        return MemoryDraft(
            place=self.place,
            reply_id=self.reply_id if later.reply_id is None else later.reply_id,
            last_id=self.last_id if later.last_id is None else later.last_id,
            listed_ids=later.listed_ids if is_list else self.listed_ids,
            more_line=later.more_line if is_list else self.more_line,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """Whether a channel takes commands, and the limits set for it at runtime.

    Shape:  `limits` maps a dimension (channel, tenant, principal, family) to a rate
            such as `60/minute`.
    """

    channel: str
    is_enabled: bool = True
    limits: Mapping[str, str] = field(default_factory=dict)
    changed_by: str = ""
    reason: str = ""
