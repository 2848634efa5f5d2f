"""What steps see nothing of, as the settings have it."""

from pathlib import Path

import pytest

from gateway.settings import SandboxSettings, Settings, WorkerSettings
from gateway.workers.executors.confines import hidden_of


def test_the_data_the_folder_of_runs_and_the_database_are_hidden(
    tmp_path: Path,
) -> None:
    """R-66: wherever each of them is."""
    settings = Settings(
        data=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path}/ops.db",
        workers=WorkerSettings(folder=str(tmp_path / "runs")),
        sandbox=SandboxSettings(hide=""),
    )

    hidden = hidden_of(settings)

    names = ["data", "ops.db", "ops.db-journal", "ops.db-shm", "ops.db-wal", "runs"]
    assert hidden == [str(tmp_path.resolve() / each) for each in names]


def test_the_environment_file_and_keys_at_home_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-66: without anything being set, and where a link leads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / ".env").symlink_to("production.env")

    hidden = hidden_of(Settings(_env_file=None))  # type: ignore[call-arg]

    own = tmp_path.resolve()
    assert {f"{own}/production.env", f"{own}/home/.ssh"} <= {*hidden}


def test_the_root_of_all_is_never_hidden() -> None:
    """Nothing could run."""
    settings = Settings(data=Path("/"), sandbox=SandboxSettings(hide="/,/etc/keys"))

    assert "/" not in hidden_of(settings)
    assert "/etc/keys" in hidden_of(settings)
