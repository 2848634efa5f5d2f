"""Aliases as rows: named once, each line one alias's, each of one tenant."""

from collections.abc import Sequence
from typing import Any

import pytest

from core.aliases import service as aliases
from core.aliases.model import Alias, AliasClash, Definition, Format
from core.aliases.service import COLLECTION
from core.database import Database, Tx
from core.events import service as events
from core.kernel.principal import TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
)

ACME, OTHER = system(TenantId("acme")), system(TenantId("other"))


def meaning(*matches: str, command: str = "task list", **more: Any) -> Definition:
    formats = tuple(Format(match=each) for each in matches)
    return Definition(formats=formats, command=command, **more)


def create(db: Database, name: str, *matches: str) -> Alias:
    return db.run(lambda tx: aliases.create(tx, name, meaning(*matches)), by=ACME)


def names(db: Database) -> Sequence[str]:
    return [each.name for each in db.run(aliases.list_, by=ACME)]


def test_an_alias_is_read_as_it_was_made(db: Database) -> None:
    definition = Definition(
        formats=(Format(match="deploy {app}", display="deploy APP"),),
        command='task create "{app}"',
        fixed={"dry_run": True, "labels": ["a", "b"]},
        ack="wait",
        result="{data.id}",
        description="Asks for it",
    )

    made = db.run(lambda tx: aliases.create(tx, "deploy", definition), by=ACME)

    assert made.definition == definition
    assert made.created_by == ACME.name
    assert made == db.run(lambda tx: aliases.get_(tx, "deploy"), by=ACME)


def test_an_alias_belongs_to_its_tenant_alone(db: Database) -> None:
    """R-60."""
    create(db, "deploy", "deploy {app}")

    assert db.run(aliases.list_, by=OTHER) == []
    with pytest.raises(NotFound):
        db.run(lambda tx: aliases.delete(tx, "deploy"), by=OTHER)
    db.run(lambda tx: aliases.create(tx, "deploy", meaning("deploy {a}")), by=OTHER)


def test_a_name_is_taken_once(db: Database) -> None:
    create(db, "deploy", "deploy {app}")

    with pytest.raises(AlreadyExists):
        create(db, "deploy", "release {app}")


def test_a_clash_is_refused_naming_both_and_an_example(db: Database) -> None:
    """Two formats that accept one line."""
    create(db, "deploy", "deploy {app} [to] {env=staging}")

    with pytest.raises(AliasClash) as caught:
        create(db, "all", "ship it", "deploy everything")

    said = caught.value.detail
    assert "'deploy everything' of all" in said
    assert "'deploy {app} [to] {env=staging}' of deploy" in said
    assert caught.value.extra["example"] == "deploy everything"
    assert names(db) == ["deploy"]


def test_formats_of_one_alias_may_not_clash_either(db: Database) -> None:
    with pytest.raises(AliasClash, match="of this alias"):
        create(db, "deploy", "deploy {app}", "deploy all")


def test_a_change_may_not_clash_but_with_itself(db: Database) -> None:
    create(db, "deploy", "deploy {app}")
    create(db, "ship", "ship {app}")

    with pytest.raises(AliasClash):
        db.run(lambda tx: aliases.redefine(tx, "ship", meaning("deploy now")), by=ACME)
    changed = db.run(
        lambda tx: aliases.redefine(tx, "ship", meaning("ship {app} now")), by=ACME
    )

    assert [each.match for each in changed.definition.formats] == ["ship {app} now"]


def test_what_is_deleted_leaves_its_words_free(db: Database) -> None:
    create(db, "deploy", "deploy {app}")
    db.run(lambda tx: aliases.delete(tx, "deploy"), by=ACME)

    create(db, "other", "deploy all")

    assert names(db) == ["other"]


def test_each_change_is_told_and_counted(db: Database) -> None:
    create(db, "deploy", "deploy {app}")
    db.run(lambda tx: aliases.redefine(tx, "deploy", meaning("go")), by=ACME)
    db.run(lambda tx: aliases.delete(tx, "deploy"), by=ACME)

    def told(tx: Tx) -> tuple[list[str], int]:
        found = events.list_after(tx, 0, limit=10)
        return [each.type for each in found], tx.version(COLLECTION)

    assert db.look(told, by=ACME) == (
        ["alias_created", "alias_changed", "alias_deleted"],
        3,
    )


@pytest.mark.parametrize("name", ["", "Deploy", "t-12", "a b", "-a", "a" * 41])
def test_what_is_no_name_is_refused(db: Database, name: str) -> None:
    with pytest.raises(InvalidArgument, match="not a name for an alias"):
        create(db, name, "deploy {app}")


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        (meaning(), "0 formats"),
        (meaning(*(f"go{n}" for n in range(11))), "11 formats"),
        (meaning("{app}"), "does not begin with a word"),
        (meaning("go [a] [a b] {x=1}"), "in two ways"),
        (meaning("go", command=" "), "command is empty"),
        (meaning("go", command="x" * 1_001), "1001 characters"),
        (meaning("go", ack="{"), "template for ack"),
        (meaning("go", result="{a.}"), "for result"),
        (meaning("go", description="a\nb"), "more than one line"),
    ],
)
def test_what_means_nothing_is_refused(
    db: Database, definition: Definition, reason: str
) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        db.run(lambda tx: aliases.create(tx, "go", definition), by=ACME)


def test_there_are_two_hundred_at_most(db: Database) -> None:
    def fill(tx: Tx) -> None:
        for number in range(aliases.MOST):
            aliases.create(tx, f"a{number}", meaning(f"go{number} {{x}}"))

    db.run(fill, by=ACME)

    with pytest.raises(Conflict, match="200 aliases") as caught:
        create(db, "more", "more")

    assert caught.value.fix == ("alias delete a0", "alias list")


def test_an_unknown_alias_is_not_found(db: Database) -> None:
    for verb in (
        lambda tx: aliases.get_(tx, "nope"),
        lambda tx: aliases.delete(tx, "nope"),
        lambda tx: aliases.redefine(tx, "nope", meaning("go")),
    ):
        with pytest.raises(NotFound):
            db.run(verb, by=ACME)
