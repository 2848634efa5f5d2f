"""The mirror over Postgres, where others write to the same database."""

from pathlib import Path

from core.collab.documents import tasks_document
from core.database import METADATA, Database, open_engine
from core.events.recorder import EventRecorder
from core.identity.tenants import service as tenants
from core.kernel.clock import SystemClock
from core.kernel.etag import digest
from core.kernel.principal import system
from gateway.mirror import Mirror
from gateway.mirror.verify import Verdict, compare_all
from tests.builders import a_task

ANN = system(name="ann")


def test_commits_of_another_process_reach_the_files(
    postgres_url: str, tmp_path: Path
) -> None:
    """No wake-up crosses processes; the marks in the database tell."""
    engines = [open_engine(postgres_url) for _ in range(2)]
    METADATA.create_all(engines[0])
    ours, theirs = (Database(each, recorders=[EventRecorder()]) for each in engines)
    ours.run(tenants.ensure_default, by=system())
    mirror = Mirror(ours, tmp_path, SystemClock())
    mirror.follow()
    for number in range(20):
        a_task(theirs, ANN, title=f"Task {number}", labels=["ä", "z", "Z"])

    mirror.follow(is_final=True)

    _, tag = theirs.look(tasks_document, by=ANN)
    body = (tmp_path / "state/tasks.json").read_bytes()
    assert tag == f"20-{digest(body)}"
    found = compare_all(theirs.look, tmp_path)
    assert [each.verdict for each in found] == [Verdict.SAME] * 5
    mirror.close()
    ours.close()
    theirs.close()
