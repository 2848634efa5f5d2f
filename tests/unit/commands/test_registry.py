"""A registry that changes while it is used, and is never seen half changed."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.catalog import catalog_of
from commands.names import Index, index_of
from commands.parser import parse, parse_call
from commands.registry import Command, Outage, Registry, command
from core.kernel.problems import CommandDisabled, NotACommand, UnknownCommand

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
NOUNS = ("hello", "box", "city", "task")
VERBS = ("list", "show", "say", "create")


def a_command(name: str, http: str = "") -> Command:
    def handler(ctx: object, word: str = "") -> str:
        """Say something."""
        return word

    return command(name, scope="hello:read", http=http)(handler)


# One value for each name: two that are declared alike are still not equal.
POOL = {
    name: a_command(name)
    for name in (f"{noun} {verb}" for noun in NOUNS for verb in VERBS)
}
changes = st.lists(
    st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(sorted(POOL))),
    max_size=30,
)


def names(registry: Registry) -> set[str]:
    return {each.name for each in registry}


def seen(index: Index) -> tuple[object, ...]:
    phrases = {phrase: plan.command.name for phrase, plan in index.phrases.items()}
    return phrases, dict(index.nouns), index.starts, index.verbs


@given(changes)
def test_index_after_any_changes_is_that_of_a_registry_built_anew(
    steps: Sequence[tuple[str, str]],
) -> None:
    registry = Registry()
    for step, name in steps:
        index_of(registry)  # What was derived before must not live on.
        if step == "add" and name not in names(registry):
            registry.add(POOL[name])
        elif step == "remove":
            registry.remove(name)

    anew = Registry.of(POOL[name] for name in sorted(names(registry)))

    assert seen(index_of(registry)) == seen(index_of(anew))
    listed = {name for name in POOL if catalog_of(registry).find(name)}
    assert listed == names(anew)


def test_a_refused_addition_changes_nothing() -> None:
    registry = Registry.of([a_command("hello say", "GET /v1/hello")])

    with pytest.raises(ValueError, match="two commands are named 'hello say'"):
        registry.add(a_command("box list"), a_command("hello say"))
    with pytest.raises(ValueError, match="box list and hello say share"):
        registry.add(a_command("box list", "GET /v1/hello"))

    assert names(registry) == {"hello say"}


def test_a_view_that_is_derived_belongs_to_one_set_of_commands() -> None:
    """What is made while the set changes is never kept with the new one."""
    registry = Registry.of([POOL["hello say"]])

    def slow(of: Registry) -> list[str]:
        registry.adopt(Registry.of([POOL["box list"]]))
        return [each.name for each in of]

    assert registry.derive(slow) == ["hello say"]
    assert registry.derive(lambda of: [each.name for each in of]) == ["box list"]


def test_readers_in_other_threads_see_one_set_or_the_other() -> None:
    pair = [POOL["hello say"], POOL["hello list"]], [POOL["box say"], POOL["box list"]]
    sets = [Registry.of(each) for each in pair]
    registry, torn, is_over = Registry(), list[set[str]](), threading.Event()
    registry.adopt(sets[0])

    def read() -> None:
        while not is_over.is_set():
            if len({each.noun for each in registry}) != 1:
                torn.append(names(registry))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for each in readers:
        each.start()
    for turn in range(3000):
        registry.adopt(sets[turn % 2])
    is_over.set()
    for each in readers:
        each.join()

    assert torn == []


def test_a_thousand_commands_are_swapped_in_one_step() -> None:
    """What is derived was made before, so the swap itself costs nothing."""
    many = [a_command(f"noun{n} say", f"GET /v1/noun{n}") for n in range(1000)]
    registry, bigger = Registry.of(many), Registry.of([*many, POOL["hello say"]])
    made = index_of(bigger)

    registry.adopt(bigger)

    assert len(registry) == 1001
    assert index_of(registry) is made


OUT = {
    "hello say": Outage(why="plugin hello failed: NameError", fix="plugin show hello")
}


@pytest.mark.parametrize("line", ["hello say Ann", "/ops Hello Say", "hello say"])
def test_a_disabled_command_is_answered_with_the_reason(line: str) -> None:
    registry = Registry.of([POOL["box list"]], outages=OUT)

    with pytest.raises(CommandDisabled) as refused:
        parse(line, registry, now=NOW)

    assert (
        refused.value.detail == "hello say is disabled: plugin hello failed: NameError"
    )
    assert refused.value.fix == ("plugin show hello",)


def test_a_disabled_command_is_named_to_programs_too() -> None:
    registry = Registry.of([POOL["box list"]], outages=OUT)

    with pytest.raises(CommandDisabled):
        parse_call("hello.say", {}, registry, now=NOW)


def test_what_is_near_a_disabled_command_is_still_unknown() -> None:
    registry = Registry.of([POOL["box list"]], outages=OUT)

    with pytest.raises(UnknownCommand):
        parse("/ops hello sing", registry, now=NOW)
    with pytest.raises(NotACommand):
        parse("good morning", registry, now=NOW)


def test_outages_outlive_other_changes() -> None:
    registry = Registry.of([POOL["box list"]], outages=OUT)

    registry.add(POOL["city say"])
    registry.remove("box list")

    assert registry.outages == OUT
    assert names(registry) == {"city say"}
