"""`scripts/install.sh` installs what is missing, once, and says what it lacks."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "install.sh"
TOOLS = ("cat", "cksum", "cp", "cut", "dirname", "grep", "mkdir", "rm", "sh")

PYTHON = """#!/bin/sh
# Answers as a Python would, and writes down what pip is asked for.
case "$*" in
*ensurepip*) exit ${NO_ENSUREPIP:-0} ;;
"-m venv --clear .venv")
    rm -rf .venv
    mkdir -p .venv/bin
    cp "$0" .venv/bin/python
    echo "VIRTUAL_ENV=$PWD/.venv" >.venv/bin/activate
    echo venv >>log ;;
*"pip install"*" -e .") cp "$0" .venv/bin/ops ;;
*"pip install"*"-r "*) echo "${*##* }" >>log ;;
--version) echo Python 3.12.0 ;;
esac
"""


class Checkout:
    """A checkout with the script, the locks and a PATH of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "bin"
        self.env: dict[str, str] = {}
        self.bin.mkdir()
        for tool in TOOLS:
            self.bin.joinpath(tool).symlink_to(shutil.which(tool) or tool)
        (root / "scripts").mkdir()
        shutil.copy(SCRIPT, root / "scripts")
        for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
            (root / name).write_text(f"# {name}\n")

    def add_tool(self, name: str, text: str) -> None:
        """Put a program on the PATH."""
        tool = self.bin / name
        tool.write_text(text)
        tool.chmod(0o755)

    def install(self, kind: str) -> subprocess.CompletedProcess[str]:
        """Run the script with nothing but our own tools."""
        return subprocess.run(
            ["sh", "scripts/install.sh", kind],
            cwd=self.root,
            env={"PATH": os.fspath(self.bin), **self.env},
            check=False,
            capture_output=True,
            text=True,
        )

    def take_log(self) -> list[str]:
        """Return what was installed since the last call."""
        log = self.root / "log"
        lines = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout on a machine with a good Python."""
    found = Checkout(tmp_path)
    found.add_tool("python3", PYTHON)
    return found


def test_first_call_makes_the_environment_and_the_next_does_nothing(
    checkout: Checkout,
) -> None:
    assert checkout.install("runtime").returncode == 0
    assert checkout.take_log() == ["venv", "requirements.lock"]

    again = checkout.install("runtime")

    assert (again.returncode, again.stdout) == (0, "")
    assert checkout.take_log() == []


def test_runtime_install_keeps_the_dev_tools(checkout: Checkout) -> None:
    checkout.install("runtime")
    checkout.install("dev")
    assert checkout.take_log() == ["venv", "requirements.lock", "requirements-dev.lock"]

    checkout.install("runtime")

    assert checkout.take_log() == []


def test_changed_lock_is_installed_into_the_same_environment(
    checkout: Checkout,
) -> None:
    checkout.install("dev")
    checkout.take_log()

    (checkout.root / "requirements-dev.lock").write_text("# newer\n")
    checkout.install("runtime")

    assert checkout.take_log() == ["requirements-dev.lock"]


def test_moved_checkout_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.install("dev")
    checkout.take_log()

    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    checkout.bin = checkout.root / "bin"
    checkout.install("dev")

    assert checkout.take_log() == ["venv", "requirements-dev.lock"]


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed")
def test_two_installations_at_once_make_one_environment(checkout: Checkout) -> None:
    checkout.bin.joinpath("flock").symlink_to(shutil.which("flock") or "flock")

    with ThreadPoolExecutor() as pool:
        done = list(pool.map(checkout.install, ["dev", "runtime", "dev"]))

    assert [each.returncode for each in done] == [0, 0, 0], done
    assert checkout.take_log().count("venv") == 1


def test_missing_python_is_named(checkout: Checkout) -> None:
    checkout.add_tool("python3", "#!/bin/sh\nexit 1\n")

    done = checkout.install("runtime")

    assert done.returncode == 1
    assert "Python 3.11 or newer" in done.stderr


def test_newer_python_beside_an_old_one_is_found(checkout: Checkout) -> None:
    checkout.add_tool("python3", "#!/bin/sh\nexit 1\n")
    checkout.add_tool("python3.12", PYTHON)

    assert checkout.install("runtime").returncode == 0


def test_missing_venv_package_is_named(checkout: Checkout) -> None:
    checkout.env["NO_ENSUREPIP"] = "1"

    done = checkout.install("runtime")

    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr


def test_missing_node_is_named_once_there_is_a_console(checkout: Checkout) -> None:
    (checkout.root / "console").mkdir()
    (checkout.root / "console" / "package.json").write_text("{}")

    done = checkout.install("runtime")

    assert done.returncode == 1
    assert "Node 20.19" in done.stderr
