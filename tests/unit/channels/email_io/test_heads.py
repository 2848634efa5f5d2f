"""R-12, R-60: a mail that could be from two people is from nobody."""

import pytest

from channels.email.heads import Unclear, is_aligned, parse_head, sender_of

REST = b"Subject: x\r\nDate: Wed, 4 Nov 2026 09:00:00 +0000\r\n\r\nhello\r\n"


@pytest.mark.parametrize(
    "value",
    [
        "ann@example.org",
        "Ann <ann@example.org>",
        '"Lee, Ann" <Ann@Example.org>',
        "=?utf-8?q?Ann_M=C3=BCller?= <ann@example.org>",
        "<ann@example.org>",
        "ann@example.org <ann@example.org>",
        "Ann\r\n <ann@example.org>",
    ],
)
def test_one_sender_is_read(value: str) -> None:
    head = parse_head(f"From: {value}\r\n".encode() + REST)

    assert sender_of(head) == "ann@example.org"


SPOOFS = {
    "two_from": "From: ann@example.org\r\nFrom: eve@evil.example\r\n",
    "two_from_in_other_case": "From: ann@example.org\r\nFROM: eve@evil.example\r\n",
    "two_addresses": "From: ann@example.org, eve@evil.example\r\n",
    "two_in_angles": "From: <ann@example.org> <eve@evil.example>\r\n",
    "name_poses": 'From: "ann@example.org" <eve@evil.example>\r\n',
    "name_poses_encoded": "From: =?utf-8?q?ann=40example=2Eorg?= <eve@evil.example>\r\n",
    "name_poses_wide": "From: ann\uff20example.org <eve@evil.example>\r\n",
    "twin_letter": "From: \u0430nn@example.org\r\n",
    "twin_that_folds": "From: ann@example.or\u212a\r\n",
    "twin_domain": "From: ann@ex\u0430mple.org\r\n",
    "group": "From: people: ann@example.org;\r\n",
    "comment": "From: ann@example.org (eve@evil.example)\r\n",
    "none": "To: ops@example.org\r\n",
    "empty": "From: \r\n",
    "no_address": "From: Ann\r\n",
    "sender_elsewhere": "From: ann@example.org\r\nSender: eve@evil.example\r\n",
    "bare_cr": "From: eve@evil.example\rFrom: ann@example.org\r\n",
    "nul": "From: ann@example.org\0\r\n",
    "folded_start": " From: ann@example.org\r\n",
    "space_before_colon": "From : ann@example.org\r\n",
    "route": "From: <@evil.example:ann@example.org>\r\n",
    "two_subjects": "From: ann@example.org\r\nSubject: y\r\n",
}


@pytest.mark.parametrize("head", SPOOFS.values(), ids=SPOOFS.keys())
def test_spoof_names_nobody(head: str) -> None:
    with pytest.raises(Unclear):
        sender_of(parse_head(head.encode() + REST))


def test_sender_of_the_same_domain_is_no_spoof() -> None:
    head = b"From: ann@example.org\r\nSender: list@example.org\r\n"

    assert sender_of(parse_head(head + REST)) == "ann@example.org"


@pytest.mark.parametrize(
    ("domain", "of", "expected"),
    [
        ("example.org", "example.org", True),
        ("example.org", "mail.example.org", True),
        ("Example.org.", "example.org", True),
        ("mail.example.org", "example.org", False),
        ("ample.org", "example.org", False),
        ("org", "example.org", False),
        ("", "example.org", False),
        ("evil.example", "example.org", False),
    ],
)
def test_domain_speaks_for_itself_and_what_is_below(
    domain: str, of: str, expected: bool
) -> None:
    assert is_aligned(domain, of=of) is expected
