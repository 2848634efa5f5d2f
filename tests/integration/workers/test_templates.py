"""The templates that come with the product, done by a real worker."""

import json
import re
import subprocess
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest

from core.database import Tx
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.runs import service as runs
from core.runs.artifacts import service as artifacts
from core.runs.model import Run, Step
from core.runs.templates import service as templates
from gateway.settings import SandboxSettings
from gateway.workers.executors.every import check_step, executors
from gateway.workers.executors.spec_kit import GenerateSpecKit, ValidateSpecKit
from gateway.workers.executors.write import WriteFiles
from gateway.workers.sandbox.paths import ForbiddenPath
from gateway.workers.spec_kit.generation import generate
from scripts import validate_spec_kit
from tests.integration.workers.conftest import SETTINGS, Bench, Queue
from tests.services import find_program

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
CHECK = check_step(executors(SETTINGS))
SLOW = """\
name: echo
params:
  properties:
    text: {type: string}
  required: [text]
steps:
  - name: tell
    argv: [printf, "%s|%s", "{{ params.text }}", "a {{ params.text }}"]
  - name: shell
    argv: [sh, -c, 'printf "%s" "$OPS_PARAM_TEXT"']
"""


def commit_to(repository: Path) -> None:
    """Make a repository of one commit."""
    who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", "init", "-q", repository], check=True)
    said = ["commit", "-q", "--allow-empty", "-m", "feat: refunds"]
    subprocess.run(["git", "-C", repository, *who, *said], check=True)


async def done(queue: Queue, name: str, params: Mapping[str, Json]) -> Run:
    """Run a template to its end."""
    made = queue.db.run(
        lambda tx: runs.create(tx, templates.prepare(tx, name, params, check=CHECK)),
        by=queue.by,
    )
    await queue.worker.work(await queue.claim())
    return queue.get(made.id)


def content(queue: Queue, run: Run, name: str) -> bytes:
    """Read an artifact of a run."""

    def read(tx: Tx) -> bytes:
        found = {each.name: each for each in artifacts.list_of(tx, run.id)}
        assert name in found, [*found]
        piece = artifacts.read_piece(tx, found[name].id, 0)
        assert piece is not None
        return piece

    return queue.db.run(read, by=queue.by)


async def test_the_demo_runs_its_four_steps(queue: Queue) -> None:
    """M-RUN-12: parameters reach the steps, and files are kept."""
    run = await done(queue, "demo-deploy", {"env": "prod", "version": "1.9.2"})

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert "Released 1.9.2 to prod" in queue.log(run.id)
    assert set(queue.artifacts(run.id)) == {"build.txt", "tests.json", "release.md"}
    assert content(queue, run, "release.md") == b"# Release 1.9.2\n\nTo prod.\n"


@pytest.mark.parametrize(
    "text", ["a b", "$(id) `id` ; id", "'\"", "{{ params.text }}", "-n", "*", "ü\n|"]
)
async def test_a_value_reaches_the_program_as_it_is(queue: Queue, text: str) -> None:
    """R-19: one argument, whatever is in it, and never code."""
    queue.db.run(lambda tx: templates.create(tx, SLOW, check=CHECK), by=queue.by)

    run = await done(queue, "echo", {"text": text})

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert queue.log(run.id) == f"{text}|a {text}{text}"


async def test_a_spec_kit_is_generated_and_valid(queue: Queue) -> None:
    """M-SPK-01, M-SPK-02: four files, a zip of them, and the report."""
    params = {"name": "Pay", "description": "Take card payments. Refund them."}

    run = await done(queue, "spec-kit", params)

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert set(queue.artifacts(run.id)) == {
        "constitution.md", "prd.md", "plan.md", "tasks.md",
        "pay-spec-kit.zip", "spec-kit-report.json", "spec-kit-report.md",
    }  # fmt: skip
    archive = zipfile.ZipFile(BytesIO(content(queue, run, "pay-spec-kit.zip")))
    assert archive.read("pay/prd.md") == content(queue, run, "prd.md")
    report = json.loads(content(queue, run, "spec-kit-report.json"))
    assert (report["is_valid"], report["requirements"]) == (True, 2)


async def test_the_example_that_people_copy_runs_as_it_stands(queue: Queue) -> None:
    """The page's own template, once its secret is there, and refused before."""
    page = (HOW_TO / "write-a-template.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(name: deploy\n.*?)```", page, re.DOTALL)
    assert example
    text = example[1]
    queue.db.run(lambda tx: templates.create(tx, text, check=CHECK), by=queue.by)
    params: dict[str, Json] = {"env": "prod", "version": "1.9.2"}

    with pytest.raises(InvalidArgument, match="the secret DEPLOY_TOKEN does not exist"):
        await done(queue, "deploy", params)
    queue.keep("DEPLOY_TOKEN", "correct-horse-battery")
    run = await done(queue, "deploy", params)

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert "Released 1.9.2 to prod" in queue.log(run.id)
    assert list(queue.artifacts(run.id)) == ["site-1.9.2.tar.gz"]


async def test_a_kit_is_unpacked_and_checked_as_the_page_says(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M-SPK-02, M-SPK-03: below spec/, by the script and by the template."""
    find_program("jq")
    made = await done(queue, "spec-kit", {"name": "Pay", "description": "Take cards."})
    packed = content(queue, made, "pay-spec-kit.zip")
    zipfile.ZipFile(BytesIO(packed)).extractall(tmp_path / "spec")
    monkeypatch.chdir(tmp_path)
    page = (HOW_TO / "use-the-spec-kit.md").read_text(encoding="utf-8")
    line = re.search(r'--json-params \\\n *"\$\((.*?)\)"\n', page, re.DOTALL)
    assert line

    given = subprocess.run(["sh", "-c", line[1]], check=True, capture_output=True)  # noqa: ASYNC221 - over at once
    run = await done(queue, "validate-spec-kit", json.loads(given.stdout))

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert "unzip pay-spec-kit.zip -d spec\n" in page
    assert validate_spec_kit.main([]) == 0


async def test_a_spec_kit_that_lacks_something_fails_with_its_report(
    queue: Queue,
) -> None:
    """M-SPK-02, M-SPK-05."""
    files: dict[str, Json] = {**generate("Pay", "Take card payments.")}
    del files["tasks.md"]

    run = await done(queue, "validate_spec_kit", {"name": "Pay", "files": files})

    assert run.status == "failed"
    assert run.error is not None
    assert run.error.code == "spec_invalid"
    assert run.attempt == 1
    assert "tasks.md: error: it is missing" in queue.log(run.id)
    written = content(queue, run, "spec-kit-report.md").decode()
    assert "| error | tasks.md | it is missing |" in written


async def test_documents_are_formatted(queue: Queue) -> None:
    run = await done(
        queue, "format-docs", {"files": {"a/b.md": "*  one\n*  two\n", "c.md": "# C\n"}}
    )

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert content(queue, run, "a-b.md") == b"- one\n- two\n"
    assert list(queue.artifacts(run.id)) == ["a-b.md"]


async def test_python_is_linted(queue: Queue) -> None:
    params: dict[str, Json] = {"files": {"a.py": "import os\n"}, "fails": "no"}

    run = await done(queue, "lint", params)

    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert b"F401" in content(queue, run, "lint.json")


async def test_a_changelog_is_written(queue: Queue, tmp_path: Path) -> None:
    home = tmp_path / "repositories"
    repository = home / "pay"
    repository.mkdir(parents=True)
    commit_to(repository)
    sandbox = SandboxSettings(repositories=str(home))
    settings = SETTINGS.model_copy(update={"sandbox": sandbox})
    having = executors(settings)
    queue.worker = queue.a_worker(having)
    made = queue.db.run(
        lambda tx: runs.create(
            tx,
            templates.prepare(
                tx,
                "changelog",
                {"repository": str(repository)},
                check=check_step(having),
            ),
        ),
        by=queue.by,
    )

    await queue.worker.work(await queue.claim())

    run = queue.get(made.id)
    assert run.status == "succeeded", (run.error, queue.log(run.id))
    assert b"refunds" in content(queue, run, "CHANGELOG.md")


@pytest.mark.parametrize(
    ("executor", "given"),
    [
        (WriteFiles(), {"files": {"../x": "a"}}),
        (WriteFiles(), {"files": {"/x": "a"}}),
        (GenerateSpecKit(), {"name": "Pay", "folder": "../x"}),
        (ValidateSpecKit(), {"folder": "/etc"}),
    ],
)
def test_files_stay_in_the_folder_of_the_run(
    executor: WriteFiles, given: dict[str, Json]
) -> None:
    with pytest.raises(ForbiddenPath):
        executor.check(Step(name="a", uses=executor.name, given=given))


async def test_nothing_is_written_through_a_link(bench: Bench, tmp_path: Path) -> None:
    """What an earlier step links elsewhere is not written, and not read."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (bench.folder / "kit").symlink_to(outside)
    given: dict[str, Json] = {"name": "Pay", "folder": "kit"}

    for executor in (GenerateSpecKit(), ValidateSpecKit()):
        step = Step(name="a", uses=executor.name, given=given)
        with pytest.raises(ForbiddenPath):
            await executor.run(bench.work(step))
    files = Step(name="a", uses="files/write", given={"files": {"kit/a": "b"}})
    with pytest.raises(ForbiddenPath):
        await WriteFiles().run(bench.work(files))

    assert list(outside.iterdir()) == []
