"""One message on its way down the road, and what is written down about it."""

from dataclasses import dataclass

from commands.context import Origin
from commands.invocation import Invocation
from commands.registry import Alters, Trace
from commands.render import render_line
from commands.shown_once import mask
from core.audit.model import ApprovalStatus, AuditDraft, Verdict
from core.delivery.model import InboxKey, MemoryDraft
from core.delivery.received import Received
from core.kernel.envelope import Envelope
from core.kernel.ids import NUMBERED, random_token
from core.kernel.principal import DEFAULT_TENANT, Assurance, Principal
from core.kernel.problems import (
    BadRequest,
    Forbidden,
    Problem,
    RateLimited,
    Unauthenticated,
)
from core.kernel.reply import Reply, ReplyStatus

_INTERACTIVE = frozenset({"websocket"})
# A mail proves its sender's domain at best, and is read long after it was written.
_WEAK = frozenset({"email"})
# Elsewhere, at the doors of plugins too, what is said stays: in a history, in a mailbox.
_FLEETING = frozenset({"rest", "cli", "websocket"})
_NOBODY = Principal(id="", name="nobody", tenant=DEFAULT_TENANT, linked=False)


@dataclass(slots=True, kw_only=True)
class Message:
    """One message on its way, and what is known of it so far.

    Shape:  `outcome` is what a command that ran ahead of its unit said. One that
            `is_done` took effect in an earlier run of the same delivery.
    """

    envelope: Envelope
    token: str
    principal: Principal
    invocation: Invocation | None = None
    problem: Problem | None = None
    outcome: Reply | Problem | None = None
    is_done: bool = False

    @property
    def request_id(self) -> str:
        """The id under which the answer can be read again."""
        return self.envelope.request_id or f"rq_{self.token}"

    @property
    def origin(self) -> Origin:
        """Where it came from, for the bus."""
        envelope = self.envelope
        return Origin(
            channel=envelope.channel,
            account=envelope.account,
            sender=envelope.sender,
            conversation=envelope.conversation,
            timezone=envelope.timezone or self.principal.timezone,
            is_consent=envelope.is_consent,
            is_interactive=envelope.channel in _INTERACTIVE,
            is_weak=envelope.channel in _WEAK or self._is_hardly_known,
            is_kept=envelope.channel not in _FLEETING or bool(envelope.approval),
            this=envelope.this,
            reply_to=envelope.reply_to,
            approval=envelope.approval,
        )

    @property
    def _is_hardly_known(self) -> bool:
        """Whether the sender of an account elsewhere has shown no secret of theirs."""
        envelope = self.envelope
        return envelope.credential is None and envelope.assurance < Assurance.SECRET

    @property
    def key(self) -> InboxKey:
        """What makes this message the same when it is sent again."""
        envelope = self.envelope
        return InboxKey(
            self.principal.tenant,
            envelope.channel,
            envelope.account,
            envelope.sender or self.principal.id,
            envelope.external_id or self.client_key or self.request_id,
        )

    @property
    def client_key(self) -> str:
        """The id inside a whole-message JSON, which is an idempotency key too."""
        return self.invocation.client_key if self.invocation else ""

    @property
    def alters(self) -> Alters:
        """What the doors must read again once this message has run."""
        return self.invocation.command.alters if self.invocation else ""

    def storable(self, reply: Reply) -> Reply:
        """Leave out of a reply to this message what is shown only once."""
        return mask(self.invocation.command, reply) if self.invocation else reply


def message_of(envelope: Envelope) -> Message:
    """Begin with what a door took in; who sent it may still have to be found out."""
    return Message(
        envelope=envelope,
        token=random_token(),
        principal=envelope.credential or _NOBODY,
    )


def whole_of(stored: Received, principal: Principal) -> Message:
    """Stand for a stored message as a whole, when it is not just one command."""
    return Message(
        envelope=Envelope(
            channel=stored.key.channel,
            account=stored.key.account,
            received_at=stored.received_at,
        ),
        token=token_of(stored),
        principal=principal,
    )


def token_of(stored: Received) -> str:
    """Read the token that a stored message's request and reply ids are made of."""
    return stored.request_id.removeprefix("rq_")


def verdict_of(reply: Reply) -> Verdict:
    """Say how a command that was not refused ended."""
    if reply.status is ReplyStatus.NEEDS_CONFIRMATION:
        return Verdict.PROPOSED
    return Verdict.ALLOWED


def verdict_of_problem(problem: Problem) -> Verdict:
    """Say how a refused command ended."""
    if isinstance(problem, Forbidden | Unauthenticated | RateLimited):
        return Verdict.DENIED
    return Verdict.INVALID if isinstance(problem, BadRequest) else Verdict.FAILED


def trace_of(message: Message, reply: Reply, verdict: Verdict) -> Trace:
    """Say what is left of a message; of what was refused, everything."""
    if message.invocation is None or verdict is not Verdict.ALLOWED:
        return Trace.ENTRY
    trace = message.invocation.command.trace(reply)
    is_keyed = bool(message.envelope.external_id or message.client_key)
    return Trace.NOTHING if trace is Trace.ANSWER and not is_keyed else trace


def audit_of(message: Message, reply: Reply, verdict: Verdict) -> AuditDraft:
    """Write down who asked what, and how it was decided."""
    invocation = message.invocation
    name = invocation.command.name if invocation else message.envelope.command
    return AuditDraft(
        action=name or "message",
        actor=message.principal.name,
        channel=message.envelope.channel,
        account=message.envelope.account,
        target=target_of(invocation, reply) or _claimed(message),
        verdict=verdict,
        approval_status=_approval_status(message, reply),
        reason=reply.error.detail if reply.error else _reason(invocation),
        command=invocation.canonical if invocation else "",
        request_id=message.request_id,
    )


def memory_of(message: Message, invocation: Invocation, reply: Reply) -> MemoryDraft:
    """Work out what `last`, `#n` and `more` mean after this reply."""
    place = message.origin.place
    reply_id = None if invocation.command.is_read else reply.id
    rows = reply.data.get("items")
    if not isinstance(rows, list):
        last_id = target_of(invocation, reply) or None
        return MemoryDraft(place=place, reply_id=reply_id, last_id=last_id)
    cursor = reply.data.get("next")
    return MemoryDraft(
        place=place,
        reply_id=reply_id,
        listed_ids=tuple(
            str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row
        ),
        more_line=_next_page(invocation, cursor) if isinstance(cursor, str) else "",
    )


def _next_page(invocation: Invocation, cursor: str) -> str:
    return render_line(invocation.command, {**invocation.args, "cursor": cursor})


def _approval_status(message: Message, reply: Reply) -> ApprovalStatus:
    """Say whether other people had to agree to a command, and did."""
    if message.envelope.approval:
        return ApprovalStatus.APPROVED
    return ApprovalStatus.PENDING if "approval" in reply.data else ApprovalStatus.NONE


def _reason(invocation: Invocation | None) -> str:
    """Say why it was asked, and by which of the team's own words."""
    if invocation is None or invocation.alias is None:
        return invocation.options.reason if invocation else ""
    return f"{invocation.options.reason} (alias {invocation.alias.name})".strip()


def _claimed(message: Message) -> str:
    """Say who a sender without a credential wanted to be."""
    is_nobody = message.invocation is None and not message.principal.id
    return message.envelope.sender if is_nobody else ""


def target_of(invocation: Invocation | None, reply: Reply) -> str:
    """Name the object that a command was about, or that it made; "" for neither."""
    if invocation and invocation.command.target:
        return str(invocation.args.get(invocation.command.target) or "")
    created = reply.data.get("id")
    return created if isinstance(created, str) and NUMBERED.fullmatch(created) else ""
