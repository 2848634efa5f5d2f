"""What came in at a door, in one shape for every door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.kernel.jsons import Json
from core.kernel.principal import Assurance, Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message, by its facts; the bytes stay outside."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One inbound message.

    Shape:  `text` is a command line, or `command` with `args` is the JSON form; one
            of both is set. `external_id` is the sender's idempotency key: the same
            key again is the same message; "" means the sender gave none.
            `credential` is the principal that the door verified itself; doors whose
            senders are accounts elsewhere leave it None and the pipeline looks up
            (channel, account, sender). `reply_to` is where the answer goes, in the
            channel's own words; empty where the door itself answers. `this` is the
            object that the thread, subject or address is about. `approval` names the
            request whose approval lets it run; only the gateway's own door sets it.
    Units:  `received_at` is aware UTC.
    """

    channel: str
    account: str = ""
    external_id: str = ""
    sender: str = ""
    conversation: str = ""
    thread: str = ""
    reply_to: Mapping[str, Json] = field(default_factory=dict)
    this: str = ""
    text: str = ""
    command: str = ""
    args: Mapping[str, Json] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    received_at: datetime
    locale: str = ""
    timezone: str = ""
    assurance: Assurance = Assurance.UNVERIFIED
    payload_hash: str = ""
    request_id: str = ""
    if_match: str = ""
    credential: Principal | None = None
    approval: str = ""
    is_consent: bool = False
