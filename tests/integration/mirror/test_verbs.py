"""`ops collab` on a data folder: verify, export, import and rebuild."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.collab import tasks
from core.collab.tasks import Status, Task
from core.database import Database
from core.events import service as events
from core.identity.tenants import service as tenants
from core.kernel.clock import SystemClock
from core.kernel.principal import system
from gateway.cli.app import main
from gateway.cli.terminal import Terminal
from gateway.mirror import Mirror
from gateway.opening import open_database
from gateway.settings import Settings
from tests.builders import a_task, moved

ANN = system(name="ann")
Edit = Callable[[list[dict[str, Any]]], object]


@dataclass(kw_only=True)
class Office:
    """A data folder, its database, and `ops` run beside them."""

    data: Path
    db: Database
    out: str = ""
    err: str = ""

    @property
    def folder(self) -> Path:
        return self.data / "collaboration"

    @property
    def tasks_file(self) -> Path:
        return self.folder / "state/tasks.json"

    def mirror(self) -> None:
        """Bring the files up to date once."""
        mirror = Mirror(self.db, self.folder, SystemClock())
        mirror.follow(is_final=True)
        mirror.close()

    def ops(self, *words: str) -> int:
        """Run `ops collab` on this folder."""
        streams = io.StringIO(), io.StringIO()
        terminal = Terminal(
            source=io.StringIO(), out=streams[0], err=streams[1], environ={},
            pause=lambda _: None,
        )  # fmt: skip
        code = main(["collab", *words], terminal)
        self.out, self.err = (each.getvalue() for each in streams)
        return code

    def on_data(self, *words: str) -> int:
        return self.ops(words[0], "--data", str(self.data), *words[1:])

    def edit(self, change: Edit) -> Path:
        """Change the list of tasks in tasks.json as an editor would."""
        document = json.loads(self.tasks_file.read_bytes())
        change(document["tasks"])
        self.tasks_file.write_text(json.dumps(document, indent=2))
        return self.tasks_file

    def task(self, task_id: str = "T-1") -> Task:
        return self.db.look(lambda tx: tasks.get_(tx, task_id), by=ANN)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A data folder with three tasks, mirrored."""
    db = open_database(Settings(data=tmp_path))
    office = Office(data=tmp_path, db=db)
    db.run(tenants.ensure_default, by=system())
    for title in ("Fix login", "Write docs", "Ship it"):
        a_task(db, ANN, title=title, dod=["tests", "docs"])
    office.mirror()
    yield office
    db.close()


def test_verify_passes_on_files_that_are_the_database(office: Office) -> None:
    assert office.on_data("verify") == 0
    assert office.out.count("same") == 5


@pytest.mark.parametrize(
    "name", ["state/tasks.json", "logs/log.md", "events/events.jsonl"]
)
def test_verify_fails_on_any_byte(office: Office, name: str) -> None:
    path = office.folder / name
    path.write_bytes(path.read_bytes().replace(b"login", b"Login"))

    assert office.on_data("verify") == 1
    assert f"different {path}" in office.out


def test_verify_fails_on_a_missing_file(office: Office) -> None:
    (office.folder / "events/events.jsonl").unlink()

    assert office.on_data("verify") == 1
    assert "missing" in office.out


def test_verify_tells_files_that_are_behind(office: Office) -> None:
    office.db.run(lambda tx: events.append(tx, "deploy_finished"), by=ANN)

    assert office.on_data("verify") == 1
    assert "behind" in office.out


def test_verbs_refuse_a_folder_without_a_database(tmp_path: Path) -> None:
    office = Office(data=tmp_path / "typo", db=None)  # type: ignore[arg-type]

    assert office.on_data("verify") == 1
    assert "there is no database" in office.err
    assert not (tmp_path / "typo").exists()


def test_export_writes_copies_elsewhere(office: Office, tmp_path: Path) -> None:
    assert office.on_data("export", "--to", str(tmp_path / "copy")) == 0

    copies = tmp_path / "copy"
    for path in (copies / "state/tasks.json", copies / "events/events.jsonl"):
        original = office.folder / path.relative_to(copies)
        assert path.read_bytes() == original.read_bytes()
    assert not (copies / "mirror.json").exists()


def test_export_brings_the_files_up_to_date(office: Office) -> None:
    a_task(office.db, ANN)

    assert office.on_data("export") == 0
    assert office.on_data("verify") == 0


def test_export_leaves_an_edit_unless_forced(office: Office) -> None:
    office.edit(lambda found: found[0].update(title="Mine"))

    assert office.on_data("export") == 1
    assert "Mine" in office.tasks_file.read_text()
    assert office.on_data("export", "--force") == 0

    assert office.on_data("verify") == 0
    (aside,) = (office.folder / "edited").iterdir()
    assert "Mine" in aside.read_text()


def test_dry_run_shows_each_change_and_changes_nothing(office: Office) -> None:
    file = office.edit(lambda found: found[1].update(title="Write the docs"))

    assert office.on_data("import", str(file), "--dry-run") == 0

    assert office.out == 'T-2  title: "Write docs" -> "Write the docs"\n'
    assert office.task("T-2").title == "Write docs"
    assert "Write the docs" in file.read_text()


def test_import_changes_tasks_through_the_commands(office: Office) -> None:
    def change(found: list[dict[str, Any]]) -> None:
        found[0].update(title="Fix the login", priority=5, labels=["web"])
        found[0]["dod"][1]["is_done"] = True
        found[0]["notes"].append({"at": "", "by": "", "text": "from the file"})
        found[1].update(status="blocked", reason="waits for access")
        found.append({"id": "T-40", "title": "New one", "dod": [{"text": "tests"}]})

    file = office.edit(change)
    assert office.on_data("import", str(file), "--apply") == 0, office.out

    first = office.task()
    assert (first.title, first.priority, first.labels) == ("Fix the login", 5, ("web",))
    assert first.open_dod == ("tests",)
    assert [note.text for note in first.notes] == ["from the file"]
    assert office.task("T-2").status is Status.BLOCKED
    assert office.task("T-40").title == "New one"
    assert office.on_data("verify") == 0
    (aside,) = (office.folder / "edited").iterdir()
    assert "Fix the login" in aside.read_text()


def test_import_refuses_a_task_that_moved_on(office: Office) -> None:
    """`R-21`: nobody's change is lost to an old file."""

    def change(found: list[dict[str, Any]]) -> None:
        found[0].update(title="Mine")
        found[2].update(title="Ship it now")

    file = office.edit(change)
    bob = system(name="bob")
    office.db.run(lambda tx: tasks.change(tx, "T-1", title="Bob's"), by=bob)
    office.db.run(lambda tx: tasks.change(tx, "T-2", title="Bob's too"), by=bob)

    assert office.on_data("import", str(file), "--apply") == 5

    assert "T-1  refused: bob changed it since" in office.out
    titles = [office.task(each).title for each in ("T-1", "T-2", "T-3")]
    assert titles == ["Bob's", "Bob's too", "Ship it now"]
    assert "Mine" in file.read_text()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda found: found[0].update(created_by="bob"), "created_by cannot be"),
        (lambda found: found[0].update(version=9), "was never there"),
        (lambda found: found.pop(0), "never deleted"),
        (lambda found: found[0].update(status="done"), "cannot go from queued"),
        (lambda found: found[0].update(priority="high"), "priority"),
        (lambda found: found[0].update(reason="because"), "a reason is given"),
        (lambda found: found.append({"id": "T-9", "status": "done"}), "as queued"),
    ],
)
def test_import_says_what_it_cannot_do(
    office: Office, change: Edit, refusal: str
) -> None:
    before = [office.task(each) for each in ("T-1", "T-2", "T-3")]
    file = office.edit(change)

    assert office.on_data("import", str(file), "--apply") == 5

    assert "refused" in office.out
    assert refusal in office.out
    assert [office.task(each) for each in ("T-1", "T-2", "T-3")] == before


@pytest.mark.parametrize(
    "text", ['{"locks":[]}', "[]", "{", '{"tasks":[{"title":"x"}]}', '{"tasks":[1]}']
)
def test_import_refuses_what_is_no_task_file(office: Office, text: str) -> None:
    file = office.data / "edit.json"
    file.write_text(text)

    assert office.on_data("import", str(file), "--apply") == 2


def test_events_alone_rebuild_the_tasks(office: Office) -> None:
    """The event file is a second copy of the board."""
    moved(office.db, ANN, "T-1", Status.CLAIMED)
    moved(office.db, ANN, "T-1", Status.IN_PROGRESS)
    office.db.run(lambda tx: tasks.tick_dod(tx, "T-1", "tests"), by=ANN)
    office.db.run(lambda tx: tasks.add_note(tx, "T-2", "hm"), by=ANN)
    office.mirror()

    file = str(office.folder / "events/events.jsonl")
    assert office.ops("rebuild", "--from", file) == 0

    rebuilt = hashlib.sha256(office.out.encode()).hexdigest()
    assert rebuilt == hashlib.sha256(office.tasks_file.read_bytes()).hexdigest()


def test_rebuild_refuses_events_with_a_gap(office: Office) -> None:
    lines = (office.folder / "events/events.jsonl").read_bytes().splitlines(True)
    file = office.data / "cut.jsonl"
    file.write_bytes(b"".join(lines[1:]))

    assert office.ops("rebuild", "--from", str(file)) == 2


def test_import_is_audited(office: Office) -> None:
    """`R-72`: every change has who, what and when."""
    file = office.edit(lambda found: found[0].update(title="Fix the login"))
    office.on_data("import", str(file), "--apply")

    told = office.db.look(lambda tx: events.list_last(tx, limit=9), by=ANN)
    changed = [each for each in told if each.type == "task_changed"]
    assert [(each.actor, each.channel) for each in changed] == [("import", "cli")]
