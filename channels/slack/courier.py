"""Delivers replies: by response_url while it takes posts, by the Web API otherwise."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from channels.base import Parcel, Postponed, Undeliverable
from channels.slack.render import Profile, SlackMessage, render
from channels.slack.response_url import RESPONSE_POSTS, UrlSpent, post_to
from channels.slack.teams import Team, Teams, mark_down, mark_up
from channels.slack.web import Pool, Refused, call
from core.kernel.catalog import Catalog
from core.kernel.clock import Clock

_KEPT = 2_000

_UNSHOWABLE = frozenset({"invalid_blocks", "invalid_blocks_format"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_NO_PLACE = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "user_not_in_channel",
        "is_archived",
        "restricted_action",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """Where in Slack something is to be shown."""

    channel: str
    thread_ts: str
    user: str
    response_url: str
    expires: str


class SlackCourier:
    """Delivers to all workspaces, each with its own token.

    Shape:  what may not be written where it was asked goes to the person directly, for
            an answer is owed. Order and pace are kept by whoever hands the parcels in.
    """

    def __init__(
        self,
        teams: Teams,
        pool: Pool,
        *,
        catalog: Callable[[], Catalog],
        clock: Clock,
    ) -> None:
        self._teams = teams
        self._pool = pool
        self._clock = clock
        self._catalog = catalog
        self._classic: set[str] = set()
        self._posts: OrderedDict[str, int] = OrderedDict()

    async def deliver(self, parcel: Parcel) -> str:
        """Deliver one, within its own deadline; give what a later edit must name.

        Raises: Postponed when it may work later, Undeliverable when it never will.
        """
        team = self._teams.of(parcel.account)
        if team is None:
            if not self._teams.is_loaded:
                raise Postponed("the workspaces are not known yet", retry_after=1)
            raise Undeliverable(
                f"the workspace {parcel.account} is not installed any more",
                fix="workspace add",
            )
        reference = await self._deliver(team, parcel)
        team.health.last_out = self._clock.now()
        return reference

    async def _deliver(self, team: Team, parcel: Parcel) -> str:
        """Show it with the newest blocks, or with the old ones where those are refused."""
        is_classic = team.account in self._classic
        try:
            return await self._show(team, parcel, is_classic=is_classic)
        except Refused as refused:
            if is_classic or refused.error not in _UNSHOWABLE:
                raise
        reference = await self._show(team, parcel, is_classic=True)
        self._classic.add(team.account)
        return reference

    async def _show(self, team: Team, parcel: Parcel, *, is_classic: bool) -> str:
        profile = Profile(is_classic=is_classic, catalog=self._catalog())
        message = render(parcel.reply, place=parcel.place, profile=profile)
        spot = _spot_of(parcel)
        if parcel.edits:
            try:
                return await self._edit(team, parcel.edits, message)
            except Refused as refused:
                if refused.error not in _GONE:
                    raise
        if not parcel.subject and self._may_respond(spot):
            try:
                await self._respond(spot, message)
            except UrlSpent:
                pass
            else:
                return ""
        return await self._write(team, spot, message)

    # ── the three ways ────────────────────────────────────────────────────────
    def _may_respond(self, spot: _Spot) -> bool:
        if not spot.expires or not self._pool.is_slack(spot.response_url):
            return False
        is_open = self._clock.now() < datetime.fromisoformat(spot.expires)
        return is_open and self._posts.get(spot.response_url, 0) < RESPONSE_POSTS

    async def _respond(self, spot: _Spot, message: SlackMessage) -> None:
        self._posts[spot.response_url] = self._posts.get(spot.response_url, 0) + 1
        while len(self._posts) > _KEPT:
            self._posts.popitem(last=False)
        await post_to(self._pool, spot.response_url, message, thread_ts=spot.thread_ts)

    async def _edit(self, team: Team, reference: str, message: SlackMessage) -> str:
        channel, _, ts = reference.partition(":")
        content = {"text": message.text, "blocks": message.blocks}
        await _ask(team, "chat.update", {"channel": channel, "ts": ts, **content})
        return reference

    async def _write(self, team: Team, spot: _Spot, message: SlackMessage) -> str:
        try:
            return await self._write_in(team, spot, message)
        except Refused as refused:
            if refused.error not in _NO_PLACE or spot.channel == spot.user:
                raise
        # The answer is owed: what cannot stand where it was asked goes to the person.
        direct = _Spot(
            channel=spot.user, thread_ts="", user=spot.user, response_url="", expires=""
        )
        return await self._write_in(team, direct, message)

    async def _write_in(self, team: Team, spot: _Spot, message: SlackMessage) -> str:
        content: dict[str, Any] = {
            "channel": spot.channel,
            "text": message.text,
            "blocks": message.blocks,
            **({"thread_ts": spot.thread_ts} if spot.thread_ts else {}),
        }
        method = "chat.postMessage"
        if message.is_ephemeral and spot.channel != spot.user:
            method, content["user"] = "chat.postEphemeral", spot.user
        else:
            content["unfurl_links"] = content["unfurl_media"] = False
        said = await _ask(team, method, content)
        return f"{said['channel']}:{said['ts']}" if "ts" in said.data else ""


async def _ask(
    team: Team, method: str, content: Mapping[str, Any]
) -> AsyncSlackResponse:
    """Call a method with a workspace's own token; its health says how that went.

    Raises: Postponed, Refused.
    """
    try:
        said = await call(lambda: team.client.api_call(method, json=dict(content)))
    except Refused as refused:
        if refused.concerns_token:
            mark_down(team, refused.reason, refused.fix)
        raise
    except Postponed as late:
        if not late.retry_after:
            mark_down(team, late.reason, "wait: it is tried again")
        raise
    if not team.is_refused:
        mark_up(team)
    return said


def _spot_of(parcel: Parcel) -> _Spot:
    def text(name: str) -> str:
        value = parcel.place.get(name)
        return value if isinstance(value, str) else ""

    return _Spot(
        channel=text("channel") or text("user"),
        thread_ts=text("thread_ts"),
        user=text("user"),
        response_url=text("response_url"),
        expires=text("expires"),
    )
