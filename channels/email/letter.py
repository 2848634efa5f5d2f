"""The stored payload of one mail, read without trusting its shape; pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from channels.email import subjects
from core.kernel.envelope import Attachment, Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Assurance

CHANNEL = "email"

Payload = Mapping[str, Json]


class Letter:
    """What one stored mail says of itself, and the envelopes of its commands."""

    def __init__(
        self, payload: Payload, *, account: str, received_at: datetime
    ) -> None:
        self._payload = payload
        self._account = account
        self._received_at = received_at
        self.subject = self.text("subject")
        self.this = subjects.find_object_in_tag(
            self.text("tag")
        ) or subjects.find_object(self.subject)

    def value(self, name: str) -> Json:
        """Return a field as it is stored; None when there is none."""
        return self._payload.get(name)

    def text(self, name: str) -> str:
        """Return a field that is a text; "" when it is none."""
        value = self._payload.get(name)
        return value if isinstance(value, str) else ""

    @property
    def chain(self) -> list[Json]:
        """The mails before this one, the oldest first."""
        references = self._payload.get("references")
        known = references if isinstance(references, list) else []
        answered = self.text("in_reply_to")
        return known or ([answered] if answered else [])

    def place(self) -> Mapping[str, Json]:
        """Say where the answer goes; nowhere when the sender is not proven."""
        given = self._payload.get("reply_to")
        if isinstance(given, dict):
            return given
        if "refusal" in self._payload or "silence" in self._payload:
            return {}
        return {
            "to": self.text("from"),
            "thread": self.text("thread"),
            "in_reply_to": self.text("message_id"),
            "references": self.chain,
            "subject": self.subject,
            "this": self.this,
        }

    def envelope(
        self,
        *,
        text: str = "",
        command: str = "",
        args: Mapping[str, Json] | None = None,
        number: int = 0,
    ) -> Envelope:
        """Build the envelope of one of the mail's commands."""
        message_id = self.text("message_id")
        return Envelope(
            channel=CHANNEL,
            account=self._account,
            external_id=f"{message_id}#{number}" if number else message_id,
            sender=self.text("from"),
            conversation=self.text("thread"),
            this=self.this,
            text=text,
            command=command,
            args=args or {},
            attachments=tuple(_attachments(self._payload.get("attachments"))),
            received_at=self._received_at,
            assurance=_assurance(self._payload.get("assurance")),
        )


def _attachments(stored: Json) -> Iterator[Attachment]:
    for each in stored if isinstance(stored, list) else ():
        if isinstance(each, dict):
            size = each.get("size_bytes")
            yield Attachment(
                name=str(each.get("name", "")),
                media_type=str(each.get("type", "")),
                size_bytes=size if isinstance(size, int) else 0,
                sha256=str(each.get("sha256", "")),
            )


def _assurance(stored: Json) -> Assurance:
    if isinstance(stored, int) and stored in list(Assurance):
        return Assurance(stored)
    return Assurance.UNVERIFIED
