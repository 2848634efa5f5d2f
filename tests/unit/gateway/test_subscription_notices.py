"""Whoever made a subscription is told when it is given up, wherever they can be."""

from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from core.database import Database, Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Of, Outgoing
from core.hooks.subscriptions import service as subscriptions
from core.identity.links import service as links
from core.identity.links.model import Account
from core.kernel.principal import Principal, TenantId, system
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.reactor import Reactor
from gateway.subscription_notices import SubscriptionNotices
from tests.conftest import FakeClock
from tests.subscribers import a_user, subscribed, tried

SLACK = Account(channel="slack", account="main", sender="U07")
MAIL = Account(channel="email", account="main", sender="ann@example.org")


@pytest.fixture
async def reactor(db: Database) -> Reactor:
    """One that has begun: it reacts to what happens from now on."""

    async def tenants() -> list[TenantId]:
        return [system().tenant]

    begun = Reactor(
        db, [SubscriptionNotices()], tenants=tenants, on_posted=lambda: None
    )
    await begun.react_to_news()
    return begun


@pytest.fixture
def ann(db: Database, tmp_path: Path) -> Principal:
    """A person with two linked accounts and a subscription."""
    ann = a_user(db, "ann")
    for account in (SLACK, MAIL):
        code = db.run(lambda tx, at=account: links.request(tx, at), by=system())  # type: ignore[misc]
        db.run(lambda tx, of=code: links.confirm(tx, of.text), by=ann)  # type: ignore[misc]
    subscribed(db, ann, Vault(FileKeystore(tmp_path / "keystore.json")))
    return ann


def notices(db: Database, by: Principal) -> Sequence[Outgoing]:
    return [
        each
        for channel in ("slack", "email", "webhook")
        for each in db.look(lambda tx: _of(tx, channel), by=by)  # noqa: B023 (run at once)
    ]


def _of(tx: Tx, channel: str) -> Sequence[Outgoing]:
    return outbox.list_(tx, of=Of(channel)).items


async def test_the_creator_is_told_at_every_account(
    db: Database, ann: Principal, reactor: Reactor, clock: FakeClock
) -> None:
    """R-17."""
    tried(db, system(name="postman"), 410, at=clock.now())
    await reactor.react_to_news()

    slack, mail = notices(db, ann)
    said = orjson.loads(slack.body)

    assert (slack.account, slack.place["user"]) == ("main", "U07")
    assert (mail.account, mail.place["to"]) == ("main", "ann@example.org")
    assert said["summary"] == (
        "SB-1 (audit-log) is disabled: the receiver answered 410: it is gone"
    )
    assert "subscription enable SB-1" in slack.body
    assert slack.subject == "subscription:SB-1:U-2"


async def test_nobody_is_told_of_what_they_did_themselves(
    db: Database, ann: Principal, reactor: Reactor
) -> None:
    db.run(lambda tx: subscriptions.disable(tx, "SB-1", reason="a move"), by=ann)
    await reactor.react_to_news()

    assert notices(db, ann) == []


async def test_what_was_mended_or_deleted_meanwhile_is_not_told(
    db: Database, ann: Principal, reactor: Reactor, clock: FakeClock
) -> None:
    tried(db, system(name="postman"), 410, at=clock.now())
    db.run(lambda tx: subscriptions.enable(tx, "SB-1"), by=ann)
    await reactor.react_to_news()
    tried(db, system(name="postman"), 410, at=clock.now())
    db.run(lambda tx: subscriptions.delete(tx, "SB-1"), by=ann)
    await reactor.react_to_news()

    assert notices(db, ann) == []
