"""Consent to what is risky, and rehearsals that change nothing."""

from datetime import timedelta

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person


@pytest.fixture
def lease(ann: Person) -> "Lease":
    return Lease(ann)


class Lease:
    """A lease of ann's that others may want to reclaim."""

    def __init__(self, ann: Person) -> None:
        self._ann = ann

    async def taken(self, resource: str = "deploy-prod") -> str:
        answer = await self._ann.post("/collab/leases/acquire", {"resource": resource})
        return str(answer.body["lock_id"])


async def test_a_risky_line_waits_for_its_token(bob: Person, lease: Lease) -> None:
    """M-LEA: 409 with a token, which the same line then brings along."""
    lock = await lease.taken()
    line = f'lease reclaim {lock} --reason "worker died"'

    asked = await bob.say(line)
    done = await bob.say(f"{line} --confirm {asked.data['token']}")

    assert (asked.status, asked.body["status"]) == (409, "needs_confirmation")
    assert asked.data["target"] == lock
    assert done.status == 200
    assert done.body["summary"] == f"Reclaimed {lock}"


async def test_yes_in_a_line_is_answered_with_what_counts_here(
    bob: Person, lease: Lease
) -> None:
    lock = await lease.taken()

    plain = await bob.say(f"lease reclaim {lock}")
    asked = await bob.say(f"lease reclaim {lock} --yes")

    hint = "`--yes` counts in a terminal alone"
    assert asked.status == 409
    assert f"--confirm {asked.data['token']}" in str(asked.body["blocks"])
    assert hint in str(asked.body["blocks"])
    assert hint not in str(plain.body["blocks"])


async def test_a_typed_id_in_the_place_of_a_proposals_is_told_what_counts(
    bob: Person, lease: Lease
) -> None:
    """Only what cannot be taken back is confirmed by its own id."""
    lock = await lease.taken()

    answer = await bob.say(f"lease reclaim {lock} --confirm {lock}")

    assert answer.status == 404
    assert "without --confirm" in str(answer.error["fix"])
    assert "id of a proposal" in str(answer.error["fix"])


async def test_nothing_happens_before_the_confirmation(
    gateway: Gateway, bob: Person, lease: Lease
) -> None:
    lock = await lease.taken()
    before = gateway.rows()

    await bob.say(f"lease reclaim {lock}")

    after = gateway.rows()
    assert {name for name in after if after[name] != before[name]} == {"proposals"}
    assert (await bob.get(f"/collab/leases/{lock}")).status == 200


async def test_a_token_is_used_once(gateway: Gateway) -> None:
    """M-LEA."""
    asked = await gateway.admin.say("channel disable webhook --reason flood")
    token = asked.data["token"]

    first = await gateway.admin.say(f"confirm {token}")
    second = await gateway.admin.say(f"confirm {token}")

    assert (asked.status, first.status) == (409, 200)
    assert first.data["is_enabled"] is False
    assert (second.status, second.error["code"]) == (409, "conflict")


async def test_a_token_belongs_to_one_person(
    ann: Person, bob: Person, lease: Lease
) -> None:
    """R-60: another one's is as if there were none."""
    lock = await lease.taken()
    token = (await bob.say(f"lease reclaim {lock}")).data["token"]

    stolen = [
        await ann.say(f"confirm {token}"),
        await ann.say(f"lease reclaim {lock} --confirm {token}"),
        await ann.say(f"cancel {token}"),
    ]

    assert [(each.status, each.error["code"]) for each in stolen] == [
        (404, "not_found")
    ] * 3
    assert (await bob.say(f"confirm {token}")).status == 200


async def test_a_token_belongs_to_one_command(bob: Person, lease: Lease) -> None:
    one, two = await lease.taken("one"), await lease.taken("two")
    token = (await bob.say(f"lease reclaim {one}")).data["token"]

    other = await bob.say(f"lease reclaim {two} --confirm {token}")

    assert (other.status, other.error["code"]) == (409, "conflict")
    assert (await bob.get(f"/collab/leases/{two}")).status == 200


async def test_a_token_is_void_once_its_target_has_changed(
    ann: Person, bob: Person, lease: Lease
) -> None:
    """The holder has changed since; a mere heartbeat voids nothing."""
    lock = await lease.taken()
    line = f"lease reclaim {lock}"
    first = (await bob.say(line)).data["token"]
    second = (await bob.say(line)).data["token"]

    fence = (await ann.get(f"/collab/leases/{lock}")).body["fence"]
    await ann.post(f"/collab/leases/{lock}/heartbeat", {"fence": fence})
    reclaimed = await bob.say(f"{line} --confirm {first}")
    again = await bob.say(f"{line} --confirm {second}")

    assert reclaimed.status == 200
    assert again.status == 409


async def test_a_switch_that_was_turned_meanwhile_voids_a_token(
    gateway: Gateway,
) -> None:
    admin, eve = gateway.admin, gateway.person("eve", Role.ADMIN)
    line = "channel disable webhook"
    token = (await admin.say(line)).data["token"]
    turned = await eve.post("/v1/channels/webhook/disable", {"reason": "flood"})
    assert turned.status == 200, turned

    late = await admin.say(f"{line} --confirm {token}")

    assert (late.status, late.error["code"]) == (409, "conflict")
    assert "earlier state" in late.error["detail"]


async def test_a_token_lasts_fifteen_minutes(gateway: Gateway) -> None:
    admin = gateway.admin
    token = (await admin.say("channel disable webhook")).data["token"]

    gateway.clock.advance(timedelta(minutes=15))
    late = await admin.say(f"confirm {token}")

    assert (late.status, late.error["code"]) == (409, "conflict")
    assert "expired" in late.error["detail"]


async def test_a_dropped_command_cannot_be_confirmed(gateway: Gateway) -> None:
    admin = gateway.admin
    token = (await admin.say("channel disable webhook")).data["token"]

    dropped = await admin.say(f"cancel {token}")
    late = await admin.say(f"confirm {token}")

    assert dropped.data == {"id": token, "command": "channel disable webhook"}
    assert late.status == 409


async def test_a_resource_call_is_consent_in_itself(
    bob: Person, lease: Lease, ann: Person
) -> None:
    """For risky commands; a line needs to be confirmed."""
    task = (await ann.post("/collab/tasks", {"title": "Fix login"})).body["id"]
    lock = await lease.taken(task)

    done = await bob.post(f"/collab/leases/{lock}/reclaim", {"reason": "worker died"})

    assert done.status == 200
    assert (done.body["task"], done.body["task_status"]) == (task, "queued")


async def test_asking_and_confirming_are_audited(
    gateway: Gateway, bob: Person, lease: Lease
) -> None:
    """R-72."""
    lock = await lease.taken()
    token = (await bob.say(f"lease reclaim {lock}")).data["token"]
    await bob.say(f"confirm {token}")

    told = [
        (each.action, each.verdict.value, each.target)
        for each in gateway.audits()
        if each.actor == "bob"
    ]
    assert told == [
        ("lease reclaim", "proposed", lock),
        ("lease reclaim", "allowed", lock),
    ]


# Every line runs on a board with T-1 to T-3, of which ann has claimed T-1.
REHEARSED = [
    'task create "New" --needs T-2 --dod "tests,docs"',
    "task set T-2 --title Other --if-match {etag}",
    "task move T-2 claimed",
    "task claim T-2",
    "task release T-1",
    "task move T-1 in_progress",
    'task block T-2 --reason "no access"',
    "task note T-2 remark",
    "task tick T-2 tests",
    "lease acquire deploy-prod --ttl 1m",
    "lease renew L-1 --fence 1",
    "lease release L-1 --fence 1",
    "lease reclaim L-1 --reason gone",
    "lease sweep",
    "event add deploy_finished --target web-1",
    "agent register ann --role reviewer",
    "channel disable webhook --reason flood",
    "channel limit rest 60/minute",
    "user create eve --roles operator",
    "user invite bob",
    "user set bob --roles viewer",
    "user disable bob",
    "key create ci",
    "key rotate K-1",
    "key revoke K-1",
    "tenant create acme",
    "link",
    "approval rule set 'task create' --need 2",
    "approval rule delete 'lease sweep' --confirm 'lease sweep'",
]


@pytest.mark.parametrize("line", REHEARSED)
async def test_a_dry_run_tells_and_changes_nothing(
    gateway: Gateway, ann: Person, bob: Person, line: str
) -> None:
    """The whole database is the same, but for what notes that somebody asked."""
    board = [
        await ann.post("/collab/tasks", {"title": "Fix login", "dod": ["tests"]})
        for _ in range(3)
    ]
    await ann.post("/collab/tasks/T-1/claim")
    await gateway.admin.say("approval rule set 'lease sweep'")
    asker = ann if line.startswith(("task", "lease re")) else gateway.admin
    asker = gateway.admin if line.startswith("lease reclaim") else asker
    before = gateway.rows()

    told = await asker.say(f"{line.format(etag=board[1].body['etag'])} --dry-run")

    assert told.status == 200, told
    assert told.body["summary"].startswith("Would: ")
    assert told.data["dry_run"] is True
    assert told.data["plan"]["command"].startswith(" ".join(line.split()[:2]))
    assert told.body["undo"] is None
    assert gateway.rows() == before


async def test_a_rehearsal_tells_the_events_there_would_be(ann: Person) -> None:
    told = await ann.post("/collab/tasks", {"title": "Fix login", "dry_run": True})
    real = await ann.post("/collab/tasks", {"title": "Fix login"})

    assert (told.status, real.status) == (200, 201)
    assert told.body["plan"]["events"] == [{"event": "task_created", "target": "T-1"}]
    assert told.body["id"] == real.body["id"] == "T-1"


async def test_a_rehearsal_is_refused_where_the_real_thing_would_be(
    ann: Person,
) -> None:
    told = await ann.say("task claim T-9 --dry-run")

    assert (told.status, told.error["code"]) == (404, "not_found")


async def test_old_proposals_are_forgotten(gateway: Gateway) -> None:
    """A day after it has expired, nobody is told any more that it has."""
    await gateway.admin.say("channel disable webhook")
    gateway.clock.advance(timedelta(minutes=15, hours=23))
    await gateway.sweep()
    kept = len(gateway.rows()["proposals"])

    gateway.clock.advance(timedelta(hours=1))
    await gateway.sweep()

    assert (kept, gateway.rows()["proposals"]) == (1, [])
