"""What a command of a plugin has to be, one by one and beside all the others."""

from collections.abc import Callable
from typing import Any

import pytest

from commands.registry import Command, Registry, command
from gateway.every_command import described_commands
from gateway.plugins.checks import check_command, target_fault
from gateway.plugins.claims import Claims
from gateway.plugins.model import PluginFault


def say(ctx: object, name: str = "world") -> str:
    """Say hello."""
    return name


def say_maybe(ctx: object, name: str = "") -> str:
    """Say hello to somebody, or to nobody."""
    return name


def declared(
    name: str = "hello say", handler: Callable[..., Any] = say, **traits: Any
) -> Command:
    return command(name, **{"scope": "hello:read", **traits})(handler)


def fault_of(asked: Command) -> str:
    with pytest.raises(PluginFault) as refused:
        check_command(asked)
    return str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [
        declared(),
        declared("greet"),
        declared("hello-world say-it loudly"),
        declared(http="GET /v1/hello"),
        declared(http="POST /v1/hello/{name}", danger="write"),
        declared(danger="destructive", target="name", scope="hello:write"),
    ],
)
def test_a_sound_command_passes(asked: Command) -> None:
    check_command(asked)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (declared(scope=""), 'it has no scope; write scope="hello:read"'),
        (declared(scope="everything"), "'everything' is no scope"),
        (declared(scope="*:read"), "'*:read' is no scope"),
        (declared(is_open=True), "is_open would run it for strangers"),
        (declared(danger="destructive"), 'write target="name", an argument of it'),
        (declared(target="nam"), "target='nam' is none of its arguments"),
        (
            declared(handler=say_maybe, danger="destructive", target="name"),
            "its target 'name' may not be left out",
        ),
        (declared("Hello Say"), "a name is one to three words"),
        (declared("hello say it loudly"), "a name is one to three words"),
        (declared("hello_say"), "a name is one to three words"),
        (declared("hello t-12"), "a name is one to three words"),
        (declared("plan hello"), "no command of a plugin begins with 'plan'"),
        (declared("yes"), "no command of a plugin begins with 'yes'"),
        (declared(http="GET /hello"), "'GET /hello' does not begin with /v1/"),
        (declared(http="BREW /v1/hello"), "'BREW /v1/hello' has none of the methods"),
        (
            declared(http="GET /v1/hello", danger="write"),
            "'GET /v1/hello' would change something, and GET never does",
        ),
        (declared(http="GET /v1/hello/{who}"), "names 'who', which is no argument"),
        (
            declared(http="GET /v1/hello/{name:path}"),
            "may have whole names in braces only",
        ),
    ],
)
def test_an_unsound_command_is_refused_with_its_name(asked: Command, told: str) -> None:
    fault = fault_of(asked)

    assert fault.startswith(f"{asked.name!r}: ")
    assert told in fault


def _nothing() -> str:
    """Say hello."""
    return ""


def _first(name: str) -> str:
    """Say hello."""
    return name


def _defaulted(name="world"):  # type: ignore[no-untyped-def]
    """Say hello."""
    return name


def _many(ctx: object, *names: str) -> str:
    """Say hello."""
    return str(names)


def _named(ctx: object, **names: str) -> str:
    """Say hello."""
    return str(names)


@pytest.mark.parametrize(
    ("handler", "told"),
    [
        (_nothing, "its function takes no context; write (ctx) behind its name"),
        (_first, "the context comes first; write (ctx, name, …)"),
        (_defaulted, "the context comes first; write (ctx, name, …)"),
        (_many, "'*names: str' is no argument; name each one"),
        (_named, "'**names: str' is no argument; name each one"),
    ],
)
def test_a_function_that_no_call_would_fit_is_refused(
    handler: Callable[..., Any], told: str
) -> None:
    """Whoever forgets the context learns it when saving, not when asking."""
    assert fault_of(declared(handler=handler)) == f"'hello say': {told}"


def test_a_list_has_no_place_in_a_path() -> None:
    def many(ctx: object, names: list[str]) -> str:
        """Say hello to many."""
        return ",".join(names)

    asked = declared(handler=many, http="GET /v1/hello/{names}")

    assert "names 'names', which is a list" in fault_of(asked)


def test_what_cannot_be_described_is_refused_before_anybody_asks() -> None:
    """The catalog and /openapi.json of all others must not break with it."""
    asked = declared(http="GET /v1/hello", result=Registry)

    with pytest.raises(Exception, match="schema"):
        check_command(asked)


# ── beside the others ─────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def claims() -> Claims:
    def nothing(ctx: object) -> str:
        """Do nothing."""
        return ""

    def told(name: str, http: str = "") -> Command:
        return command(name, scope="a:read", http=http)(nothing)

    own = Registry.of(
        [
            told("task list", "GET /collab/tasks"),
            told("task show", "GET /v1/tasks/{task}"),
            told("help"),
        ]
    )
    return Claims.of(own)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            declared("task list"),
            (
                "'task list' of the plugin new "
                "and 'task list' of Opswire are both called 'task list'"
            ),
        ),
        (
            declared("tasks ls"),
            (
                "'tasks ls' of the plugin new "
                "and 'task list' of Opswire are both called 'tasks ls'"
            ),
        ),
        (
            declared("list task"),
            (
                "'list task' of the plugin new "
                "and 'task list' of Opswire are both called 'list task'"
            ),
        ),
        (
            declared("task"),
            "'task' of the plugin new is the noun of 'task list' of Opswire",
        ),
        (
            declared("help people"),
            (
                "'help people' of the plugin new "
                "begins like 'help' of Opswire, which is a whole command"
            ),
        ),
        (
            declared(http="GET /v1/tasks/{name}"),
            (
                "'hello say' of the plugin new "
                "and 'task show' of Opswire share GET /v1/tasks/{name}"
            ),
        ),
        (
            declared(http="GET /v1/tasks/mine"),
            (
                "'hello say' of the plugin new "
                "and 'task show' of Opswire share GET /v1/tasks/mine"
            ),
        ),
        (
            declared(http="POST /v1/commands"),
            (
                "'hello say' of the plugin new "
                "and '/v1/commands' of Opswire share POST /v1/commands"
            ),
        ),
        (
            declared(http="POST /v1/channels/webhook/{name}"),
            "share POST /v1/channels/webhook/{name}",
        ),
    ],
)
def test_a_clash_names_both(claims: Claims, asked: Command, told: str) -> None:
    assert told in claims.clash(asked, "the plugin new")


@pytest.mark.parametrize(
    "asked",
    [
        declared("hello list"),
        declared("task ping"),
        declared(http="POST /v1/tasks/{name}"),
        declared(http="GET /v1/tasks/{name}/hello"),
    ],
)
def test_what_is_free_can_be_had(claims: Claims, asked: Command) -> None:
    assert claims.clash(asked, "the plugin new") == ""


def test_a_copy_goes_on_by_itself(claims: Claims) -> None:
    other = claims.copy()

    other.take(declared(http="GET /v1/hello"), "the plugin hello")

    assert claims.clash(declared(), "the plugin new") == ""
    assert "of the plugin hello" in other.clash(declared("hello say"), "the plugin new")
    assert "of the plugin hello" in other.clash(
        declared("box say", http="GET /v1/hello"), "the plugin new"
    )


@pytest.mark.parametrize(
    "own", [each for each in described_commands() if each.danger == "destructive"]
)
def test_every_destructive_command_of_ours_can_be_confirmed(own: Command) -> None:
    assert target_fault(own) == ""
