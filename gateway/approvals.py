"""What an approved request asks for: its command, in the name of who asked, as of now."""

from core.approvals.requests import service as requests
from core.approvals.requests.model import Request
from core.database import Database, Tx
from core.delivery.received import Received
from core.identity.scopes import meet
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.envelope import Envelope
from core.kernel.jsons import parse_json
from core.kernel.principal import Principal, system
from core.kernel.problems import Forbidden, Problem
from gateway.stored import Work


class ApprovalSource:
    """Opens what the last approval of a request put into the inbox.

    Whoever asked is looked up anew, for they may have lost the right since; that the
    approval is used once, and for nothing else, is up to the unit that runs it.
    """

    is_chat = False

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, stored: Received) -> Work:
        """Find the command, and what who asked may do now.

        Raises: Unavailable when the database does not answer.
        """
        nobody = system(stored.key.tenant, name="approval")
        request, found = await self._db.read(
            lambda tx: _asked_for(tx, stored), by=nobody
        )
        problem = found if isinstance(found, Problem) else None
        requester = nobody if isinstance(found, Problem) else found
        return Work(
            principal=requester,
            envelopes=[_envelope(stored, request, requester)],
            problem=problem,
            reply_to=request.asked.reply_to,
        )


def _asked_for(tx: Tx, stored: Received) -> tuple[Request, Principal | Problem]:
    """Read a request, and in whose name it runs: with what is left of their rights."""
    payload = parse_json(stored.payload)
    assert isinstance(payload, dict)
    request = requests.get_(tx, str(payload["approval"]))
    user = users.get_(tx, request.requester_id)
    if not user.is_active:
        return request, Forbidden(
            f"{user.name}, who asked for {request.id}, is disabled",
            fix=["ask again in another name"],
        )
    scopes = meet(request.asked.scopes, user.scopes)
    return request, to_principal(user, request.asked.assurance, scopes=scopes)


def _envelope(stored: Received, request: Request, requester: Principal) -> Envelope:
    """Write the command as if it came from where it was asked for."""
    asked = request.asked
    return Envelope(
        channel=asked.channel,
        account=asked.account,
        external_id=stored.key.key,
        sender=asked.sender,
        conversation=asked.conversation,
        reply_to=asked.reply_to,
        text=request.line,
        received_at=stored.received_at,
        timezone=asked.timezone,
        assurance=asked.assurance,
        payload_hash=stored.request_hash,
        request_id=stored.request_id,
        credential=requester,
        approval=request.id,
        is_consent=True,
    )
