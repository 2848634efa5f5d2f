"""Where an answer goes, and whether it is kept up to date afterwards."""

from typing import NamedTuple

from commands.invocation import Invocation
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft, is_lasting, lasting
from core.delivery.watches import service as watches
from core.delivery.watches.model import Card
from core.kernel.outgoing import Lane
from core.kernel.reply import ReplyStatus
from gateway.answers import Answer
from gateway.message import Message, target_of
from gateway.news import noun_of
from gateway.stored import Work


class Ending(NamedTuple):
    """How a message ended: what its sender is told, and what is kept of that."""

    message: Message
    told: Answer
    kept: Answer


def post_answer(tx: Tx, work: Work, ending: Ending) -> None:
    """Have an answer delivered to whoever asked; what was asked to steer leaves first.

    Shape:  `place` also says whether the answer is for the person alone: looks, errors
            and what only they can confirm are, unless the line said --public; changes
            are for all who are there, unless it said --private; what is told once is
            never public. What changed a task, for all to see and where messages can be
            edited, becomes its live card there.
    """
    message, answer, kept = ending
    asked = message.invocation
    # What was approved comes in by a door of its own, and is answered where it began.
    came = work.envelopes[0] if work.envelopes else message.envelope
    place = {**work.reply_to, "private": _is_private(asked, answer)}
    card = None
    if work.can_edit and is_lasting(place):
        card = _card_of(tx, message, answer)
    if card is not None:
        watches.keep_card(tx, card)
    outbox.post(
        tx,
        OutboxDraft(
            key=answer.reply.id,
            channel=came.channel,
            account=came.account,
            place=place,
            body=answer.body.decode(),
            kept="" if kept.body == answer.body else kept.body.decode(),
            lane=Lane.CONTROL if asked and asked.command.is_control else Lane.FINALS,
            subject=card.subject if card else "",
            appearance=Appearance.NEW,
        ),
    )


def post_ack(tx: Tx, work: Work, message: Message, answer: Answer) -> None:
    """Have it said that a command runs now, where its answer will follow."""
    outbox.post(
        tx,
        OutboxDraft(
            key=f"{answer.reply.id}.ack",
            channel=message.envelope.channel,
            account=message.envelope.account,
            place={**work.reply_to, "private": _is_private(message.invocation, answer)},
            body=answer.body.decode(),
            appearance=Appearance.NEW,
        ),
    )


def _card_of(tx: Tx, message: Message, answer: Answer) -> Card | None:
    """Make the answer to a change the card of what was changed, or is under way.

    Shape:  the card of a job is that of its run, which says how far it is.
    """
    envelope, asked = message.envelope, message.invocation
    is_change = asked is not None and not asked.command.is_read
    target = target_of(asked, answer.reply)
    if noun_of(target) == "job":
        target = str(answer.reply.data.get("run_id") or "")
    if (
        not is_change
        or answer.reply.status not in (ReplyStatus.OK, ReplyStatus.RUNNING)
        or noun_of(target) not in ("task", "run")
        or not envelope.conversation
    ):
        return None
    return Card(
        channel=envelope.channel,
        account=envelope.account,
        conversation=envelope.conversation,
        target=target,
        place=lasting(envelope.reply_to),
        by=message.principal.name,
        asked_at=tx.now,
    )


def _is_private(asked: Invocation | None, answer: Answer) -> bool:
    reply = answer.reply
    if asked is None or reply.error or asked.command.hides:
        return True
    if asked.options.is_public is not None:
        return not asked.options.is_public
    is_proposal = reply.status is ReplyStatus.NEEDS_CONFIRMATION
    return asked.command.is_read or (is_proposal and "token" in reply.data)
