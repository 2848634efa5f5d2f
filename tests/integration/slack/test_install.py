"""Installing the app into another workspace by Slack's own consent."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from channels.testing.slack import FakeSlack, FakeWorkspace
from tests.integration.slack.conftest import ANN, ServeSlack, SlackGateway, until

REDIRECT = "/slack/oauth_redirect"
CLIENT = {"client_id": "1.2", "client_secret": SecretStr("the-fake-client-secret")}


@pytest.fixture
def globex(fake: FakeSlack) -> FakeWorkspace:
    return fake.add_workspace("globex", team_id="T0GLOBEX1")


async def invited(http: httpx2.AsyncClient, name: str = "globex") -> dict[str, str]:
    """Ask for an installation; give what Slack is told in its address."""
    made = await http.post("/v1/workspaces/install", json={"name": name})
    assert made.status_code == 200, made.text
    query = parse_qs(urlsplit(made.json()["url"]).query)
    return {name: values[0] for name, values in query.items()}


async def come_back(gateway: SlackGateway, **query: str) -> httpx2.Response:
    """Arrive as the browser of the workspace's admin does, signed in to nothing."""
    async with gateway.served.client("") as browser:
        return await browser.get(REDIRECT, params=query)


async def test_a_workspace_that_consents_is_installed_and_answered(
    fake: FakeSlack, serve_slack: ServeSlack, globex: FakeWorkspace
) -> None:
    gateway = await serve_slack(is_http=True, **CLIENT)
    async with gateway.served.client() as http:
        asked = await invited(http)

        came = await come_back(gateway, state=asked["state"], code=fake.grant(globex))
        [listed] = (await http.get("/v1/workspaces")).json()["items"]

    assert came.status_code == 200
    assert (listed["name"], listed["installed_by"]) == ("globex", "admin")
    assert asked["redirect_uri"] == f"http://ops.example{REDIRECT}"
    assert set(asked["scope"].split(",")) == globex.scopes
    [door] = [each for each in gateway.served.graph.doors if each.spec.name == "slack"]
    await until(lambda: any(each.account == "globex" for each in door.healths()))
    await fake.people_of(globex).dm(ANN, "help")
    await until(globex.answers)
    assert globex.bot_token not in gateway.dump()


async def test_a_state_counts_once_and_only_if_it_is_ours(
    fake: FakeSlack, serve_slack: ServeSlack, globex: FakeWorkspace
) -> None:
    """R-60: nobody else's workspace is slipped in, and none twice."""
    gateway = await serve_slack(is_http=True, **CLIENT)
    async with gateway.served.client() as http:
        state = (await invited(http))["state"]

    denied = await come_back(gateway, state=state, error="access_denied")
    again = await come_back(gateway, state=state, code=fake.grant(globex))
    forged = [
        await come_back(gateway, state=each, code=fake.grant(globex))
        for each in (
            "",
            "default.guess",
            "other-tenant." + state.partition(".")[2],
            "\u00e4",
        )
    ]
    none = await come_back(gateway, code=fake.grant(globex))

    assert "other-tenant" not in gateway.dump()
    assert denied.status_code == 409
    assert {each.status_code for each in (again, none, *forged)} == {401}
    assert gateway.count("workspaces") == 0


async def test_a_code_that_slack_does_not_know_installs_nothing(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    gateway = await serve_slack(is_http=True, **CLIENT)
    async with gateway.served.client() as http:
        state = (await invited(http))["state"]

    came = await come_back(gateway, state=state, code="code-of-nobody")

    assert came.status_code == 401
    assert gateway.count("workspaces") == 0


async def test_the_address_with_the_state_is_shown_once_and_kept_nowhere(
    serve_slack: ServeSlack,
) -> None:
    gateway = await serve_slack(is_http=True, **CLIENT)
    async with gateway.served.client() as http:
        state = (await invited(http))["state"]

    assert state not in gateway.dump()


async def test_without_a_client_of_slack_there_is_no_such_command(
    serve_slack: ServeSlack,
) -> None:
    gateway = await serve_slack(is_http=True)
    async with gateway.served.client() as http:
        refused = await http.post("/v1/workspaces/install", json={"name": "globex"})

    assert refused.status_code in (404, 405)
