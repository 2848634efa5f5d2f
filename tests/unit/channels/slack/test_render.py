"""Replies as Slack messages: within every limit, valid, and never pinging anybody."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SdkBlock

from channels.slack.blocks import KitBlock
from channels.slack.render import Profile, SlackMessage, render
from core.kernel.reply import (
    Action,
    Actions,
    Block,
    Code,
    ErrorBlock,
    Fields,
    Link,
    Progress,
    Reply,
    ReplyStatus,
    Table,
    Text,
    Undo,
)
from tests.unit.channels.slack.strategies import CATALOG, REPLIES

MODERN = Profile(catalog=CATALOG)
CLASSIC = Profile(catalog=CATALOG, is_classic=True)
CHANNEL = {"channel": "C0OPS", "user": "U0ANN"}
URL = "https://ops.example.org/r/rp_1"

# What Slack acts upon: a mention, or a link (ours alone have a label).
_MENTION = re.compile(r"<[!@#]")


def shown(*blocks: Block, profile: Profile = MODERN, **fields: Any) -> SlackMessage:
    reply = Reply(
        **{"id": "rp_1", "summary": "Done", "url": URL, "blocks": blocks, **fields}
    )
    return render(reply, place=CHANNEL, profile=profile)


def texts(node: object) -> Iterator[str]:
    """Every text that is shown, in order."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "text" and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(node, list):
        for each in node:
            yield from texts(each)


def buttons(message: SlackMessage) -> list[dict[str, Any]]:
    rows: list[Any] = of_type(message, "actions")
    return [button for row in rows for button in row["elements"]]


def of_type(message: SlackMessage, kind: str) -> list[KitBlock]:
    return [block for block in message.blocks if block["type"] == kind]


def require_valid(message: SlackMessage) -> None:
    """Hold a message against slack_sdk's validators and Slack's documented limits."""
    assert 0 < len(message.text) <= 4_000
    assert 0 < len(message.blocks) <= 50
    assert len(json.dumps(message.blocks, ensure_ascii=False)) <= 13_000
    for block in message.blocks:
        parsed = SdkBlock.parse(block)
        assert parsed is not None, block
        parsed.validate_json()
        assert block["type"] in {
            *("section", "context", "markdown", "table", "actions")
        }
    require_limits(message)


def require_limits(message: SlackMessage) -> None:
    markdown = of_type(message, "markdown")
    assert sum(len(str(block["text"])) for block in markdown) <= 12_000
    for block in [*of_type(message, "section"), *of_type(message, "context")]:
        assert all(0 < len(text) <= 3_000 for text in texts(block))
        fields = block.get("fields", [])
        assert isinstance(fields, list)
        assert len(fields) <= 10
        assert all(len(text) <= 2_000 for text in texts(fields))
    tables = of_type(message, "table")
    assert len(tables) <= 1
    for table in tables:
        rows = table["rows"]
        assert isinstance(rows, list)
        assert 1 < len(rows) <= 100
        assert len({len(row) for row in rows}) == 1  # type: ignore[arg-type]
        assert all(0 < len(row) <= 20 for row in rows)  # type: ignore[arg-type]
        assert all(texts(table))
        assert sum(map(len, texts(table))) <= 10_000
    require_button_limits(message)


def require_button_limits(message: SlackMessage) -> None:
    found = buttons(message)
    assert len({each["action_id"] for each in found}) == len(found)
    for each in found:
        assert 0 < len(each["text"]["text"]) <= 75
        assert re.fullmatch(r"rp_[0-9A-Z]+\.\d+", each["value"])
        assert each.get("style") in {None, "primary", "danger"}
        if "confirm" in each:
            assert len(each["confirm"]["text"]["text"]) <= 300


@given(REPLIES, st.booleans())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_any_reply_is_a_valid_message_that_pings_nobody(
    reply: Reply, is_classic: bool
) -> None:
    """R-68: whatever is in it, and however much."""
    profile = CLASSIC if is_classic else MODERN

    message = render(reply, place=CHANNEL, profile=profile)

    require_valid(message)
    for text in (message.text, *texts(message.blocks)):
        assert not _MENTION.search(text), text
    for button in buttons(message):
        assert "<" not in button["text"]["text"]
    if is_classic:
        kinds = {block["type"] for block in message.blocks}
        assert not kinds & {"markdown", "table"}


# ── the eight blocks ──────────────────────────────────────────────────────────
def test_summary_is_the_notification_and_the_first_line() -> None:
    message = shown(summary="T-12 <!channel> & co")

    assert message.text == "T-12 &lt;!channel&gt; &amp; co"
    assert next(texts(message.blocks)) == message.text


def test_text_keeps_its_markdown() -> None:
    message = shown(Text(md="**now** [docs](https://x.example/?a=1&b=2) `a < b`"))

    assert of_type(message, "markdown") == [
        {
            "type": "markdown",
            "text": "**now** [docs](https://x.example/?a=1&b=2) `a &lt; b`",
        }
    ]


def test_text_is_translated_for_a_classic_workspace() -> None:
    md = (
        "# Head\n- **one** and _two_\n[docs](https://x.example/?a=1&b=2) "
        "https://y.example\n```\n<x> *y*\n```"
    )

    message = shown(Text(md=md), profile=CLASSIC)

    assert list(texts(message.blocks))[1] == (
        "*Head*\n• *one* and _two_\n<https://x.example/?a=1&amp;b=2|docs> "
        "<https://y.example|https://y.example>\n```\n&lt;x&gt; *y*\n```"
    )


def test_long_fenced_text_is_fenced_in_each_part() -> None:
    md = "```\n" + "\n".join(f"line {number}" for number in range(600)) + "\n```"

    message = shown(Text(md=md), profile=CLASSIC)

    parts = list(texts(message.blocks))[1:]
    assert len(parts) > 1
    assert all(part.startswith("```\n") and part.endswith("\n```") for part in parts)


def test_fields_are_pairs_ten_to_a_block() -> None:
    pairs = [(f"n{number}", "v<w") for number in range(12)]

    message = shown(Fields(pairs=pairs))

    rows = [block["fields"] for block in message.blocks if "fields" in block]
    assert [len(row) for row in rows if isinstance(row, list)] == [10, 2]
    assert next(texts(rows)) == "*n0*\nv&lt;w"


def test_table_is_slacks_own_and_numbered_when_rows_can_be_named() -> None:
    table = Table(columns=["id", "title"], rows=[["T-1", ""], ["T-2", "<@U1>"]])

    message = shown(table, data={"items": [{"id": "T-1"}, {"id": "T-2"}]})

    (block,) = of_type(message, "table")
    assert [list(texts(row)) for row in block["rows"]] == [  # type: ignore[union-attr]
        ["#", "id", "title"],
        ["1", "T-1", "–"],
        ["2", "T-2", "<\u2060@U1>"],
    ]


@pytest.mark.parametrize(
    "items", [[], [{"id": "T-1"}], [{"name": "x"}, {"name": "y"}], "T-1", None]
)
def test_rows_that_are_no_objects_have_no_numbers(items: Any) -> None:
    table = Table(columns=["id"], rows=[["T-1"], ["T-2"]])

    message = shown(table, data={"items": items})

    assert next(texts(of_type(message, "table"))) == "id"


def test_second_table_and_classic_ones_are_monospace() -> None:
    table = Table(columns=["id", "title"], rows=[["T-1", "Fix <login>"]])

    message = shown(table, table)

    assert len(of_type(message, "table")) == 1
    monospace = "```\nid   title\nT-1  Fix &lt;login&gt;\n```"
    assert monospace in list(texts(message.blocks))
    assert monospace in list(texts(shown(table, profile=CLASSIC).blocks))


@pytest.mark.parametrize("profile", [MODERN, CLASSIC])
def test_more_than_twenty_rows_are_linked(profile: Profile) -> None:
    table = Table(columns=["id"], rows=[[f"T-{n}"] for n in range(1, 30)], total=29)

    message = shown(table, profile=profile)

    said = "\n".join(texts(message.blocks))
    assert "T-20" in said
    assert "T-21" not in said
    assert f"20 of 29 shown <{URL}|Show all>" in said


def test_next_page_is_offered_by_its_word() -> None:
    message = shown(Table(columns=["id"], rows=[["T-1"]], next="opaque"))

    assert "1 shown; `more` continues" in list(texts(message.blocks))


def test_short_code_is_fenced_whole() -> None:
    message = shown(Code(text="a < b\n```\nend"))

    assert list(texts(message.blocks))[1] == (
        "```\na &lt; b\n`\u2060`\u2060`\nend\n```"
    )


def test_long_code_shows_both_ends_and_a_link() -> None:
    message = shown(Code(text="\n".join(f"line {n}" for n in range(300))))

    said = "\n".join(texts(message.blocks))
    assert "line 0\n" in said
    assert "line 299\n" in said
    assert "line 150" not in said
    assert f"… 200 lines are not shown. <{URL}|Show all>" in said


def test_progress_is_one_line() -> None:
    message = shown(Progress(done=2, total=4, steps=["build", "deploy"]))

    assert list(texts(message.blocks))[1] == f"`{'█' * 10}{'░' * 10}` 2/4  deploy"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://x.example/a|b?c=1&d=2", "<https://x.example/a%7Cb?c=1&amp;d=2|here>"),
        ("/docs#task", "<https://ops.example.org/docs#task|here>"),
        ("javascript:alert(1)", "here: javascript:alert(1)"),
    ],
)
def test_links_are_whole_and_of_the_web(url: str, text: str) -> None:
    message = shown(Link(label="here", url=url))

    assert of_type(message, "context") == [
        {
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}],
        }
    ]


def test_error_says_what_to_try() -> None:
    error = ErrorBlock(
        title="A scope is missing",
        detail="ann lacks <tasks:write>",
        fix=["task list", "ask an admin"],
    )

    message = shown(error, status=ReplyStatus.ERROR)

    assert list(texts(message.blocks)) == [
        "*A scope is missing*\nann lacks &lt;tasks:write&gt;",
        "*Try*\n• `task list`\n• ask an admin",
    ]


# ── buttons ───────────────────────────────────────────────────────────────────
def test_buttons_carry_the_reply_and_their_number_and_nothing_else() -> None:
    offered = Actions(
        items=(
            Action(label="Claim", command="task claim T-1", style="primary"),
            Action(label="Open", command="task show T-1"),
        )
    )

    message = shown(offered, undo=Undo(command="task move T-1 queued", until="…"))

    assert [
        (b["text"]["text"], b["value"], b["action_id"]) for b in buttons(message)
    ] == [
        ("Claim", "rp_1.0", "press:0"),
        ("Open", "rp_1.1", "look:1"),
        ("Undo", "rp_1.2", "press:2"),
    ]
    assert "task claim" not in json.dumps(message.blocks)


def test_risky_button_asks_in_its_own_dialog() -> None:
    offered = Actions(items=(Action(label="Reclaim", command="lease reclaim L-3"),))

    (button,) = buttons(shown(offered))

    assert button["action_id"] == "sure:0"
    assert "lease reclaim L-3" in button["confirm"]["text"]["text"]


def test_proposal_is_asked_once() -> None:
    offered = Actions(
        items=(
            Action(label="Confirm", command="lease reclaim L-3", style="danger"),
            Action(label="Cancel", command="cancel 7f3k2a"),
        )
    )

    found = buttons(
        shown(offered, status=ReplyStatus.NEEDS_CONFIRMATION, data={"token": "7f3k2a"})
    )

    assert [each["action_id"] for each in found] == ["press:0", "press:1"]
    assert not any("confirm" in each for each in found)


def test_what_cannot_be_taken_back_opens_a_form_for_its_id() -> None:
    message = shown(
        status=ReplyStatus.NEEDS_CONFIRMATION,
        data={
            "token": "",
            "target": "W-1",
            "confirm": "webhook delete W-1 --confirm W-1",
        },
    )

    (button,) = buttons(message)
    assert (button["action_id"], button["value"]) == ("type:0", "rp_1.0")


def test_reply_without_an_id_has_no_buttons() -> None:
    offered = Actions(items=(Action(label="Claim", command="task claim T-1"),))

    assert buttons(shown(offered, id="")) == []


def test_buttons_that_do_not_fit_are_said_to_be_missing() -> None:
    many = [
        Action(
            label=f"Reclaim {number}", command=f"lease reclaim L-{number} " + "x" * 300
        )
        for number in range(60)
    ]

    message = shown(Actions(items=many))

    require_valid(message)
    assert 0 < len(buttons(message)) < 60
    assert "This is not all of it" in list(texts(message.blocks))[-1]


# ── who sees it ───────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("place", "command", "is_ephemeral"),
    [
        ({"channel": "C0OPS", "private": True}, "task claim T-1", True),
        ({"channel": "C0OPS", "private": False}, "task list", False),
        ({"channel": "D0ANN", "private": True}, "task list", False),
        ({"channel": "U0ANN", "private": True}, "task list", False),
        ({"channel": "C0OPS"}, "task list --status review", True),
        ({"channel": "C0OPS"}, "task claim T-1", False),
    ],
)
def test_looks_are_for_one_and_changes_for_all(
    place: dict[str, Any], command: str, is_ephemeral: bool
) -> None:
    reply = Reply(summary="Done", command=command)

    message = render(reply, place=place, profile=MODERN)

    assert message.is_ephemeral is is_ephemeral


def test_nothing_is_cut_silently() -> None:
    """R-09: what is too long for a message is linked."""
    message = shown(*[Text(md=f"{n} " + "word " * 400) for n in range(20)])

    assert f"This is not all of it: too long for Slack. <{URL}|Show all>" in list(
        texts(message.blocks)
    )


@pytest.mark.parametrize("profile", [MODERN, CLASSIC])
@pytest.mark.parametrize(
    "piece", ["[", "](", "[a](", "`", "**", "**a", "https://", "&", "<", "- ", "```\n"]
)
def test_hostile_text_is_read_once(piece: str, profile: Profile) -> None:
    """What would be searched again from each character is bounded and linear."""
    text = piece * 100_000

    message = shown(Text(md=text), Code(text=text), profile=profile)

    require_valid(message)
