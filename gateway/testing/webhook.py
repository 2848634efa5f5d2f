"""The fifth channel: a machine that delivers a payload to an endpoint of somebody's."""

from collections.abc import Mapping, Sequence

import orjson

from channels.testing.webhook import sign
from commands.invocation import Invocation
from commands.parser import parse
from commands.registry import Danger
from commands.render import as_json
from core.hooks import service as hooks
from core.hooks.model import HookAuth, PayloadMap, key_of
from core.kernel.jsons import Json
from core.kernel.problems import Problem
from gateway.testing.channels import Channel, Rest
from gateway.testing.street import Resident, Street, Told

MAKING = "webhooks:write"


class Webhook(Channel):
    """A delivery whose endpoint runs one command with the payload's values.

    Shape:  a line that is no command never becomes an endpoint: whoever would make one
            is told so. Whom the command has to ask is asked when it is made.
    """

    name = sender = "webhook"

    def __init__(self, street: Street, who: Resident) -> None:
        self._street = street
        self._who = who
        self._maker = Rest(street, who)
        self._count = 0
        self._waiting: Mapping[str, Json] = {}
        self._shown: list[str] = []

    async def say(self, line: str) -> Told:
        """Deliver the arguments of a line to an endpoint that runs its command."""
        asked = self._understood(line)
        if asked is None:
            return await self._maker.say(line)
        self._count += 1
        payload = self._waiting = _payload_of(asked)
        name, command = f"{self._who.name}-{self._count}", asked.command.name
        if not (await self._street.principal(self._who)).may(MAKING):
            secret = await self._inherit(command, list(payload), name=name)
            return await self.deliver(secret, payload, name=name)
        is_asked = asked.command.danger is Danger.RISKY
        line = _making(command, list(payload), name=name)
        made = await self._maker.say(line)
        if is_asked or made["status"] != "needs_confirmation":
            return made
        return await self.confirm(made)

    async def confirm(self, proposal: Told) -> Told:
        """Make the endpoint after all, and deliver what was held back."""
        made = await self._maker.confirm(proposal)
        if made["error"]:
            return made
        secret = made["data"]["secret"]
        return await self.deliver(secret, self._waiting, name=made["data"]["name"])

    def texts(self) -> Sequence[str]:
        """Tell the receipts: a machine is shown no more."""
        return self._shown

    async def make(self, command: str, names: Sequence[str], *, name: str) -> Told:
        """Make the endpoint of a command whose arguments come from the payload."""
        made = await self._maker.say(_making(command, names, name=name))
        if made["status"] == "needs_confirmation":
            made = await self._maker.confirm(made)
        return made

    async def deliver(
        self, secret: str, payload: Mapping[str, Json], *, name: str
    ) -> Told:
        """Deliver a payload, signed, and read what became of it."""
        gateway, body = self._street.gateway, orjson.dumps(payload)
        now = gateway.graph.clock.now()
        headers = sign(body.decode(), key=key_of(secret), now=now)
        path = f"/v1/channels/webhook/{name}"
        receipt = await gateway.send("POST", path, body, headers)
        assert receipt.status == 202, receipt
        self._shown.append(receipt.raw.decode())
        await self._street.settle()
        request_id = receipt.body["request_id"]
        reader = self._street.over_http(self._who)
        told: Told = (await reader.get(f"/v1/commands/{request_id}")).body
        return told

    def _understood(self, line: str) -> Invocation | None:
        graph = self._street.gateway.graph
        try:
            return parse(line, graph.registry, now=graph.clock.now(), me=self._who.name)
        except Problem:
            return None

    async def _inherit(self, command: str, names: Sequence[str], *, name: str) -> str:
        """Give an endpoint to somebody who may make none, as from a time when they might.

        It runs with the rights that its maker still has.
        """
        graph, by = self._street.gateway.graph, await self._street.principal(self._who)
        rule = PayloadMap(command=command, arguments=_expressions(names))
        new = await graph.db.write(
            lambda tx: hooks.create(
                tx, name, [rule], auth=HookAuth.STANDARD, vault=graph.core.vault
            ),
            by=by,
        )
        return new.secret


def _making(command: str, names: Sequence[str], *, name: str) -> str:
    arguments = orjson.dumps(_expressions(names)).decode()
    return f'webhook create {name} --command "{command}" --arguments {arguments}'


def _expressions(names: Sequence[str]) -> dict[str, str]:
    return {name: f'"{name}"' for name in names}


def _payload_of(asked: Invocation) -> Mapping[str, Json]:
    """Write what a line gives as a payload; what it leaves out stays out."""
    given = {name: as_json(asked.args[name]) for name in sorted(asked.given)}
    reason = {"reason": asked.options.reason} if asked.options.reason else {}
    return {**given, **reason}
