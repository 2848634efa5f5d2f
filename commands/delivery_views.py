"""What the data of channel, outbox and watch commands holds, for OpenAPI."""

from pydantic import JsonValue
from typing_extensions import TypedDict


class ChannelAccountData(TypedDict):
    """One account of a channel, as the gateways last saw it."""

    account: str
    state: str
    last_in: str | None
    last_out: str | None
    error: str
    fix: str
    reconnects: int


class ChannelData(TypedDict):
    """A channel as it stands; `waiting` and `dead` count its deliveries."""

    id: str
    channel: str
    is_enabled: bool
    state: str
    limits: dict[str, str]
    changed_by: str
    reason: str
    error: str
    fix: str
    waiting: int
    dead: int
    accounts: list[ChannelAccountData]


class ChannelPageData(TypedDict):
    """All channels."""

    items: list[ChannelData]
    next: str | None


class StepData(TypedDict):
    """One step of a channel's test."""

    step: str
    ok: bool
    ms: int
    detail: str
    fix: str


class ChannelTestData(TypedDict):
    """What a channel's test found."""

    channel: str
    ok: bool
    steps: list[StepData]


class OutgoingData(TypedDict):
    """A delivery and how far it has come."""

    id: str
    key: str
    channel: str
    account: str
    lane: str
    state: str
    attempts: int
    created_at: str
    due_at: str
    sent_at: str | None
    error: str
    fix: str


class OutboxPageData(TypedDict):
    """Deliveries, the newest first."""

    items: list[OutgoingData]
    next: str | None


class DeliveryDetailData(OutgoingData):
    """A delivery with its place and the summary of what it says."""

    place: dict[str, JsonValue]
    summary: str
    reply: str
    request: str


class OutboxReplayedData(TypedDict):
    """Deliveries that are tried again."""

    replayed: int
    items: list[OutgoingData]


class WatchData(TypedDict):
    """Something that one person hears of, and where."""

    target: str
    channel: str
    account: str
    since: str


class WatchPageData(TypedDict):
    """All that one person watches."""

    items: list[WatchData]
    next: str | None
