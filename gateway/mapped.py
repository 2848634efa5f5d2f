"""What payload maps make of a stored message: calls in somebody's name, as envelopes."""

from collections.abc import Mapping, Sequence

from commands.registry import Registry
from core.delivery.received import Received
from core.hooks import mapping
from core.hooks.mapping import Call
from core.kernel.envelope import Envelope
from core.kernel.principal import Principal
from core.kernel.problems import Problem


def envelope_of(stored: Received, owner: Principal, call: Call) -> Envelope:
    """Write one call in the JSON form: nothing of the payload is ever read as a line."""
    return Envelope(
        channel=stored.key.channel,
        account=stored.key.account,
        external_id=stored.key.key,
        sender=owner.id,
        command=call.rule.command,
        args=call.args,
        received_at=stored.received_at,
        assurance=owner.assurance,
        payload_hash=stored.request_hash,
        request_id=stored.request_id,
        credential=owner,
        is_consent=True,
    )


def bare_envelope_of(stored: Received, *, command: str = "") -> Envelope:
    """Say where a message came from that could not be understood, or may not run."""
    return Envelope(
        channel=stored.key.channel,
        account=stored.key.account,
        command=command,
        received_at=stored.received_at,
        request_id=stored.request_id,
    )


def refused_of(
    calls: Sequence[Call], registry: Registry, *, webhook: str
) -> Mapping[int, Problem]:
    """Tell by their place which calls lack something that an expression did not find."""
    lacks = [_lack_of(each, registry, webhook) for each in calls]
    return {place: lack for place, lack in enumerate(lacks) if lack is not None}


def _lack_of(call: Call, registry: Registry, webhook: str) -> Problem | None:
    command = registry.find(call.rule.command)
    parameters = command.parameters if command else ()
    needed = [each.name for each in parameters if each.is_required]
    try:
        mapping.require_found(call, needed, webhook=webhook)
    except Problem as problem:
        return problem
    return None
