"""Callers of hand-written routes: let in with a scope, or refused and audited."""

from starlette.types import Scope, Send

from core.audit.model import AuditDraft, Verdict
from core.database import Database
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.jsons import to_json
from core.kernel.principal import Principal
from core.kernel.problems import MissingScope, Problem
from gateway import problems
from gateway.auth import Authenticator
from gateway.http import rest
from gateway.http.asgi import PROBLEM, Headers, respond
from gateway.pipeline import Pipeline


class Visits:
    """Admits and refuses for routes that are no single command."""

    def __init__(
        self, pipeline: Pipeline, auth: Authenticator, *, db: Database, clock: Clock
    ) -> None:
        self._pipeline = pipeline
        self._auth = auth
        self._db = db
        self._clock = clock

    def begin(self, scope: Scope, action: str) -> Envelope:
        """Describe a call of which nothing is known yet but what it wants to do."""
        return Envelope(
            channel=rest.channel_of(Headers.of(scope)),
            command=action,
            received_at=self._clock.now(),
        )

    async def identify(self, scope: Scope) -> Principal:
        """Verify the caller's credential.

        Raises: Unauthenticated, Unavailable.
        """
        return await rest.sign_in(self._auth, Headers.of(scope))

    def admit(self, envelope: Envelope, needed: str) -> None:
        """Count a call and let it pass, which is written down.

        Raises: RateLimited, MissingScope.
        """
        principal = envelope.credential
        assert principal is not None
        self._pipeline.gate.limiter.admit(envelope.channel, principal)
        if not principal.may(needed):
            raise MissingScope(needed, who=principal.name)
        entry = AuditDraft(
            action=envelope.command,
            actor=principal.name,
            channel=envelope.channel,
            verdict=Verdict.ALLOWED,
        )
        self._db.post(lambda tx: tx.record(entry), by=principal)

    async def refuse(self, send: Send, envelope: Envelope, problem: Problem) -> None:
        """Answer a call with a problem document, and audit it."""
        answer = await self._pipeline.refuse(envelope, problem)
        error = problems.to_error(problem)
        document = problems.to_document(error, request_id=answer.reply.request_id)
        headers = [PROBLEM, *rest.answer_headers(answer)]
        await respond(send, error.status, to_json(document), headers=headers)
