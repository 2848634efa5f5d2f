"""Where Slack sends an admin of a workspace back to, once they have let the app in."""

from base64 import b64encode
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from channels.base import Postponed
from channels.slack.web import Pool, Refused, call
from channels.slack.wire import CHANNEL
from core.kernel.envelope import Envelope
from core.kernel.principal import DEFAULT_TENANT, system
from core.kernel.problems import Conflict, Problem, Unauthenticated, Unavailable
from core.workspaces import service as workspaces
from core.workspaces.model import Workspace, consent_refused, tenant_of_state
from gateway import problems
from gateway.core import Core
from gateway.doors.slack import REDIRECT_PATH
from gateway.http.asgi import respond
from gateway.http.webhook import stranger

_TEXT = (b"content-type", b"text/plain; charset=utf-8")


class SlackInstall:
    """`GET /slack/oauth_redirect`: trades the consent for a token, and seals that.

    Shape:  the state names who asked and for which tenant, and counts once: what
            comes back without one of ours installs nothing.
    """

    def __init__(self, core: Core, pool: Pool) -> None:
        self._core = core
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one browser."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        named = {name: values[-1] for name, values in query.items()}
        try:
            workspace = await self._install(named)
        except Problem as problem:
            await self._audit(problem)
            status = problems.to_error(problem).status
            said = f"Nothing was installed: {problem.detail}."
        else:
            status = 200
            said = f"Opswire is installed as {workspace.name}. You can close this page."
        await respond(send, status, said.encode(), headers=[_TEXT])

    async def _audit(self, problem: Problem) -> None:
        envelope = Envelope(
            channel=CHANNEL,
            received_at=self._core.clock.now(),
            credential=stranger(DEFAULT_TENANT),
        )
        await self._core.pipeline.refuse(envelope, problem)

    async def _install(self, named: dict[str, str]) -> Workspace:
        """Use the state up, trade the code, and keep the token.

        Raises: Unauthenticated, Conflict, Unavailable; AlreadyExists when the name was
                taken meanwhile.
        """
        state = named.get("state", "")
        tenant, db = tenant_of_state(state), self._core.db
        awaited = await db.read(
            lambda tx: workspaces.find_consent(tx, state), by=system(tenant)
        )
        # Whoever guesses writes nothing, least of all for a tenant that is none.
        if awaited is None:
            raise consent_refused()
        consent = await db.write(
            lambda tx: workspaces.use_consent(tx, state), by=system(tenant)
        )
        if "code" not in named:
            raise Conflict("it was not agreed to", fix=["workspace install"])
        token = await self._trade(named["code"])
        return await db.write(
            lambda tx: workspaces.add(tx, consent.name, token, vault=self._core.vault),
            by=system(tenant, name=consent.asked_by),
        )

    async def _trade(self, code: str) -> str:
        """Have Slack give a bot token for a code.

        Raises: Unauthenticated for a code that is none, Unavailable.
        """
        slack = self._core.settings.slack
        secret = slack.client_secret.get_secret_value().strip()
        proof = b64encode(f"{slack.client_id.strip()}:{secret}".encode()).decode()
        redirect = f"{self._core.settings.public_url}{REDIRECT_PATH}"
        client = self._pool.client("")
        try:
            said = await call(
                lambda: client.api_call(
                    "oauth.v2.access",
                    data={"code": code, "redirect_uri": redirect},
                    headers={"Authorization": f"Basic {proof}"},
                )
            )
        except Refused as refused:
            raise Unauthenticated(
                refused.reason,
                fix=["compare OPSWIRE_SLACK__CLIENT_ID and __CLIENT_SECRET"],
            ) from refused
        except Postponed as postponed:
            raise Unavailable(postponed.reason) from postponed
        return str(said.get("access_token") or "")
