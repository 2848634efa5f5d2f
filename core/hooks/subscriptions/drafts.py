"""What is put into the outbox for a subscription: an event, a reply, a test; pure.

The body is a reply as everything in the outbox is; its `data` is what is sent.
"""

from datetime import datetime

from core.delivery.outbox.model import OutboxDraft
from core.events.model import Event, view
from core.hooks.subscriptions.model import CHANNEL, Kind, event_key, reply_key
from core.kernel.clock import to_iso
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.reply import SUMMARY_LIMIT, Reply

TEST_EVENT = "subscription_test"


def event_draft(subscription_id: str, event: Event) -> OutboxDraft:
    """Address an event; the same one again is the same delivery."""
    return _draft(
        subscription_id,
        event_key(subscription_id, event.seq),
        kind=Kind.EVENT,
        summary=f"{event.type} {event.target}".strip(),
        data=view(event),
    )


def trial_draft(
    subscription_id: str, key: str, *, actor: str, now: datetime
) -> OutboxDraft:
    """Address an event that is told to one receiver and did not happen."""
    data: dict[str, Json] = {
        "seq": 0,
        "ts": to_iso(now),
        "event": TEST_EVENT,
        "actor": actor,
        "channel": "",
        "target": subscription_id,
        "details": {},
    }
    return _draft(
        subscription_id,
        key,
        kind=Kind.EVENT,
        summary=f"{TEST_EVENT} {subscription_id}",
        data=data,
    )


def callback_of(subscription_id: str, reply: Reply) -> OutboxDraft:
    """Address the reply to a command, whole, as it is kept."""
    whole = parse_json(to_json(reply))
    assert isinstance(whole, dict)
    return _draft(
        subscription_id,
        reply_key(subscription_id, reply.id),
        kind=Kind.REPLY,
        summary=reply.summary,
        data=whole,
    )


def _draft(
    subscription_id: str, key: str, *, kind: Kind, summary: str, data: dict[str, Json]
) -> OutboxDraft:
    body = Reply(id=key, summary=summary[:SUMMARY_LIMIT], channel=CHANNEL, data=data)
    return OutboxDraft(
        key=key,
        channel=CHANNEL,
        account=subscription_id,
        place={"subscription": subscription_id, "kind": kind.value},
        body=to_json(body).decode(),
    )
