"""What an alias says of its command: filled from the answer, and never in its way."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.alias_replies import acknowledged, dressed
from commands.invocation import Invocation, Spoken
from core.kernel.reply import Reply, ReplyStatus, Text
from tests.unit.commands.sample import said

REPLY = Reply(summary="Created T-1", blocks=(Text(md="body"),), data={"id": "T-1"})


def asked(
    *, result: str = "", ack: str = "", line: str = "task create web"
) -> Invocation:
    spoken = Spoken(name="deploy", values={"app": "web"}, ack=ack, result=result)
    return replace(said(line), alias=spoken)


def told(invocation: Invocation, reply: Reply = REPLY) -> Reply:
    return dressed(invocation, reply, actor="ann")


def test_a_command_by_its_own_name_is_answered_as_ever() -> None:
    assert told(said("task create web")) is REPLY


def test_the_last_block_names_the_alias() -> None:
    reply = told(asked())

    assert reply.summary == "Created T-1"
    assert reply.blocks[-1] == Text(md="Alias `deploy` is `task create web`.")


@pytest.mark.parametrize(
    ("result", "summary"),
    [
        ("{args.app} is {data.id}", "web is T-1"),
        ("{args.title} in {args.lane} by {actor}", "web in C by ann"),
        ("{status}: {summary}", "ok: Created T-1"),
        ("{data}", '{"id":"T-1"}'),
        ("a\n\nb", "a b"),
        ("{nothing}", "Created T-1"),
        ("{sum(summary)}", "Created T-1"),
        ("{app} is {data.id}", "web is T-1"),
    ],
)
def test_a_result_is_the_summary(result: str, summary: str) -> None:
    reply = told(asked(result=result))

    assert reply.summary == summary
    assert reply.data == REPLY.data


def test_places_of_a_result_share_one_budget() -> None:
    """Each alone would be within it; together they keep the summary of the command."""
    place = "{" + "|".join(["args", *["[@,@][]"] * 15]) + "|length(@)}"

    assert told(asked(result=place)).summary == str(2**15)
    assert told(asked(result=place * 12)).summary == "Created T-1"


def test_a_result_that_cannot_be_applied_undoes_nothing_and_is_told_of() -> None:
    reply = told(asked(result="{sum(summary)}"))

    assert (reply.summary, reply.data) == (REPLY.summary, REPLY.data)
    assert "could not be filled in" in str(reply.blocks[-2])
    assert "sum(summary)" not in reply.summary


def test_what_is_told_of_any_answer_hides_a_slot_of_its_name() -> None:
    spoken = Spoken(name="x", values={"summary": "mine"}, result="{summary}!")

    reply = told(replace(said("task create web"), alias=spoken))

    assert reply.summary == "Created T-1!"


def test_a_result_is_cut_where_it_never_ends() -> None:
    reply = told(asked(result="{join('', [summary, summary, summary])}" * 40),
                 replace(REPLY, summary="x" * 150))  # fmt: skip

    assert len(reply.summary) == 150
    assert isinstance(reply.blocks[0], Text)
    assert len(reply.blocks[0].md) == 4_000


@pytest.mark.parametrize(
    "reply",
    [
        replace(REPLY, status=ReplyStatus.NEEDS_CONFIRMATION),
        replace(REPLY, status=ReplyStatus.ERROR),
    ],
)
def test_a_result_is_told_of_what_succeeded_alone(reply: Reply) -> None:
    assert told(asked(result="done"), reply).summary == "Created T-1"


def test_a_dry_run_has_no_result() -> None:
    reply = told(asked(result="done", line="task create web --dry-run"))

    assert reply.summary == "Created T-1"
    assert "would run" in str(reply.blocks[-1])


def test_an_ack_is_the_summary_of_what_runs() -> None:
    running = replace(REPLY, status=ReplyStatus.RUNNING)

    assert told(asked(ack="{args.app} runs", result="done"), running).summary == (
        "web runs"
    )


def test_an_ack_is_said_before_there_is_an_answer() -> None:
    reply = acknowledged(asked(ack="{args.app} for {actor}"), actor="ann")

    assert reply is not None
    assert (reply.status, reply.summary) == (ReplyStatus.RUNNING, "web for ann")


@pytest.mark.parametrize("ack", ["", "{data.id}", "{sum(args.app)}"])
def test_what_has_nothing_to_say_is_not_acknowledged(ack: str) -> None:
    assert acknowledged(asked(ack=ack), actor="ann") is None
    assert acknowledged(said("task create web"), actor="ann") is None


@given(value=st.text(max_size=30))
def test_values_are_never_read_as_expressions(value: str) -> None:
    spoken = Spoken(name="x", values={"app": value}, result="<{args.app}>")

    reply = told(replace(said("task create web"), alias=spoken))

    assert reply.summary == " ".join(f"<{value}>".split())[:150]
