"""The state documents: exact bytes, a digest that fits, a version that tells."""

import json

import pytest

from core.collab import documents, tasks
from core.collab import service as collab
from core.collab.agents import service as agents
from core.collab.documents import Kind
from core.collab.tasks import Status, view
from core.database import Database
from core.kernel.etag import digest, entity_tag
from core.kernel.jsons import canonical_json
from core.kernel.principal import Principal, TenantId, system
from tests.builders import a_task, moved


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_collection_has_a_document_too(
    db: Database, ann: Principal, kind: Kind
) -> None:
    """M-COL-01."""
    body, etag = db.look(documents.DOCUMENTS[kind], by=ann)

    assert json.loads(body) == {kind.value: []}
    assert etag == entity_tag(0, digest(body))


def test_tasks_are_whole_canonical_and_sorted_by_number(
    db: Database, ann: Principal
) -> None:
    """M-COL-07."""
    for _ in range(11):
        a_task(db, ann, labels=["web"], dod=["tests"])

    body, etag = db.look(documents.tasks_document, by=ann)

    listed = db.look(tasks.list_, by=ann).items
    assert body == canonical_json({"tasks": [view(task) for task in reversed(listed)]})
    assert etag == entity_tag(11, digest(body))


def test_every_change_of_a_collection_gives_it_another_tag(
    db: Database, ann: Principal
) -> None:
    """M-COL-02: a client that holds the tag sees any change."""
    seen = []

    def note() -> None:
        seen.append([db.look(each, by=ann)[1] for each in documents.DOCUMENTS.values()])

    task = a_task(db, ann, dod=["tests"])
    note()
    lease = db.run(lambda tx: collab.acquire(tx, task.id), by=ann)
    note()
    moved(db, ann, task.id, Status.IN_PROGRESS)
    db.run(lambda tx: collab.release(tx, lease.lock_id, fence=lease.fence), by=ann)
    note()
    db.run(lambda tx: tasks.add_note(tx, task.id, "hm"), by=ann)
    note()
    db.run(lambda tx: agents.register(tx, "worker-1"), by=ann)
    note()

    task_tags, lock_tags, agent_tags = zip(*seen, strict=True)
    assert [task_tags.index(tag) for tag in task_tags] == [0, 1, 2, 3, 3]
    assert [lock_tags.index(tag) for tag in lock_tags] == [0, 1, 2, 2, 2]
    assert [agent_tags.index(tag) for tag in agent_tags] == [0, 0, 0, 0, 4]


def test_a_tenants_document_holds_its_own_rows_only(
    db: Database, ann: Principal
) -> None:
    """R-59."""
    eve = system(TenantId("other"), name="eve")
    a_task(db, ann, status=Status.CLAIMED)

    for each in documents.DOCUMENTS.values():
        assert db.look(each, by=eve)[1].startswith("0-")
