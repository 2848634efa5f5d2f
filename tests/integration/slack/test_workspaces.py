"""Several workspaces: never mixed up, and their tokens never readable at rest."""

from pathlib import Path

import pytest

from channels.testing.slack import FakeSlack, FakeWorkspace
from core.kernel.principal import Role, system
from core.secrets.vault import Vault
from core.workspaces import service as workspaces
from core.workspaces.model import Team
from gateway.adapters.keystore import FileKeystore
from gateway.doors.slack_workspaces import StoredInstallations
from tests.integration.slack.conftest import (
    ANN,
    OPS,
    Alone,
    ServeSlack,
    SlackGateway,
    until,
)

TOKEN = "xoxb-0123456789-an-invented-token"  # pragma: allowlist secret
TEAM = Team(team_id="T1", enterprise_id="", bot_user_id="U1", name="acme")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(FileKeystore(tmp_path / "keystore.json"))


@pytest.fixture
def globex(fake: FakeSlack) -> FakeWorkspace:
    """Another workspace, in which somebody else has ann's user id."""
    return fake.add_workspace("globex", team_id="T0GLOBEX1")


async def add(gateway: SlackGateway, name: str, token: str) -> None:
    """Add a workspace as an admin does, and wait until Slack has vouched for it."""
    async with gateway.served.client() as http:
        body = {"name": name, "token": token}
        answered = await http.post("/v1/workspaces", json=body)
    assert answered.status_code == 201, answered.text
    [door] = [each for each in gateway.served.graph.doors if each.spec.name == "slack"]
    await until(lambda: any(each.account == name for each in door.healths()))


async def test_the_same_user_id_in_two_workspaces_is_two_people(
    fake: FakeSlack, serve_slack: ServeSlack, globex: FakeWorkspace
) -> None:
    """R-60: linked here is not linked there, and each is answered at home."""
    gateway = await serve_slack(is_http=True)
    gateway.link("ann", ANN)
    await add(gateway, "globex", globex.bot_token)

    await fake.people.dm(ANN, "whoami")
    await fake.people_of(globex).dm(ANN, "whoami")
    await gateway.answered()
    await until(globex.answers)

    assert fake.messages()[0].text.startswith("ann via slack")
    assert globex.answers()[0].text.startswith("slack:U0ANN0001")
    assert (len(fake.messages()), len(globex.answers())) == (1, 1)


async def test_the_same_message_in_two_workspaces_is_two_messages(
    fake: FakeSlack, serve_slack: ServeSlack, globex: FakeWorkspace
) -> None:
    """R-60: time stamps and channel ids repeat between workspaces."""
    gateway = await serve_slack(is_http=True)
    await add(gateway, "globex", globex.bot_token)
    event = {
        "type": "app_mention",
        "user": ANN,
        "text": "<@U0OPSBOT1> help",
        "ts": "1700000000.000100",
        "channel": OPS,
    }

    await fake.people.tell(event)
    await fake.people_of(globex).tell(event)

    await until(lambda: fake.messages() and globex.answers())
    assert gateway.count("inbox WHERE channel = 'slack'") == 2


async def test_a_removed_workspace_has_no_effect_any_more(
    fake: FakeSlack, alone: Alone, globex: FakeWorkspace
) -> None:
    alone.installations.tokens["globex"] = globex.bot_token
    await alone.teams.reload()
    assert alone.teams.find(globex.team_id) is not None

    del alone.installations.tokens["globex"]
    await alone.teams.reload()

    assert alone.teams.find(globex.team_id) is None
    assert alone.teams.of("globex") is None


async def test_an_installation_for_a_whole_enterprise_serves_its_workspaces(
    fake: FakeSlack, alone: Alone
) -> None:
    fake.home.enterprise_id, fake.home.is_whole_enterprise = "E0ACME", True
    await alone.teams.reload()

    assert alone.teams.find("T0BRANCH1", "E0ACME") is not None
    assert alone.teams.find("T0BRANCH1", "E0OTHER") is None
    assert alone.teams.find("T0BRANCH1") is None


async def test_a_second_token_of_the_same_workspace_is_not_used(
    fake: FakeSlack, alone: Alone
) -> None:
    """R-60: or two tenants could share one workspace."""
    alone.installations.tokens["other"] = fake.bot_token

    await alone.teams.reload()
    await alone.teams.reload()

    found = alone.teams.find(fake.home.team_id)
    assert found is not None
    assert found.account == "default"
    assert "installed under another name" in alone.installations.noted[-1][2]


async def test_what_slack_said_before_lets_messages_in_while_it_is_down(
    fake: FakeSlack, alone: Alone
) -> None:
    await alone.teams.reload()
    [(_, identity, _)] = alone.installations.noted
    assert identity is not None
    again = Alone(fake, default=fake.bot_token)
    again.installations.known["default"] = identity
    fake.script.add("500", method="auth.test")

    await again.teams.reload()

    assert again.teams.find(fake.home.team_id) is not None
    assert again.health().error
    await again.pool.close()


async def test_a_token_is_never_readable_at_rest_nor_repeated(
    fake: FakeSlack, serve_slack: ServeSlack, globex: FakeWorkspace
) -> None:
    """R-62, R-69: the database has it sealed, and no answer or log says it."""
    gateway = await serve_slack(is_http=True)
    await add(gateway, "globex", globex.bot_token)

    async with gateway.served.client() as http:
        listed = await http.get("/v1/workspaces")
    folder = gateway.served.graph.settings.data
    raw = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())

    assert listed.json()["items"][0]["team_id"] == globex.team_id
    for text in (listed.content, raw):
        assert globex.bot_token.encode() not in text
        assert fake.bot_token.encode() not in text


@pytest.mark.parametrize(
    "line", ["workspace add other {}", "workspace add other {} more"]
)
async def test_a_token_that_is_typed_in_slack_is_not_kept_with_the_message(
    fake: FakeSlack, serve_slack: ServeSlack, line: str
) -> None:
    """R-69: once it was run, or could not be."""
    gateway = await serve_slack()
    gateway.link("ann", ANN, role=Role.ADMIN)

    await fake.people.slash(ANN, OPS, line.format(TOKEN))
    [answer] = await gateway.answered()

    assert TOKEN not in gateway.dump()
    assert TOKEN not in str(answer)


async def test_a_token_that_slack_refuses_is_shown_with_its_workspace(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    gateway = await serve_slack(is_http=True)
    await add(gateway, "wrong", TOKEN)

    async with gateway.served.client() as http:
        listed = (await http.get("/v1/workspaces")).json()["items"]
        ready = await http.get("/readyz")

    assert listed[0]["state"] == "degraded"
    assert "invalid_auth" in listed[0]["fault"]
    assert ready.status_code == 200


async def test_a_token_that_cannot_be_opened_stops_no_other_workspace(
    fake: FakeSlack, serve_slack: ServeSlack, globex: FakeWorkspace
) -> None:
    """A key that is gone makes one workspace unusable, not Slack."""
    gateway = await serve_slack(is_http=True)
    await add(gateway, "globex", globex.bot_token)
    db, core = gateway.served.graph.db, gateway.served.graph.core
    seal = "UPDATE workspaces SET token = 'v1.gone.AAAA.AAAA' WHERE name = 'globex'"
    gateway.execute(seal)

    installed = StoredInstallations(db, core.vault, token=fake.bot_token)

    assert [each.account for each in await installed.list_()] == ["default"]
    [found] = db.run(workspaces.list_, by=system())
    assert "add it again" in found.fault
