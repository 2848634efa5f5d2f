"""What help says of a team's own words, and to whom."""

from dataclasses import replace

from commands import alias_help
from commands.context import Context, Origin
from commands.parser import parse
from core.aliases import service as aliases
from core.aliases.model import Definition, Format
from core.database import Database, Tx
from core.kernel.principal import Principal
from core.kernel.reply import Reply
from tests.unit.commands.sample import NOW, REGISTRY


def fill(db: Database, by: Principal, *matches: str, name: str = "") -> None:
    def make(tx: Tx) -> None:
        for match in matches:
            definition = Definition(formats=(Format(match=match),), command="task list")
            aliases.create(tx, name or match.partition(" ")[0], definition)

    db.run(make, by=by)


def asked(tx: Tx) -> Context:
    invocation = parse("help", REGISTRY, now=NOW)
    return Context(
        tx=tx, invocation=invocation, registry=REGISTRY, origin=Origin(channel="rest")
    )


def overview(db: Database, by: Principal) -> str:
    return "".join(
        each.md for each in db.look(lambda tx: alias_help.overview(asked(tx)), by=by)
    )


def found(db: Database, by: Principal, *topic: str) -> Reply | None:
    return db.look(lambda tx: alias_help.find(asked(tx), topic), by=by)


def test_nothing_is_said_without_any(db: Database, ann: Principal) -> None:
    assert not overview(db, ann)
    assert found(db, ann, "deploy") is None


def test_the_first_are_shown_on_one_line(db: Database, ann: Principal) -> None:
    fill(db, ann, *(f"go{number} now" for number in range(9)))

    said = overview(db, ann)

    assert said.startswith("Your team's own: `go0 now`, `go1 now`")
    assert "go8" not in said
    assert said.endswith("`alias list` shows all.")


def test_what_a_command_has_claimed_is_not_offered(
    db: Database, ann: Principal
) -> None:
    fill(db, ann, "lease now", "go now")

    assert overview(db, ann) == "Your team's own: `go now`"


def test_an_alias_is_found_by_its_name_and_by_its_first_word(
    db: Database, ann: Principal
) -> None:
    fill(db, ann, "deploy now", name="rollout")

    by_name, by_word = found(db, ann, "rollout"), found(db, ann, "DEPLOY")

    assert by_name is not None
    assert by_word is not None
    assert by_name.data == by_word.data
    assert found(db, ann, "rollout", "now") is None


def test_a_name_comes_before_a_first_word(db: Database, ann: Principal) -> None:
    fill(db, ann, "ship now", name="deploy")
    fill(db, ann, "deploy now", name="another")

    reply = found(db, ann, "deploy")

    assert reply is not None
    assert reply.data["name"] == "deploy"


def test_a_stranger_is_told_nothing(db: Database, ann: Principal) -> None:
    """R-60."""
    fill(db, ann, "deploy now")
    stranger = replace(ann, linked=False)

    assert not overview(db, stranger)
    assert found(db, stranger, "deploy") is None
