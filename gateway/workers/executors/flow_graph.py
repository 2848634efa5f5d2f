"""The graph of a flow: its nodes in order, each given what the one before has found."""

from typing import Protocol

from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from core.kernel.jsons import Json
from gateway.workers.executors.base import StepResult


class Nodes(Protocol):
    """What the nodes do."""

    async def fetch(self) -> Json:
        """Get what there is."""
        ...

    async def transform(self, fetched: Json) -> Json:
        """Make of it what is wanted."""
        ...

    async def write(self, found: Json) -> StepResult:
        """Keep it."""
        ...


class _State(TypedDict, total=False):
    fetched: object
    found: object
    result: StepResult


async def go(nodes: Nodes) -> StepResult:
    """Go through the graph once.

    Raises: what its nodes raise.
    """

    async def fetch(state: _State) -> _State:
        return {**state, "fetched": await nodes.fetch()}

    async def transform(state: _State) -> _State:
        return {"found": await nodes.transform(_json(state["fetched"]))}

    async def write(state: _State) -> _State:
        return {"result": await nodes.write(_json(state["found"]))}

    graph = StateGraph(_State)
    graph.add_node("fetch", fetch)
    graph.add_node("transform", transform)
    graph.add_node("write", write)
    for begin, end in zip(
        (START, "fetch", "transform", "write"),
        ("fetch", "transform", "write", END),
        strict=True,
    ):
        graph.add_edge(begin, end)
    ended = await graph.compile().ainvoke({})
    result = ended["result"]
    assert isinstance(result, StepResult)
    return result


def _json(value: object) -> Json:
    """Take a value of the state for the JSON that a node has put there.

    The graph reads the types of its state at run time, and ours refers to itself.
    """
    found: Json = value  # type: ignore[assignment]
    return found
