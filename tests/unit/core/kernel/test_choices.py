"""The buttons of a reply, in the order that numbers them."""

from core.kernel.choices import choices, line_to_type_for
from core.kernel.reply import (
    Action,
    Actions,
    ErrorInfo,
    Reply,
    ReplyStatus,
    Undo,
)


def test_actions_of_all_blocks_come_first_and_undo_last() -> None:
    reply = Reply(
        id="rp_1",
        summary="done",
        blocks=(
            Actions(items=(Action(label="Claim", command="task claim T-1"),)),
            Actions(items=(Action(label="Open", command="task show T-1"),)),
        ),
        undo=Undo(command="task move T-1 queued", until="2026-11-04T09:10:00Z"),
    )

    assert [(each.label, each.command) for each in choices(reply)] == [
        ("Claim", "task claim T-1"),
        ("Open", "task show T-1"),
        ("Undo", "undo rp_1"),
    ]


def test_what_needs_a_typed_id_keeps_its_reason() -> None:
    reply = Reply(
        summary="Type W-1 to confirm",
        status=ReplyStatus.NEEDS_CONFIRMATION,
        data={
            "token": "",
            "target": "W-1",
            "confirm": "webhook delete W-1 --reason unused --confirm W-1",
        },
    )

    assert line_to_type_for(reply) == "webhook delete W-1 --reason unused"
    assert [each.command for each in choices(reply)] == [line_to_type_for(reply)]


def test_an_id_of_several_words_is_not_typed_by_the_button() -> None:
    """Or the button would give the consent that typing it should."""
    reply = Reply(
        summary="Type task move to confirm",
        status=ReplyStatus.NEEDS_CONFIRMATION,
        data={
            "token": "",
            "target": "task move",
            "confirm": 'approval rule delete "task move" --confirm "task move"',
        },
    )

    assert line_to_type_for(reply) == 'approval rule delete "task move"'


def test_a_proposal_with_a_token_is_confirmed_by_its_own_buttons() -> None:
    reply = Reply(
        summary="Confirm",
        status=ReplyStatus.NEEDS_CONFIRMATION,
        data={"token": "7f3k2a", "target": "L-1", "confirm": "… --confirm 7f3k2a"},
    )

    assert choices(reply) == ()


def test_an_unknown_command_offers_at_most_three_that_exist() -> None:
    error = ErrorInfo(
        type="t",
        code="unknown_command",
        title="No such command",
        detail="task lits",
        status=400,
        extra={"suggestions": ["task list", "task set", "task tick", "task note"]},
    )
    reply = Reply(summary="No such command", status=ReplyStatus.ERROR, error=error)

    assert [each.command for each in choices(reply)] == [
        "task list",
        "task set",
        "task tick",
    ]
