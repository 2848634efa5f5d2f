"""Delivers replies as mails: in their thread, not too many, each recognisable again."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from hashlib import sha256

from channels.base import Health, Parcel, Postponed, Skipped, Undeliverable
from channels.email.compose import answer_address, compose
from channels.email.heads import domain_of
from channels.email.memory import History, ReplyTokens, Sent, SentMails
from channels.email.render import render
from channels.email.smtp import FIX_SERVER, ServerLost, SmtpSender
from core.kernel.clock import Clock
from core.kernel.jsons import Json
from core.kernel.outgoing import Lane
from core.kernel.reply import Reply, Text

PERSON_HOUR = 20
URGENT_HOUR = 60
THREAD_DAY = 100
THREAD_PAUSE = timedelta(hours=1)

_log = logging.getLogger(__name__)

# What steers, and what somebody waits for to be decided, does not wait behind answers.
_URGENT = (Lane.CONTROL, Lane.APPROVALS)
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
        self._is_down = False

    async def deliver(self, parcel: Parcel) -> str:
        """Send one mail, unless the person has had enough; give its Message-ID.

        Shape:  of one run at most two mails: progress is told once, as the news that it
                began. A notice is sent once a day, whatever the person keeps writing.
                The last answer of an hour says that there are no more until then.
        Raises: Postponed, Skipped, Undeliverable.
        """
        sent = _about(parcel, own=self._address)
        history = await self._sent.reserve(
            sent, fits=lambda before: _decide(parcel, sent, before) is _Decision.SEND
        )
        match _decide(parcel, sent, history):
            case _Decision.ENOUGH_NEWS:
                raise Skipped(
                    "not mailed: by mail there are the first news and the end"
                )
            case _Decision.ENOUGH_NOTICES:
                raise Skipped("not mailed: how to begin is told once a day")
            case _Decision.WAIT_FOR_PERSON:
                raise Postponed(
                    f"{sent.to} had {history.last_hour} mails within the hour",
                    retry_after=history.room_in,
                    is_lane_only=True,
                )
            case _Decision.WAIT_FOR_THREAD:
                raise Postponed(
                    f"the thread had {history.thread_day} mails within a day",
                    retry_after=THREAD_PAUSE.total_seconds(),
                )
            case _Decision.SEND:
                await self._send_in_its_place(self._noted(parcel, history), sent)
                return sent.message_id

    def _noted(self, parcel: Parcel, history: History) -> Parcel:
        """Have the last answer of the hour say so."""
        is_last = history.last_hour == PERSON_HOUR - 1
        if parcel.lane in _URGENT or not is_last:
            return parcel
        until = self._clock.now() + timedelta(seconds=history.room_in)
        note = Text(
            md=f"This is the {PERSON_HOUR}th mail to you within an hour, and the last"
            f" before {until:%H:%M} UTC: what else there is to tell is kept until then."
            " Requests for approval still come, and so do answers to `status`."
        )
        reply = replace(parcel.reply, blocks=(*parcel.reply.blocks, note))
        return replace(parcel, reply=reply)

    async def _send_in_its_place(self, parcel: Parcel, sent: Sent) -> None:
        """Send a mail; only one that was accepted has told anybody anything."""
        try:
            await self._write_and_send(parcel, sent)
        except (Postponed, Undeliverable):
            await self._sent.release(sent)
            raise
        await self._sent.note_accepted(sent)

    async def _write_and_send(self, parcel: Parcel, sent: Sent) -> None:
        # Whoever answers this mail from this thread shows that it was sent to them.
        token = await self._tokens.issue(sender=sent.to, thread=sent.thread)
        place = {**parcel.place, "token": token}
        mail = await asyncio.to_thread(
            self._write, parcel.reply, place, sent.message_id
        )
        await self._send(mail, str(parcel.place["to"]))

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
                self._down(fault)
            raise
        self._health.last_out = self._clock.now()
        if self._is_down:
            self._is_down = False
            self._health.is_up()
            _log.info("email.sending_recovered", extra={"account": self._address})

    def _down(self, fault: Postponed) -> None:
        self._is_down = True
        fix = fault.fix if isinstance(fault, ServerLost) else FIX_SERVER
        if self._health.is_down(fault.reason, fix=fix):
            _log.warning(
                "email.sending_down",
                extra={"account": self._address, "reason": fault.reason},
            )


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


class _Decision(Enum):
    """What is done with a mail in view of what was sent before."""

    SEND = auto()
    ENOUGH_NEWS = auto()
    ENOUGH_NOTICES = auto()
    WAIT_FOR_PERSON = auto()
    WAIT_FOR_THREAD = auto()


def _decide(parcel: Parcel, sent: Sent, before: History) -> _Decision:
    """Hold a mail back that would make a storm of the conversation."""
    is_told = bool(parcel.edits or before.about)
    if parcel.lane is Lane.PROGRESS and is_told:
        return _Decision.ENOUGH_NEWS
    if sent.is_notice and before.has_notice:
        return _Decision.ENOUGH_NOTICES
    if before.last_hour >= (URGENT_HOUR if sent.is_urgent else PERSON_HOUR):
        return _Decision.WAIT_FOR_PERSON
    if before.thread_day >= THREAD_DAY:
        return _Decision.WAIT_FOR_THREAD
    return _Decision.SEND


def _about(parcel: Parcel, *, own: str) -> Sent:
    message_id = message_id_of(parcel, own)
    error = parcel.reply.error
    return Sent(
        message_id=message_id,
        parcel_id=parcel.id,
        to=_recipient(parcel, own=own),
        thread=str(parcel.place.get("thread") or message_id),
        subject=parcel.subject,
        is_notice=error is not None and error.code in _NOTICES,
        is_urgent=parcel.lane in _URGENT,
    )
