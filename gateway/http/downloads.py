"""`GET /v1/downloads/{token}`: an export, for whoever was given the link to it."""

from dataclasses import replace

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.database import Database, Tx
from core.jobs.exports import service as exports
from core.jobs.exports.model import LINK_KIND
from core.kernel.clock import Clock
from core.kernel.principal import system
from core.kernel.problems import Problem
from core.secrets.links import Link, Links
from gateway.downloads import DOWNLOAD_PATH
from gateway.http.asgi import Headers
from gateway.http.files import FileAnswer, Files
from gateway.http.visits import Visits

ACTION = "export download"


class DownloadDoor:
    """Sends the file of an export without a sign-in.

    Shape:  the token says whose and which, and until when; it was signed here, so the
            tenant in it is the one that made it. What it does not name is not found. Each
            link has a rate limit of its own, and every use of it is audited.
    """

    def __init__(
        self, visits: Visits, db: Database, links: Links, *, clock: Clock
    ) -> None:
        self._visits = visits
        self._db = db
        self._links = links
        self._clock = clock
        self._files = Files(db)

    @property
    def route(self) -> Route:
        """The route of this door, for the application."""
        # HEAD too: chats, mail and download tools look at a link before they follow it.
        return Route(
            DOWNLOAD_PATH, self, methods=["GET", "HEAD"], name="export_download"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        envelope = self._visits.begin(scope, ACTION)
        try:
            token = scope["path_params"]["token"]
            link = self._links.read(token, LINK_KIND, now=self._clock.now())
            by = system(link.tenant, name=f"link:{link.subject}")
            envelope = replace(envelope, credential=by)
            self._visits.admit(envelope, "")
            artifact_id = await self._db.read(lambda tx: _find(tx, link), by=by)
            artifact = await self._files.open_(by, artifact_id)
            answer = FileAnswer(
                self._files, by, artifact, headers=Headers.of(scope), extra=[]
            )
        except Problem as problem:
            await self._visits.refuse(send, envelope, problem)
        else:
            await answer(scope, receive, send)


def _find(tx: Tx, link: Link) -> str:
    return exports.get_(tx, link.subject).artifact_id
