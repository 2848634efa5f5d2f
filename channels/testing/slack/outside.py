"""The app as Slack sees it: a socket it has opened, or an address it listens on."""

from collections.abc import Callable, Mapping

from channels.testing.slack.delivery import (
    PATIENCE_SECONDS,
    Answered,
    encode,
    post,
    sign,
)
from channels.testing.slack.socket import SocketServer
from channels.testing.slack.workspace import Payload


class Outside:
    """Delivers to the app.

    Shape:  by HTTP when `events_url` is set, on a socket otherwise. `delivered` keeps
            what was sent last, so that a test can send it again.
    """

    def __init__(
        self, sockets: SocketServer, *, secret: str, now: Callable[[], float]
    ) -> None:
        self.events_url = ""
        self.patience = PATIENCE_SECONDS
        self.delivered: tuple[str, Payload] = ("", {})
        self._sockets = sockets
        self._secret = secret
        self._now = now

    async def deliver(self, kind: str, payload: Payload) -> Answered:
        """Send something that happened, correctly signed."""
        self.delivered = kind, payload
        if self.events_url:
            body, content_type = encode(kind, payload)
            return await self.post(body, content_type=content_type)
        ack = await self._sockets.send(kind, payload, patience=self.patience)
        if ack is None:
            return Answered(status=0)
        return Answered(status=200, body=ack.payload)

    async def again(self) -> Answered:
        """Send what was sent last once more, under the same ids."""
        return await self.deliver(*self.delivered)

    async def post(
        self,
        body: bytes,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Send a body over HTTP; `headers` take the place of the right signature."""
        proof = sign(self._secret, body, at=self._now()) if headers is None else headers
        return await post(
            self.events_url, body, {"Content-Type": content_type, **proof}
        )
