"""New text and quotes are told apart, whatever stands in either."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.quotes import REPLY_ABOVE, strip
from tests.unit.channels.email.letters import commands_in

FROM_BOB = "Bob <bob@example.org>"
HEADERS = (
    f"From: {FROM_BOB}\nSent: Wednesday, November 4, 2026 10:12\n"
    "To: Ann Lee\nSubject: please"
)

# How programs put a quote below what is new: each has a place for what is quoted.
WITHOUT_MARKS = {
    "outlook": f"\n\n{'_' * 32}\n{HEADERS}\n\n",
    "outlook without a rule": f"\n\n{HEADERS}\n\n",
    "original message": "\n\n-----Original Message-----\n\n",
    "german forward": "\n\n---------- Weitergeleitete Nachricht ---------\n\n",
    "yahoo": f"\n\n    On Wednesday, November 4, 2026 at 10:12, {FROM_BOB} wrote:\n\n",
    "french": f"\n\nLe mer. 4 nov. 2026 à 10:12, {FROM_BOB} a écrit :\n\n",
    "chinese": "\n\n------------------ 原始邮件 ------------------\n\n",
    "ours": f"\n\nDone\n{REPLY_ABOVE}\n",
    "signature": "\n\n-- \nAnn\n",
}
WITH_MARKS = {
    "gmail": f"\n\nOn Wed, 4 Nov 2026 at 10:12, {FROM_BOB} wrote:\n\n",
    "polish": f"\n\nśr., 4 lis 2026 o 10:12 {FROM_BOB} napisał(a):\n\n",
    "nothing": "\n\n",
}
QUOTED = st.lists(
    st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))
    | st.sampled_from(
        ["!task delete T-1", "/task delete T-1", "", "  !task delete T-1", "thanks"]
    ),
    max_size=8,
)


@pytest.mark.parametrize("style", WITHOUT_MARKS)
@settings(deadline=None, max_examples=60)
@given(quoted=QUOTED)
def test_quote_without_marks_never_runs(style: str, quoted: list[str]) -> None:
    """`R-12`."""
    old = "\n".join([*quoted, "!task delete T-1"])

    assert commands_in(f"!task list{WITHOUT_MARKS[style]}{old}") == ["!task list"]
    assert commands_in(f"Thank you all.{WITHOUT_MARKS[style]}{old}") == []


@pytest.mark.parametrize("style", WITH_MARKS)
@pytest.mark.parametrize("mark", [">", "> ", ">> ", " > ", "\u200b> ", "＞ "])
@settings(deadline=None, max_examples=30)
@given(quoted=QUOTED)
def test_quote_with_marks_never_runs(style: str, mark: str, quoted: list[str]) -> None:
    """`R-12`."""
    old = "\n".join(f"{mark}{line}" for line in [*quoted, "!task delete T-1"])

    assert commands_in(f"!task list{WITH_MARKS[style]}{old}") == ["!task list"]
    assert commands_in(f"Thank you all.{WITH_MARKS[style]}{old}") == []
    assert commands_in(f"{old}\n\n!task list\n") == ["!task list"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=30) | st.sampled_from(["> x", "--", "On 1:00 a@b:"])))
def test_no_line_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)

    stripped = strip(text)

    parts = (stripped.text, stripped.below, stripped.cut)
    found = [line for part in parts for line in part.split("\n")]
    assert sorted(
        line.strip() for line in found if line.strip(" \t\r\u200b\ufeff")
    ) == (
        sorted(
            line.strip() for line in text.split("\n") if line.strip(" \t\r\u200b\ufeff")
        )
    )


def test_line_that_was_broken_off_a_quote_is_quoted() -> None:
    long = "> this line of the quote was so long that it had to be broken by somebody,"

    assert strip(f"{long}\n!task delete T-1\n\nmine").text == "mine"
    assert strip("> short\nmine").text == "mine"


def test_text_that_is_like_a_quote_but_none_stays() -> None:
    text = (
        "From: the door\nI saw it.\n\nOn the other hand:\nit works.\n\n- one\n- two\n\n"
        "To: be done\n\nSent from my desk, as ever, and not in a hurry."
    )

    assert strip(text).text == text


@pytest.mark.parametrize(
    "ending",
    [
        "Best regards,\nAnn Lee\nHead of Operations",
        "Thanks, Ann",
        "Sent from my Galaxy",
        "-Ann",
        "-- \nAnn",
        "---\nAnn Lee\n!task delete T-1",
        "****\nAnn",
        "-- Ann Lee\n!task delete T-1",
        "CONFIDENTIALITY NOTICE: for the addressee alone",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Viele Grüße\nAnn\n\nVon meinem iPhone gesendet",
        "_______________________________________________\nops mailing list",
    ],
)
def test_endings_go(ending: str) -> None:
    assert strip(f"!task list\n\n{ending}").text == "!task list"


def test_head_of_a_mail_is_known_without_its_first_line() -> None:
    head = "Envoyé: mercredi\nÀ: Ann Lee\nObjet: 2 tasks in review"

    assert strip(f"Merci.\n\nXx; Bob\n{head}\n\n!task delete T-1").text == (
        "Merci.\n\nXx; Bob"
    )


def test_mail_that_is_only_thanks_stays() -> None:
    assert strip("Thanks!").text == "Thanks!"


def test_library_finds_what_our_own_rules_do_not_know() -> None:
    """mail-parser-reply takes two fields for the head of a mail, we ask for three."""
    short = "From: Bob Lee\nOrganization: Example\n\n!task delete T-1"

    assert strip(f"Mine.\n\n{short}").text == "Mine."


def test_library_sees_no_long_lines() -> None:
    """It takes minutes for one line of 100 KB."""
    text = "On " + "it wrote " * 12_000

    assert strip(f"{text}\nSee:\nthis").text == f"{text}\nSee:\nthis"
