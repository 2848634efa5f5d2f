"""A mail as it was fetched to a delivery for the inbox: read, judged, proven."""

import asyncio
import logging
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from channels.base import Delivery
from channels.email.authentication import SenderCheck, Verdict
from channels.email.loops import bounced_ids, find_machine
from channels.email.memory import ReplyTokens, SentMails
from channels.email.reading import read
from core.kernel.clock import Clock
from core.kernel.jsons import Json
from core.kernel.principal import Assurance

THREADS = 4
LONGEST_ON_THE_WAY = timedelta(days=7)
MOST_AHEAD = timedelta(hours=12)
TOKEN = re.compile(r"r[0-9a-hjkmnp-tv-z]{26}", re.IGNORECASE)

_log = logging.getLogger(__name__)

# What a mail that will not be run keeps, so that somebody can see what came.
_FACTS = (
    "message_id",
    "from",
    "to",
    "subject",
    "date",
    "in_reply_to",
    "references",
    "marks",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A mail that was read and judged, apart from what the database knows."""

    payload: dict[str, Json]
    verdict: Verdict
    machine: str
    bounced: list[str]


class Receiver:
    """Opens mails for one address.

    Units:  `kept` is how long the inbox knows a mail again; older ones are not run.
    """

    def __init__(
        self,
        address: str,
        *,
        check: SenderCheck,
        tokens: ReplyTokens,
        sent: SentMails,
        clock: Clock,
        kept: timedelta = timedelta(days=30),
    ) -> None:
        self._address = address
        self._check = check
        self._tokens = tokens
        self._sent = sent
        self._clock = clock
        # Threads of its own: a slow name server keeps nobody else waiting.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
        self._longest = min(LONGEST_ON_THE_WAY, kept - MOST_AHEAD)

    async def receive(self, raw: bytes, *, fault: str = "") -> Delivery:
        """Turn a mail into a delivery; the work on its bytes is done in a thread.

        Shape:  `fault` says what is wrong with a mail of which only the headers are
                here. A mail of a machine is kept by its facts, with the reason in
                `silence`; one whose sender is not proven with the reason in `refusal`.
        """
        opening = partial(self._open, raw, is_whole=not fault)
        loop = asyncio.get_running_loop()
        opened = await loop.run_in_executor(self._threads, opening)
        payload = opened.payload
        if fault:
            payload["fault"] = fault
        for message_id in opened.bounced:
            if await self._sent.bounce(message_id):
                _log.warning("email.bounced", extra={"message_id": message_id})
        if opened.machine:
            return self._aside(raw, opened, silence=opened.machine)
        if not opened.verdict.is_proven:
            return self._aside(raw, opened, refusal=opened.verdict.reason)
        return await self._accepted(raw, opened)

    def _open(self, raw: bytes, *, is_whole: bool) -> Opened:
        payload = read(raw, address=self._address)
        verdict = self._check.check(raw, is_whole=is_whole)
        if verdict.is_proven and str(payload["from"]).lower() != verdict.address:
            reason = "the sender can be read in two ways"
            verdict = Verdict(address="", is_proven=False, reason=reason)
        marks = payload["marks"]
        assert isinstance(marks, Mapping)
        sender = verdict.address or str(payload["from"])
        machine = find_machine(marks, sender=sender, own=self._address)
        return Opened(
            payload=payload,
            verdict=verdict,
            machine=machine,
            bounced=bounced_ids(raw) if machine else [],
        )

    async def _accepted(self, raw: bytes, opened: Opened) -> Delivery:
        payload, sender = opened.payload, opened.verdict.address
        payload["thread"] = thread_of(payload)
        shown = await self._find_shown_thread(payload, sender)
        assurance = Assurance.SECRET if shown else Assurance.SENDER
        payload["thread"] = shown or payload["thread"]
        payload["assurance"] = int(assurance)
        payload["fault"] = payload["fault"] or self._untimely(payload)
        return Delivery(
            account=self._address,
            sender=sender,
            key=str(payload["message_id"]) or _digest(raw),
            payload=payload,
        )

    async def _find_shown_thread(self, payload: dict[str, Json], sender: str) -> str:
        """Find the thread whose token is in the address; "" when there is none.

        A mail of another thread shows nothing. One that begins a thread, as a link in
        an answer makes it, goes on with the token's.
        """
        token = str(payload["tag"])
        if not TOKEN.fullmatch(token):
            return ""
        _hide(payload, token)
        given_for = await self._tokens.find_thread(token, sender=sender)
        is_answer = bool(payload["references"] or payload["in_reply_to"])
        return "" if is_answer and payload["thread"] != given_for else given_for

    def _untimely(self, payload: Mapping[str, Json]) -> str:
        """Say why a mail was not written lately; "" when it was.

        A signature never ends. Whoever kept a mail could send it again once the inbox
        has forgotten the first.
        """
        now = self._clock.now()
        try:
            written = datetime.fromisoformat(str(payload["date"]))
        except ValueError:
            return "it does not say when it was written"
        if written < now - self._longest:
            return f"it is from {written:%Y-%m-%d %H:%M} UTC, which is too long ago"
        return "it is from the future" if written > now + MOST_AHEAD else ""

    def set_aside(self, raw: bytes, *, silence: str) -> Delivery:
        """Keep nothing of a mail but that it came, and why it is not run."""
        verdict = Verdict(address="", is_proven=False)
        payload = read(b"", address=self._address)
        opened = Opened(payload=payload, verdict=verdict, machine=silence, bounced=[])
        return self._aside(raw, opened, silence=silence)

    def _aside(self, raw: bytes, opened: Opened, **why: str) -> Delivery:
        """Keep a mail that will not be run, apart from those of whom it names.

        Its key is its content: with the key of its choice it could take the place of a
        mail that somebody else is about to send.
        """
        _log.info("email.set_aside", extra=why)
        kept: dict[str, Json] = {name: opened.payload[name] for name in _FACTS}
        tag = str(opened.payload["tag"])
        if TOKEN.fullmatch(tag):
            _hide(kept, tag)
        kept |= why
        kept["assurance"] = int(Assurance.UNVERIFIED)
        claimed = opened.verdict.address or str(opened.payload["from"])
        return Delivery(
            account=self._address,
            sender=f"unverified:{claimed}",
            key=_digest(raw),
            payload=kept,
        )


def thread_of(payload: Mapping[str, Json]) -> str:
    """Name the thread of a mail by the Message-ID that began it."""
    references = payload["references"]
    if isinstance(references, list) and references:
        return str(references[0])
    return str(payload["in_reply_to"] or payload["message_id"])


def _hide(payload: dict[str, Json], token: str) -> None:
    """Leave a token out of what is stored; it would let somebody in."""
    payload["tag"] = ""
    recipients = payload["to"]
    assert isinstance(recipients, list)
    payload["to"] = [str(each).replace(f"+{token}", "") for each in recipients]


def _digest(raw: bytes) -> str:
    return f"sha256:{sha256(raw).hexdigest()}"
