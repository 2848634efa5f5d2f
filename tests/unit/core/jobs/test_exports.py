"""Exports: files that open, that are the same each time, and are named safely."""

import io
import zipfile
from dataclasses import replace
from hashlib import sha256

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.database import Database, Tx
from core.events import service as events
from core.events.model import EventFilter
from core.jobs import service as jobs
from core.jobs.exports import service as exports
from core.jobs.exports.content import name_of, render
from core.jobs.exports.model import Export, ExportFilter, ExportFormat
from core.jobs.model import Format, Job, JobStatus
from core.jobs.variants import service as variants
from core.jobs.variants.model import Variant
from core.kernel.ids import JobId, VariantId
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Conflict, NotFound
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import name_for
from tests.conftest import FakeClock
from tests.jobs import a_reviewed_job

NOW = FakeClock().now()
JOB = Job(
    id=JobId("J-1"),
    title="Notes",
    actor_id="U-1",
    actor="ann",
    created_at=NOW,
    changed_at=NOW,
)
VARIANT = Variant(
    id=VariantId("V-1"),
    job_id=JOB.id,
    position=1,
    title="Notes",
    body="Some text.",
    created_at=NOW,
    accepted_by="ann",
    accepted_at=NOW,
)


def an_accepted_job(db: Database, by: Principal) -> None:
    a_reviewed_job(db, by)
    db.run(lambda tx: variants.accept(tx, "V-1"), by=by)


def export(
    db: Database, by: Principal, kind: ExportFormat = ExportFormat.ZIP
) -> Export:
    return db.run(lambda tx: exports.create(tx, "V-1", kind), by=by)


def content_of(db: Database, by: Principal, made: Export) -> bytes:
    def read(tx: Tx) -> bytes:
        artifact = artifacts.get_(tx, made.artifact_id)
        return b"".join(artifacts.read(tx, artifact))

    return db.run(read, by=by)


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_the_file_of_an_export_is_kept(
    db: Database, ann: Principal, kind: ExportFormat
) -> None:
    """M-JOB-05."""
    an_accepted_job(db, ann)

    made = export(db, ann, kind)

    content = content_of(db, ann, made)
    assert (made.size_bytes, made.sha256) == (
        len(content),
        sha256(content).hexdigest(),
    )
    assert made.name == f"draft-1-V-1.{kind}"
    job = db.run(lambda tx: jobs.get_(tx, "J-1"), by=ann)
    assert job.status is JobStatus.EXPORTED
    wanted = EventFilter(targets=frozenset({made.id}))
    [event] = db.run(lambda tx: events.list_last(tx, wanted), by=ann)
    assert (event.type, event.details["job"]) == ("export_created", "J-1")


def test_an_exported_job_is_exported_again(db: Database, ann: Principal) -> None:
    an_accepted_job(db, ann)
    first, second = export(db, ann), export(db, ann)
    other = export(db, ann, ExportFormat.MD)

    assert [first.id, second.id, other.id] == ["X-1", "X-2", "X-3"]
    assert first.sha256 == second.sha256 != other.sha256

    def ids(wanted: ExportFilter) -> list[str]:
        return [
            each.id
            for each in db.run(lambda tx: exports.list_(tx, wanted), by=ann).items
        ]

    assert ids(ExportFilter()) == ["X-3", "X-2", "X-1"]
    assert ids(ExportFilter(format=ExportFormat.MD, job="J-1")) == ["X-3"]
    assert ids(ExportFilter(variant="V-2")) == []


def test_only_the_accepted_one_is_exported(db: Database, ann: Principal) -> None:
    a_reviewed_job(db, ann)
    with pytest.raises(Conflict) as refused:
        export(db, ann)
    assert refused.value.fix == ("variant accept V-1",)

    db.run(lambda tx: variants.accept(tx, "V-2"), by=ann)
    with pytest.raises(Conflict, match="V-2 is") as refused:
        export(db, ann)
    assert refused.value.fix == ("export create V-2", "variant accept V-1")


def test_a_cancelled_job_is_not_exported(db: Database, ann: Principal) -> None:
    an_accepted_job(db, ann)
    db.run(lambda tx: jobs.cancel(tx, "J-1"), by=ann)

    with pytest.raises(Conflict, match="was cancelled"):
        export(db, ann)


def test_an_export_belongs_to_its_tenant_alone(db: Database, ann: Principal) -> None:
    """R-60."""
    an_accepted_job(db, ann)
    made = export(db, ann)
    other = system(TenantId("other"))

    assert db.run(exports.list_, by=other).items == []
    for look in (
        lambda tx: exports.get_(tx, made.id),
        lambda tx: exports.create(tx, "V-1"),
        lambda tx: artifacts.get_(tx, made.artifact_id),
    ):
        with pytest.raises(NotFound):
            db.run(look, by=other)


def test_a_zip_holds_the_text_and_where_it_is_from() -> None:
    """M-JOB-05: a manifest with the digest of every file."""
    content = render(JOB, VARIANT, ExportFormat.ZIP)

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        files = {each.filename: archive.read(each) for each in archive.infolist()}
        assert {each.date_time for each in archive.infolist()} == {
            (1980, 1, 1, 0, 0, 0)
        }
    assert files["variant.md"] == b"Some text."
    assert orjson.loads(files["job.json"])["id"] == "J-1"
    listed = orjson.loads(files["manifest.json"])["files"]
    for each in listed:
        assert each["sha256"] == sha256(files[each["name"]]).hexdigest()
    assert {each["name"] for each in listed} == set(files) - {"manifest.json"}


@pytest.mark.parametrize("kind", list(ExportFormat))
def test_what_exporting_changes_is_not_in_the_file(kind: ExportFormat) -> None:
    after = replace(JOB, status=JobStatus.EXPORTED, finished_at=NOW, version=9)

    assert render(JOB, VARIANT, kind) == render(after, VARIANT, kind)


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        ("Text.", Format.MD, "# Notes\n\nText."),
        ("# Own\n", Format.MD, "# Own\n"),
        ("Text.", Format.TXT, "# Notes\n\nText."),
        ("{}", Format.JSON, "# Notes\n\n```json\n{}\n```\n"),
    ],
)
def test_markdown_has_one_title(body: str, kind: Format, told: str) -> None:
    variant = replace(VARIANT, body=body, format=kind)

    assert render(JOB, variant, ExportFormat.MD).decode() == told


@given(title=st.text(max_size=200))
def test_no_title_makes_a_name_a_path(title: str) -> None:
    """R-67: it is as it is on every file system, and ends as it should."""
    name = name_of(replace(VARIANT, title=title), ExportFormat.ZIP)

    assert name == name_for(name)
    assert name.endswith("V-1.zip")
    assert name.isascii()
    assert not set(name) & set('/\\"\r\n:')
