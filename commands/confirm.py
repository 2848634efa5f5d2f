"""Consent: which commands ask for it, and how it is given and checked."""

from collections.abc import Sequence

from commands.context import Context
from commands.invocation import Invocation
from commands.registry import Danger
from commands.render import quote
from commands.times import render_duration
from core.approvals import service as approvals
from core.approvals.model import Proposal, digest_of
from core.kernel.problems import InvalidArgument, NeedsConfirmation, StepUpRequired
from core.kernel.reply import Action, Actions, Block, Fields, Reply, ReplyStatus, Text

_SEEN_BY = {None: "", True: " --public", False: " --private"}
_YES = "`--yes` counts in a terminal alone; here add"
_HARMLESS = (Danger.READ, Danger.WRITE)


def danger_of(asked: Invocation) -> Danger:
    """Tell how dangerous a command is as it was asked for.

    What is bulk is risky, and what keeps a risky line for later.
    """
    is_bulk = not asked.given.isdisjoint(asked.command.bulk)
    is_more = is_bulk or asked.is_risky
    is_raised = is_more and asked.command.danger is Danger.WRITE
    return Danger.RISKY if is_raised else asked.command.danger


def is_harmless(asked: Invocation) -> bool:
    """Tell whether a command runs without being confirmed."""
    return danger_of(asked) in _HARMLESS


def require_step_up(context: Context) -> None:
    """Refuse what cannot be taken back at a door that cannot prove who asks.

    What tells a secret is refused where the answer would be kept.

    Raises: StepUpRequired, with where to go.
    """
    asked = context.invocation
    if context.origin.is_kept and asked.command.tells_secret:
        line = whole_line(asked)
        where = "an approval" if context.origin.approval else context.channel
        raise StepUpRequired(
            f"{asked.canonical} tells a secret once, which would be kept by {where}",
            fix=[f"in a terminal: ops {line}"],
            command=line,
        )
    if context.origin.is_weak and asked.command.danger is Danger.DESTRUCTIVE:
        line = whole_line(asked)
        raise StepUpRequired(
            f"{asked.canonical} cannot be taken back, so it is never run from "
            f"{context.channel}",
            fix=[f"in Slack: /ops {line}", f"in a terminal: ops {line}"],
            command=line,
        )


def require_consent(context: Context) -> None:
    """Let a confirmed command pass, and use its confirmation up.

    Raises: NeedsConfirmation when consent is missing; Conflict when what was given
            belongs to another command or an earlier state; InvalidArgument when a
            destructive command is confirmed with another id.
    """
    asked, origin = context.invocation, context.origin
    given = asked.options.confirm
    if is_harmless(asked):
        return
    if asked.command.danger is Danger.DESTRUCTIVE:
        _require_typed_id(asked, given)
    elif given:
        approvals.consume(
            context.tx, given, digest=binding(context), line=_proposed_line(asked)
        )
    elif not (_is_consented(context) or (origin.is_interactive and asked.options.yes)):
        raise NeedsConfirmation(f"{asked.canonical} needs your confirmation")


def _is_consented(context: Context) -> bool:
    """Tell whether the way of asking is consent: whoever made an alias confirmed it."""
    return context.origin.is_consent or context.invocation.alias is not None


def propose(context: Context, *, would: Reply) -> Reply:
    """Store the command as a proposal and ask for its confirmation.

    Shape:  `would` is what the command would answer; what it is about is shown, if the
            command says that it is to be read first.
    """
    asked, origin = context.invocation, context.origin
    if asked.command.danger is Danger.DESTRUCTIVE:
        return _ask_for_id(asked)
    proposal = approvals.propose(
        context.tx,
        _proposed_line(asked),
        target=asked.target,
        digest=binding(context),
        channel=origin.channel,
        conversation=origin.conversation,
    )
    return _ask(asked, proposal, _preview(asked, would))


def binding(context: Context) -> str:
    """Digest the command with the fields of its target that it declares.

    A secret counts as well: without it, as a proposal is kept, it is another command;
    and so does the edition of a plugin, whose new code is not what was agreed to.
    """
    asked, state = context.invocation, context.command.fingerprint
    present = state(context.tx, asked.target) if state else ""
    edition = (asked.command.edition,) if asked.command.edition else ()
    return digest_of(
        asked.canonical, "\n".join((present, *_secrets_of(asked), *edition))
    )


def whole_line(asked: Invocation) -> str:
    """Write the command with what it must not lose when it runs later."""
    options = asked.options
    reason = f" --reason {quote(options.reason)}" if options.reason else ""
    if_match = f" --if-match {quote(options.if_match)}" if options.if_match else ""
    return f"{asked.canonical}{reason}{if_match}{_SEEN_BY[options.is_public]}"


def _proposed_line(asked: Invocation) -> str:
    """Write it with how long its sender, who is to confirm it, waits for its end."""
    wait = asked.options.wait
    lasting = "" if wait is None else f" --wait {render_duration(wait)}"
    return f"{whole_line(asked)}{lasting}"


def _require_typed_id(asked: Invocation, given: str) -> None:
    wanted = asked.target
    if not given:
        raise NeedsConfirmation(f"{asked.canonical} cannot be taken back")
    if given != wanted:
        raise InvalidArgument(
            f"--confirm {quote(given)} is not {quote(wanted)}",
            fix=[f"{asked.canonical} --confirm {quote(wanted)}"],
        )


def _secrets_of(asked: Invocation) -> list[str]:
    """List the secrets that were given, which no line that is kept has in it."""
    return [
        str(asked.args[each.name])
        for each in asked.command.parameters
        if each.is_secret and each.name in asked.given
    ]


def _preview(asked: Invocation, would: Reply) -> Sequence[Block]:
    if not asked.command.is_previewed:
        return ()
    return [each for each in would.blocks if isinstance(each, Fields)]


def _ask(asked: Invocation, proposal: Proposal, preview: Sequence[Block]) -> Reply:
    has_secret = bool(_secrets_of(asked))
    line = f"confirm {proposal.id}"
    whole = "" if has_secret else f"{proposal.command} --confirm {proposal.id}"
    again = f"Send it again, secret and all, with `--confirm {proposal.id}`."
    by_line = Actions(
        items=(
            Action(label="Confirm", command=line, style="danger"),
            Action(label="Cancel", command=f"cancel {proposal.id}"),
        )
    )
    return Reply(
        summary=f"Confirm: {asked.canonical}"[:150],
        status=ReplyStatus.NEEDS_CONFIRMATION,
        blocks=(
            Text(
                md=f"`{asked.canonical}` is {danger_of(asked).value}: "
                f"{asked.command.summary} It waits for you until "
                f"{proposal.expires_at:%H:%M} UTC."
            ),
            *preview,
            *(
                [Text(md=f"{_YES} `--confirm {proposal.id}`.")]
                if asked.options.yes
                else []
            ),
            Text(md=again) if has_secret else by_line,
        ),
        data={
            "token": proposal.id,
            "command": asked.canonical,
            "target": asked.target,
            "danger": danger_of(asked).value,
            "confirm": whole,
        },
    )


def _ask_for_id(asked: Invocation) -> Reply:
    line = f"{_proposed_line(asked)} --confirm {quote(asked.target)}"
    return Reply(
        summary=f"Type {asked.target} to confirm: {asked.canonical}"[:150],
        status=ReplyStatus.NEEDS_CONFIRMATION,
        blocks=(
            Text(
                md=f"`{asked.canonical}` cannot be taken back. To run it, send `{line}`."
            ),
        ),
        data={
            "token": "",
            "command": asked.canonical,
            "target": asked.target,
            "danger": asked.command.danger.value,
            "confirm": line,
        },
    )
