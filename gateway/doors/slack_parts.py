"""The Slack door in full: its parts, its workspaces, and the address Slack posts to."""

from pydantic import SecretStr
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from channels.slack import SPEC
from channels.slack.adapter import SlackAdapter
from channels.slack.channel import SlackChannel
from channels.slack.courier import SlackCourier
from channels.slack.http import Seal
from channels.slack.manifest import EVENTS_PATH
from channels.slack.pages import Pages
from channels.slack.probe import SlackProber
from channels.slack.teams import Teams
from channels.slack.web import Pool
from channels.slack.wire import CHANNEL, SlackWire
from commands.catalog import catalog_of
from core.kernel.catalog import Catalog
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.jsons import to_json
from core.kernel.principal import DEFAULT_TENANT
from core.kernel.problems import Problem
from gateway import problems
from gateway.doors.door import Door, Hall
from gateway.doors.slack import REDIRECT_PATH
from gateway.doors.slack_install import SlackInstall
from gateway.doors.slack_workspaces import StoredInstallations
from gateway.http.asgi import PROBLEM, Headers, read_body, respond
from gateway.http.webhook import stranger
from gateway.pipeline import Pipeline

BODY_LIMIT_BYTES = 1_048_576


def build(hall: Hall) -> Door:
    """Build the door; its secret was found to be one."""
    core, settings = hall.core, hall.core.settings.slack
    secret, app_token = _text(settings.signing_secret), _text(settings.app_token)

    def catalog() -> Catalog:
        return catalog_of(core.registry)

    pool = Pool(settings.api_url)
    installations = StoredInstallations(
        core.db, core.vault, token=_text(settings.bot_token)
    )
    teams = Teams(installations, pool)
    pages = Pages(hall.ask, catalog, clock=core.clock)
    adapter = SlackAdapter(hall.inbox, teams, pages=pages, clock=core.clock)
    channel = SlackChannel(adapter, teams, pool, app_token=app_token)
    events = SlackEvents(
        adapter, Seal(secret, core.clock), pipeline=core.pipeline, clock=core.clock
    )
    return Door(
        spec=SPEC,
        wire=SlackWire(),
        courier=SlackCourier(teams, pool, catalog=catalog, clock=core.clock),
        healths=teams.healths,
        channel=channel,
        routes=(
            Route(EVENTS_PATH, events, methods=["POST"]),
            Route(REDIRECT_PATH, SlackInstall(core, pool), methods=["GET"]),
        ),
        prober=SlackProber(teams, pool, app_token=app_token, has_secret=bool(secret)),
        close=channel.close,
    )


class SlackEvents:
    """`POST /slack/events`: the signature over the raw bytes first, then Bolt.

    Shape:  200 once a message is on disk, 503 when it could not be stored, 401 for what
            Slack did not sign. Without a signing secret everything is 503.
    """

    def __init__(
        self, adapter: SlackAdapter, seal: Seal, *, pipeline: Pipeline, clock: Clock
    ) -> None:
        self._adapter = adapter
        self._seal = seal
        self._pipeline = pipeline
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        given = Headers.of(scope)
        # What came several times proves nothing, whichever of it would be read.
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in given.by_name.items()
            if name not in given.repeated
        }
        try:
            body = await read_body(scope, receive, limit=BODY_LIMIT_BYTES)
            self._seal.require(headers, body)
        except Problem as problem:
            await self._refuse(send, problem)
            return
        answer = await self._adapter.dispatch(body.decode(), headers)
        kind = answer.headers.get("content-type", ["text/plain"])[0]
        await respond(
            send,
            answer.status,
            (answer.body or "").encode(),
            headers=[(b"content-type", kind.encode())],
        )

    async def _refuse(self, send: Send, problem: Problem) -> None:
        envelope = Envelope(
            channel=CHANNEL,
            received_at=self._clock.now(),
            credential=stranger(DEFAULT_TENANT),
        )
        refused = await self._pipeline.refuse(envelope, problem)
        error = refused.reply.error
        assert error is not None
        document = problems.to_document(error, request_id=refused.reply.request_id)
        await respond(send, error.status, to_json(document), headers=[PROBLEM])


def _text(setting: SecretStr) -> str:
    return setting.get_secret_value().strip()
