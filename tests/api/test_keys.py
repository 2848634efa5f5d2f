"""Scopes of a key are those that some command asks for."""

import pytest

from tests.api.gateway import Gateway


@pytest.mark.parametrize(
    ("scopes", "fix"),
    [("task:write", "--scopes tasks:write"), ("tasks:wirte", "--scopes tasks:write")],
)
async def test_a_scope_that_opens_nothing_is_refused_with_the_nearest(
    gateway: Gateway, scopes: str, fix: str
) -> None:
    refused = await gateway.admin.say(f"key create ci --scopes {scopes}")

    assert (refused.status, refused.error["code"]) == (400, "invalid_argument")
    assert fix in refused.error["fix"]


@pytest.mark.parametrize("scopes", ["tasks:*", "*:read", "*", "runs:write", ""])
async def test_wildcards_and_the_scopes_of_roles_are_known(
    gateway: Gateway, scopes: str
) -> None:
    flag = f"--scopes {scopes}" if scopes else ""

    assert (await gateway.admin.say(f"key create ci {flag}")).status == 200
