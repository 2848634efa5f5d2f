"""What is taken away is gone at once, in the process that took it away."""

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person


async def test_a_revoked_key_is_refused_by_the_next_request(
    gateway: Gateway, ann: Person
) -> None:
    """R-06."""
    assert (await ann.get("/v1/me")).status == 200

    revoked = await gateway.admin.post(
        f"/v1/keys/{ann.key_id}/revoke", {"reason": "leaked"}
    )
    refused = await ann.get("/v1/me")

    assert revoked.status == 200
    assert (refused.status, refused.error["code"]) == (401, "unauthenticated")
    assert "revoked" in refused.error["detail"]
    assert refused.error["fix"]


async def test_a_key_can_be_revoked_by_a_confirmed_line(
    gateway: Gateway, ann: Person
) -> None:
    """R-06: what a macro stands for counts, not the macro."""
    assert (await ann.get("/v1/me")).status == 200
    asked = await gateway.admin.say(f"key revoke {ann.key_id}")

    confirmed = await gateway.admin.say(f"confirm {asked.data['token']}")

    assert confirmed.status == 200
    assert (await ann.get("/v1/me")).status == 401


async def test_a_rotated_key_overlaps_as_long_as_was_said(
    gateway: Gateway, ann: Person
) -> None:
    """R-06: no overlap ends the old key at once, and the new one works."""
    assert (await ann.get("/v1/me")).status == 200

    rotated = await gateway.admin.post(
        f"/v1/keys/{ann.key_id}/rotate", {"overlap": "0s"}
    )
    new = Person(gateway, rotated.body["key"])

    assert (await ann.get("/v1/me")).status == 401
    assert (await new.get("/v1/me")).body["name"] == "ann"


async def test_a_disabled_user_is_shut_out_and_let_in_again(
    gateway: Gateway, ann: Person
) -> None:
    """R-06."""
    assert (await ann.get("/v1/me")).status == 200

    await gateway.admin.post("/v1/users/ann/disable", {"reason": "left"})
    shut_out = await ann.get("/v1/me")
    await gateway.admin.post("/v1/users/ann/enable")
    let_in = await ann.get("/v1/me")

    assert (shut_out.status, let_in.status) == (401, 200)


async def test_a_role_taken_away_is_gone_at_once(gateway: Gateway, ann: Person) -> None:
    """R-06."""
    assert (await ann.post("/collab/tasks", {"title": "one"})).status == 201

    await gateway.admin.patch("/v1/users/ann", {"roles": ["viewer"]})
    refused = await ann.post("/collab/tasks", {"title": "two"})

    assert (refused.status, refused.error["code"]) == (403, "missing_scope")
    assert refused.error["scope"] == "tasks:write"


async def test_a_channel_is_off_and_on_with_the_next_request(
    gateway: Gateway, ann: Person
) -> None:
    """M-OMN: switched while running."""
    await gateway.admin.post("/v1/channels/rest/disable", {"reason": "flood"})
    off = await ann.say("task list")
    await gateway.admin.say("channel enable rest")
    on = await ann.say("task list")

    assert (off.status, off.error["code"]) == (409, "channel_disabled")
    assert "flood" in off.error["detail"]
    assert on.status == 200


async def test_a_limit_holds_from_the_next_request_on(gateway: Gateway) -> None:
    """R-64: set while running, and taken back."""
    ann = gateway.person("ann")

    await gateway.admin.say("channel limit rest 2/minute --per family")
    limited = [(await ann.say("task list")).status for _ in range(3)]
    await gateway.admin.say("channel limit rest default --per family")
    free = await ann.say("task list")

    assert limited == [200, 200, 429]
    assert free.status == 200


@pytest.mark.parametrize("rate", ["often", "0/minute", "-1/minute", "60/fortnight"])
async def test_a_rate_that_is_none_is_refused_before_it_is_stored(
    gateway: Gateway, rate: str
) -> None:
    """R-64: a stored one would stop every later change from being read."""
    refused = await gateway.admin.post("/v1/channels/rest/limit", {"rate": rate})

    assert (refused.status, refused.error["code"]) == (422, "invalid_argument")
    assert refused.error["fix"]
    await gateway.graph.core.channels.reload()


async def test_nobody_gives_away_rights_they_lack(gateway: Gateway) -> None:
    """R-60: not by a key, a user or an invitation."""
    keeper = gateway.person(
        "ann", Role.ADMIN, scopes=("keys:write", "users:write", "tasks:read")
    )

    key = await keeper.post("/v1/keys", {"name": "more", "scopes": ["tasks:write"]})
    user = await keeper.post("/v1/users", {"name": "bob", "roles": ["admin"]})
    link = await keeper.post("/v1/users/admin/invite")

    for refused in (key, user, link):
        assert (refused.status, refused.error["code"]) == (403, "missing_scope")
