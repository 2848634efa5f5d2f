"""Writes down how the channels fare, whenever that changes, for everybody to see."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from channels.base import Health
from core.database import Database, Tx
from core.delivery.health import service as health
from core.delivery.health.model import AccountHealth, Link
from core.kernel.principal import TenantId, system

EVERY = timedelta(seconds=5)

# What has to be set before a channel with accounts elsewhere can be used at all.
SETTINGS: Mapping[str, str] = {
    "slack": "set OPSWIRE_SLACK__BOT_TOKEN and __APP_TOKEN or __SIGNING_SECRET",
    "email": "set OPSWIRE_EMAIL__ADDRESS, __IMAP_URL and __SMTP_URL",
}

Healths = Callable[[], Sequence[Health]]
TenantOf = Callable[[str, str], TenantId]


class HealthNotes:
    """Notes the health of this gateway's accounts, and which channels have none.

    Shape:  only what differs from what was noted last is written, so two gateways that
            see different things do not argue.
    """

    def __init__(
        self, db: Database, healths: Mapping[str, Healths], *, tenant_of: TenantOf
    ) -> None:
        self._db = db
        self._healths = healths
        self._tenant_of = tenant_of
        self._noted: dict[tuple[str, str], AccountHealth] = {}

    async def note(self) -> None:
        """Look at every account once.

        Raises: Unavailable; what was not written is written the next time.
        """
        seen = {(each.channel, each.account): each for each in self._look()}
        changed = [each for key, each in seen.items() if self._noted.get(key) != each]
        gone = [key for key in self._noted if key not in seen]
        for tenant in {self._tenant_of(*key) for key in (*map(_key, changed), *gone)}:
            write = partial(self._write, changed=changed, gone=gone)
            await self._db.write(write, by=system(tenant, name="channels"))
        self._noted = seen

    def _look(self) -> Sequence[AccountHealth]:
        found = [
            _seen(channel, each)
            for channel, healths in self._healths.items()
            for each in healths()
        ]
        there = {each.channel for each in found}
        return [*found, *(_unset(name) for name in SETTINGS if name not in there)]

    def _write(
        self,
        tx: Tx,
        *,
        changed: Sequence[AccountHealth],
        gone: Sequence[tuple[str, str]],
    ) -> None:
        for each in changed:
            if self._tenant_of(each.channel, each.account) == tx.tenant:
                health.note(tx, each)
                if each.account:
                    health.forget(tx, each.channel, "")
        for channel, account in gone:
            if self._tenant_of(channel, account) == tx.tenant:
                health.forget(tx, channel, account)


def _key(of: AccountHealth) -> tuple[str, str]:
    return of.channel, of.account


def _seen(channel: str, of: Health) -> AccountHealth:
    return AccountHealth(
        channel=channel,
        account=of.account,
        link=Link(of.link.value),
        last_in=of.last_in,
        last_out=of.last_out,
        error=of.error,
        fix=of.fix,
        reconnects=of.reconnects,
    )


def _unset(channel: str) -> AccountHealth:
    return AccountHealth(
        channel=channel,
        account="",
        link=Link.OFF,
        error="no account is set",
        fix=SETTINGS[channel],
    )
