"""People who write from Slack and by mail, without a Slack and without a mailbox."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import orjson
from sqlalchemy import bindparam

from core.database import Prepared
from core.delivery.outbox.tables import outbox
from core.identity.links.model import Account
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, system
from core.kernel.reply import Reply
from gateway.testing.people import link, somebody
from tests.api.gateway import Gateway

_ASSURANCE = {"slack": Assurance.SECRET, "email": Assurance.SENDER}
_NUMBERS = count(1)
_POSTED = Prepared(
    outbox.select()
    .with_only_columns(
        outbox.c.channel, outbox.c.account, outbox.c.place, outbox.c.body
    )
    .where(outbox.c.tenant_id == bindparam("tenant"))
    .order_by(outbox.c.number)
)


class Writer:
    """One account on a channel, whose messages take the same road as every other."""

    def __init__(
        self, gateway: Gateway, channel: str, sender: str, *, account: str = "acme"
    ) -> None:
        self._gateway = gateway
        self.at = Account(channel=channel, account=account, sender=sender)
        self.place: Mapping[str, Any] = {"to": f"{channel}/{sender}"}

    async def say(
        self,
        text: str,
        *,
        thread: str = "t1",
        this: str = "",
        key: str = "",
        assurance: Assurance | None = None,
    ) -> Reply:
        """Send one line in a thread, which may be about an object."""
        trusted = _ASSURANCE[self.at.channel] if assurance is None else assurance
        answer = await self._gateway.graph.pipeline.handle(
            Envelope(
                channel=self.at.channel,
                account=self.at.account,
                sender=self.at.sender,
                external_id=key or f"m{next(_NUMBERS)}",
                conversation=thread,
                reply_to=self.place,
                this=this,
                text=text,
                received_at=self._gateway.clock.now(),
                assurance=trusted,
            )
        )
        return answer.reply

    def link_to(self, name: str) -> "Writer":
        """Link the account to a user, as both sides would have done."""

        self._gateway.graph.db.run(
            lambda tx: link(tx, self.at, somebody(tx, name)), by=system()
        )
        return self


async def settle(gateway: Gateway) -> None:
    """Have everything run that was stored first."""
    intake = gateway.graph.intake
    await intake.drain()
    intake.start()
    await intake.settle()


def delivered(gateway: Gateway, place: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read the replies that are on their way to a place, the oldest first."""
    rows = gateway.graph.db.look(lambda tx: tx.run(_POSTED), by=system())
    wanted = dict(place).items()
    return [
        orjson.loads(body)
        for _, _, to, body in rows
        if wanted <= orjson.loads(to).items()
    ]
