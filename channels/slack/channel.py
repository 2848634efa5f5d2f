"""What runs while Slack is on: workspaces are followed, sockets held, windows opened."""

import asyncio

from channels.slack.adapter import SlackAdapter
from channels.slack.socket import SocketMode, Timing
from channels.slack.teams import Teams
from channels.slack.web import Pool

ERRAND_RUNNERS = 8


class SlackChannel:
    """Connects the adapter to Slack.

    Shape:  without an app token nothing is opened, and messages only come as signed
            requests.
    """

    def __init__(
        self,
        adapter: SlackAdapter,
        teams: Teams,
        pool: Pool,
        *,
        app_token: str = "",
        timing: Timing | None = None,
    ) -> None:
        self._adapter = adapter
        self._teams = teams
        self._pool = pool
        self._app_token = app_token
        self._timing = timing

    async def run(self) -> None:
        """Stay connected until cancelled; who is ours is known before anything comes."""
        await self._teams.try_reload()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._teams.keep(), name="slack-workspaces")
            for number in range(ERRAND_RUNNERS):
                group.create_task(
                    self._adapter.run_errands(), name=f"slack-windows-{number}"
                )
            if self._app_token:
                socket = SocketMode(
                    self._pool,
                    self._app_token,
                    self._adapter.dispatch_envelope,
                    watcher=self._teams.connection,
                    timing=self._timing,
                )
                group.create_task(socket.run(), name="slack-socket")

    async def close(self) -> None:
        """Let go of the connections."""
        await self._pool.close()
