"""The image, the composition and the unit say what the documentation promises."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.services import missing

ROOT = Path(__file__).parents[2]
SERVICES = {"postgres", "redis", "migrate", "gateway", "worker", "flower"}
SECRETS = {
    "POSTGRES_PASSWORD", "REDIS_PASSWORD", "OPSWIRE_BOOTSTRAP_ADMIN_KEY",
    "FLOWER_BASIC_AUTH",
}  # fmt: skip
ENVIRONMENT = {
    **dict.fromkeys(SECRETS, "x" * 40),
    "PATH": "/usr/bin:/bin:/usr/local/bin",
}


@pytest.fixture(scope="module")
def composition() -> dict[str, Any]:
    """The composition as it is written."""
    found: dict[str, Any] = yaml.safe_load(read("docker-compose.yml"))
    return found


def test_every_service_is_there_and_watched(composition: dict[str, Any]) -> None:
    services = composition["services"]

    assert set(services) == SERVICES
    assert all("healthcheck" in each for each in services.values())


def test_no_service_has_a_password_by_default(composition: dict[str, Any]) -> None:
    """R-05: what is secret has to be given, or nothing starts."""
    text = read("docker-compose.yml")

    asked = set(re.findall(r"\$\{(\w+):\?", text))
    assert asked == SECRETS
    assert not re.findall(rf"\$\{{(?:{'|'.join(SECRETS)})(?::-|-|\}})", text)


def test_nothing_listens_beyond_this_host(composition: dict[str, Any]) -> None:
    ports = [
        port
        for each in composition["services"].values()
        for port in each.get("ports", ())
    ]

    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_ours_run_without_rights(composition: dict[str, Any]) -> None:
    ours = [composition["services"][name] for name in ("gateway", "worker", "flower")]

    assert all(each["cap_drop"] == ["ALL"] and each["read_only"] for each in ours)
    assert all("no-new-privileges:true" in each["security_opt"] for each in ours)


def test_the_composition_is_valid() -> None:
    done = subprocess.run(
        [*compose(), "-f", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
        check=False, env=ENVIRONMENT, capture_output=True, text=True,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr


def test_the_image_is_locked_and_runs_as_nobody_special() -> None:
    """R-74: installed by hash, without index of its own; the user is no root."""
    text = read("Dockerfile")

    assert "--require-hashes -r requirements.lock" in text
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert text.index("USER 10001") < text.index("ENTRYPOINT")


def test_the_image_gets_all_of_the_product_and_nothing_else() -> None:
    named = {
        line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")
    }

    assert {"core", "commands", "channels", "gateway", "requirements.lock"} <= named
    assert not named & {".env", "var", "tests", ".git"}
    assert all((ROOT / name).exists() for name in named)


def test_the_unit_is_hardened_and_holds_no_secret() -> None:
    unit = configparser.RawConfigParser(strict=False, allow_no_value=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(read("deploy/systemd/opswire-worker.service"))
    service = unit["Service"]

    assert service["ExecStart"] == "/opt/opswire/bin/ops worker"
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert int(service["TimeoutStopSec"]) > 30
    assert service["EnvironmentFile"] == "/etc/opswire/worker.env"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def compose() -> list[str]:
    """Find docker's plugin, or the program that was there before it."""
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) is None:
            continue
        asked = [*program, "version"]
        if subprocess.run(asked, check=False, capture_output=True).returncode == 0:
            return program
    return missing("docker compose")
