"""What a stored webhook delivery asks for: its endpoint's command, in its maker's name."""

import asyncio

from core.database import Database, Tx
from core.delivery.received import Received
from core.hooks import mapping
from core.hooks import service as hooks
from core.hooks.mapping import Calls, Skipped
from core.hooks.model import Endpoint, PayloadMap
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json, parse_json
from core.kernel.principal import Principal, system
from core.kernel.problems import Problem, Unavailable
from gateway.stored import Work


class HookSource:
    """Opens the deliveries of all webhook endpoints."""

    is_chat = False

    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, stored: Received) -> Work:
        """Ask who may run it now, then work out what it says.

        Raises: Unavailable when the database does not answer.
        """
        nobody = system(stored.key.tenant, name="webhook")
        try:
            endpoint, owner = await self._db.read(
                lambda tx: _endpoint(tx, stored.key.account), by=nobody
            )
        except Unavailable:
            raise
        except Problem as problem:
            return Work(principal=nobody, envelopes=[_bare(stored)], problem=problem)
        # A payload and an expression may be large and slow together.
        return await asyncio.to_thread(_work, stored, endpoint, owner)


def _endpoint(tx: Tx, reference: str) -> tuple[Endpoint, Principal]:
    endpoint = hooks.get_(tx, reference)
    return endpoint, hooks.owner_of(tx, endpoint)


def _work(stored: Received, endpoint: Endpoint, owner: Principal) -> Work:
    try:
        calls = _calls(endpoint.map, stored)
    except Problem as problem:
        bare = _bare(stored, command=endpoint.map.command)
        return Work(principal=owner, envelopes=[bare], problem=problem)
    if isinstance(calls, Skipped):
        return Work(principal=owner, skipped=calls.reason)
    return Work(
        principal=owner,
        envelopes=[
            _envelope(stored, owner, endpoint.map.command, args) for args in calls
        ],
    )


def _calls(payload_map: PayloadMap, stored: Received) -> Calls | Skipped:
    delivery = parse_json(stored.payload)
    assert isinstance(delivery, dict)
    return mapping.extract(payload_map, parse_json(str(delivery["body"])))


def _envelope(
    stored: Received, owner: Principal, command: str, args: dict[str, Json]
) -> Envelope:
    """Write one call in the JSON form: nothing of the payload is ever read as a line."""
    return Envelope(
        channel=stored.key.channel,
        account=stored.key.account,
        external_id=stored.key.key,
        sender=owner.id,
        command=command,
        args=args,
        received_at=stored.received_at,
        assurance=owner.assurance,
        payload_hash=stored.request_hash,
        request_id=stored.request_id,
        credential=owner,
        is_consent=True,
    )


def _bare(stored: Received, *, command: str = "") -> Envelope:
    return Envelope(
        channel=stored.key.channel,
        account=stored.key.account,
        command=command,
        received_at=stored.received_at,
        request_id=stored.request_id,
    )
