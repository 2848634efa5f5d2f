"""Live cards: the answer to a change is kept up to date in its conversation."""

from collections.abc import Mapping

import pytest

from tests.api.gateway import Gateway, Person
from tests.api.rooms import Room, open_room


@pytest.fixture
async def room(gateway: Gateway, ann: Person) -> Room:
    return await open_room(gateway)


async def test_the_answer_to_a_change_becomes_a_card(room: Room, bob: Person) -> None:
    """M-OMN: one message for each object in a conversation, edited in place."""
    await room.say('task create "Fix login"')
    at_first = list(room.shown.values())

    await bob.say("task claim T-1")
    await room.settle()
    await bob.say("task move T-1 in_progress")
    await room.settle()

    assert at_first == ["Created T-1 in queued"]
    assert list(room.shown.values()) == ["T-1 Fix login: in progress, bob"]


async def test_the_newest_answer_is_the_card(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"')
    await room.say("task note T-1 hello")
    before = list(room.shown.values())

    await bob.say("task claim T-1")
    await room.settle()

    assert len(before) == 2
    assert list(room.shown.values()) == [before[0], "T-1 Fix login: claimed, bob"]


async def test_each_conversation_has_its_card(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"', "C1")
    await room.say("task note T-1 hello", "C2")

    await bob.say("task claim T-1")
    await room.settle()

    assert set(room.shown.values()) == {"T-1 Fix login: claimed, bob"}
    assert len(room.shown) == 2


async def test_the_final_state_is_the_last_of_a_card(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"')
    await bob.say("task move T-1 abandoned --reason obsolete")
    await room.settle()
    told = len(room.courier.delivered)

    await bob.say("task note T-1 afterwards")
    await room.settle()

    assert list(room.shown.values()) == ["T-1 Fix login: abandoned"]
    assert len(room.courier.delivered) == told


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("task show T-1", {}),
        ("task note T-1 hello --private", {}),
        ("task note T-1 hello", {"response_url": "https://hooks.example"}),
        ("task move T-1 done", {}),
    ],
)
async def test_what_cannot_be_edited_or_is_for_one_alone_is_no_card(
    room: Room, bob: Person, line: str, place: Mapping[str, str]
) -> None:
    """A look, a private answer, one by response_url, and a refusal stay as they are."""
    await bob.say('task create "Fix login"')
    await room.say(line, **place)
    answered = list(room.shown.values())

    await bob.say("task claim T-1")
    await room.settle()

    assert len(answered) == 1
    assert list(room.shown.values()) == answered


async def test_a_channel_without_edits_has_no_cards(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    room = await open_room(gateway, can_edit=False)
    await room.say('task create "Fix login"')

    await bob.say("task claim T-1")
    await room.settle()

    assert list(room.shown.values()) == ["Created T-1 in queued"]


async def test_many_changes_are_one_edit(room: Room, bob: Person) -> None:
    await room.say('task create "Fix login"')
    for number in range(30):
        await bob.say(f"task note T-1 n{number}")
    await bob.say("task claim T-1")

    await room.settle()

    assert len(room.courier.delivered) == 2
    assert list(room.shown.values()) == ["T-1 Fix login: claimed, bob"]
