"""Tells people what waits for their approval, and who asked what became of it."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from commands import approval_views, blocks
from core.approvals.requests import service as requests
from core.approvals.requests.model import Request, RequestStatus
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft, lasting
from core.events.model import Event, EventFilter
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.reply import Block, Reply
from core.kernel.sanitise import sanitise_reply
from gateway.readers import Reader, readers_of

_ASKED = "approval_requested"
_OVER: Mapping[str, str] = {
    "approval_rejected": "was rejected",
    "approval_voided": "is void, because what it is about has changed",
    "approval_expired": "has expired",
}
_DECIDED = frozenset({*_OVER, "approval_granted", "approval_withdrawn"})


class ApprovalNotices:
    """The consumer that asks those who may approve, and tells who asked for it.

    Shape:  everybody who may decide is asked once at each account that they have
            linked, with Approve and Reject; where a message can be edited (`editable`
            channels), it says later how it was decided. Who asked is told where they
            asked, or at their accounts when nobody could be answered there.
    """

    name = "approval-notices"

    def __init__(self, editable: Collection[str]) -> None:
        self._editable = editable

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what begins a request and what ends one."""
        return EventFilter(types=frozenset({_ASKED, *_DECIDED}))

    def react(self, tx: Tx, event: Event) -> None:
        """Post what there is to be told."""
        request = requests.get_(tx, event.target)
        if event.type == _ASKED:
            if request.status is RequestStatus.WAITING:
                self._ask(tx, request)
            return
        self._close(tx, request)
        if event.type in _OVER:
            _tell_requester(tx, request, event)

    def _ask(self, tx: Tx, request: Request) -> None:
        for person in requests.approvers(tx, request):
            for reader in readers_of(tx, person.id):
                _post(tx, reader, request, _question(request))

    def _close(self, tx: Tx, request: Request) -> None:
        """Take the buttons off what was asked and can no longer be answered."""
        undecided = replace(request, votes=())
        for person in requests.approvers(tx, undecided):
            for reader in readers_of(tx, person.id):
                if reader.channel in self._editable:
                    _post(
                        tx,
                        reader,
                        request,
                        _result(request),
                        appearance=Appearance.EDIT_ONLY,
                    )


def _tell_requester(tx: Tx, request: Request, event: Event) -> None:
    """Say that it will not run; a run that was refused has said so by its answer."""
    asked = request.asked
    if request.request_id and asked.reply_to:
        return
    there = Reader(
        person_id=request.requester_id,
        channel=asked.channel,
        account=asked.account,
        place={**lasting(asked.reply_to), "this": request.id},
    )
    readers = [there] if asked.reply_to else readers_of(tx, request.requester_id)
    for reader in readers:
        _post(tx, reader, request, _refusal(request, event), subject="outcome")


def _post(
    tx: Tx,
    reader: Reader,
    request: Request,
    reply: Reply,
    *,
    subject: str = "decide",
    appearance: Appearance = Appearance.NEW,
) -> None:
    whole = sanitise_reply(
        replace(
            reply,
            id=tx.new_token("rp"),
            actor=request.requester,
            channel=reader.channel,
            data=approval_views.view_of(request),
        )
    )
    outbox.post(
        tx,
        OutboxDraft(
            key=whole.id,
            channel=reader.channel,
            account=reader.account,
            place={**reader.place, "this": request.id},
            body=to_json(whole).decode(),
            lane=Lane.APPROVALS,
            subject=f"{subject}:{request.id}:{reader.person_id}",
            appearance=appearance,
        ),
    )


def _question(request: Request) -> Reply:
    return Reply(
        summary=f"{request.requester} asks you to approve {request.id}: {request.line}"[
            :150
        ],
        blocks=(_facts(request), approval_views.decisions(request)),
    )


def _result(request: Request) -> Reply:
    return Reply(
        summary=f"{request.id} {request.status.value}: {request.line}"[:150],
        blocks=(
            _facts(request),
            blocks.actions(("Show", f"approval show {request.id}")),
        ),
    )


def _refusal(request: Request, event: Event) -> Reply:
    why = f": {event.details['reason']}" if event.details.get("reason") else ""
    by = f" by {event.actor}" if event.type == "approval_rejected" else ""
    return Reply(
        summary=f"{request.id} {_OVER[event.type]}{by}{why}"[:150],
        blocks=(
            _facts(request),
            blocks.actions(
                ("Show", f"approval show {request.id}"), ("Ask again", request.line)
            ),
        ),
    )


def _facts(request: Request) -> Block:
    given, demand = len(request.approvals), request.demand
    return blocks.fields(
        ("command", request.line),
        ("asked by", f"{request.requester} via {request.asked.channel}"),
        ("reason", request.reason),
        ("approved", f"{given} of {demand.need} ({demand.role.value})"),
        ("until", f"{request.expires_at:%Y-%m-%d %H:%M} UTC"),
    )
