"""Addresses of mail servers: what is private, what is refused, what is never shown."""

import pytest

from channels.email.servers import Tls, parse_imap, parse_smtp
from core.kernel.problems import InvalidArgument


def test_address_is_read_with_its_parts() -> None:
    server = parse_imap("imaps://ops%40example.org:p%3Aw@mail.example.org:1993/Ops/In")

    assert (server.host, server.port, server.tls) == (
        "mail.example.org",
        1993,
        Tls.DIRECT,
    )
    assert (server.user, server.password) == ("ops@example.org", "p:w")
    assert server.folder == "Ops/In"


def test_ports_and_folder_have_defaults() -> None:
    assert parse_imap("imaps://a:b@example.org").port == 993
    assert parse_imap("imaps://a:b@example.org").folder == "INBOX"
    assert parse_smtp("smtps://a:b@example.org").port == 465
    assert parse_smtp("smtp://a:b@example.org").port == 587


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "localhost.example.org"])
def test_plain_address_wants_starttls_off_loopback(host: str) -> None:
    assert parse_imap(f"imap://a:b@{host}").tls is Tls.STARTTLS
    assert parse_smtp(f"smtp://a:b@{host}").tls is Tls.STARTTLS


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_address_may_be_plain_on_loopback(host: str) -> None:
    assert parse_imap(f"imap://a:b@{host}").tls is Tls.NONE


def test_oauth_token_takes_the_place_of_the_password() -> None:
    server = parse_imap("imaps://ann%40example.org;AUTH=XOAUTH2:t0ken@example.org")

    assert (server.user, server.password, server.token) == (
        "ann@example.org",
        "",
        "t0ken",
    )


@pytest.mark.parametrize(
    "url", ["", "pop3://a:hunter2@x", "imaps://", "imaps://a:hunter2@x:port/"]
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        parse_imap(url)

    assert "hunter2" not in str(refusal.value)
    assert refusal.value.fix


def test_password_is_not_in_the_text_of_a_server() -> None:
    assert "hunter2" not in repr(parse_imap("imaps://a:hunter2@example.org"))
