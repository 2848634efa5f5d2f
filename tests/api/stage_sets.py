"""What some cases need before their lines, and no line can make."""

from pathlib import Path

from commands.plugins import PluginKind
from core.database import Tx
from core.delivery import received
from core.delivery.model import InboxDraft, InboxKey, InboxState
from core.delivery.outbox import dispatch
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import LIFETIME, Budget, OutboxDraft
from core.events import service as events
from core.hooks import service as hooks
from core.hooks.model import HookAuth, PayloadMap
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.drafts import event_draft
from core.hooks.subscriptions.model import Attempt, Wanted
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import parse_when
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.jsons import to_json
from core.kernel.principal import DEFAULT_TENANT, Assurance, system
from core.kernel.reply import ErrorInfo, Reply
from gateway.plugins.model import Fault, Offer
from tests.api.channels import Writer
from tests.api.gateway import Gateway

DELIVERY = f"rq_{'1' * 26}"


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


def a_failed_callback(gateway: Gateway) -> None:
    """Have a subscription of the admin's, SB-1, and a delivery that failed: D-1."""
    db, now = gateway.graph.db, gateway.clock.now()
    admin = db.run(users.ensure_admin, by=system())

    def subscribe(tx: Tx) -> None:
        subscriptions.create(
            tx,
            "audit-log",
            "https://hooks.example.com/opswire",
            wanted=Wanted(),
            vault=gateway.graph.core.vault,
        )
        events.append(tx, "deploy_finished", target="web-1")

    def fail(tx: Tx) -> None:
        (event,) = events.list_last(tx, limit=1)
        draft = event_draft("SB-1", event)
        outbox.post(tx, draft)
        (claimed,) = dispatch.claim(
            tx, Terms(budgets={"webhook": Budget()}, claim=LIFETIME)
        )
        attempt = Attempt(
            key=draft.key, attempt=1, status=500, took_ms=12, answer="no", tried_at=now
        )
        subscriptions.note_attempt(tx, "SB-1", attempt)
        dispatch.note_dead(tx, claimed, error="it answered 500", fix="mend it")

    db.run(subscribe, by=to_principal(admin, Assurance.SECRET))
    db.run(fail, by=system())


def a_failed_plugin(gateway: Gateway) -> None:
    """Have a plugin that could not be read."""
    stock = gateway.graph.plugins.stock
    why = "NameError: name 'x' is not defined (plugins/hello.py:7)"
    offer = Offer(
        name="hello",
        kind=PluginKind.FILE,
        place="plugins/hello.py",
        home=Path("plugins"),
        fault=Fault(text=why, brief="NameError (plugins/hello.py:7)"),
        loaded_at=gateway.clock.now(),
    )
    stock.put([offer])
    stock.adopt(stock.compose())


def a_failed_post(gateway: Gateway) -> None:
    """Have a webhook of the admin's, W-1, and one delivery to it that failed."""
    db = gateway.graph.db
    admin = db.run(users.ensure_admin, by=system())
    token = DELIVERY.removeprefix("rq_")
    key = InboxKey(DEFAULT_TENANT, "webhook", "W-1", "", "msg_1")
    error = ErrorInfo(
        code="invalid_argument", type="", title="No", detail="no title", status=400
    )
    reply = Reply(
        id=f"rp_{token}", request_id=DELIVERY, summary="No: no title", error=error
    )

    def make(tx: Tx) -> None:
        rule = PayloadMap(command="version")
        hooks.create(
            tx, "alerts", [rule], auth=HookAuth.KEY, vault=gateway.graph.core.vault
        )
        tx.record(
            InboxDraft(
                key=key,
                conversation="",
                reply_id=f"rp_{token}",
                request_id=DELIVERY,
                request_hash="",
                reply="",
                state=InboxState.RECEIVED,
                payload='{"headers":{"content-type":"application/json"},"body":"{}"}',
            )
        )

    db.run(make, by=to_principal(admin, Assurance.SECRET))
    body = to_json(reply).decode()
    db.run(
        lambda tx: received.finish(tx, key, reply=body, outcome="failed"), by=system()
    )


def a_fire(gateway: Gateway) -> None:
    """Have a trigger of the admin's, G-1, and what it set off and nobody has run."""
    db = gateway.graph.db
    admin = db.run(users.ensure_admin, by=system())

    def make(tx: Tx) -> None:
        rule = PayloadMap(command="version")
        triggers.create(tx, "tell", parse_when(["deploy_finished"]), rule)
        events.append(tx, "deploy_finished", target="web-1")

    def set_off(tx: Tx) -> None:
        (event,) = events.list_last(tx, limit=1)
        fires.set_off(tx, event)

    db.run(make, by=to_principal(admin, Assurance.SECRET))
    db.run(set_off, by=system())
