"""Templates as rows: editions only ever grow, each of one tenant."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from core.database import Database, Tx
from core.events import service as events
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.principal import TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
    Problem,
    StaleVersion,
)
from core.runs.model import NewRun, Step
from core.runs.templates import service as templates
from core.runs.templates.model import MOST_TEMPLATES, Template

ACME = system(TenantId("acme"), name="ann")
OTHER = system(TenantId("other"), name="bob")
EXECUTORS = ("shell", "noop", "spec-kit/generate", "spec-kit/validate")
TEXT = """\
name: deploy
lane: A
priority: 7
labels: [linux]
concurrency: {key: "deploy-{{ params.env }}", limit: 2}
retry: {max_attempts: 1}
deadline: 1h
ttl: 2h
params:
  properties:
    env: {type: string, enum: [staging, prod]}
    count: {type: integer, default: 2}
  required: [env]
steps:
  - name: release
    uses: noop
    needs: [build]
    with: {result: "{{ params.count }}"}
  - name: build
    argv: [make, "{{ params.env }}", "n={{ params.count }}"]
"""
NEWER = TEXT.replace("lane: A", "lane: D")


def check(step: Step) -> None:
    """Refuse executors that there are not, as a gateway does."""
    if step.uses not in EXECUTORS:
        raise InvalidArgument(
            f"there is no executor {step.uses}", fix=["use shell"], argument="uses"
        )
    if step.uses == "noop" and not isinstance(step.given.get("result", 0), int):
        raise InvalidArgument("result is a number", fix=["1"], argument="result")


def create(db: Database, text: str = TEXT) -> Template:
    return db.run(lambda tx: templates.create(tx, text, check=check), by=ACME)


def change(db: Database, text: str, if_match: str = "") -> Template:
    return db.run(
        lambda tx: templates.set_(tx, "deploy", text, check=check, if_match=if_match),
        by=ACME,
    )


def prepare(
    db: Database, name: str, params: Mapping[str, Json], *, version: int = 0
) -> NewRun:
    return db.run(
        lambda tx: templates.prepare(tx, name, params, check=check, version=version),
        by=ACME,
    )


def get_(db: Database, name: str, edition: int = 0) -> Template:
    return db.run(lambda tx: templates.get_(tx, name, edition=edition), by=ACME)


def test_a_template_is_read_as_it_was_made(db: Database) -> None:
    """M-RUN-12."""
    made = create(db)

    assert (made.id, made.name, made.edition, made.latest) == ("TP-1", "deploy", 1, 1)
    assert (made.text, made.author) == (TEXT, "ann")
    assert get_(db, "deploy") == get_(db, "TP-1") == get_(db, "tp-1") == made
    assert made.definition.lane is Lane.A


def test_a_run_is_prepared_with_all_that_the_template_says(db: Database) -> None:
    """M-RUN-11, M-RUN-12: lane, limits and steps, with the parameters put in."""
    create(db)

    run = prepare(db, "deploy", {"env": "prod", "count": "3"})

    assert (run.kind, run.alias, run.template) == ("template", "deploy", "deploy")
    assert (run.template_version, run.lane, run.priority) == (1, Lane.A, 7)
    assert run.labels == {"linux"}
    assert run.retry.max_attempts == 1
    assert (run.concurrency_key, run.concurrency_limit) == ("deploy-prod", 2)
    assert (run.deadline, run.ttl) == (timedelta(hours=1), timedelta(hours=2))
    assert run.input == {"env": "prod", "count": 3}
    assert [each.name for each in run.steps] == ["build", "release"]
    assert run.steps[0].given == {"argv": ["make", "prod", "n=3"]}
    assert run.steps[1].given == {"result": 3}


def test_a_run_keeps_its_edition(db: Database) -> None:
    create(db)
    change(db, NEWER)

    assert prepare(db, "deploy", {"env": "prod"}).lane is Lane.D
    older = prepare(db, "deploy", {"env": "prod"}, version=1)
    assert (older.lane, older.template_version) == (Lane.A, 1)


def test_all_that_is_wrong_with_parameters_is_told(db: Database) -> None:
    """M-RUN-12: by field, before anything is queued."""
    create(db)

    with pytest.raises(InvalidArgument) as refused:
        prepare(db, "deploy", {"evn": "prod", "count": "x"})

    problems = refused.value.extra["problems"]
    assert isinstance(problems, list)
    assert [each.partition(":")[0] for each in problems] == ["evn", "env", "count"]
    assert refused.value.fix == ("env=…", "env=staging|prod", "count=<integer>")


def test_a_step_that_cannot_run_is_refused_before_it_is_stored(db: Database) -> None:
    with pytest.raises(InvalidArgument) as refused:
        create(db, "name: x\nsteps:\n  - {name: a, uses: shel}\n  - {name: b, uses: n}")

    assert refused.value.extra["problems"] == [
        "steps[0].uses: there is no executor shel (fix: use shell)",
        "steps[1].uses: there is no executor n (fix: use shell)",
    ]
    with pytest.raises(NotFound):
        get_(db, "x")


def test_what_depends_on_parameters_is_checked_with_them(db: Database) -> None:
    """The placeholder itself is no number, and that is no flaw yet."""
    create(db, TEXT.replace("type: integer, default: 2", "default: many"))

    with pytest.raises(InvalidArgument, match="result is a number"):
        prepare(db, "deploy", {"env": "prod"})


def test_each_text_is_another_edition(db: Database) -> None:
    first = create(db)

    second = change(db, NEWER, first.etag)
    same = change(db, NEWER)

    found = db.run(lambda tx: templates.versions(tx, "deploy"), by=ACME)
    assert (second.edition, same.edition) == (2, 2)
    assert [(each.edition, each.text) for each in found] == [(2, NEWER), (1, TEXT)]
    assert get_(db, "deploy", 1).text == TEXT
    assert first.etag != second.etag == same.etag
    with pytest.raises(NotFound):
        get_(db, "deploy", 3)


def test_a_stale_change_is_refused(db: Database) -> None:
    first = create(db)
    second = change(db, NEWER)

    with pytest.raises(StaleVersion) as refused:
        change(db, TEXT, first.etag)

    assert refused.value.extra["etag"] == second.etag
    assert get_(db, "deploy").text == NEWER


def test_a_change_cannot_rename(db: Database) -> None:
    create(db)

    with pytest.raises(Conflict, match="and not of deploy"):
        change(db, TEXT.replace("name: deploy", "name: ship"))


def test_a_name_is_taken_once(db: Database) -> None:
    create(db)

    with pytest.raises(AlreadyExists):
        create(db, NEWER)


def test_a_deleted_template_keeps_its_editions(db: Database) -> None:
    """A run says edition 1 of deploy for ever, and nothing else is ever called that."""
    create(db)
    db.run(lambda tx: templates.delete(tx, "deploy"), by=ACME)

    with pytest.raises(NotFound):
        get_(db, "deploy")
    assert get_(db, "deploy", 1).text == TEXT
    again = create(db, NEWER)
    assert (again.id, again.edition) == ("TP-1", 2)


def test_a_built_in_template_is_there_until_ones_own_takes_its_place(
    db: Database,
) -> None:
    own = TEXT.replace("name: deploy", "name: demo_deploy")

    before = prepare(db, "demo_deploy", {"env": "prod", "version": "1.9.2"})
    made = create(db, own)

    assert (before.template, before.template_version) == ("demo-deploy", 0)
    assert [each.name for each in before.steps] == [
        "build",
        "test",
        "migrate",
        "release",
    ]
    assert made.name == "demo-deploy"
    assert not get_(db, "demo-deploy").is_built_in
    db.run(lambda tx: templates.delete(tx, "demo-deploy"), by=ACME)
    assert get_(db, "demo-deploy").is_built_in


@pytest.mark.parametrize("verb", ["set", "delete"])
def test_a_built_in_template_cannot_be_changed(db: Database, verb: str) -> None:
    own = TEXT.replace("name: deploy", "name: demo-deploy")
    with pytest.raises(Conflict, match="built in"):
        db.run(
            lambda tx: (
                templates.delete(tx, "demo-deploy")
                if verb == "delete"
                else templates.set_(tx, "demo-deploy", own, check=check)
            ),
            by=ACME,
        )


@pytest.mark.parametrize(
    "name", ["spec-kit", "generate_spec_kit", "generate-spec-kit", "validate_spec_kit"]
)
def test_hyphens_and_underscores_are_one(db: Database, name: str) -> None:
    """M-SPK-01, M-SPK-02."""
    assert get_(db, name).name in ("generate-spec-kit", "validate-spec-kit")


def test_an_unknown_name_is_answered_with_the_nearest(db: Database) -> None:
    create(db)

    with pytest.raises(NotFound) as refused:
        get_(db, "deplyo")

    assert refused.value.fix[0] == "template show deploy"


def test_templates_are_one_tenants(db: Database) -> None:
    """R-59."""
    create(db)

    theirs = db.run(templates.list_, by=OTHER)

    assert all(each.is_built_in for each in theirs)
    with pytest.raises(NotFound):
        db.run(lambda tx: templates.get_(tx, "TP-1"), by=OTHER)
    assert "deploy" in [each.name for each in db.run(templates.list_, by=ACME)]


def test_changes_are_told(db: Database) -> None:
    create(db)
    change(db, NEWER)
    db.run(lambda tx: templates.delete(tx, "deploy"), by=ACME)

    told = db.run(lambda tx: events.list_after(tx, 0, limit=10), by=ACME)

    assert [(each.type, each.target) for each in told] == [
        ("template_created", "TP-1"),
        ("template_changed", "TP-1"),
        ("template_deleted", "TP-1"),
    ]


def test_there_is_an_end_to_templates(db: Database) -> None:
    def fill(tx: Tx) -> None:
        for place in range(MOST_TEMPLATES):
            text = f"name: t{place}x\nsteps: [{{name: a, uses: noop}}]"
            templates.create(tx, text, check=check)

    db.run(fill, by=ACME)

    with pytest.raises(Problem, match="200 templates"):
        create(db)
