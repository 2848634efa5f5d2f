"""Every command works, and says the same however it is asked."""

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from commands.everything import COMMANDS
from commands.registry import Command
from tests.api.cases import CASES, Case, without
from tests.api.conftest import Serve
from tests.api.gateway import Answer, Gateway, Person

_CONVERSATION = {"x_opswire_conversation": "c1"}


class Stage:
    """A fresh gateway on which one case is played."""

    def __init__(self, gateway: Gateway, case: Case) -> None:
        self.gateway = gateway
        self.case = case
        self.answers: list[Any] = []

    async def prepare(self) -> None:
        ann = self.gateway.person("ann")
        if self.case.setting is not None:
            self.case.setting(self.gateway)
        for line in self.case.before:
            who = self.gateway.admin if line.startswith("!") else ann
            said = line.removeprefix("!").format(*self.answers)
            answer = await who.say(said, **_CONVERSATION)
            assert answer.status in (200, 202, 409), (said, answer)
            self.answers.append(answer.body)

    async def by_line(self) -> bytes:
        """Say the line, and again with the token that it asks for."""
        line = self.case.line.format(*self.answers)
        answer = await self.gateway.admin.say(line, **_CONVERSATION)
        if answer.status == 409:
            confirmed = f"{line} --confirm {answer.data['token']}"
            answer = await self.gateway.admin.say(confirmed, **_CONVERSATION)
        return self._told(answer)

    async def by_json(self, command: Command) -> bytes:
        body = {"command": command.name.replace(" ", "."), "args": self._args()}
        answer = await self._post(body)
        if answer.status == 409:
            confirmed = {**self._args(), "confirm": answer.data["token"]}
            answer = await self._post({**body, "args": confirmed})
        return self._told(answer)

    async def by_route(self, command: Command) -> bytes:
        """Call the route: path first, the rest in the query or the body."""
        args, route = self._args(), command.routes[0]
        headers = (
            {"if_match": f'"{args.pop("if_match")}"'} if "if_match" in args else {}
        )
        if command.file:
            headers["accept"] = "application/json"
        names = [name for name in args if f"{{{name}}}" in route.path]
        path = route.path.format(**{name: args.pop(name) for name in names})
        if route.method == "GET":
            answer = await self.gateway.admin.get(f"{path}?{_query(args)}", **headers)
        else:
            answer = await self.gateway.admin.call(route.method, path, args, **headers)
        assert answer.status == command.status, answer
        return self._canonical(answer.body)

    async def _post(self, body: dict[str, Any]) -> Answer:
        return await self.gateway.admin.post("/v1/commands", body, **_CONVERSATION)

    def _args(self) -> dict[str, Any]:
        return {name: self._filled(value) for name, value in self.case.args.items()}

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        return value.format(*self.answers) if isinstance(value, str) else value

    def _told(self, answer: Answer) -> bytes:
        assert answer.status in (200, 202), answer
        assert answer.body["status"] == ("ok" if answer.status == 200 else "running")
        assert 0 < len(answer.body["summary"]) <= 150
        return self._canonical(answer.data)

    def _canonical(self, data: Any) -> bytes:
        return orjson.dumps(without(data, self.case.random))


@pytest.mark.parametrize("name", CASES)
async def test_data_is_the_same_by_line_by_json_and_by_route(
    serve: Serve, name: str
) -> None:
    """M-OMN, R-18: byte for byte, each on a database of its own."""
    stages = [Stage(serve(), CASES[name]) for _ in range(3)]
    for stage in stages:
        await stage.prepare()
    command = stages[0].gateway.graph.registry.names[name]

    told = [await stages[0].by_line(), await stages[1].by_json(command)]
    if command.routes:
        told.append(await stages[2].by_route(command))

    assert set(told) == {told[0]}


def test_every_command_has_a_case(gateway: Gateway) -> None:
    """M-OMN: what is registered is shown to work here."""
    assert set(CASES) == set(gateway.graph.registry.names)
    assert {each.name for each in COMMANDS} <= set(CASES)


async def test_a_case_that_answers_nothing_shows_nothing(ann: Person) -> None:
    """The comparison above would not notice a door that drops its data."""
    created = await ann.say('task create "Fix login"')
    shown = await ann.get("/collab/tasks/T-1")

    assert created.data["title"] == shown.body["title"] == "Fix login"


def _query(args: dict[str, Any]) -> str:
    return urlencode(
        {
            name: ",".join(value)
            if isinstance(value, list)
            else str(value).lower()
            if isinstance(value, bool)
            else value
            for name, value in args.items()
        }
    )
