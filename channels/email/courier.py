"""Delivers replies as mails: in their thread, not too many, each recognisable again."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from channels.base import Health, Parcel, Postponed, Undeliverable
from channels.email.compose import answer_address, compose
from channels.email.heads import domain_of
from channels.email.memory import History, ReplyTokens, Sent, SentMails
from channels.email.render import render
from channels.email.smtp import SmtpSender
from core.kernel.clock import Clock
from core.kernel.jsons import Json
from core.kernel.outgoing import Lane
from core.kernel.reply import Reply

PERSON_HOUR = 20
THREAD_DAY = 100
THREAD_PAUSE = timedelta(hours=1)

# Answers that only tell somebody how to begin; one a day is enough.
_NOTICES = frozenset({"empty", "not_a_command", "not_linked", "unauthenticated"})


class MailCourier:
    """Delivers the parcels of one mailbox."""

    def __init__(
        self,
        address: str,
        sender: SmtpSender,
        *,
        sent: SentMails,
        tokens: ReplyTokens,
        health: Health,
        clock: Clock,
    ) -> None:
        self._address = address
        self._sender = sender
        self._sent = sent
        self._tokens = tokens
        self._health = health
        self._clock = clock

    async def deliver(self, parcel: Parcel) -> str:
        """Send one mail, unless the person has had enough; give its Message-ID.

        Shape:  of one run at most two mails: progress is told once, as the news that it
                began. A notice is sent once a day, whatever the person keeps writing.
        Raises: Postponed, Undeliverable.
        """
        to, thread = _recipient(parcel, own=self._address), _thread(parcel)
        history = await self._sent.look_back(
            to=to, thread=thread, subject=parcel.subject
        )
        is_notice = _is_notice(parcel.reply)
        if parcel.lane is Lane.PROGRESS and (parcel.edits or history.about):
            return parcel.edits or history.about
        if is_notice and history.has_notice:
            return ""
        _require_room(history, to)
        message_id = message_id_of(parcel, self._address)
        place = {**parcel.place, "token": await self._token(to, thread)}
        mail = await asyncio.to_thread(self._write, parcel.reply, place, message_id)
        await self._send(mail, str(parcel.place["to"]))
        await self._sent.note(
            Sent(
                message_id=message_id,
                parcel_id=parcel.id,
                to=to,
                thread=thread or message_id,
                subject=parcel.subject,
                is_notice=is_notice,
            )
        )
        return message_id

    async def _token(self, to: str, thread: str) -> str:
        """Make the secret of the answer to come; there is none outside of a thread."""
        return await self._tokens.issue(sender=to, thread=thread) if thread else ""

    def _write(self, reply: Reply, place: Mapping[str, Json], message_id: str) -> bytes:
        own = self._address
        mailing = render(reply, address=answer_address(place, sender=own) or own)
        mail = compose(
            mailing, place, sender=own, message_id=message_id, now=self._clock.now()
        )
        return mail.as_bytes()

    async def _send(self, mail: bytes, to: str) -> None:
        try:
            await self._sender.send(mail, sender=self._address, to=to)
        except Postponed as fault:
            if fault.is_account_wide:
                self._health.is_down(
                    fault.reason,
                    fix="see that OPSWIRE_EMAIL__SMTP_URL is right and the server runs",
                )
            raise
        self._health.last_out = self._clock.now()


def message_id_of(parcel: Parcel, address: str) -> str:
    """Name a mail, the same at every try: who has it twice can tell.

    Shape:  `loops.bounced_ids` knows this form again.
    """
    digest = sha256(f"{parcel.account}\n{parcel.id}".encode()).hexdigest()[:32]
    return f"<{digest}.opswire@{domain_of(address)}>"


def _recipient(parcel: Parcel, *, own: str) -> str:
    to = str(parcel.place.get("to") or "").lower()
    if "@" not in to or any(sign in to for sign in "\r\n<>, "):
        raise Undeliverable("the mail has no recipient", fix="answer from a mail")
    if to == own.lower():
        raise Undeliverable("a mailbox does not write to itself")
    return to


def _thread(parcel: Parcel) -> str:
    return str(parcel.place.get("thread") or "")


def _is_notice(reply: Reply) -> bool:
    return reply.error is not None and reply.error.code in _NOTICES


def _require_room(history: History, to: str) -> None:
    """Hold a mail back that would make a storm of the conversation."""
    if history.last_hour >= PERSON_HOUR:
        raise Postponed(
            f"{to} had {history.last_hour} mails within the hour",
            retry_after=history.room_in,
        )
    if history.thread_day >= THREAD_DAY:
        raise Postponed(
            f"the thread had {history.thread_day} mails within a day",
            retry_after=THREAD_PAUSE.total_seconds(),
        )
