"""Deliveries put into the inbox from inside: sent by hand, and run once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from core.database import Tx
from core.delivery import received
from core.delivery.model import InboxDraft, InboxKey, InboxState
from core.delivery.received import Received, Wanted
from core.events.service import append
from core.hooks.deliveries import (
    DONE_BEFORE,
    REPLAY_OF,
    REPLAYED_BY,
    REPLAYER,
    SENT_BY,
    Delivery,
    Outcome,
    done_of,
    find_stored,
    to_delivery,
)
from core.hooks.model import CHANNEL, Endpoint
from core.kernel.jsons import Json, parse_json, to_json
from core.kernel.problems import Conflict, InvalidArgument

REPLAY_LIMIT = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What became of asking for a delivery to be run again.

    Shape:  `of` is the delivery that was meant, `now` the one that stands for it. With
            `is_new` that one was put into the inbox just now; otherwise nothing was
            changed, because it is done or waits already.
    """

    of: str
    now: Delivery
    is_new: bool


def send(tx: Tx, endpoint: Endpoint, payload: Json) -> str:
    """Deliver a payload to an endpoint as if it had come from outside.

    Shape:  its id; it is run in the endpoint's name once this unit has committed.
    """
    me = tx.principal
    said: dict[str, Json] = {
        "headers": {"content-type": "application/json"},
        "body": to_json(payload).decode(),
        SENT_BY: me.name,
    }
    key = InboxKey(tx.tenant, CHANNEL, endpoint.id, me.id, tx.new_token("own"))
    request_id = _put(tx, key, said, request_hash="")
    append(tx, "webhook_sent", target=endpoint.id, delivery=request_id)
    return request_id


def replay(tx: Tx, endpoint: Endpoint, reference: str) -> Replay:
    """Run a delivery once more if it failed or was skipped, by the rules of now.

    Shape:  of one that was replayed before, the newest counts. One that is done gives
            its first result; however many ask at once, there is one run. Of several
            commands those that took effect are not run again.
    Raises: NotFound; Conflict while it has yet to be run for the first time, and when
            what it said is no longer kept.
    """
    asked = find_stored(tx, endpoint, reference)
    if to_delivery(asked).outcome is Outcome.WAITING:
        raise Conflict(
            f"{asked.request_id} has not been run yet, so there is nothing to repeat",
            fix=[f"webhook inspect {endpoint.id} {asked.request_id}"],
        )
    newest = _newest(tx, asked)
    if to_delivery(newest).outcome in (Outcome.DONE, Outcome.WAITING):
        return Replay(of=asked.request_id, now=to_delivery(newest), is_new=False)
    return _again(tx, endpoint, newest, of=asked.request_id)


def replay_all(tx: Tx, endpoint: Endpoint, wanted: Wanted) -> Sequence[Replay]:
    """Run everything once more that failed or was skipped, in its old order.

    Shape:  what is done or waits is left alone, and so is what was replayed before: its
            newest run is one of these deliveries itself.
    Raises: InvalidArgument when that would be more than 1,000 at once.
    """
    outcomes = [wanted.outcome] if wanted.outcome else ["failed", "skipped"]
    most = REPLAY_LIMIT + 1
    found = [
        stored
        for outcome in outcomes
        for stored in received.list_open(
            tx, CHANNEL, endpoint.id, replace(wanted, outcome=outcome, limit=most)
        )
    ]
    if len(found) > REPLAY_LIMIT:
        raise InvalidArgument(
            f"more than {REPLAY_LIMIT} deliveries to {endpoint.id} would be replayed",
            fix=["narrow them with --since and --until"],
        )
    return [
        _again(tx, endpoint, each, of=each.request_id)
        for each in sorted(found, key=lambda each: each.seq)
    ]


def _newest(tx: Tx, stored: Received) -> Received:
    """Follow a delivery to its newest run.

    One that this very batch has put into the inbox cannot be read yet: it waits.
    """
    while stored.replayed_as:
        found = received.find(tx, stored.replayed_as)
        if found is None:
            return _waiting(stored)
        stored = found
    return stored


def _waiting(stored: Received) -> Received:
    token = stored.replayed_as.removeprefix("rq_")
    return replace(
        stored,
        key=stored.key._replace(sender=REPLAYER, key=stored.request_id),
        request_id=stored.replayed_as,
        reply_id=f"rp_{token}",
        state=InboxState.RECEIVED,
        reply="",
        done_at=None,
        replayed_as="",
    )


def _again(tx: Tx, endpoint: Endpoint, old: Received, *, of: str) -> Replay:
    said = parse_json(old.payload)
    if not isinstance(said, dict) or "body" not in said:
        raise Conflict(
            f"what {old.request_id} said is no longer kept",
            fix=[f"webhook send {endpoint.id} --payload {{}}"],
        )
    # The key is the delivery that is repeated: a second run of it could not be stored.
    key = InboxKey(tx.tenant, CHANNEL, endpoint.id, REPLAYER, old.request_id)
    said = {
        **said,
        REPLAY_OF: old.request_id,
        REPLAYED_BY: tx.principal.name,
        DONE_BEFORE: list(done_of(old)),
    }
    request_id = _put(tx, key, said, request_hash=old.request_hash)
    if not received.note_replayed(tx, old.key, as_=request_id):
        raise Conflict(  # pragma: no cover - writers of one tenant are serial
            f"{old.request_id} was replayed meanwhile"
        )
    append(tx, "webhook_replayed", target=endpoint.id, delivery=of, replay=request_id)
    now = to_delivery(_waiting(replace(old, replayed_as=request_id)))
    return Replay(of=of, now=replace(now, received_at=tx.now), is_new=True)


def _put(tx: Tx, key: InboxKey, said: Mapping[str, Json], *, request_hash: str) -> str:
    """Store a message that nobody has run, and give its request's id."""
    token = tx.new_token("")[1:]
    tx.record(
        InboxDraft(
            key=key,
            conversation="",
            reply_id=f"rp_{token}",
            request_id=f"rq_{token}",
            request_hash=request_hash,
            reply="",
            state=InboxState.RECEIVED,
            payload=to_json(said).decode(),
        )
    )
    return f"rq_{token}"
