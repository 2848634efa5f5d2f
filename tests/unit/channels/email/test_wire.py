"""A stored mail becomes envelopes, one problem, or silence."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.base import Inbound
from channels.email.wire import EmailWire, NoteCommand
from core.kernel.jsons import Json
from core.kernel.principal import Assurance
from tests.unit.channels.email.letters import (
    ADDRESS,
    NOW,
    a_mail,
    a_multipart,
    lines_of,
    parsed,
    stored,
)

NOTES = (NoteCommand(prefix="T", command="task.note", of="task", text="text"),)


def noted(raw: bytes) -> Inbound:
    """Read a mail where prose becomes a note."""
    return EmailWire(NOTES).parse(stored(raw), account=ADDRESS, received_at=NOW)


def subject(text: str, body: str = "", *, is_answer: bool = False) -> list[str]:
    """List the lines that would run of a mail with this subject."""
    answered = "<first@example.org>" if is_answer else ""
    return lines_of(parsed(a_mail(body, subject=text, in_reply_to=answered)))


def code_of(inbound: Inbound) -> str:
    return inbound.problem.code if inbound.problem else ""


def test_envelope_says_who_wrote_where_and_how_sure_that_is() -> None:
    inbound = parsed(a_mail("!task list\n!whoami", to="ops+T-12@example.org"))

    first, second = inbound.envelopes
    assert (first.channel, first.account, first.sender) == (
        "email",
        ADDRESS,
        "ann@example.org",
    )
    assert first.conversation == "<m1@example.org>"
    assert first.this == "T-12"
    assert first.assurance is Assurance.SENDER
    assert first.received_at == NOW
    assert first.external_id != second.external_id
    assert second.text == "!whoami"


def test_answer_goes_to_the_sender_in_the_thread() -> None:
    raw = a_mail("!whoami", subject="Re: [T-1] x", references="<a@b> <c@d>")

    assert parsed(raw).reply_to == {
        "to": "ann@example.org",
        "thread": "<m1@example.org>",
        "in_reply_to": "<m1@example.org>",
        "references": ["<a@b>", "<c@d>"],
        "subject": "Re: [T-1] x",
        "this": "T-1",
    }


@pytest.mark.parametrize("stored_as", [0, 2, 3])
def test_assurance_is_the_adapters(stored_as: int) -> None:
    found = parsed(a_mail("!whoami"), assurance=stored_as)

    assert found.envelopes[0].assurance is Assurance(stored_as)


@pytest.mark.parametrize("stored_as", [None, 9, -1, "3", 2.5, [3]])
def test_assurance_that_is_none_counts_as_none(stored_as: Json) -> None:
    found = parsed(a_mail("!whoami"), assurance=stored_as)

    assert found.envelopes[0].assurance is Assurance.UNVERIFIED


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[ops] task list", "!task list"),
        ("[OPS] !task list --status review", "!task list --status review"),
        ("Re: [ops] task list", "!task list"),
        ("Re: [R-17] cancel", "!cancel R-17"),
        ("AW: SV: [t-12] approve --reason fine", "!approve T-12 --reason fine"),
        ("[T-12] !move done", "!move T-12 done"),
    ],
)
def test_subject_may_be_a_command(text: str, line: str) -> None:
    assert subject(text) == [line]


@pytest.mark.parametrize(
    "text",
    [
        "task list",
        "[ops]",
        "[T-12] Login is broken",
        "Re: [T-12] 2 tasks in review",
        "Re: [T-12] T-12 approved by ann",
        "Fwd: [ops] task list",
        "Fwd: [T-12] approve",
        "about [ops] task list",
        "[listname] [ops] task list",
    ],
)
def test_other_subjects_are_none(text: str) -> None:
    assert subject(text) == []


def test_subject_of_an_answer_is_an_old_one() -> None:
    """Whoever answers a mail to us keeps its subject, and does not mean it again."""
    assert subject("Re: [ops] task list", is_answer=True) == []
    assert subject("Re: [T-1] approve", "No, wait!", is_answer=True) == []
    assert subject("Re: [R-17] cancel", "\n> quoted", is_answer=True) == [
        "!cancel R-17"
    ]


def test_subject_comes_before_the_text() -> None:
    assert subject("[ops] whoami", "!task list") == ["!whoami", "!task list"]
    assert subject("[T-1] !approve", "!task list") == ["!approve T-1", "!task list"]


def test_word_behind_an_id_is_prose_where_the_text_has_commands() -> None:
    assert subject("[T-100] note", '!note this "hey"') == ['!note this "hey"']


@pytest.mark.parametrize(
    ("recipient", "about", "this"),
    [
        ("ops+T-12@example.org", "hello", "T-12"),
        ("ops+t-12@example.org", "Re: [T-9] hello", "T-12"),
        ("ops@example.org", "Re: [T-9] hello", "T-9"),
        ("ops+T-12@example.com", "hello", ""),
        ("dev+T-12@example.org", "hello", ""),
        ("ops+r0123456789@example.org", "hello", ""),
    ],
)
def test_this_is_in_the_address_or_the_subject(
    recipient: str, about: str, this: str
) -> None:
    raw = a_mail("!whoami", to=recipient, subject=about)

    assert parsed(raw).envelopes[0].this == this


def test_body_in_json_is_a_command() -> None:
    inbound = parsed(
        a_mail('\n {"command": "task.create", "args": {"title": "a\\nb"}}\n')
    )

    [envelope] = inbound.envelopes
    assert (envelope.command, dict(envelope.args)) == ("task.create", {"title": "a\nb"})
    assert envelope.text == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"command": "task.create", "args": {"title": "x}}', "invalid_json"),
        ('{"command": "task.create", "args": []}', "invalid_argument"),
        ('{"command": "", "args": {}}', "invalid_argument"),
        ('{"command": "whoami", "id": 7}', "invalid_argument"),
        ('{"title": "x"}', "empty"),
        ('{"command": "whoami", "blocks": []}', "invalid_json"),
    ],
)
def test_other_json_is_refused(body: str, code: str) -> None:
    assert code_of(parsed(a_mail(body))) == code


@pytest.mark.parametrize("body", ["", "Hello Ops!", "> !task list", "-- \n!task list"])
def test_mail_without_a_command_is_told_how_to_write_one(body: str) -> None:
    inbound = parsed(a_mail(body))

    assert code_of(inbound) == "empty"
    assert inbound.reply_to
    assert [each.text for each in inbound.envelopes] == [""]


def test_ten_commands_are_the_most() -> None:
    assert len(lines_of(parsed(a_mail("!whoami\n" * 10)))) == 10
    assert code_of(parsed(a_mail("!whoami\n" * 11))) == "invalid_argument"


def test_guard_lets_pass_what_says_the_same() -> None:
    body = "!only lane=B\n!task create x --lane B\n!task create y lane=b\n"

    assert lines_of(parsed(a_mail(body))) == [
        "!task create x --lane B",
        "!task create y lane=b",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "!task create x --lane A",
        "!task create x",
        "!task create x --lane B --lane A",
        '!task create "--lane B"',
        '!task create x {"lane": "B"}',
        "!task list",
    ],
)
def test_guard_refuses_the_whole_mail(line: str) -> None:
    inbound = parsed(a_mail(f"!whoami\n!only lane=B\n{line}"))

    assert code_of(inbound) == "invalid_argument"
    assert inbound.problem
    assert "nothing was run" in inbound.problem.detail


def test_guard_says_nothing_of_what_might_be_a_secret() -> None:
    inbound = parsed(a_mail("!only lane=B\n!connection create key=hush-hush"))

    assert inbound.problem
    assert "hush" not in inbound.problem.detail


@pytest.mark.parametrize("body", ["!only\n!whoami", "!only x\n!whoami", "!only lane=B"])
def test_guard_that_guards_nothing_is_refused(body: str) -> None:
    assert parsed(a_mail(body)).problem


def test_prose_beside_a_command_becomes_a_note() -> None:
    raw = a_mail(
        "!task approve T-1\n\nHi all,\nWell done.\n\nAnn Lee", subject="Re: [T-1] x"
    )

    command, note = noted(raw).envelopes
    assert command.text == "!task approve T-1"
    assert (note.command, note.args) == (
        "task.note",
        {"task": "T-1", "text": "Well done."},
    )


@pytest.mark.parametrize(
    ("body", "about"),
    [
        ("Well done.", "Re: [T-1] x"),
        ("!whoami\n\nWell done.", "hello"),
        ("!whoami\n\nWell done.", "Re: [R-1] x"),
        ("!whoami\n\nHello!\n\n> old", "Re: [T-1] x"),
        ("!whoami\n\nAnn", "Re: [T-1] x"),
    ],
)
def test_there_is_no_note_without_command_object_or_prose(
    body: str, about: str
) -> None:
    assert all(
        not each.command for each in noted(a_mail(body, subject=about)).envelopes
    )


def test_sender_who_is_not_proven_is_refused_and_not_answered() -> None:
    """`R-12`: an answer to a forged sender would go to somebody who wrote nothing."""
    inbound = parsed(a_mail("!whoami"), refusal="the signature does not hold")

    assert code_of(inbound) == "unauthenticated"
    assert inbound.problem
    assert inbound.problem.detail == "the signature does not hold"
    assert inbound.reply_to == {}


def test_place_that_the_adapter_gave_is_the_place() -> None:
    inbound = parsed(
        a_mail("!whoami"), refusal="no", reply_to={"to": "bob@example.org"}
    )

    assert inbound.reply_to == {"to": "bob@example.org"}


def test_mail_of_a_machine_is_skipped() -> None:
    """`R-11`."""
    inbound = parsed(a_mail("!whoami"), silence="it was sent automatically")

    assert inbound.skipped == "it was sent automatically"
    assert inbound.reply_to == {}
    assert lines_of(inbound) == [""]


def test_mail_that_could_not_be_read_is_told_why() -> None:
    nested = a_multipart(*(["Content-Type: text/plain\r\n\r\n!whoami"] * 200))

    inbound = parsed(nested)

    assert code_of(inbound) == "bad_request"
    assert inbound.problem
    assert inbound.problem.detail == "the mail was not read: it has more than 100 parts"


def test_attachments_are_facts() -> None:
    raw = a_multipart(
        "Content-Type: text/plain\r\n\r\n!whoami",
        'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\nx,y',
    )

    [attachment] = parsed(raw).envelopes[0].attachments
    assert (attachment.name, attachment.media_type, attachment.size_bytes) == (
        "a.csv",
        "text/csv",
        3,
    )
    assert len(attachment.sha256) == 64


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = st.sampled_from(
    [
        "from", "subject", "text", "below", "body_json", "attachments", "tag", "thread",
        "references", "reply_to", "refusal", "silence", "fault", "assurance", "is_whole",
    ]
)  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSONS))
def test_no_payload_is_a_fault(payload: Mapping[str, Json]) -> None:
    inbound = EmailWire(NOTES).parse(payload, account=ADDRESS, received_at=NOW)

    assert inbound.envelopes
