"""Senders of channels to a Principal: the linked person, or somebody without rights."""

from collections.abc import Callable

from core.database import Database
from core.identity.links import service as links
from core.identity.links.model import Account
from core.identity.users.model import to_principal
from core.kernel.envelope import Envelope
from core.kernel.principal import Principal, TenantId, system

TenantOf = Callable[[str, str], TenantId]


class LinkedSenders:
    """Looks up who is linked to (channel, account, sender), anew for each message.

    `tenant_of` tells which tenant a channel's account serves.
    """

    def __init__(self, db: Database, tenant_of: TenantOf) -> None:
        self._db = db
        self._tenant_of = tenant_of

    async def identify(self, envelope: Envelope) -> Principal:
        """Return the linked person, or an unlinked principal with no rights."""
        tenant = self._tenant_of(envelope.channel, envelope.account)
        account = account_of(envelope)
        user = await self._db.read(
            lambda tx: links.find_user(tx, account), by=system(tenant)
        )
        if user is not None:
            return to_principal(user, envelope.assurance)
        name = f"{envelope.channel}:{envelope.sender}"[:80]
        return Principal(
            id=f"{envelope.channel}:{envelope.account}:{envelope.sender}",
            name=name,
            tenant=tenant,
            assurance=envelope.assurance,
            linked=False,
            timezone=envelope.timezone or "UTC",
        )


def account_of(envelope: Envelope) -> Account:
    """Name the account that sent a message."""
    return Account(
        channel=envelope.channel, account=envelope.account, sender=envelope.sender
    )
