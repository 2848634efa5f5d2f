"""`POST /v1/channels/webhook/{endpoint}`: verify the raw bytes, store, acknowledge."""

from dataclasses import dataclass, replace

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from channels.webhook import BODY_LIMIT_BYTES, wire
from channels.webhook.headers import parse_headers, parse_proving
from channels.webhook.schemes import SCHEMES, Proven
from core.database import Database
from core.delivery.model import InboxKey
from core.hooks import service as hooks
from core.hooks.model import (
    CHANNEL,
    DELIVER_SCOPE,
    PATH,
    WRITE_SCOPE,
    Address,
    Endpoint,
    HookAuth,
    Vault,
    parse_address,
    unknown,
)
from core.hooks.payloads import parse_payload
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.ids import random_id
from core.kernel.jsons import to_json
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import MissingScope, Problem, Unauthenticated
from gateway import problems
from gateway.answers import Answer
from gateway.auth import Authenticator
from gateway.http import rest
from gateway.http.asgi import JSON, PROBLEM, Headers, read_body, respond
from gateway.intake import Arrival, Intake, Receipt
from gateway.pipeline import Pipeline

# Whoever is let in by nothing is told nothing; what was wrong stands in the audit.
_UNPROVEN = "the delivery does not prove who sent it"
_UNPROVEN_FIX = ("check the secret, the clock and that the raw body is signed",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A delivery that was let in; `challenge` is what its sender wants back instead."""

    arrival: Arrival
    challenge: str = ""


class Verifier:
    """Finds an endpoint, and lets a delivery in by that endpoint's kind of proof."""

    def __init__(
        self, db: Database, auth: Authenticator, *, vault: Vault, clock: Clock
    ) -> None:
        self._db = db
        self._auth = auth
        self._vault = vault
        self._clock = clock

    async def find(self, address: Address) -> Endpoint:
        """Find the endpoint that a path names.

        Raises: NotFound, whether it is absent or another tenant's.
        """
        return await self._db.read(
            lambda tx: hooks.get_(tx, address.reference), by=system(address.tenant)
        )

    async def identify(
        self, address: Address, endpoint: Endpoint, headers: Headers
    ) -> Principal:
        """Return who holds the key that was sent, or a stranger if none is wanted.

        A key of another tenant learns nothing, not even that there is an endpoint.

        Raises: Unauthenticated, NotFound.
        """
        if endpoint.auth is not HookAuth.KEY:
            return stranger(address.tenant)
        principal = await self._sign_in(headers)
        if principal.tenant != address.tenant:
            raise unknown(address.reference)
        return principal

    async def verify(
        self, sender: Principal, endpoint: Endpoint, *, scope: Scope, receive: Receive
    ) -> Verified:
        """Check the proof over the raw body; only then read what the body says.

        Raises: Unauthenticated, MissingScope; InvalidJson, UnsupportedMedia; TooLarge;
                Unavailable when the endpoint's secret cannot be used.
        """
        named = parse_headers(scope["headers"])
        if endpoint.auth is HookAuth.KEY:
            _require_deliverer(sender, endpoint)
            key = wire.parse_key(named) or random_id("own")
            body = await read_body(scope, receive, limit=BODY_LIMIT_BYTES)
            proven = Proven(key, wire.digest(body))
        else:
            proof = SCHEMES[endpoint.auth](parse_proving(scope["headers"]))
            body = await read_body(scope, receive, limit=BODY_LIMIT_BYTES)
            now = self._clock.now()
            keys = hooks.open_keys(endpoint, sender.tenant, vault=self._vault, now=now)
            proven = proof.prove(body, keys=keys, now=now)
        text = wire.parse_text(body)
        payload = parse_payload(text, named.get("content-type", ""))
        stored = {
            "headers": wire.storable_headers(named),
            "query": wire.storable_query(scope["query_string"]),
            "body": text,
        }
        arrival = Arrival(
            key=InboxKey(sender.tenant, CHANNEL, endpoint.id, sender.id, proven.key),
            request_hash=proven.digest,
            payload=to_json(stored).decode(),
        )
        is_slack = endpoint.auth is HookAuth.SLACK
        challenge = wire.parse_challenge(payload) if is_slack else ""
        return Verified(arrival=arrival, challenge=challenge)

    async def _sign_in(self, headers: Headers) -> Principal:
        """Verify an API key; senders that know nothing else send it by HTTP Basic."""
        if password := wire.parse_basic(headers.get(b"authorization")):
            return await self._auth.authenticate(api_key=password)
        return await rest.sign_in(self._auth, headers)


class WebhookDoor:
    """Answers 202 once a delivery is on disk, 200 with the first result to a replay.

    Load is answered with 202 too, or with 503 when nothing can be stored; never with
    a 4xx, which makes senders give up.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        intake: Intake,
        verifier: Verifier,
        *,
        clock: Clock,
        public_url: str,
    ) -> None:
        self._pipeline = pipeline
        self._intake = intake
        self._verifier = verifier
        self._clock = clock
        self._public_url = public_url

    @property
    def route(self) -> Route:
        """The route of this door, for the application."""
        return Route(f"{PATH}/{{endpoint}}", self, methods=["POST"], name="webhook")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        envelope = Envelope(channel=CHANNEL, received_at=self._clock.now())
        is_signed = False
        try:
            address = parse_address(scope["path_params"]["endpoint"])
            envelope = replace(envelope, credential=stranger(address.tenant))
            endpoint = await self._verifier.find(address)
            envelope = replace(envelope, account=endpoint.id)
            is_signed = endpoint.auth is not HookAuth.KEY
            sender = await self._verifier.identify(address, endpoint, Headers.of(scope))
            envelope = replace(envelope, credential=sender)
            verified = await self._verifier.verify(
                sender, endpoint, scope=scope, receive=receive
            )
            if verified.challenge:
                await respond(send, 200, wire.render_challenge(verified.challenge))
                return
            receipt = await self._intake.receive(verified.arrival)
        except Problem as problem:
            answer = await self._pipeline.refuse(envelope, problem)
            await _refuse(send, _told_nothing(answer) if is_signed else answer)
        else:
            await self._acknowledge(send, endpoint, receipt)

    async def _acknowledge(
        self, send: Send, endpoint: Endpoint, receipt: Receipt
    ) -> None:
        headers = [JSON, (b"x-request-id", receipt.request_id.encode())]
        if receipt.reply:
            headers.append((b"idempotency-replayed", b"true"))
            await respond(send, 200, receipt.reply.encode(), headers=headers)
            return
        if endpoint.auth is HookAuth.SLACK:
            # Slack takes every other status for a failure, and shows what it is told.
            await respond(send, 200, wire.render_slack_receipt(), headers=headers)
            return
        url = f"{self._public_url}/v1/commands/{receipt.request_id}"
        body = wire.render_receipt(receipt.request_id, url)
        await respond(send, 202, body, headers=headers)


def stranger(tenant: TenantId) -> Principal:
    """Stand for whoever delivers without a name of their own."""
    return Principal(id="", name="nobody", tenant=tenant, linked=False)


def _require_deliverer(sender: Principal, endpoint: Endpoint) -> None:
    """Let the endpoint's maker deliver, and those who may deliver to all.

    What everybody has, everybody may try who could make one as well.

    Raises: MissingScope: a right to read must not run a command in another's name.
    """
    if endpoint.is_built_in and sender.may(WRITE_SCOPE):
        return
    if sender.id != endpoint.creator_id and not sender.may(DELIVER_SCOPE):
        raise MissingScope(DELIVER_SCOPE, who=sender.name)


def _told_nothing(answer: Answer) -> Answer:
    """Leave out what exactly was wrong with a proof; it was written down already."""
    reply = answer.reply
    if reply.error is None or reply.error.code != Unauthenticated.code:
        return answer
    error = replace(reply.error, detail=_UNPROVEN, fix=_UNPROVEN_FIX)
    return replace(answer, reply=replace(reply, error=error))


async def _refuse(send: Send, answer: Answer) -> None:
    error = answer.reply.error
    assert error is not None
    document = problems.to_document(error, request_id=answer.reply.request_id)
    headers = [PROBLEM, *rest.answer_headers(answer)]
    await respond(send, error.status, to_json(document), headers=headers)
