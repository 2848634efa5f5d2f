"""R-11, R-12: what a machine wrote is recognised; what a person wrote is not."""

import pytest

from channels.email.loops import bounced_ids, find_machine

ANN = "ann@example.org"
OPS = "ops@example.org"

MARKS = [
    {"auto-submitted": "auto-replied"},
    {"auto-submitted": "auto-generated; owner-email=x"},
    {"precedence": "bulk"},
    {"precedence": "List"},
    {"precedence": "junk"},
    {"precedence": "auto_reply"},
    {"list-id": "<all.example.org>"},
    {"list-unsubscribe": "<https://example.org>"},
    {"return-path": "<>"},
    {"return-path": ""},
    {"x-auto-response-suppress": "All"},
    {"x-autoreply": "yes"},
    {"x-loop": "ann"},
    {"x-failed-recipients": "bob@example.org"},
    {"feedback-id": "campaign"},
    {"content-type": "multipart/report; report-type=delivery-status"},
]


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: str(*marks.items()))
def test_mail_with_a_mark_is_of_a_machine(marks: dict[str, str]) -> None:
    assert find_machine(marks, sender=ANN, own=OPS)


@pytest.mark.parametrize(
    "sender",
    [
        "MAILER-DAEMON@example.org",
        "postmaster@example.org",
        "noreply@example.org",
        "no-reply@example.org",
        "do-not-reply@example.org",
        "list-bounces@example.org",
        OPS,
        "ops+R-1@example.org",
        "OPS@example.org",
    ],
)
def test_mail_of_daemons_and_of_ourselves_is_of_a_machine(sender: str) -> None:
    assert find_machine({}, sender=sender, own=OPS)


@pytest.mark.parametrize(
    "marks",
    [
        {},
        {"auto-submitted": "no"},
        {"auto-submitted": "No; because"},
        {"precedence": "normal"},
        {"return-path": "<ann@example.org>"},
        {"content-type": "multipart/alternative; boundary=x"},
        {"x-auto-response-suppress": "None"},
    ],
    ids=str,
)
def test_mail_of_a_person_is_not(marks: dict[str, str]) -> None:
    assert find_machine(marks, sender=ANN, own=OPS) == ""


def test_report_names_the_mails_that_did_not_arrive() -> None:
    ours = f"<{'a' * 32}.opswire@example.org>"
    report = f"Action: failed\r\n\r\nMessage-ID: {ours}\r\nIn-Reply-To: {ours}\r\n"

    assert bounced_ids(report.encode()) == [ours]


def test_report_of_a_delay_buries_nothing() -> None:
    report = f"Action: delayed\r\n\r\nMessage-ID: <{'a' * 32}.opswire@example.org>\r\n"

    assert bounced_ids(report.encode()) == []


def test_report_about_mails_of_others_buries_nothing() -> None:
    assert bounced_ids(b"Action: failed\r\n\r\nMessage-ID: <x@example.org>\r\n") == []
