"""The people of demo mode, and their simulated accounts, by the road of everybody."""

import logging
from collections.abc import Sequence

from core.database import Database, Tx
from core.identity.links import service as links
from core.identity.links.model import Account
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, Principal, system
from core.kernel.reply import Reply
from core.workspaces.model import DEFAULT_ACCOUNT
from gateway.flags import FlagFile
from gateway.pipeline import Pipeline
from gateway.simulators.acts import PEOPLE, Person
from gateway.simulators.simulators import Simulators
from gateway.simulators.stands import MAILBOX, SLACK_IDS, address_of

_CHANNEL = "demo"

_log = logging.getLogger(__name__)


class DemoPeople:
    """Makes ann and bob once, and links the accounts that the simulators play.

    Shape:  somebody who had such a name before demo mode is left alone. Each account
            is linked at most once in the life of a process, so that who unlinks one
            stays unlinked.
    """

    def __init__(
        self,
        db: Database,
        pipeline: Pipeline,
        simulators: Simulators,
        *,
        flags: FlagFile,
        clock: Clock,
    ) -> None:
        self._db = db
        self._pipeline = pipeline
        self._simulators = simulators
        self._flags = flags
        self._clock = clock
        self._by: Principal = system(name=_CHANNEL)
        self._is_done = False

    async def settle(self) -> None:
        """Bring in who is missing, while demo mode is on."""
        if self._is_done or not self._flags.current().demo_mode:
            return
        for person in PEOPLE:
            user = await self._settle(person)
            if user is None:
                continue
            for account in self._accounts(person):
                await self._link(to_principal(user, Assurance.SECRET), account)
        self._is_done = True

    async def _settle(self, person: Person) -> User | None:
        """Find the person of the demo; None when somebody else has the name."""
        user = await self._db.read(
            lambda tx: users.find_by_name(tx, person), by=self._by
        )
        if user is None:
            await self._run(
                self._by,
                f"user create {person} --roles operator --email {address_of(person)}",
                key=f"demo-user-{person}",
            )
            user = await self._db.read(
                lambda tx: users.find_by_name(tx, person), by=self._by
            )
        is_ours = user is not None and user.email == address_of(person)
        return user if is_ours else None

    def _accounts(self, person: Person) -> Sequence[Account]:
        """List the accounts that are simulated; a real workspace links its own people."""
        found = []
        if self._simulators.slack_stand is not None:
            found.append(
                Account(
                    channel="slack", account=DEFAULT_ACCOUNT, sender=SLACK_IDS[person]
                )
            )
        if self._simulators.mail_stand is not None:
            found.append(
                Account(channel="email", account=MAILBOX, sender=address_of(person))
            )
        return found

    async def _link(self, person: Principal, account: Account) -> None:
        """Have the account ask for a code and the person confirm it, as anybody does."""
        if await self._is_linked(account):
            return
        reply = (await self._pipeline.handle(self._from(account))).reply
        if reply.error is None:
            reply = await self._run(person, f"link {reply.data['code']}")
        # A gateway that began with this one may have linked it meanwhile.
        if reply.error is not None and not await self._is_linked(account):
            _log.warning("demo.unlinked", extra={"reason": reply.error.detail})

    async def _is_linked(self, account: Account) -> bool:
        return await self._db.read(lambda tx: _is_linked(tx, account), by=self._by)

    def _from(self, account: Account) -> Envelope:
        return Envelope(
            channel=account.channel,
            account=account.account,
            sender=account.sender,
            text="link",
            received_at=self._clock.now(),
            assurance=Assurance.SENDER,
        )

    async def _run(self, by: Principal, line: str, *, key: str = "") -> Reply:
        envelope = Envelope(
            channel=_CHANNEL,
            sender=by.id,
            text=line,
            external_id=key,
            received_at=self._clock.now(),
            assurance=Assurance.SECRET,
            credential=by,
        )
        return (await self._pipeline.handle(envelope)).reply


def _is_linked(tx: Tx, account: Account) -> bool:
    return links.find_identity(tx, account) is not None
