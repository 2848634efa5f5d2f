"""R-12: only the word of our own mail server, or an aligned signature, proves a sender."""

import pytest

from channels.email.authentication import SenderCheck
from channels.email.signatures import KeyUnreachable
from tests.unit.channels.email_io.signing import dns_of, mail_from, sign

ANN = "ann@example.org"
MX = "mx.example.org"
PASS = f"Authentication-Results: {MX}; dmarc=pass header.from=example.org\r\n"


def checking(*domains: str, bits: int = 2048) -> SenderCheck:
    return SenderCheck(authserv_id=MX, look_up=dns_of(*domains, bits=bits))


# ── the server in front of us ─────────────────────────────────────────────────
@pytest.mark.parametrize(
    "results",
    [
        "dmarc=pass header.from=example.org",
        "dmarc=pass (p=REJECT) header.from=Example.org",
        "spf=fail smtp.mailfrom=x@elsewhere.example; dmarc=pass header.from=example.org",
        "dmarc=none header.from=example.org; dkim=pass header.d=example.org",
        "dkim=pass header.i=@example.org",
        "spf=pass smtp.mailfrom=bounce@example.org",
    ],
)
def test_word_of_our_server_proves_a_sender(results: str) -> None:
    head = f"Authentication-Results: {MX}; {results}\r\n"

    verdict = checking().check(mail_from(ANN, head=head))

    assert (verdict.address, verdict.is_proven, verdict.reason) == (ANN, True, "")


FORGED = {
    "nothing": "",
    "other_server": PASS.replace(MX, "mx.evil.example"),
    "server_below_ours": PASS.replace(MX, f"{MX}.evil.example"),
    "ours_is_not_on_top": f"Authentication-Results: mx.evil.example; none\r\n{PASS}",
    "ours_says_fail_on_top": PASS.replace("=pass", "=fail") + PASS,
    "fail": PASS.replace("=pass", "=fail"),
    "fail_beside_dkim": PASS.replace(
        "dmarc=pass", "dkim=pass header.d=example.org; dmarc=fail"
    ),
    "other_domain": PASS.replace("header.from=example.org", "header.from=evil.example"),
    "no_domain": PASS.replace(" header.from=example.org", ""),
    "domain_twice": PASS.replace(
        "header.from=example.org", "header.from=example.org header.from=evil.example"
    ),
    "unaligned_dkim": PASS.replace(
        "dmarc=pass header.from=example.org", "dkim=pass header.d=evil.example"
    ),
    "unaligned_spf": PASS.replace(
        "dmarc=pass header.from=example.org", "spf=pass smtp.mailfrom=a@evil.example"
    ),
    "suffix": PASS.replace(
        "dmarc=pass header.from=example.org", "dkim=pass header.d=org"
    ),
    "in_a_comment": f"Authentication-Results: {MX} (dmarc=pass); none\r\n",
    "junk": f"Authentication-Results: {MX}; dmarc=pass header.from=example.org;;(((\r\n",
    "deep": f"Authentication-Results: {'(' * 5000}\r\n",
    "long": f"Authentication-Results: {MX}; {'a' * 9000}\r\n",
    "folded_into_another": f"X-Note: x\r\n {PASS}",
}


@pytest.mark.parametrize("head", FORGED.values(), ids=FORGED.keys())
def test_forged_results_prove_nothing(head: str) -> None:
    verdict = checking().check(mail_from(ANN, head=head))

    assert not verdict.is_proven
    assert verdict.reason


def test_without_a_configured_server_no_result_counts() -> None:
    check = SenderCheck(authserv_id="", look_up=dns_of())

    assert not check.check(mail_from(ANN, head=PASS)).is_proven
    empty = "Authentication-Results: ; dmarc=pass header.from=example.org\r\n"
    assert not check.check(mail_from(ANN, head=empty)).is_proven


def test_our_server_is_believed_against_a_signature() -> None:
    raw = sign(mail_from(ANN), "example.org")
    denied = PASS.replace("=pass", "=fail").encode()

    verdict = checking("example.org").check(denied + raw)

    assert not verdict.is_proven


# ── signatures ────────────────────────────────────────────────────────────────
def test_aligned_signature_proves_a_sender() -> None:
    verdict = checking("example.org").check(sign(mail_from(ANN), "example.org"))

    assert verdict.is_proven


def test_signature_of_the_domain_above_proves_a_sender() -> None:
    raw = sign(mail_from("ann@team.example.org"), "example.org")

    assert checking("example.org").check(raw).is_proven


def test_signature_of_another_domain_proves_nothing() -> None:
    raw = sign(mail_from(ANN), "evil.example")

    assert not checking("evil.example").check(raw).is_proven


def test_signature_over_a_part_of_the_body_proves_nothing() -> None:
    raw = sign(mail_from(ANN), "example.org", has_length=True)

    assert not checking("example.org").check(raw).is_proven
    assert not checking("example.org").check(raw + b"!task cancel T-1\r\n").is_proven


@pytest.mark.parametrize("missing", [b"subject", b"date"])
def test_signature_that_leaves_a_header_open_proves_nothing(missing: bytes) -> None:
    include = tuple(
        name for name in (b"from", b"to", b"subject", b"date") if name != missing
    )
    raw = sign(mail_from(ANN), "example.org", include=include)

    assert not checking("example.org").check(raw).is_proven


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"!task list", b"!task cancel T-1"),
        (b"Subject: hello", b"Subject: !task cancel"),
        (b"From: ann@", b"From: bob@"),
    ],
)
def test_changed_mail_is_not_proven(old: bytes, new: bytes) -> None:
    raw = sign(mail_from(ANN), "example.org").replace(old, new)

    assert not checking("example.org").check(raw).is_proven


def test_header_added_above_a_signed_one_makes_it_nobodys() -> None:
    raw = b"Subject: !task cancel T-1\r\n" + sign(mail_from(ANN), "example.org")

    assert not checking("example.org").check(raw).is_proven


def test_weak_key_proves_nothing() -> None:
    raw = sign(mail_from(ANN), "example.org", bits=1024)
    weak = raw.replace(b"a=rsa-sha256", b"a=rsa-sha1")

    assert checking("example.org", bits=1024).check(raw).is_proven
    assert not checking("example.org", bits=1024).check(weak).is_proven


@pytest.mark.parametrize(
    "signature",
    [
        "junk",
        "v=1; a=rsa-sha256; d=example.org; s=s1; h=from:subject:date; bh=x; b=y",
        "v=1; a=rsa-sha256; d=example.org; d=evil.example; s=s1; h=from:subject:date",
        f"v=1; a=rsa-sha256; d=example.org; s={'x' * 300}; h=from; bh=eHg=; b=eHg=",
    ],
)
def test_broken_signature_proves_nothing(signature: str) -> None:
    raw = mail_from(ANN, head=f"DKIM-Signature: {signature}\r\n")

    assert not checking("example.org").check(raw).is_proven


def test_silent_name_server_is_asked_twice_and_told_of() -> None:
    asked: list[str] = []

    def look_up(name: str) -> bytes | None:
        asked.append(name)
        raise KeyUnreachable(name)

    check = SenderCheck(authserv_id=MX, look_up=look_up)

    verdict = check.check(sign(mail_from(ANN), "example.org"))

    assert not verdict.is_proven
    assert "could not be looked up" in verdict.reason
    assert len(asked) == 2


def test_headers_alone_bear_no_signature() -> None:
    raw = sign(mail_from(ANN), "example.org")

    assert not checking("example.org").check(raw, is_whole=False).is_proven


# ── labs ──────────────────────────────────────────────────────────────────────
def test_lab_believes_an_address_but_no_riddle() -> None:
    check = SenderCheck(authserv_id="", is_required=False, look_up=dns_of())

    assert check.check(mail_from(ANN)).is_proven
    assert not check.check(mail_from("a@x.example, b@x.example")).is_proven
