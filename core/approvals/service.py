"""Propose a command, and use a proposal once."""

from collections.abc import Sequence

from core.approvals import store
from core.approvals.model import KEPT, LIFETIME, Proposal
from core.database import Tx
from core.kernel.problems import Conflict, NotFound

_TOKEN_LETTERS = 6
_ASK_AGAIN = (
    "send the command without --confirm: its answer has the id of a proposal, with "
    "which it is confirmed"
)


def propose(
    tx: Tx, command: str, *, target: str, digest: str, channel: str, conversation: str
) -> Proposal:
    """Store a command for its principal to confirm within 15 minutes."""
    proposal = Proposal(
        id=tx.new_token("")[-_TOKEN_LETTERS:].lower(),
        principal=tx.principal.id,
        channel=channel,
        conversation=conversation,
        command=command,
        target=target,
        digest=digest,
        expires_at=tx.now + LIFETIME,
    )
    store.add(tx, proposal)
    return proposal


def get_open(tx: Tx, proposal_id: str) -> Proposal:
    """Get a proposal that this principal may still use.

    Raises: NotFound when there is none, or it is somebody else's; Conflict when it
            was used already or is too old.
    """
    proposal = store.find(tx, proposal_id.lower())
    if proposal is None or proposal.principal != tx.principal.id:
        raise NotFound(f"proposal {proposal_id}", fix=[_ASK_AGAIN])
    if proposal.is_consumed:
        raise Conflict(f"{proposal_id} was used already", fix=[proposal.command])
    if proposal.expires_at <= tx.now:
        raise Conflict(f"{proposal_id} has expired", fix=[proposal.command])
    return proposal


def consume(tx: Tx, proposal_id: str, *, digest: str, line: str) -> None:
    """Use a proposal for exactly what was proposed.

    Raises: Conflict when the command or the state of its target is another one now.
    """
    proposal = get_open(tx, proposal_id)
    if proposal.digest != digest:
        is_same = proposal.command == line
        raise Conflict(
            f"{proposal_id} was made for an earlier state: the command or its object "
            "has changed since; ask again"
            if is_same
            else f"{proposal_id} was made for another command",
            fix=[proposal.command],
        )
    store.consume(tx, proposal.id)


def list_open(tx: Tx) -> Sequence[Proposal]:
    """List what the caller may still confirm, oldest first."""
    return store.list_open(tx, tx.principal.id)


def withdraw(tx: Tx, proposal_id: str) -> Proposal:
    """Drop an open proposal, so that nobody can confirm it."""
    proposal = get_open(tx, proposal_id)
    store.consume(tx, proposal.id)
    return proposal


def has_late(tx: Tx) -> bool:
    """Tell whether there are proposals to purge."""
    return store.has_before(tx, tx.now - KEPT)


def purge(tx: Tx) -> None:
    """Delete proposals a day after they have expired."""
    store.delete_before(tx, tx.now - KEPT)
