"""Commands have one effect and lose no update, on either database, in any process."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from core.audit import service as audit
from core.collab import tasks
from core.events import service as events
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, Principal, TenantId, system
from gateway.answers import Answer
from gateway.bootstrap import build
from gateway.graph import Graph
from gateway.settings import LimitSettings, Settings

OpenGateway = Callable[[], Graph]


@pytest.fixture
def open_gateway(tables_url: str, tmp_path: Path) -> Iterator[OpenGateway]:
    """Open gateways on one database, each with a writer of its own."""
    graphs: list[Graph] = []

    def open_it() -> Graph:
        settings = Settings(
            database_url=tables_url, data=tmp_path,
            limits=LimitSettings(default="100000000/minute"),
        )  # fmt: skip
        graphs.append(build(settings))
        return graphs[-1]

    yield open_it
    for graph in graphs:
        graph.db.close()


@pytest.fixture
def one(open_gateway: OpenGateway) -> Graph:
    """A gateway."""
    return open_gateway()


@pytest.fixture
def two(open_gateway: OpenGateway) -> Graph:
    """Another gateway on the same database."""
    return open_gateway()


async def send(
    graph: Graph, line: str, *, by: Principal, key: str = "", if_match: str = ""
) -> Answer:
    return await graph.pipeline.handle(Envelope(
        channel="rest", external_id=key, sender=by.id, text=line, credential=by,
        assurance=Assurance.SECRET, if_match=if_match, received_at=datetime.now(UTC),
    ))  # fmt: skip


def titles(graph: Graph, by: Principal) -> list[str]:
    return [each.title for each in graph.db.look(tasks.list_, by=by).items]


async def test_the_same_key_has_one_effect_and_one_answer(
    one: Graph, ann: Principal
) -> None:
    """R-03."""
    first = await send(one, "task create Once", by=ann, key="k1")
    again = await send(one, "task create Once", by=ann, key="k1")

    assert again.reply.replayed
    assert (again.reply.id, again.reply.data) == (first.reply.id, first.reply.data)
    assert titles(one, ann) == ["Once"]


async def test_another_request_under_a_used_key_is_refused(
    one: Graph, ann: Principal
) -> None:
    """R-03."""
    await send(one, "task create Once", by=ann, key="k1")

    answer = await send(one, "task create Other", by=ann, key="k1")

    assert answer.reply.error is not None
    assert answer.reply.error.status == 422
    assert titles(one, ann) == ["Once"]


async def test_twelve_at_once_have_one_effect(one: Graph, ann: Principal) -> None:
    """R-03: 25 rounds of 12."""
    for n in range(25):
        found = await asyncio.gather(
            *(send(one, f"task create m{n}", by=ann, key=f"k{n}") for _ in range(12))
        )
        assert len({answer.reply.id for answer in found}) == 1

    assert sorted(titles(one, ann)) == sorted(f"m{n}" for n in range(25))


async def test_two_gateways_have_one_effect(
    one: Graph, two: Graph, ann: Principal
) -> None:
    """R-30: the same key reaches both at the same time."""
    for n in range(25):
        found = await asyncio.gather(
            *(
                send(graph, f"task create m{n}", by=ann, key=f"k{n}")
                for graph in (one, two, one, two)
            )
        )
        assert len({answer.reply.id for answer in found}) == 1

    assert len(titles(two, ann)) == 25
    assert one.db.look(audit.verify, by=ann).is_intact


async def test_a_key_is_known_after_a_restart(
    one: Graph, open_gateway: OpenGateway, ann: Principal
) -> None:
    """R-03."""
    first = await send(one, "task create Once", by=ann, key="k1")
    one.db.close()

    again = await send(open_gateway(), "task create Once", by=ann, key="k1")

    assert again.reply.replayed
    assert again.reply.id == first.reply.id


async def test_a_key_belongs_to_its_tenant_and_sender(
    one: Graph, ann: Principal, bob: Principal
) -> None:
    """R-03, R-59."""
    eve = system(TenantId("other"), name="ann")

    for who in (ann, bob, eve):
        answer = await send(one, "task create Mine", by=who, key="k1")
        assert not answer.reply.replayed

    assert titles(one, ann) == ["Mine", "Mine"]
    assert titles(one, eve) == ["Mine"]


async def test_a_refusal_is_stored_like_any_answer(one: Graph, ann: Principal) -> None:
    first = await send(one, "task note T-9 hello", by=ann, key="k1")
    again = await send(one, "task note T-9 hello", by=ann, key="k1")

    assert first.reply.error is not None
    assert again.reply.replayed
    assert again.reply.id == first.reply.id


async def test_no_update_is_lost_between_two_gateways(
    one: Graph, two: Graph, ann: Principal
) -> None:
    """R-21: every change that was accepted built on the one before it."""
    created = await send(one, "task create Contested", by=ann)
    start = str(created.reply.data["etag"])

    accepted = await asyncio.gather(
        *(
            change_often(graph, start, by=system(name=f"client-{n}"))
            for n, graph in enumerate((one, two) * 4)
        )
    )

    stored = one.db.look(lambda tx: tasks.get_(tx, "T-1"), by=ann)
    chain = {before: after for pairs in accepted for before, after in pairs}
    assert len(chain) == sum(len(pairs) for pairs in accepted)
    assert stored.version == 1 + len(chain)
    tag = start
    while tag in chain:
        tag = chain.pop(tag)
    assert (tag, chain) == (stored.etag, {})


async def change_often(
    graph: Graph, tag: str, *, by: Principal
) -> list[tuple[str, str]]:
    """Change a task twelve times, each on top of the newest; return (old, new) tags."""
    accepted = []
    for n in range(12):
        answer = await send(
            graph, f"task set T-1 --title {by.name}-{n}", by=by, if_match=f'"{tag}"'
        )
        if answer.reply.error is None:
            accepted.append((tag, str(answer.reply.data["etag"])))
        else:
            assert answer.reply.error.status == 412
        shown = await send(graph, "task show T-1", by=by)
        tag = str(shown.reply.data["etag"])
    return accepted


async def test_a_tail_misses_nothing_of_two_writers(
    one: Graph, two: Graph, ann: Principal
) -> None:
    """M-EVT: numbers appear in their order, so a tail may go on from the last."""
    first = one.db.look(events.last_seq, by=ann)
    writing = asyncio.gather(*(create_often(graph, by=ann) for graph in (one, two) * 2))

    seen = [first]
    while seen[-1] < first + 4 * 40:
        follow = partial(events.list_after, seq=seen[-1])
        seen += [each.seq for each in await one.db.read(follow, by=ann)]
    await writing

    assert seen == list(range(first, first + 4 * 40 + 1))


async def create_often(graph: Graph, *, by: Principal) -> None:
    for n in range(40):
        await send(graph, f"task create m{n}", by=by)
