"""Signing in, and the session that stays behind."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply, an_error


@pytest.fixture
def person(ops: Console) -> Console:
    """Somebody without a key."""
    del ops.environ["OPSWIRE_API_KEY"]
    return ops


def some_tokens(number: int, *, expires_in: int = 900) -> dict[str, Any]:
    return {
        "access_token": f"access-{number}", "refresh_token": f"refresh-{number}",
        "expires_in": expires_in, "token_type": "Bearer",
    }  # fmt: skip


def session_file(ops: Console) -> Path:
    return Path(ops.environ["HOME"]) / ".config/opswire/session.json"


def bearer(stub: StubGateway) -> list[str | None]:
    return [each.headers.get("authorization") for each in stub.requests]


def test_link_becomes_a_session(person: Console, stub: StubGateway) -> None:
    stub.answer(some_tokens(1))
    stub.answer(a_reply("ann"))
    person.environ["OPSWIRE_URL"] = "http://127.0.0.1:1"

    assert person.run("login", f"{stub.url}/auth/link#once") == 0
    person.environ["OPSWIRE_URL"] = stub.url
    assert person.run("whoami") == 0

    assert stub.requests[0].path == "/auth/login"
    assert stub.requests[0].body == {"token": "once"}
    assert bearer(stub) == [None, "Bearer access-1"]
    assert stat.S_IMODE(session_file(person).stat().st_mode) == 0o600


def test_bare_token_is_for_the_usual_gateway(
    person: Console, stub: StubGateway
) -> None:
    stub.answer(some_tokens(1))

    assert person.run("login", "once") == 0
    assert stub.requests[0].body == {"token": "once"}


def test_password_comes_from_standard_input(person: Console, stub: StubGateway) -> None:
    stub.answer(some_tokens(1))

    assert person.run("login", "--user", "ann", piped="correct horse\n") == 0
    assert stub.requests[0].body == {"name": "ann", "password": "correct horse"}


def test_refused_sign_in_exits_4_and_keeps_nothing(
    person: Console, stub: StubGateway
) -> None:
    stub.answer(an_error(401, "unauthenticated"), 401)

    assert person.run("login", "used-up") == 4
    assert not session_file(person).exists()


def test_login_wants_a_link_or_a_user(person: Console) -> None:
    assert person.run("login") == 2
    assert person.run("login", "once", "--user", "ann") == 2


def test_expired_session_is_refreshed_before_use(
    person: Console, stub: StubGateway
) -> None:
    stub.answer(some_tokens(1, expires_in=0))
    stub.answer(some_tokens(2))
    stub.answer(a_reply())

    person.run("login", "once")
    assert person.run("whoami") == 0

    assert stub.requests[1].path == "/auth/refresh"
    assert stub.requests[1].body == {"refresh_token": "refresh-1"}
    assert bearer(stub)[2] == "Bearer access-2"


def test_refused_session_is_refreshed_once(person: Console, stub: StubGateway) -> None:
    stub.answer(some_tokens(1))
    stub.answer(an_error(401, "unauthenticated"), 401)
    stub.answer(some_tokens(2))
    stub.answer(an_error(401, "unauthenticated"), 401)

    person.run("login", "once")
    assert person.run("whoami") == 4

    paths = [each.path for each in stub.requests]
    assert paths == ["/auth/login", "/v1/commands", "/auth/refresh", "/v1/commands"]


def test_session_that_another_process_refreshed_is_taken_over(
    person: Console, stub: StubGateway
) -> None:
    """A refresh token works once; who comes second must not use it again."""
    stub.answer(some_tokens(1, expires_in=0))
    person.run("login", "once")
    saved = json.loads(session_file(person).read_text())
    stub.answers.clear()
    stub.answer(a_reply())
    session_file(person).write_text(
        json.dumps({**saved, "access_token": "access-9", "expires_at": 2**40})
    )

    assert person.run("whoami") == 0
    assert bearer(stub)[1:] == ["Bearer access-9"]


def test_session_is_for_its_own_gateway_only(
    person: Console, stub: StubGateway
) -> None:
    stub.answer(some_tokens(1))
    person.run("login", "once")
    stub.answers.clear()
    stub.answer(a_reply())
    person.environ["OPSWIRE_URL"] = stub.url.replace("127.0.0.1", "localhost")

    person.run("whoami")

    assert bearer(stub)[1] is None


def test_key_goes_before_the_session(person: Console, stub: StubGateway) -> None:
    stub.answer(some_tokens(1))
    person.run("login", "once")
    stub.answers.clear()
    stub.answer(a_reply())
    person.environ["OPSWIRE_API_KEY"] = "ops_live_ann"  # pragma: allowlist secret

    person.run("whoami")

    assert bearer(stub)[1] == "Bearer ops_live_ann"


def test_damaged_session_is_no_session(person: Console, stub: StubGateway) -> None:
    stub.answer(a_reply())
    session_file(person).parent.mkdir(parents=True)
    session_file(person).write_text("{")

    assert person.run("whoami") == 0
    assert bearer(stub) == [None]


def test_answer_without_tokens_is_reported(person: Console, stub: StubGateway) -> None:
    stub.answer({"ok": True})

    assert person.run("login", "once") == 4
    assert "gave no session" in person.err


def test_logout_ends_and_forgets_the_session(
    person: Console, stub: StubGateway
) -> None:
    stub.answer(some_tokens(1))
    stub.answer({"ok": True})
    person.run("login", "once")

    assert person.run("logout") == 0

    assert stub.requests[1].path == "/auth/logout"
    assert stub.requests[1].body == {"refresh_token": "refresh-1"}
    assert not session_file(person).exists()
    assert person.run("logout") == 0
    assert "not signed in" in person.err
