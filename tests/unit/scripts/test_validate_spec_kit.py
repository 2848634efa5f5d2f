"""The script checks kits as the template does, and says so by its exit code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.workers.spec_kit.files import write_kit
from gateway.workers.spec_kit.generation import generate
from scripts import validate_spec_kit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A good kit."""
    folder = tmp_path / "pay"
    write_kit(folder, generate("Pay", "Take card payments."))
    return folder


def test_our_own_kit_is_valid() -> None:
    """M-SPK-03, M-SPK-04."""
    assert (
        validate_spec_kit.main([str(ROOT / "spec" / "ops-control-room"), "--strict"])
        == 0
    )


def test_it_needs_nothing_but_python() -> None:
    """M-SPK-03: the check in CI installs nothing."""
    done = subprocess.run(
        [sys.executable, "-S", ROOT / "scripts" / "validate_spec_kit.py"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_faulty_kit_fails(kit: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (kit / "prd.md").unlink()

    assert validate_spec_kit.main([str(kit)]) == 1

    told = capsys.readouterr().out
    assert f"{kit}/prd.md: error: it is missing" in told
    assert f"{kit}: not valid" in told


def test_the_kits_below_the_present_folder_are_checked(
    kit: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose repository the script stands in does not matter."""
    spec = kit.parent / "spec"
    spec.mkdir()
    kit.rename(spec / "pay")
    monkeypatch.chdir(spec.parent)

    assert validate_spec_kit.main([]) == 0
    assert capsys.readouterr().out.startswith("spec/pay: valid, 1 requirements")
    (spec / "pay" / "prd.md").unlink()
    assert validate_spec_kit.main([]) == 1


def test_a_folder_without_kits_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert validate_spec_kit.main([]) == 2
    assert "below spec/" in capsys.readouterr().err


def test_warnings_fail_when_asked_to(kit: Path) -> None:
    plan = kit / "plan.md"
    plan.write_text(plan.read_text().replace("REQ-1", "the first"))

    assert validate_spec_kit.main([str(kit)]) == 0
    assert validate_spec_kit.main([str(kit), "--strict"]) == 1


def test_a_report_is_printed_as_json(
    kit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert validate_spec_kit.main([str(kit), "--json"]) == 0

    (report,) = json.loads(capsys.readouterr().out)
    assert report["name"] == "pay"
    assert (report["is_valid"], report["requirements"]) == (True, 1)


def test_a_summary_is_written(kit: Path, tmp_path: Path) -> None:
    """M-SPK-03: what is told below a pull request."""
    summary = tmp_path / "report.md"

    validate_spec_kit.main([str(kit), "--summary", str(summary)])

    assert "## Spec kit pay is complete" in summary.read_text()


def test_nothing_to_check_is_no_success(tmp_path: Path) -> None:
    assert validate_spec_kit.main([str(tmp_path / "gone")]) == 2


def test_the_workflow_asks_for_little_and_pins_what_it_uses() -> None:
    """M-SPK-03."""
    path = ROOT / ".github" / "workflows" / "spec-kit-enforce.yml"
    text = path.read_text(encoding="utf-8")

    uses = [line.split("uses: ")[1] for line in text.splitlines() if "uses: " in line]
    assert all(len(each.split("@")[1].split(" ")[0]) == 40 for each in uses)
    assert "permissions:\n  contents: read\n" in text
    assert text.count(": write") == 1
    assert "pull_request_target" not in text
