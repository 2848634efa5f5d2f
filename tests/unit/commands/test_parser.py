"""Lines and JSON calls become the invocation that was meant, or a useful refusal."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.render import as_json
from core.kernel.lanes import Lane
from core.kernel.problems import (
    BadRequest,
    EmptyLine,
    InvalidArgument,
    NotACommand,
    UnknownCommand,
    UnknownFlag,
)
from tests.unit.commands.sample import NOW, Status, called, said

_LINES = Path(__file__).parents[2] / "fixtures" / "lines"


def _cases(name: str) -> list[Mapping[str, Any]]:
    cases: list[Mapping[str, Any]] = json.loads(
        (_LINES / f"{name}.json").read_text("utf-8")
    )
    return cases


@pytest.mark.parametrize(
    "case", _cases("understood"), ids=lambda case: case["line"][:40]
)
def test_a_line_means_what_its_writer_meant(case: Mapping[str, Any]) -> None:
    """R-19."""
    invocation = said(case["line"])

    assert invocation.command.name == case["command"]
    given = {name: as_json(invocation.args[name]) for name in invocation.given}
    assert given == case["args"]


@pytest.mark.parametrize("case", _cases("refused"), ids=lambda case: case["line"][:40])
def test_a_bad_line_is_refused_for_its_reason(case: Mapping[str, Any]) -> None:
    """R-19."""
    with pytest.raises(BadRequest) as caught:
        said(case["line"])

    assert caught.value.code == case["error"]
    if "suggest" in case:
        suggestions = caught.value.extra["suggestions"]
        assert isinstance(suggestions, list)
        assert case["suggest"] in suggestions


def test_values_are_what_their_types_say() -> None:
    invocation = said("task create x --lane b --dod a,b")

    assert invocation.args["lane"] is Lane.B
    assert invocation.args["dod"] == ("a", "b")
    assert invocation.args["needs"] == ()
    assert invocation.given == {"title", "lane", "dod"}


def test_the_canonical_line_leaves_out_defaults_and_global_flags() -> None:
    line = "new task 'Fix login' lane=B --needs= --dry-run -o json"

    assert said(line).canonical == 'task create "Fix login" --lane B'


def test_global_flags_become_options() -> None:
    options = said(
        "lease list -o json --fields id,title --dry-run --yes --if-match 3-f9 "
        '--reason "worker died" --wait 15m --private'
    ).options

    assert (options.output, options.fields) == ("json", ("id", "title"))
    assert (options.dry_run, options.yes, options.if_match) == (True, True, "3-f9")
    assert (options.reason, options.wait) == ("worker died", timedelta(minutes=15))
    assert options.is_public is False


def test_wait_may_go_without_its_value() -> None:
    invocation = said("task show --wait T-12")

    assert invocation.options.wait == timedelta(seconds=90)
    assert invocation.args["task"] == "T-12"


def test_a_command_s_own_parameter_wins_over_a_global_flag() -> None:
    invocation = said('approve T-1 --reason "tests green"')

    assert invocation.args["reason"] == "tests green"
    assert invocation.options.reason == ""


def test_times_are_in_the_zone_of_the_person() -> None:
    invocation = said(
        'event tail --since 24h --until "tomorrow 9am"', timezone="Europe/Berlin"
    )

    assert invocation.args["since"] == NOW - timedelta(hours=24)
    assert invocation.args["until"] == datetime(2026, 11, 5, 8, 0, tzinfo=UTC)
    assert "--until 2026-11-05T08:00:00Z" in invocation.canonical


def test_a_flag_s_refusal_holds_the_whole_line_mended() -> None:
    with pytest.raises(UnknownFlag) as caught:
        said('/ops task create "Fix it" --lnae=B --dod a')

    assert caught.value.fix[0] == 'task create "Fix it" --lane=B --dod a'


def test_an_unknown_command_keeps_its_arguments_in_the_fix() -> None:
    with pytest.raises(UnknownCommand) as caught:
        said("task lst --limit 5")

    assert caught.value.fix[0] == "task list --limit 5"
    assert len(caught.value.fix) <= 3


def test_an_id_after_a_misspelt_verb_stays_in_the_fix() -> None:
    with pytest.raises(UnknownCommand) as caught:
        said("aprove T-1 --reason ok")

    assert caught.value.fix[0] == "task approve T-1 --reason ok"


def test_a_noun_and_an_id_are_asked_to_be_shown() -> None:
    with pytest.raises(UnknownCommand, match='"Task T-1" is not') as caught:
        said("Task T-1 -o json")

    assert caught.value.fix[0] == "task show T-1 -o json"


def test_unquoted_prose_is_mended_with_quotes() -> None:
    with pytest.raises(InvalidArgument) as caught:
        said("task create fix the login --lane B")

    assert '"the"' in caught.value.detail
    assert 'task create "fix the login" --lane B' in caught.value.fix


def test_refusals_never_echo_control_characters() -> None:
    for line in (
        "task list --limit '\x1b[31m\x07'",
        "task create 'a' '\x00b'",
        "tas\x1bk list",
    ):
        with pytest.raises(BadRequest) as caught:
            said(line)
        assert all(
            part.isprintable() for part in (caught.value.detail, *caught.value.fix)
        )


def test_secrets_stay_out_of_lines_and_refusals() -> None:
    assert "hunter2" not in said("connection create x --token hunter2").canonical

    for line in (
        "connection create x --token hunter2 --lnae",
        "connection create x --token hunter2 extra",
        "conection craete x --token hunter2",
        'connection create x --token "hunter2',
        "connection create x token='hunter2",
        'connection create x --token x {"token": "hunter2"}',
    ):
        with pytest.raises(BadRequest) as refused:
            said(line)
        assert "hunter2" not in f"{refused.value.detail} {refused.value.fix}"
    with pytest.raises(InvalidArgument) as caught:
        called("connection.create", name="x", token=12345)
    assert "12345" not in caught.value.detail


def test_a_whole_message_carries_its_sender_s_key() -> None:
    message = '{"command": "task.create", "args": {"title": "x"}, "id": "k-1"}'

    assert said(message).client_key == "k-1"


def test_json_calls_take_values_and_global_flags() -> None:
    invocation = called(
        "task.set",
        task="T-1",
        estimate=90,
        due="2026-11-04T09:00:00+01:00",
        dry_run=True,
    )

    assert invocation.args["estimate"] == timedelta(seconds=90)
    assert invocation.args["due"] == datetime(2026, 11, 4, 8, tzinfo=UTC)
    assert invocation.options.dry_run


@pytest.mark.parametrize(
    "args",
    [
        {"limit": True},
        {"limit": ""},
        {"limit": "5"},
        {"stale": 1},
        {"tag": "a"},
        {"status": "in-progress"},
        {"limit": 2**70},
        {"tag": ["\ud800"]},
        {"limit": None},
        {"output": 3},
    ],
)
def test_json_types_are_strict(args: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        called("task list", **args)


def test_json_values_are_never_repaired() -> None:
    invocation = called("task.note", task="t-1.", text="“x” —lane\u200b")

    assert (invocation.args["task"], invocation.args["text"]) == (
        "t-1.",
        "“x” —lane\u200b",
    )


def test_an_unknown_field_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownFlag, match="titel") as caught:
        called("task.create", titel="x")

    assert caught.value.extra["suggestions"] == ["title"]


def test_a_line_and_its_json_form_are_one_invocation() -> None:
    """R-18."""
    line = said("task move T-1 review")

    assert called("task move", task="T-1", status="review") == line
    assert line.args["status"] is Status.REVIEW


def test_paths_and_emptiness_are_told_apart() -> None:
    with pytest.raises(NotACommand):
        said("/usr/bin is full")
    with pytest.raises(EmptyLine):
        said("@ops   ")
