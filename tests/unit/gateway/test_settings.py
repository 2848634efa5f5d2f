"""Settings that are as good as none keep the gateway from starting, in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from core.kernel.problems import InvalidArgument
from gateway.settings import LimitSettings, OutboundSettings, Settings

STRONG = "b2f1c0de5a17e4d39c8b76a1f0e2d4c6"  # pragma: allowlist secret


def serve(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Try to serve; a gateway that starts anyway is stopped as a failure."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPSWIRE_", "DATABASE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--port", "0", "--data", folder],
        env={**clean, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_what_may_be_reached_inside_is_read_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R-65."""
    monkeypatch.setenv("OPSWIRE_OUTBOUND__ALLOW", "127.0.0.0/8,hooks.internal")

    assert Settings().outbound.allow == "127.0.0.0/8,hooks.internal"
    with pytest.raises(InvalidArgument, match="OPSWIRE_OUTBOUND__ALLOW"):
        OutboundSettings(allow="127.0.0.0/8,10.1/99")


@pytest.mark.parametrize(
    "text", [" ", "\t\n", "changeme", "change-me" * 4, STRONG[:31]]
)
def test_a_weak_bootstrap_key_is_refused_without_being_repeated(text: str) -> None:
    """R-05."""
    with pytest.raises(InvalidArgument) as refused:
        Settings(bootstrap_admin_key=SecretStr(text))

    said = f"{refused.value.detail} {refused.value.fix}"
    assert "OPSWIRE_BOOTSTRAP_ADMIN_KEY" in said
    assert not text.strip() or text not in said


def test_an_empty_bootstrap_key_is_unset() -> None:
    """R-05: no key at all opens nothing."""
    assert not Settings(bootstrap_admin_key=SecretStr("")).bootstrap_admin_key


def test_a_strong_bootstrap_key_is_kept_as_it_is() -> None:
    key = Settings(bootstrap_admin_key=SecretStr(STRONG)).bootstrap_admin_key

    assert key.get_secret_value() == STRONG


@pytest.mark.parametrize(
    "rate", ["", "often", "0/minute", "5/minute;9/day", "-1/second"]
)
@pytest.mark.parametrize("name", ["default", "login"])
def test_a_rate_that_is_none_is_refused_by_name(name: str, rate: str) -> None:
    """R-05."""
    with pytest.raises(InvalidArgument, match=f"OPSWIRE_LIMITS__{name.upper()}"):
        LimitSettings(**{name: rate})


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://ann:hunter2@db/ops", "://", "postgresql://ann:hunter2@db:x/"],
)
def test_a_database_that_is_none_of_ours_is_refused_without_its_password(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-05."""
    monkeypatch.setenv("DATABASE_URL", url)

    with pytest.raises(InvalidArgument, match="DATABASE_URL") as refused:
        Settings()

    assert "hunter2" not in f"{refused.value.detail} {refused.value.fix}"


@pytest.mark.parametrize("name", ["JOBS_AUTH", "OPSWIRE_JOBS_AUTH"])
def test_jobs_can_be_told_to_want_both_credentials(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M-AUTH-04."""
    assert Settings().jobs_auth == "either"
    monkeypatch.setenv(name, "both")

    assert Settings().jobs_auth == "both"


def test_jobs_auth_is_never_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-05."""
    monkeypatch.setenv("JOBS_AUTH", "none")

    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    ("settings", "code", "named"),
    [
        ({"OPSWIRE_BOOTSTRAP_ADMIN_KEY": " "}, 2, "OPSWIRE_BOOTSTRAP_ADMIN_KEY"),
        ({"OPSWIRE_BOOTSTRAP_ADMIN_KEY": "changeme"}, 2, "OPSWIRE_BOOTSTRAP_ADMIN_KEY"),
        ({"OPSWIRE_LIMITS__LOGIN": "often"}, 2, "OPSWIRE_LIMITS__LOGIN"),
        ({"OPSWIRE_BODY_LIMIT_BYTES": "many"}, 2, "OPSWIRE_BODY_LIMIT_BYTES"),
        ({"JOBS_AUTH": "none"}, 2, "OPSWIRE_JOBS_AUTH"),
        ({"DATABASE_URL": "mysql://ann:hunter2@db/ops"}, 2, "DATABASE_URL"),
        ({"DATABASE_URL": "sqlite:////proc/nowhere/ops.db"}, 1, "cannot start"),
    ],
)
def test_a_gateway_that_cannot_start_says_why_and_ends(
    tmp_path: Path, settings: dict[str, str], code: int, named: str
) -> None:
    """R-05: no traceback, and the exit code of wrong use."""
    done = serve(tmp_path, **settings)

    assert done.returncode == code, done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert not done.stdout
