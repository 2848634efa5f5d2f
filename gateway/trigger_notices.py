"""Tells people that their trigger was disabled because it fired too often."""

from commands import blocks
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft
from core.hooks.triggers.model import Trigger
from core.kernel.jsons import to_json
from core.kernel.reply import SUMMARY_LIMIT, Reply
from core.kernel.sanitise import sanitise_reply
from gateway.readers import Reader, readers_of


def tell_people(tx: Tx, trigger: Trigger) -> None:
    """Write to whoever made a trigger and in whose name it ran, at all their accounts."""
    for person_id in dict.fromkeys((trigger.owner_id, trigger.created_by)):
        for reader in readers_of(tx, person_id):
            outbox.post(tx, _to_reader(tx, trigger, reader))


def _to_reader(tx: Tx, trigger: Trigger, reader: Reader) -> OutboxDraft:
    reply = sanitise_reply(_notice(tx, trigger, reader.channel))
    return OutboxDraft(
        key=reply.id,
        channel=reader.channel,
        account=reader.account,
        place={**reader.place, "this": trigger.id},
        body=to_json(reply).decode(),
        subject=f"trigger:{trigger.id}:{reader.person_id}",
        appearance=Appearance.NEW,
    )


def _notice(tx: Tx, trigger: Trigger, channel: str) -> Reply:
    return Reply(
        id=tx.new_token("rp"),
        actor=tx.principal.name,
        channel=channel,
        summary=f"{trigger.id} ({trigger.name}) was disabled: {trigger.reason}"[
            :SUMMARY_LIMIT
        ],
        blocks=(
            blocks.fields(
                ("trigger", f"{trigger.id} {trigger.name}"),
                ("command", trigger.rule.command),
                ("reason", trigger.reason),
            ),
            blocks.actions(
                ("What set it off", f"trigger fires {trigger.id}"),
                ("Enable", f"trigger enable {trigger.id}"),
            ),
        ),
        data={"id": trigger.id, "name": trigger.name, "reason": trigger.reason},
    )
