"""`ops collab` while a gateway runs over the same folder."""

import hashlib
import io
import json

import pytest

from gateway.cli.app import main
from gateway.cli.terminal import Terminal
from tests.integration.mirror.process import GatewayProcess


def collab(process: GatewayProcess, verb: str, *words: str) -> tuple[int, str]:
    """Run `ops collab` on the gateway's folder; return its code and its output."""
    out = io.StringIO()
    terminal = Terminal(source=io.StringIO(), out=out, err=io.StringIO(), environ={})
    code = main(["collab", verb, "--data", str(process.data), *words], terminal)
    return code, out.getvalue()


def edit_title(process: GatewayProcess, title: str) -> str:
    """Change the first task's title in the file; return the file's path."""
    path = process.folder / "state/tasks.json"
    document = json.loads(path.read_bytes())
    document["tasks"][0]["title"] = title
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


@pytest.fixture
def busy(process: GatewayProcess) -> GatewayProcess:
    """A gateway with one task, whose files show it."""
    with process.client() as client:
        made = client.post("/collab/tasks", json={"title": "Fix login"})
    assert made.status_code == 201
    assert collab(process, "verify")[0] == 0
    return process


def test_log_file_is_the_log_of_the_api(busy: GatewayProcess) -> None:
    with busy.client() as client:
        answer = client.get("/collab/state/log")

    body = (busy.folder / "logs/log.md").read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    assert answer.headers["etag"].strip('"').endswith(f"-{digest}")
    assert answer.json()["text"].encode() == body


def test_edit_is_imported_and_the_files_go_on(busy: GatewayProcess) -> None:
    file = edit_title(busy, "Fix the login")

    assert collab(busy, "import", file, "--apply")[0] == 0

    with busy.client() as client:
        assert client.get("/collab/tasks/T-1").json()["title"] == "Fix the login"
    code, out = collab(busy, "verify")
    assert code == 0, out


def test_forced_export_drops_an_edit(busy: GatewayProcess) -> None:
    edit_title(busy, "Mine")

    assert collab(busy, "export", "--force")[0] == 0

    code, out = collab(busy, "verify")
    assert code == 0, out
    (aside,) = (busy.folder / "edited").iterdir()
    assert "Mine" in aside.read_text(encoding="utf-8")
