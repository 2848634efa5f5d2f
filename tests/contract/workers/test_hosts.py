"""One executor on three hosts: in the gateway, over HTTP, behind Celery (M-RUN)."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from core.database import Tx, open_engine
from core.database.migrate import upgrade
from core.runs import controls
from core.runs.artifacts import service as artifacts
from core.runs.logs import service as logs
from core.runs.model import Backoff, RetryRule, Run, RunStatus
from core.runs.secrets import service as secrets
from core.runs.steps import service as steps
from core.runs.tables import runs
from core.runs.workers import service as workers
from tests.contract.workers.stands import ANN, Stand, effect, effects, shell
from tests.services import PostgresServer

pytestmark = pytest.mark.xdist_group("hosts")
LEASE = timedelta(seconds=40)
SETTINGS = {"OPSWIRE_WORKERS__LEASE_SECONDS": "40"}
AGAIN = RetryRule(max_attempts=3, backoff=Backoff.NONE, base=timedelta())


@pytest.fixture(scope="module", params=["embedded", "fleet", "celery"])
def stand(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stand]:
    """A gateway with one host of runs, for all tests of this module."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "celery":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        redis_url = request.getfixturevalue("redis_server")
        with server.database() as url:
            engine = open_engine(url)
            upgrade(engine)
            engine.dispose()
            stand = Stand(
                folder,
                worker=["--celery"],
                database_url=url,
                REDIS_URL=redis_url,
                **SETTINGS,
            )
            stand.workers[0].await_ready()
            yield stand
            stand.close()
        return
    words = ["--labels", "here", "--concurrency", "4"]
    stand = Stand(folder, worker=words if request.param == "fleet" else (), **SETTINGS)
    for each in stand.workers:
        each.await_ready()
    yield stand
    stand.close()


async def test_a_run_succeeds(stand: Stand) -> None:
    """Its steps are done in order, and what they printed can be read."""
    run = stand.start(
        shell("one", "echo first"), shell("two", "echo second; echo third >&2")
    )

    ended = await stand.ended(run.id)

    assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 1)
    page = stand.db.look(lambda tx: logs.read(tx, run.id), by=ANN)
    assert "".join(chunk.text for chunk in page.chunks).split() == [
        "first", "second", "third",
    ]  # fmt: skip
    done = stand.db.look(lambda tx: steps.list_of(tx, run.id), by=ANN)
    assert [(each.name, each.exit_code) for each in done] == [("one", 0), ("two", 0)]


async def test_a_claim_lasts_as_long_as_was_set(stand: Stand) -> None:
    """M-RUN-05: each heartbeat prolongs it by that."""
    go = stand.folder / "go"
    run = stand.start(shell("wait", f"while [ ! -e {go} ]; do sleep 0.05; done"))
    await stand.running(run.id)

    held = stand.get(run.id)
    go.touch()
    await stand.ended(run.id)
    go.unlink()

    assert held.heartbeat_at is not None
    assert held.lease_expires_at == held.heartbeat_at + LEASE


async def test_a_failure_is_tried_again(stand: Stand) -> None:
    """The second attempt sees nothing of the first but its number."""
    run = stand.start(
        shell("flaky", 'test "$OPS_ATTEMPT" = 2; code=$?; ls; exit $code'), retry=AGAIN
    )

    ended = await stand.ended(run.id)

    assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 2)


async def test_a_failure_that_stays_is_told(stand: Stand) -> None:
    run = stand.start(shell("broken", "exit 7"))

    ended = await stand.ended(run.id)

    assert ended.status is RunStatus.FAILED
    assert ended.error is not None
    assert (ended.error.code, ended.error.step) == ("exit_code", "broken")


async def test_a_cancelled_run_leaves_no_process(stand: Stand) -> None:
    """R-26: also one that does not listen to SIGTERM."""
    script = f"trap '' TERM; echo $$ > {stand.folder}/pid; while :; do sleep 0.1; done"
    run = stand.start(shell("deaf", script))
    await stand.until((stand.folder / "pid").exists)

    stand.cancel(run.id)

    assert (await stand.ended(run.id)).status is RunStatus.CANCELLED


async def test_a_paused_run_waits_between_steps(stand: Stand) -> None:
    go = stand.folder / "go"
    run = stand.start(
        shell("first", f"while [ ! -e {go} ]; do sleep 0.05; done"),
        shell("second", effect(stand.folder)),
    )
    await stand.running(run.id)
    stand.db.run(lambda tx: controls.pause(tx, run.id), by=ANN)
    beaten = stand.get(run.id).heartbeat_at
    # The next heartbeat brings the word; only then may the first step end.
    await stand.until(lambda: stand.get(run.id).heartbeat_at != beaten)
    go.touch()
    await stand.until(lambda: has_ended_step(stand, run))
    assert (run.id, "1") not in effects(stand.folder)

    stand.db.run(lambda tx: controls.resume(tx, run.id), by=ANN)

    assert (await stand.ended(run.id)).status is RunStatus.SUCCEEDED
    assert effects(stand.folder).count((run.id, "1")) == 1
    go.unlink()


async def test_a_run_that_was_taken_away_is_given_up(stand: Stand) -> None:
    """R-24: the zombie is refused and stops; the next attempt alone has the effect."""
    script = f'[ "$OPS_ATTEMPT" = 1 ] && sleep 30; {effect(stand.folder)}'
    run = stand.start(shell("slow", script), retry=AGAIN)
    await stand.running(run.id)

    stand.db.run(lambda tx: expire(tx, run.id), by=ANN)
    ended = await stand.ended(run.id)

    assert (ended.status, ended.attempt) == (RunStatus.SUCCEEDED, 2)
    found = [attempt for run_id, attempt in effects(stand.folder) if run_id == run.id]
    assert found == ["2"]


async def test_files_are_kept_also_of_what_failed(stand: Stand) -> None:
    """Small ones go with the call, large ones in pieces."""
    script = (
        "echo '# Plan' > plan.md; mkdir out; "
        "head -c 700000 /dev/zero > out/large.bin; exit 3"
    )
    run = stand.start(shell("make", script, artifacts=["plan.md", "out/*"]))

    await stand.ended(run.id)

    found = stand.db.look(lambda tx: artifacts.list_of(tx, run.id), by=ANN)
    assert {(each.name, each.size_bytes, each.is_partial) for each in found} == {
        ("plan.md", 7, True),
        ("out-large.bin", 700_000, True),
    }
    assert all(each.is_ready for each in found)
    plan = next(each for each in found if each.name == "plan.md")
    pieces = stand.db.look(lambda tx: list(artifacts.read(tx, plan)), by=ANN)
    assert b"".join(pieces) == b"# Plan\n"


async def test_secrets_are_given_and_not_shown(stand: Stand) -> None:
    value = "correct-horse-battery"  # pragma: allowlist secret
    stand.db.run(
        lambda tx: secrets.set_(tx, "DEPLOY_KEY", value, vault=stand.vault), by=ANN
    )
    run = stand.start(
        shell(
            "use",
            'test ${#KEY} = 21 && echo "it is $KEY"',
            secrets={"KEY": "DEPLOY_KEY"},
        )
    )

    ended = await stand.ended(run.id)

    assert ended.status is RunStatus.SUCCEEDED
    page = stand.db.look(lambda tx: logs.read(tx, run.id), by=ANN)
    text = "".join(chunk.text for chunk in page.chunks)
    assert "it is" in text
    assert value not in text


async def test_many_runs_have_one_effect_each(stand: Stand) -> None:
    """R-23: none twice, none lost."""
    started = [stand.start(shell("note", effect(stand.folder))) for _ in range(12)]

    ended = await asyncio.gather(*(stand.ended(run.id) for run in started))

    assert {run.status for run in ended} == {RunStatus.SUCCEEDED}
    found = effects(stand.folder)
    assert [found.count((run.id, "1")) for run in started] == [1] * 12


async def test_its_worker_is_known(stand: Stand) -> None:
    found = stand.db.look(workers.list_present, by=ANN)

    assert [each.state.value for each in found] == ["online"]


def has_ended_step(stand: Stand, run: Run) -> bool:
    done = stand.db.look(lambda tx: steps.list_of(tx, run.id), by=ANN)
    return any(each.exit_code == 0 for each in done)


def expire(tx: Tx, run_id: str) -> None:
    """Have the lease of a run end now, as if its worker had been silent."""
    tx.execute(
        update(runs)
        .where(runs.c.tenant_id == tx.tenant, runs.c.id == run_id)
        .values(lease_expires_at=tx.micros - 1)
    )
    tx.touch()
