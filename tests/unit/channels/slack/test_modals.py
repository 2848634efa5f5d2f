"""Windows: valid for Slack, made from the catalog, and read back as what was filled in."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.views import View as SdkView

from channels.slack import modals
from channels.slack.home import home
from channels.slack.render import Profile
from channels.slack.values import arguments, read_values
from channels.slack.wire import Kind, SlackWire, storable
from commands.catalog import catalog_of
from commands.everything import COMMANDS
from commands.parser import parse_call
from commands.registry import Registry
from core.kernel.catalog import Blank, Catalog, Entry, Input
from core.kernel.reply import Code, Reply
from tests.unit.channels.slack.strategies import LONG, REPLIES
from tests.unit.channels.slack.test_wire import AT

FIXTURES = Path(__file__).parents[3] / "fixtures" / "slack"
REGISTRY = Registry.of(COMMANDS)
REAL = catalog_of(REGISTRY)
OFFERED = REAL.search("", limit=1_000)
ABOUT = {"channel": "C0OPS", "thread_ts": "1.5"}


def require_valid(view: Any) -> None:
    """Hold a view against slack_sdk's validators and what Slack documents besides."""
    SdkView(**view).validate_json()
    assert 0 < len(view["blocks"]) <= 100
    if view["type"] != "modal":
        return
    has_inputs = any(block["type"] == "input" for block in view["blocks"])
    assert not has_inputs or "submit" in view
    assert len(view["private_metadata"]) <= 3_000
    assert 0 < len(view["title"]["text"]) <= 24
    ids = [block["block_id"] for block in view["blocks"] if "block_id" in block]
    assert len(ids) == len(set(ids))


def about(view: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(view["private_metadata"])
    return found


def element(view: Any, name: str) -> Any:
    return next(b["element"] for b in view["blocks"] if b.get("block_id") == name)


def a_value(blank: Blank) -> Any:
    """Something that fits a blank."""
    one: Any = blank.choices[0] if blank.choices else "x"
    if blank.input is Input.INTEGER:
        one = 1
    return [one] if blank.is_list else one


def sent(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    return body


def filled_in(view: Any, values: dict[str, Any]) -> dict[str, Any]:
    """What Slack sends when a window was filled in and submitted."""
    state = {
        block["block_id"]: {
            block["element"]["action_id"]: {
                "type": block["element"]["type"],
                **values.get(block["block_id"], {}),
            }
        }
        for block in view["blocks"]
        if block["type"] == "input"
    }
    return {
        "type": "view_submission",
        "user": {"id": "U0ANN"},
        "view": {
            **view,
            "id": "V1",
            "hash": "h",
            "state": {"values": state},
        },
    }


@pytest.mark.parametrize("entry", OFFERED, ids=lambda entry: entry.name)
def test_every_command_has_a_valid_form(entry: Entry) -> None:
    view = modals.form(entry, ABOUT)

    require_valid(view)
    assert about(view) == {**ABOUT, "command": entry.name}


@pytest.mark.parametrize("entry", OFFERED, ids=lambda entry: entry.name)
def test_form_sent_as_it_is_opened_says_nothing_that_the_command_refuses(
    entry: Entry,
) -> None:
    """What stands in a form from the start is of the right type."""
    view: Any = modals.form(entry, ABOUT)
    elements = {
        block["block_id"]: block["element"]
        for block in view["blocks"]
        if block["type"] == "input"
    }
    opened = {
        name: {
            "value": each.get("initial_value"),
            "selected_option": each.get("initial_option"),
        }
        for name, each in elements.items()
    }
    delivery = storable(Kind.MODAL, filled_in(view, opened), account="acme")
    assert delivery is not None
    (asked,) = (
        SlackWire().parse(delivery.payload, account="acme", received_at=AT).envelopes
    )
    needed = {each.name: a_value(each) for each in entry.blanks if each.is_required}

    invocation = parse_call(entry.name, {**needed, **asked.args}, REGISTRY, now=AT)

    assert invocation.command.name == entry.name


def test_launcher_is_valid_and_knows_where_the_answer_goes() -> None:
    view = modals.launcher(ABOUT)

    require_valid(view)
    assert about(view) == ABOUT


def test_what_is_typed_finds_commands_by_name_then_by_what_they_do() -> None:
    options: list[Any] = modals.suggest(REAL, "task cr")
    by_summary: list[Any] = modals.suggest(REAL, "queued column")

    assert options[0]["value"] == "task create"
    assert [each["value"] for each in by_summary] == ["task create"]
    assert 0 < len(modals.suggest(REAL, "")) <= 50
    assert modals.suggest(REAL, "no such thing") == []


def test_words_that_stand_for_others_are_not_offered_as_forms() -> None:
    names = {entry.name for entry in REAL.search("", limit=1_000)}

    assert not names & {"press", "more", "undo", "confirm", "last"}
    assert {"task create", "lease reclaim", "webhook list"} - names == {"webhook list"}


def test_inputs_are_of_the_kind_that_the_argument_takes() -> None:
    entry = Entry(
        name="demo run",
        summary="Show inputs.",
        usage="demo run",
        danger="write",
        blanks=(
            Blank(name="what", input=Input.TEXT, is_required=True, example="T-12"),
            Blank(name="lane", input=Input.CHOICE, choices=("A", "B"), default="B"),
            Blank(name="many", input=Input.CHOICE, is_list=True, choices=("x", "y")),
            Blank(name="loud", input=Input.FLAG),
            Blank(name="safe", input=Input.FLAG, default=True),
            Blank(name="count", input=Input.INTEGER, default=25),
            Blank(name="ratio", input=Input.NUMBER),
            Blank(name="since", input=Input.TIME),
            Blank(name="lines", input=Input.TEXT, is_list=True),
            Blank(name="map", input=Input.JSON),
        ),
    )

    view: Any = modals.form(entry, ABOUT)

    require_valid(view)
    assert [b["element"]["type"] for b in view["blocks"][1:]] == [
        "plain_text_input",
        "static_select",
        "multi_static_select",
        "checkboxes",
        "static_select",
        "number_input",
        "number_input",
        "datetimepicker",
        "plain_text_input",
        "plain_text_input",
    ]
    assert [b["optional"] for b in view["blocks"][1:3]] == [False, True]
    assert element(view, "lane")["initial_option"]["value"] == "B"
    assert element(view, "count")["initial_value"] == "25"
    assert element(view, "lines")["multiline"]


def test_what_is_filled_in_comes_back_typed() -> None:
    entry = Entry(
        name="demo run",
        summary="s",
        usage="u",
        danger="write",
        blanks=(
            Blank(name="what", input=Input.TEXT, is_required=True),
            Blank(name="many", input=Input.CHOICE, is_list=True, choices=("x", "y")),
            Blank(name="loud", input=Input.FLAG),
            Blank(name="safe", input=Input.FLAG, default=True),
            Blank(name="counts", input=Input.INTEGER, is_list=True),
            Blank(name="ratio", input=Input.NUMBER),
            Blank(name="map", input=Input.JSON),
            Blank(name="empty", input=Input.TEXT),
        ),
    )
    values = {
        "what": {"value": " two\nlines & <b> "},
        "many": {"selected_options": [{"value": "x"}, {"value": "y"}]},
        "loud": {"selected_options": []},
        "safe": {"selected_option": {"value": "no"}},
        "counts": {"value": "1\n2\nthree"},
        "ratio": {"value": "0.5"},
        "map": {"value": '{"a": [1]}'},
        "empty": {"value": None},
    }
    delivery = storable(
        Kind.MODAL, filled_in(modals.form(entry, ABOUT), values), account="acme"
    )
    assert delivery is not None

    (asked,) = (
        SlackWire().parse(delivery.payload, account="acme", received_at=AT).envelopes
    )

    assert asked.command == "demo run"
    assert asked.args == {
        "what": " two\nlines & <b> ",
        "many": ["x", "y"],
        "safe": False,
        "counts": [1, 2, "three"],
        "ratio": 0.5,
        "map": {"a": [1]},
    }
    assert asked.reply_to["channel"] == "C0OPS"


def test_message_becomes_a_task_that_links_back() -> None:
    view = modals.task_from_message(REAL, sent("message_action__in_thread"))

    require_valid(view)
    assert element(view, "title")["initial_value"] == (
        "Login <fails> after example.org moved"
    )
    assert element(view, "body")["initial_value"] == (
        "Login <fails> after example.org moved\nsince noon\n\n"
        "https://acme.slack.com/archives/C0OPS/p1762251000000400"
        "?thread_ts=1762250300.000050&cid=C0OPS"
    )
    assert about(view) == {
        "channel": "C0OPS",
        "thread_ts": "1762250300.000050",
        "response_url": "https://hooks.slack.com/app/T0ACME/4/jkl",
        "command": "task create",
    }


def test_task_of_a_message_outside_a_thread_is_answered_below_it() -> None:
    body = sent("message_action__in_thread")
    del body["message"]["thread_ts"]

    view = modals.task_from_message(REAL, body)

    assert about(view)["thread_ts"] == "1762251000.000400"
    assert modals.permalink(body).endswith("/C0OPS/p1762251000000400")


def test_no_task_is_offered_where_there_are_none() -> None:
    body = sent("message_action__in_thread")

    assert modals.task_from_message(Catalog(), body) is None


def test_id_is_typed_for_the_button_that_wants_it() -> None:
    view = modals.typed_id(sent("button__type_id_ephemeral"))

    require_valid(view)
    assert about(view)["button"] == "rp_01JC8ZQ4T70000000000000001.0"
    assert modals.typed_id(sent("button__claim")) is None


def test_long_addresses_do_not_break_a_window() -> None:
    require_valid(modals.launcher({"channel": "C0OPS", "response_url": "u" * 4_000}))


@given(LONG, LONG)
@settings(deadline=None)
def test_any_text_fits_a_form(text: str, filled: str) -> None:
    entry = Entry(
        name="demo run",
        summary=text or "s",
        usage=text or "u",
        danger="risky",
        blanks=(Blank(name="what", input=Input.TEXT, example=text, help=text),),
    )

    view = modals.form(entry, ABOUT, filled={"what": filled})

    require_valid(view)


@given(st.lists(st.tuples(LONG, REPLIES), max_size=6), st.booleans())
@settings(deadline=None)
def test_home_tab_is_valid_whatever_it_shows(
    sections: list[tuple[str, Reply]], is_linked: bool
) -> None:
    require_valid(home(sections, is_linked=is_linked, profile=Profile()))


def test_home_tab_says_when_there_is_more() -> None:
    long = Reply(summary="x" * 150, blocks=(Code(text="word\n" * 60),))

    view: Any = home([("Now", long)] * 60, is_linked=True, profile=Profile())

    require_valid(view)
    assert "There is more" in str(view["blocks"][-1])


def test_home_tab_of_an_unlinked_person_offers_the_link() -> None:
    view: Any = home([], is_linked=False, profile=Profile())

    (row,) = [block for block in view["blocks"] if block["type"] == "actions"]
    assert [each["value"] for each in row["elements"]] == ["link", "help"]


@given(
    st.dictionaries(
        st.text(max_size=5), st.lists(st.text(max_size=5) | st.integers(), max_size=3)
    )
)
@settings(deadline=None)
def test_odd_values_are_no_arguments(values: dict[str, Any]) -> None:
    assert set(arguments(values)) <= set(values)


@pytest.mark.parametrize(
    ("how", "taken", "value"),
    [
        ("number", "half", "half"),
        ("json", "{not json", "{not json"),
        ("integer", "1.5", "1.5"),
        ("integer", " 7 ", 7),
        ("time", "tomorrow", "tomorrow"),
    ],
)
def test_what_does_not_fit_is_left_to_the_command_to_refuse(
    how: str, taken: str, value: object
) -> None:
    assert arguments({"what": [how, taken]}) == {"what": value}


def test_message_of_an_unknown_workspace_has_no_address() -> None:
    body = sent("message_action__in_thread")
    del body["team"]["domain"]

    assert modals.permalink(body) == ""


def test_nothing_filled_in_is_nothing() -> None:
    assert read_values({}) == {}
