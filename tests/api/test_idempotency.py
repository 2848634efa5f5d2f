"""The same key again is the same request: one effect, one answer."""

import asyncio

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Answer, Gateway, Person

ROUTE = "/collab/tasks"


async def create(by: Person, key: str, title: str = "Fix login") -> Answer:
    return await by.post(ROUTE, {"title": title}, idempotency_key=key)


async def count(by: Person) -> int:
    return len((await by.get(f"{ROUTE}?limit=100")).body["items"])


async def test_the_same_key_twice_has_one_effect_and_one_answer(ann: Person) -> None:
    """R-03."""
    first, second = await create(ann, "k1"), await create(ann, "k1")

    assert (first.status, second.status) == (201, 201)
    assert second.raw == first.raw
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await count(ann) == 1


async def test_the_same_key_with_another_body_is_refused(ann: Person) -> None:
    """R-03."""
    await create(ann, "k1")

    other = await create(ann, "k1", title="Fix logout")

    assert (other.status, other.error["code"]) == (422, "idempotency_key_reused")
    assert other.error["fix"]
    assert await count(ann) == 1


@pytest.mark.parametrize("round_", range(5))
async def test_twelve_at_once_have_one_effect(ann: Person, round_: int) -> None:
    """R-03."""
    key = f"k{round_}"

    answers = await asyncio.gather(*(create(ann, key) for _ in range(12)))

    done = [each for each in answers if each.status == 201]
    assert {each.raw for each in done} == {done[0].raw}
    assert all(each.status in (201, 409) for each in answers)
    assert await count(ann) == 1


async def test_a_key_belongs_to_one_person_of_one_tenant(gateway: Gateway) -> None:
    """R-03: somebody else's equal key is another one."""
    people = [
        gateway.person("ann"),
        gateway.person("bob"),
        gateway.person("ann", tenant="acme"),
    ]

    answers = [await create(each, "k1", title=str(n)) for n, each in enumerate(people)]

    assert [each.status for each in answers] == [201] * 3
    assert [each.body["title"] for each in answers] == ["0", "1", "2"]


async def test_a_key_outlives_a_restart(gateway: Gateway, ann: Person) -> None:
    """R-03."""
    first = await create(ann, "k1")

    await gateway.restart()
    second = await create(ann, "k1")

    assert second.raw == first.raw
    assert second.headers["idempotency-replayed"] == "true"
    assert await count(ann) == 1


async def test_a_refusal_is_repeated_as_well(ann: Person, bob: Person) -> None:
    """R-03: the state may have changed since; the answer has not."""
    task = (await create(ann, "")).body["id"]
    await ann.post("/collab/leases/acquire", {"resource": task})

    first = await bob.say(f"lease acquire {task}", key="k1")
    await ann.post(f"{ROUTE}/{task}/release")
    second = await bob.say(f"lease acquire {task}", key="k1")

    assert (first.status, second.status) == (409, 409)
    assert second.error == first.error
    assert second.body["replayed"] is True


async def test_a_line_takes_its_key_from_the_header_or_the_body(ann: Person) -> None:
    """R-03."""
    body = {"line": "task create one", "id": "k1"}

    first = await ann.post("/v1/commands", body)
    second = await ann.post("/v1/commands", body, idempotency_key="ignored")

    assert second.data == first.data
    assert second.body["replayed"] is True


async def test_an_answer_can_be_read_again_by_whoever_got_it(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """R-03, R-59: by the id of the reply or of the request, by nobody else."""
    answer = await ann.say("task create one")
    reply_id, request_id = answer.body["id"], answer.body["request_id"]
    viewer = gateway.person("eve", Role.ADMIN, scopes=("tasks:read",))

    mine = [
        await ann.get(f"/v1/replies/{reply_id}"),
        await ann.get(f"/v1/commands/{request_id}"),
    ]
    others = await viewer.get(f"/v1/replies/{reply_id}")

    assert [each.body["data"] for each in mine] == [answer.data] * 2
    assert (others.status, others.error["code"]) == (404, "not_found")
