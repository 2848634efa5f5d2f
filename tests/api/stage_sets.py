"""What some cases need before their lines, and no line can make."""

from core.database import Tx
from core.delivery.outbox import dispatch
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import LIFETIME, Budget, OutboxDraft
from core.kernel.jsons import to_json
from core.kernel.principal import system
from core.kernel.reply import Reply
from tests.api.channels import Writer
from tests.api.gateway import Gateway


def a_mailbox(gateway: Gateway) -> None:
    """Link a mail address to the admin."""
    Writer(gateway, "email", "admin@example.org").link_to("admin")


def a_failed_delivery(gateway: Gateway) -> None:
    """Have an answer that could not be delivered to Slack: D-1."""

    def fail(tx: Tx) -> None:
        body = to_json(Reply(id="rp_1", request_id="rq_1", summary="Created T-1"))
        draft = OutboxDraft(
            key="rp_1",
            channel="slack",
            account="acme",
            place={"channel": "C1"},
            body=body.decode(),
        )
        outbox.post(tx, draft)
        (claimed,) = dispatch.claim(
            tx, Terms(budgets={"slack": Budget()}, claim=LIFETIME)
        )
        dispatch.note_dead(tx, claimed, error="no such room", fix="invite the app")

    gateway.graph.db.run(fail, by=system())
