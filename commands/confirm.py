"""Consent: which commands ask for it, and how it is given and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from commands.context import Options
from commands.registry import Command, Danger
from core.approvals import service as approvals
from core.approvals.model import Proposal, digest_of
from core.database import Tx
from core.kernel.problems import InvalidArgument, NeedsConfirmation
from core.kernel.reply import Action, Actions, Reply, ReplyStatus, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to run, with all that consent is bound to.

    `is_consent` says that the door's way of asking is consent itself, as a resource
    call is for risky commands; `is_interactive` that the door has a person at it who
    may answer with `--yes`.
    """

    command: Command
    args: Mapping[str, Any]
    canonical: str
    options: Options
    is_consent: bool = False
    is_interactive: bool = False

    @property
    def target(self) -> str:
        """The id of the object that the command is about, "" if it has none."""
        return str(self.args.get(self.command.target) or "")


def require_consent(tx: Tx, asked: Asked) -> None:
    """Let a harmless or confirmed command pass, and use its confirmation up.

    Raises: NeedsConfirmation when consent is missing; Conflict when what was given
            belongs to another command or an earlier state; InvalidArgument when a
            destructive command is confirmed with another id.
    """
    if asked.command.danger not in (Danger.RISKY, Danger.DESTRUCTIVE):
        return
    given = asked.options.confirm
    if asked.command.danger is Danger.DESTRUCTIVE:
        _require_typed_id(asked, given)
    elif given:
        approvals.consume(tx, given, digest=binding(tx, asked))
    elif not (asked.is_consent or (asked.is_interactive and asked.options.yes)):
        raise NeedsConfirmation(f"{asked.canonical} needs your confirmation")


def propose(tx: Tx, asked: Asked, *, channel: str, conversation: str) -> Reply:
    """Store the command as a proposal and ask for its confirmation."""
    if asked.command.danger is Danger.DESTRUCTIVE:
        return _ask_for_id(asked)
    proposal = approvals.propose(
        tx, asked.canonical, target=asked.target, digest=binding(tx, asked),
        channel=channel, conversation=conversation,
    )
    return _ask(asked, proposal)


def binding(tx: Tx, asked: Asked) -> str:
    """Digest the command with the fields of its target that it declares."""
    state = asked.command.fingerprint
    return digest_of(asked.canonical, state(tx, asked.target) if state else "")


def _require_typed_id(asked: Asked, given: str) -> None:
    wanted = asked.target
    if not given:
        raise NeedsConfirmation(f"{asked.canonical} cannot be taken back")
    if given != wanted:
        raise InvalidArgument(
            f"--confirm {given} is not {wanted}", fix=[f"{asked.canonical} --confirm {wanted}"]
        )


def _ask(asked: Asked, proposal: Proposal) -> Reply:
    line = f"confirm {proposal.id}"
    return Reply(
        summary=f"Confirm: {asked.canonical}"[:150],
        status=ReplyStatus.NEEDS_CONFIRMATION,
        blocks=(
            Text(md=f"`{asked.canonical}` is {asked.command.danger.value}: "
                    f"{asked.command.summary} It waits for you until "
                    f"{proposal.expires_at:%H:%M} UTC."),
            Actions(items=(
                Action(label="Confirm", command=line, style="danger"),
                Action(label="Cancel", command=f"cancel {proposal.id}"),
            )),
        ),
        data={
            "token": proposal.id, "command": asked.canonical, "target": asked.target,
            "danger": asked.command.danger.value,
            "confirm": f"{asked.canonical} --confirm {proposal.id}",
        },
    )


def _ask_for_id(asked: Asked) -> Reply:
    line = f"{asked.canonical} --confirm {asked.target}"
    return Reply(
        summary=f"Type {asked.target} to confirm: {asked.canonical}"[:150],
        status=ReplyStatus.NEEDS_CONFIRMATION,
        blocks=(
            Text(md=f"`{asked.canonical}` cannot be taken back. To run it, send `{line}`."),
        ),
        data={
            "token": "", "command": asked.canonical, "target": asked.target,
            "danger": asked.command.danger.value, "confirm": line,
        },
    )
