"""Senders on channels: linked people act as themselves, others have no rights (R-60)."""

from datetime import UTC, datetime

import pytest

from core.database import Database
from core.identity.links import service as links
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.envelope import Envelope
from core.kernel.principal import DEFAULT_TENANT, Assurance, TenantId, system
from gateway.senders import LinkedSenders, account_of


def tenant_of(channel: str, account: str) -> TenantId:
    return TenantId("acme") if account == "acme" else DEFAULT_TENANT


@pytest.fixture
def senders(db: Database) -> LinkedSenders:
    return LinkedSenders(db, tenant_of)


@pytest.fixture
def ann(db: Database) -> User:
    return db.run(lambda tx: users.create(tx, "ann", roles=["operator"]), by=system())


def a_message(sender: str = "U07", account: str = "main") -> Envelope:
    return Envelope(
        channel="slack",
        account=account,
        sender=sender,
        text="whoami",
        assurance=Assurance.SENDER,
        timezone="Asia/Tokyo",
        received_at=datetime(2026, 11, 4, 9, tzinfo=UTC),
    )


def link(db: Database, envelope: Envelope, user: User) -> None:
    account = account_of(envelope)
    code = db.run(lambda tx: links.request(tx, account), by=system())
    person = to_principal(user, Assurance.SECRET)
    db.run(lambda tx: links.confirm(tx, code.text), by=person)


async def test_a_linked_sender_is_the_person(
    db: Database, senders: LinkedSenders, ann: User
) -> None:
    link(db, a_message(), ann)

    principal = await senders.identify(a_message())

    assert principal == to_principal(ann, Assurance.SENDER)
    assert principal.linked


async def test_an_unlinked_sender_has_no_rights(senders: LinkedSenders) -> None:
    principal = await senders.identify(a_message())

    assert not principal.linked
    assert principal.scopes == frozenset()
    assert not principal.may("tasks:read")
    assert principal.timezone == "Asia/Tokyo"


async def test_the_account_decides_the_tenant(
    db: Database, senders: LinkedSenders, ann: User
) -> None:
    """R-60: the same sender id in another workspace is somebody else."""
    link(db, a_message(), ann)

    principal = await senders.identify(a_message(account="acme"))

    assert principal.tenant == "acme"
    assert not principal.linked


async def test_a_disabled_person_is_unlinked_at_once(
    db: Database, senders: LinkedSenders, ann: User
) -> None:
    link(db, a_message(), ann)
    db.run(lambda tx: users.disable(tx, ann.id), by=system())

    assert not (await senders.identify(a_message())).linked
