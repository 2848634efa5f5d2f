"""Tells whoever asked for a run, or a job, how it ended, once, where they asked."""

from base64 import b32encode
from collections.abc import Collection
from dataclasses import replace
from hashlib import sha256

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft, lasting
from core.delivery.watches import service as watches
from core.delivery.watches.model import Card
from core.events.model import Event, EventFilter
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.jobs import service as jobs
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.principal import Assurance
from core.kernel.problems import NotFound
from core.kernel.reply import Reply
from core.kernel.sanitise import sanitise_reply
from core.runs import service as runs
from core.runs.model import Run
from gateway.answers import reachable
from gateway.run_cards import (
    ENDS,
    JOB_ENDS,
    LOST,
    job_end,
    run_card,
    run_end,
    run_lost,
)

_TOLD = ENDS | JOB_ENDS | {LOST}
_BEGUN = "run_claimed"
_ID_CHARS = 26


class RunNews:
    """The consumer that tells the requester of a run of its end, and of a lost worker.

    Shape:  a message of its own, where the command was answered: in the thread, or by a
            mail of that conversation. Doors that answer at once have no such place. The
            run of a job is told of as its job. Whoever ended it themselves there, and
            who may not see it any more, is told nothing. Each event has one id, so that
            what is posted again is the same message. Where messages can be edited
            (`editable` channels) and the answer cannot, as that to a slash command, a
            card is posted once the work begins.
    """

    name = "run-news"

    def __init__(self, public_url: str, editable: Collection[str]) -> None:
        self._public_url = public_url
        self._editable = editable

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what begins and ends the work, and what takes it from a silent worker."""
        return EventFilter(types=_TOLD | {_BEGUN})

    def react(self, tx: Tx, event: Event) -> None:
        """Post what there is to be told."""
        run = _run_of(tx, event)
        if run is None or not run.reply_to.place or is_own(event, run):
            return
        if event.type == _BEGUN:
            if run.reply_to.channel in self._editable and not _has_card(tx, run):
                self._begin_card(tx, run, event)
            return
        reply = _said(tx, run, event)
        if reply is not None and _may_see(tx, run):
            self._post(tx, run, event, reply)

    def _begin_card(self, tx: Tx, run: Run, event: Event) -> None:
        """Post a card of its own, to be edited from now on."""
        there = run.reply_to
        card = Card(
            channel=there.channel,
            account=there.account,
            conversation=run.id,
            target=run.id,
            place=lasting(there.place),
            by=run.actor,
            asked_at=tx.now,
        )
        watches.keep_card(tx, card)
        self._post(tx, run, event, run_card(tx, run), subject=card.subject)

    def _post(
        self, tx: Tx, run: Run, event: Event, reply: Reply, *, subject: str = ""
    ) -> None:
        there = run.reply_to
        target = run.job or run.id
        whole = sanitise_reply(
            replace(
                reply,
                id=_id_of(tx, event),
                url=f"{self._public_url}/r/{target}",
                actor=run.actor,
                channel=there.channel,
                blocks=reachable(reply.blocks, self._public_url),
            )
        )
        outbox.post(
            tx,
            OutboxDraft(
                key=whole.id,
                channel=there.channel,
                account=there.account,
                place={**lasting(there.place), "this": target},
                body=to_json(whole).decode(),
                lane=Lane.FINALS,
                subject=subject,
                appearance=Appearance.NEW,
            ),
        )


def is_own(event: Event, run: Run) -> bool:
    """Whether the requester did it there, and so was answered already."""
    return event.actor == run.actor and event.channel == run.reply_to.channel


def tells(tx: Tx, event: Event, *, user_id: str, channel: str, account: str) -> bool:
    """Whether the requester of a run is told of an event at an account anyway."""
    if event.type not in _TOLD:
        return False
    run = _run_of(tx, event)
    there = run.reply_to if run is not None else None
    return (
        run is not None
        and there is not None
        and run.actor_id == user_id
        and bool(there.place)
        and (there.channel, there.account) == (channel, account)
        and (event.target == run.job or not run.job)
    )


def _has_card(tx: Tx, run: Run) -> bool:
    there = run.reply_to
    return any(
        (card.channel, card.account) == (there.channel, there.account)
        for card in watches.list_cards(tx, run.id)
    )


def _run_of(tx: Tx, event: Event) -> Run | None:
    """Find the run that an event is about, or that its job waits for."""
    if event.type not in JOB_ENDS:
        return runs.find(tx, event.target)
    job = jobs.find(tx, event.target)
    return runs.find(tx, job.run_id) if job is not None and job.run_id else None


def _said(tx: Tx, run: Run, event: Event) -> Reply | None:
    if event.type in JOB_ENDS:
        return job_end(jobs.get_(tx, event.target), event)
    if event.type == LOST:
        return run_lost(run, event) if event.details.get("is_requeued") else None
    return None if run.job else run_end(tx, run)


def _may_see(tx: Tx, run: Run) -> bool:
    try:
        user = users.get_(tx, run.actor_id)
    except NotFound:
        return False
    needed = "jobs:read" if run.job else "runs:read"
    return user.is_active and to_principal(user, Assurance.SENDER).may(needed)


def _id_of(tx: Tx, event: Event) -> str:
    """Name the news of an event, the same however often it is told."""
    seed = f"{tx.tenant} run-news {event.seq}".encode()
    return f"rp_{b32encode(sha256(seed).digest()).decode()[:_ID_CHARS]}"
