"""Who may see the page, who may use it, and that it never is in the way."""

from contextlib import closing
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any

import pytest
from pydantic import SecretStr

from core.kernel.principal import Role
from gateway.settings import EmailSettings, Settings, SlackSettings
from gateway.simulators import Simulators
from tests.integration.conftest import Serving
from tests.integration.served import ADMIN_KEY, Served
from tests.integration.simulators.conftest import Page, played, switch_on

PAGES = Path(__file__).parents[3] / "gateway" / "http" / "pages" / "simulators"
CALLS = (("GET", "state"), ("POST", "slack"), ("POST", "mail"), ("POST", "webhook"))


async def test_page_loads_nothing_from_elsewhere(page: Page) -> None:
    answer = await page.client.get("/simulators")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "http" not in policy
    assert "Simulators: no real Slack" in answer.text


@pytest.mark.parametrize("path", sorted(each.name for each in PAGES.iterdir()))
async def test_scripts_write_text_and_never_markup(path: str) -> None:
    """What somebody wrote cannot become an element of the page."""
    text = (PAGES / path).read_text()

    assert "innerHTML" not in text
    assert "insertAdjacentHTML" not in text
    assert "document.write" not in text
    assert "eval(" not in text
    assert "//cdn" not in text


@pytest.mark.parametrize(
    "path", ["..%2Flink.js", "index.html", "page.txt", "nothing.js"]
)
async def test_only_scripts_and_styles_are_served(page: Page, path: str) -> None:
    answer = await page.client.get(f"/simulators/{path}")

    assert answer.status_code == 404


@pytest.mark.parametrize(("method", "name"), CALLS)
async def test_nobody_gets_in_without_a_credential(
    page: Page, method: str, name: str
) -> None:
    async with page.gateway.client("") as nobody:
        answer = await nobody.request(method, f"/simulators/api/{name}", json={})

    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "name"), CALLS)
async def test_operator_may_not_act_as_others(
    page: Page, method: str, name: str
) -> None:
    """It takes the right to change channels, for one acts as ann and as bob."""
    _, key = page.gateway.make_key("carol", Role.OPERATOR)

    async with page.gateway.client(key) as carol:
        answer = await carol.request(method, f"/simulators/api/{name}", json={})

    assert answer.status_code == 403
    assert answer.json()["code"] == "missing_scope"


async def test_outside_of_demo_mode_the_page_says_how_to_get_it(
    serving: Serving,
) -> None:
    gateway = await serving()

    async with gateway.client() as client:
        page = await client.get("/simulators", headers={"accept": "text/html"})
        plain = await client.get("/simulators")
        state = await client.get("/simulators/api/state")

    assert page.status_code == 404
    assert "demoMode" in page.text
    assert "demoMode" in plain.json()["fix"][0]
    assert state.status_code == 404


async def test_page_goes_when_demo_mode_is_switched_off(page: Page) -> None:
    flags = page.gateway.graph.settings.flags_file
    flags.write_text('{"demoMode": false}')

    assert (await page.client.get("/simulators")).status_code == 404
    assert (await page.client.get("/simulators/page.js")).status_code == 404


@pytest.mark.parametrize(
    "act",
    [
        {"do": "dance"},
        {"do": "type", "text": ""},
        {"do": "type", "text": "x" * 8_001},
        {"do": "press", "channel": "C0OPS0001", "ts": "1.1", "index": -1},
        {"do": "type", "text": "hello", "who": "eve"},
    ],
)
async def test_what_does_not_fit_is_named(page: Page, act: dict[str, Any]) -> None:
    answer = await page.client.post("/simulators/api/slack", json={"who": "ann", **act})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_argument"


@pytest.mark.parametrize(
    "act",
    [
        {"do": "press", "channel": "C0OPS0001", "ts": "1.1", "index": 0},
        {"do": "send", "view": "V1", "values": {}},
        {"do": "type", "channel": "C0NONE", "text": "hello"},
    ],
)
async def test_what_is_not_on_the_screen_does_not_exist(
    page: Page, act: dict[str, Any]
) -> None:
    assert (await page.slack(**act)).status_code == 404


async def test_slash_commands_are_not_taken_in_threads(page: Page) -> None:
    """As in Slack itself."""
    act = {"do": "type", "channel": "C0OPS0001", "thread": "1.1", "text": "/ops help"}

    answer = await page.slack(**act)

    assert answer.json()["fix"] == ["@ops help"]


async def test_real_accounts_are_left_alone(tmp_path: Path) -> None:
    slack = SlackSettings(
        bot_token=SecretStr("xoxb-real"), api_url="http://127.0.0.1:9"
    )
    email = EmailSettings(address="ops@example.com")
    known = Settings(data=tmp_path, slack=slack, email=email)

    simulators = Simulators.bind(known)

    assert simulators.applied(known) == known


async def test_simulator_that_cannot_be_served_stops_nothing(tmp_path: Path) -> None:
    switch_on(tmp_path / "data")
    gateway = Served(tmp_path / "data", has_simulators=True)
    stand = gateway.graph.simulators.slack_stand  # type: ignore[union-attr]
    stand.port.close()  # type: ignore[union-attr]
    with closing(socket()) as squatter:
        squatter.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", stand.port.number))  # type: ignore[union-attr]
        squatter.listen()
        await gateway.start()
        async with gateway.client(ADMIN_KEY) as client:
            ready = await client.get("/readyz")
            state = await client.get("/simulators/api/state")
        await gateway.stop()

    assert ready.status_code == 200
    assert state.json()["slack"] is None


async def test_people_of_the_demo_are_made_once(tmp_path: Path) -> None:
    """A restart over the same data changes nothing, and the accounts still work."""
    for _ in range(2):
        async with played(tmp_path / "data") as page:
            await page.find(page.is_ready)
            await page.type("/ops whoami")
            await page.answer("ann via slack")
            await page.write("!whoami")
            await page.mail("ann via email")

    async with played(tmp_path / "data") as page:
        listed = await page.say("user list")

    assert [each["name"] for each in listed["data"]["items"]] == ["admin", "ann", "bob"]


async def test_somebody_who_was_here_before_is_not_taken_over(tmp_path: Path) -> None:
    """A simulated account never acts as a person whom the demo did not make."""
    switch_on(tmp_path / "data")
    gateway = Served(tmp_path / "data", has_simulators=True)
    gateway.make_key("ann", Role.ADMIN)
    await gateway.start()
    async with gateway.client(ADMIN_KEY) as client:
        page = Page(gateway, client)
        await page.find(lambda state: [state] if state["slack"] else [])
        await page.find(lambda state: [state] if state["slack"]["is_connected"] else [])
        await page.type("/ops whoami")
        answer = await page.answer("via slack")
    await gateway.stop()

    assert "ann" not in answer["text"]
