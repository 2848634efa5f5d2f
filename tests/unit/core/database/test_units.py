"""Units of work: what one undoes, and what the others keep."""

import pytest
from sqlalchemy import text

from core.audit import service as audit
from core.audit.model import AuditDraft, Verdict
from core.database import Database, Tx
from core.events import service as events
from core.kernel.principal import Principal, TenantId, system
from tests.unit.core.database.conftest import Together, Work, mark, marks


class Refused(Exception):
    """What a unit of these tests raises."""


def audited(tx: Tx, action: str) -> None:
    tx.record(
        AuditDraft(action=action, actor="ann", channel="rest", verdict=Verdict.ALLOWED)
    )


def busy(tx: Tx, name: str) -> str:
    """Use everything that a unit can: ids, versions, rows, events, audit."""
    number = tx.new_id("T")
    tx.bump("tasks")
    mark(tx, name)
    events.append(tx, "mark_set", target=name)
    audited(tx, name)
    return number


def making_busy(name: str) -> Work:
    """Work that uses everything."""
    return lambda tx: busy(tx, name)


def refuse(tx: Tx) -> None:
    busy(tx, "refused")
    raise Refused


def refuse_inside(tx: Tx) -> None:
    """Be refused after an attempt that went well."""
    with tx.attempt():
        busy(tx, "innermost")
        marks(tx)
    refuse(tx)


def refuse_after_looking(tx: Tx) -> None:
    busy(tx, "refused early")
    marks(tx)
    refuse(tx)


async def test_waiting_units_share_one_transaction(
    db: Database, together: Together
) -> None:
    """M-QUE group commit: thirty units cost one commit."""
    commits: list[set[TenantId]] = []
    db.on_commit(commits.append)

    found = await together(*(making_busy(f"m{n}") for n in range(30)))

    assert found == [f"T-{n}" for n in range(1, 31)]
    assert commits == [set(), {"default"}]


@pytest.mark.parametrize("bad", [refuse, refuse_after_looking])
async def test_a_unit_that_raises_undoes_itself_alone(
    db: Database, ann: Principal, together: Together, bad: object
) -> None:
    """Rows, drafts, id counters and versions are as if it had never been."""
    first, refused, second = await together(
        lambda tx: busy(tx, "a"), bad, lambda tx: busy(tx, "b")
    )

    assert (first, second) == ("T-1", "T-2")
    assert isinstance(refused, Refused)
    assert db.look(marks, by=ann) == ["a", "b"]
    assert db.look(lambda tx: tx.version("tasks"), by=ann) == 2
    told = db.look(lambda tx: events.list_after(tx, 0), by=ann)
    assert [(each.seq, each.target) for each in told] == [(1, "a"), (2, "b")]
    assert db.look(audit.verify, by=ann).checked == 2


async def test_a_lost_row_of_one_unit_does_not_pass_for_stored(
    db: Database, ann: Principal, together: Together
) -> None:
    """R-01: held rows fail inside the next unit, but the fault is their owner's."""

    def twice(tx: Tx) -> None:
        mark(tx, "same")
        mark(tx, "same")

    fine, broken, looking = await together(
        lambda tx: mark(tx, "fine"), twice, lambda tx: (marks(tx), mark(tx, "later"))[1]
    )

    assert (fine, looking) == ("fine", "later")
    assert isinstance(broken, Exception)
    assert "UNIQUE" in str(broken).upper()
    assert db.look(marks, by=ann) == ["fine", "later"]


async def test_a_value_that_cannot_be_stored_spoils_its_own_unit_alone(
    db: Database, ann: Principal, together: Together
) -> None:
    def too_big(tx: Tx) -> None:
        mark(tx, "\ud800")

    fine, broken = await together(lambda tx: mark(tx, "fine"), too_big)

    assert fine == "fine"
    assert isinstance(broken, UnicodeEncodeError)
    assert db.run(lambda tx: mark(tx, "next"), by=ann) == "next"
    assert db.look(marks, by=ann) == ["fine", "next"]


def test_held_rows_are_seen_by_the_next_statement(db: Database, ann: Principal) -> None:
    def work(tx: Tx) -> list[list[str]]:
        seen = [marks(tx)]
        for name in ("b", "a"):
            mark(tx, name)
            seen.append(marks(tx))
        return seen

    assert db.run(work, by=ann) == [[], ["b"], ["a", "b"]]


async def test_held_rows_of_earlier_units_are_seen_by_later_ones(
    together: Together,
) -> None:
    _, seen = await together(lambda tx: mark(tx, "a"), marks)

    assert seen == ["a"]


@pytest.mark.parametrize("looks_first", [False, True])
@pytest.mark.parametrize("looks_inside", [False, True])
def test_an_undone_attempt_leaves_no_trace(
    db: Database, ann: Principal, looks_first: bool, looks_inside: bool
) -> None:
    """A dry run gives back its numbers, whatever had begun before it."""

    def work(tx: Tx) -> tuple[str, str]:
        busy(tx, "before")
        if looks_first:
            marks(tx)
        with tx.attempt() as attempt:
            dry = busy(tx, "dry")
            tx.keep("dry")
            if looks_inside:
                assert "dry" in marks(tx)
            attempt.undo()
        assert tx.kept is None
        return dry, busy(tx, "after")

    assert db.run(work, by=ann) == ("T-2", "T-2")
    assert db.look(marks, by=ann) == ["after", "before"]
    assert db.look(lambda tx: tx.version("tasks"), by=ann) == 2
    assert db.look(lambda tx: len(events.list_after(tx, 0)), by=ann) == 2


def test_an_attempt_that_opens_the_unit_can_be_undone(
    db: Database, ann: Principal
) -> None:
    """It shares the unit's own savepoint, which costs no statement."""

    def work(tx: Tx) -> None:
        with tx.attempt() as attempt:
            busy(tx, "dry")
            marks(tx)
            busy(tx, "dry too")
            attempt.undo()
        audited(tx, "dry_run")

    db.run(work, by=ann)

    assert db.look(marks, by=ann) == []
    assert db.look(audit.verify, by=ann).checked == 1


def test_attempts_nest(db: Database, ann: Principal) -> None:
    """A refusal inside undoes the inner attempt; the outer one goes on."""

    def work(tx: Tx) -> list[str]:
        with tx.attempt():
            busy(tx, "outer")
            with pytest.raises(Refused), tx.attempt():
                refuse_inside(tx)
            return [busy(tx, "after"), *marks(tx)]

    assert db.run(work, by=ann) == ["T-2", "after", "outer"]
    assert db.look(marks, by=ann) == ["after", "outer"]


def test_a_unit_after_a_refused_one_gets_its_numbers(
    db: Database, ann: Principal
) -> None:
    with pytest.raises(Refused):
        db.run(refuse, by=ann)

    assert db.run(lambda tx: busy(tx, "a"), by=ann) == "T-1"


def test_each_tenant_has_sequences_of_its_own(db: Database, ann: Principal) -> None:
    eve = system(TenantId("other"), name="eve")

    ids = [
        db.run(making_busy(f"m{n}"), by=who) for n, who in enumerate((ann, eve, ann))
    ]

    assert ids == ["T-1", "T-1", "T-2"]
    assert db.look(lambda tx: tx.event_seq, by=ann) == 2
    assert db.look(marks, by=eve) == ["m1"]


def test_raw_statements_are_undone_with_their_unit(
    db: Database, ann: Principal
) -> None:
    db.run(lambda tx: mark(tx, "kept"), by=ann)

    def wipe(tx: Tx) -> None:
        tx.execute(text("DELETE FROM channel_states"))
        raise Refused

    with pytest.raises(Refused):
        db.run(wipe, by=ann)

    assert db.look(marks, by=ann) == ["kept"]
