"""Pagers as a channel: who sends a page with a command gets the answer as a page."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from hmac import compare_digest

import aiohttp
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from channels import base
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json, parse_json
from core.kernel.principal import Assurance
from core.kernel.problems import InvalidJson, Problem
from core.kernel.reply import Actions, Reply
from gateway.doors.door import Door, Hall
from gateway.http.asgi import read_body
from gateway.plugins import Plugin
from gateway.problems import status_of

SPEC = base.ChannelSpec(name="pager", capabilities=base.Capabilities(max_text=160))
CALM = aiohttp.ClientTimeout(total=10)


class PagerWire:
    def parse(
        self, payload: Mapping[str, Json], *, account: str, received_at: datetime
    ) -> base.Inbound:
        """Take all of a stored page's text for one command."""
        number, text = payload.get("from"), payload.get("text")
        if not (isinstance(number, str) and isinstance(text, str) and text.strip()):
            return base.Inbound(skipped="it says nothing")
        said = Envelope(
            channel="pager",
            conversation=number,
            text=text,
            received_at=received_at,
            assurance=Assurance.SENDER,
        )
        return base.Inbound(envelopes=(said,), reply_to={"to": number})


def render(reply: Reply) -> str:
    """Write the summary, then what may be sent back, as far as it fits on a page."""
    page, shown = reply.summary, (b for b in reply.blocks if isinstance(b, Actions))
    for line in (f"\n> {each.command}" for block in shown for each in block.items):
        page += line if len(page + line) <= SPEC.capabilities.max_text else ""
    return page


def delivery_of(page: Json) -> base.Delivery:
    """Read who sent a page, and the id that it keeps when it comes again."""
    match page:
        case {"id": str(key), "from": str(who), "text": str(text)}:
            kept = {"from": who, "text": text}
            return base.Delivery(account="main", sender=who, key=key, payload=kept)
    raise InvalidJson("a page has id, from and text")


class Pager:
    def __init__(self, inbox: base.Inbox, *, url: str, secret: str) -> None:
        self._inbox, self._url, self._secret = inbox, url, secret.encode()
        self.health = base.Health(account="main", link=base.Link.CONNECTED)

    def healths(self) -> Sequence[base.Health]:
        return [self.health]

    async def take(self, request: Request) -> Response:
        """Take a page in: it is on disk before we say that we have it."""
        given = request.headers.get("x-pager-secret", "").encode()
        if not compare_digest(given, self._secret):
            return Response(status_code=401)
        try:
            body = await read_body(request.scope, request.receive, limit=10_000)
            await self._inbox.take(delivery_of(parse_json(body)))
        except Problem as problem:
            return Response(status_code=status_of(problem))
        return Response(status_code=202)

    async def deliver(self, parcel: base.Parcel) -> str:
        """Send a page; the pager network knows a second copy by its id."""
        to, text = parcel.place["to"], render(parcel.reply)
        page = {"id": parcel.id, "to": to, "text": text}
        try:
            async with aiohttp.request(
                "POST", self._url, json=page, timeout=CALM
            ) as answer:
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError) as fault:
            self.health.is_down("no page leaves", fix="see whether PAGER_URL answers")
            raise base.Postponed(self.health.error) from fault
        self.health.is_up()
        return parcel.id


def open_pager(hall: Hall) -> Door | None:
    """Build the door, or none while no pager network is set."""
    url, secret = os.environ.get("PAGER_URL"), os.environ.get("PAGER_SECRET")
    if not (url and secret):
        return None
    pager, wire = Pager(hall.inbox, url=url, secret=secret), PagerWire()
    routes = [Route("/v1/pages", pager.take, methods=["POST"])]
    return Door(
        spec=SPEC, wire=wire, courier=pager, healths=pager.healths, routes=routes
    )


PLUGIN = Plugin(channels={"pager": open_pager})
