"""What is shown is safe to show (`R-68`)."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.kernel.reply import (
    Action,
    Actions,
    Code,
    ErrorBlock,
    ErrorInfo,
    Fields,
    Link,
    Progress,
    Reply,
    Table,
    Text,
    Undo,
)
from core.kernel.sanitise import sanitise, sanitise_line, sanitise_reply

DIRECTIONS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NASTY = st.sampled_from(
    [
        "\x1b",
        "\x1b[",
        "\x1b]0;",
        "\x07",
        "\x1b\\",
        "\x9b",
        "\x9d",
        "\x9c",
        "31m",
        "\0",
        "\r",
        "\n",
        "\t",
        "\x7f",
        "\u200b",
        "\u200c",
        "\u200d",
        "\ufeff",
        "é",
        "a",
        "\\",
        "\\u001b",
        "👩",
        "\u2028",
        "\ud800",
        "\U000e0041",
        *DIRECTIONS,
    ]
)
TEXTS = st.lists(NASTY | st.text(max_size=4), max_size=12).map("".join)


def is_safe(char: str) -> bool:
    """Tell whether a character is text, by Unicode's own categories."""
    is_control = unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"
    return (
        not is_control and char not in DIRECTIONS and char not in "\u200b\ufeff\u2028"
    )


@pytest.mark.parametrize(
    ("attack", "left"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b]52;c;cm0gLXJm\x07copied", "copied"),
        ("\x1b]8;;http://example.org\x1b\\label\x1b]8;;\x1b\\", "label"),
        ("\x1b]0;never closed\nnext line", "\nnext line"),
        ("\x1bP+q544e\x1b\\dcs", "dcs"),
        ("\x1b_apc\x1b\\kept", "kept"),
        ("\x1b^pm\x1b\\kept", "kept"),
        ("\x1bXsos\x1b\\kept", "kept"),
        ("\x1bcreset", "reset"),
        ("\x1b(0charset", "charset"),
        ("\x1b[31", ""),
        ("end\x1b", "end"),
        ("\x9b31mc1 csi", "c1 csi"),
        ("\x9d0;c1 osc\x9ckept", "kept"),
        ("over\rwritten", "overwritten"),
        ("back\b\b\bspace\x7f", "backspace"),
        ("bell\x07 nul\0", "bell nul"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("a\u2066b\u2069c", "abc"),
        ("pay\u200bpal", "paypal"),
        ("pay\u200dpal", "paypal"),
        ("hidden\U000e0069\U000e0067", "hidden"),
    ],
)
def test_escape_is_removed_whole(attack: str, left: str) -> None:
    """`R-68`: no sequence survives, not even its printable rest."""
    assert sanitise(attack) == left


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "two\nlines\tand a tab",
        "Grüße, 你好, שלום",
        "👩\u200d💻 codes",
        "می\u200cخواهم",
        "C:\\run\\bin",
        "",
    ],
)
def test_text_stays_as_it_is(text: str) -> None:
    assert sanitise(text) == text


@settings(deadline=None, max_examples=400)
@given(TEXTS)
def test_nothing_unsafe_survives_and_twice_is_once(text: str) -> None:
    """`R-68`."""
    once = sanitise(text)

    assert all(is_safe(char) for char in once)
    assert not re.search("\x1b|[\x80-\x9f]", once)
    assert sanitise(once) == once


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_quick_look_at_a_reply_misses_nothing(text: str) -> None:
    reply = sanitise_reply(Reply(summary=text, blocks=(Text(md=text),)))

    assert reply.blocks == (Text(md=sanitise(text)),)
    assert "\n" not in reply.summary
    assert len(reply.summary) <= 150
    assert all(is_safe(char) for char in reply.summary)


def test_clean_reply_is_returned_itself() -> None:
    reply = Reply(
        summary="2 tasks in review",
        blocks=(
            Table(columns=("id",), rows=(("T-12",),)),
            Text(md="two\nlines, Grüße"),
        ),
        data={"items": [{"id": "T-12", "title": "raw \x1b[31m stays"}]},
    )

    assert sanitise_reply(reply) is reply


def test_every_block_is_sanitised_and_data_is_not() -> None:
    bad, good = "a\x1b[31mb", "ab"
    reply = Reply(
        summary=bad,
        blocks=(
            Text(md=bad),
            Fields(pairs=((bad, bad),)),
            Code(text=bad, lang=bad),
            Table(columns=(bad,), rows=((bad,),), total=1),
            Progress(done=1, total=2, steps=(bad,)),
            Link(label=bad, url=bad),
            ErrorBlock(title=bad, detail=bad, fix=(bad,)),
            Actions(items=(Action(label=bad, command=bad),)),
        ),
        data={"title": bad},
        undo=Undo(command=bad, until="2026-11-04T09:10:00Z"),
        error=ErrorInfo(
            type="t",
            code="c",
            title=bad,
            detail=bad,
            status=409,
            fix=(bad,),
            extra={"was": bad},
        ),
        command=bad,
    )

    cleaned = sanitise_reply(reply)

    assert cleaned.summary == good
    assert cleaned.blocks == (
        Text(md=good),
        Fields(pairs=((good, good),)),
        Code(text=good, lang=good),
        Table(columns=(good,), rows=((good,),), total=1),
        Progress(done=1, total=2, steps=(good,)),
        Link(label=good, url=good),
        ErrorBlock(title=good, detail=good, fix=(good,)),
        Actions(items=(Action(label=good, command=good),)),
    )
    assert cleaned.data == {"title": bad}
    assert cleaned.undo == Undo(command=good, until="2026-11-04T09:10:00Z")
    assert cleaned.error is not None
    assert (cleaned.error.detail, cleaned.error.extra) == (good, {"was": bad})
    assert cleaned.command == good


def test_summary_becomes_one_line_of_150_characters() -> None:
    reply = sanitise_reply(Reply(summary="first\nsecond " + "x" * 200))

    assert reply.summary.startswith("first second xxx")
    assert len(reply.summary) == 150
    assert reply.summary.endswith("…")


def test_line_keeps_what_fits() -> None:
    assert sanitise_line("a\tb\r\nc", limit=10) == "a b c"
