"""Fetches, transforms and writes in one step: a flow of three nodes."""

from dataclasses import replace
from importlib.util import find_spec

from core.expressions.search import check_expression, search
from core.kernel.jsons import Json, canonical_json, parse_json
from core.kernel.problems import Unavailable
from core.runs.model import Progress, Step
from core.runs.reports import Note
from gateway.workers.calls import Produced
from gateway.workers.executors.api import Api
from gateway.workers.executors.base import StepResult, StepWork
from gateway.workers.executors.given import Given
from gateway.workers.executors.stopping import unless_stopped
from gateway.workers.sandbox.paths import inside, parse_path

_FIELDS = ("url", "headers", "transform", "save_as")
_FETCHED = ".fetched"
_NAME = "flow.json"
_NODES = ("fetch", "transform", "write")


class Stopped(Exception):
    """A node came to no good end, and so the flow has none; `result` says why."""

    def __init__(self, result: StepResult) -> None:
        super().__init__(result.detail)
        self.result = result


class Flow:
    """Runs fetch -> transform -> write as a graph of LangGraph's.

    Shape:  JSON is fetched from `url` as an `api` step would, what the JMESPath
            expression `transform` finds in it is written to `save_as`. The lease, the
            limits and the events are those of any step; each node is told as progress.
    """

    name = "langgraph"

    def __init__(self, api: Api) -> None:
        self._api = api

    def check(self, step: Step) -> None:
        """Refuse what the nodes could not do.

        Raises: InvalidArgument; Unavailable where the library is not installed.
        """
        given = Given(step, _FIELDS)
        self._api.check(_fetching(step, given))
        check_expression("transform", given.text("transform", "@"))
        parse_path(given.text("save_as", _NAME))
        if find_spec("langgraph") is None:
            raise Unavailable(
                "steps of the kind langgraph need the library of that name",
                fix=["pip install 'opswire[agents]'"],
            )

    async def run(self, work: StepWork) -> StepResult:
        """Go through the nodes, until it is to stop."""
        self.check(work.step)
        # The library takes three seconds to import, and is an extra.
        from gateway.workers.executors.flow_graph import go  # noqa: PLC0415

        try:
            result = await unless_stopped(work, go(_Nodes(self._api, work)))
        except Stopped as stopped:
            return stopped.result
        return result or StepResult(code="cancelled", detail="it was told to stop")


class _Nodes:
    """What the nodes of one flow do."""

    def __init__(self, api: Api, work: StepWork) -> None:
        self._api = api
        self._work = work
        self._given = Given(work.step, _FIELDS)

    async def fetch(self) -> Json:
        """Ask for JSON.

        Raises: Stopped, InvalidJson.
        """
        await self._note("fetch")
        step = _fetching(self._work.step, self._given)
        result = await self._api.run(replace(self._work, step=step))
        if not result.is_good:
            raise Stopped(result)
        path = inside(self._work.folder, _FETCHED)
        raw = path.read_bytes()
        path.unlink()
        return parse_json(raw)

    async def transform(self, fetched: Json) -> Json:
        """Find what is wanted in it.

        Raises: InvalidArgument.
        """
        await self._note("transform")
        return search("transform", self._given.text("transform", "@"), fetched)

    async def write(self, found: Json) -> StepResult:
        """Write it down."""
        await self._note("write")
        name = self._given.text("save_as", _NAME)
        path = inside(self._work.folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(canonical_json(found) + b"\n")
        produced = Produced(name=name, path=path)
        return StepResult(exit_code=0, result={"file": name}, produced=[produced])

    async def _note(self, node: str) -> None:
        done, total = _NODES.index(node), len(_NODES)
        await self._work.tell(Note(type="flow_node", details={"node": node}))
        await self._work.tell(Progress(done=done, total=total, note=node))


def _fetching(step: Step, given: Given) -> Step:
    """Write the `api` step that fetches."""
    fetch: dict[str, Json] = {"url": given.text("url"), "save_as": _FETCHED}
    if given.has("headers"):
        fetch["headers"] = given.json("headers")
    return replace(step, uses=Api.name, given=fetch)
