"""The page in a browser: signing in, one line at all five doors, nothing hostile runs."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest

from core.identity.logins import service as logins
from core.identity.users import service as users
from core.kernel.principal import system
from scripts.screenshots import PROGRAMS, Browser, browser
from tests.integration.served import ADMIN_KEY
from tests.integration.simulators.conftest import Page
from tests.services import find_program

HOSTILE = "<img src=x onerror=window.hit=1> <script>window.hit=1</script>"


@pytest.fixture
async def tab(page: Page) -> AsyncIterator[Browser]:
    """A browser tab that shows the page, signed in with a one-time link."""
    if not any(map(shutil.which, PROGRAMS)):
        find_program(PROGRAMS[0])
    async with browser() as tab:
        link = page.gateway.graph.db.run(
            lambda tx: logins.create_link(tx, users.ensure_admin(tx).id), by=system()
        )
        await tab.open(f"http://127.0.0.1:{page.gateway.port}/simulators#{link.token}")
        await tab.sees("No mail yet", within="#mail-list")
        yield tab


async def test_one_line_is_answered_at_all_five_doors(tab: Browser) -> None:
    """M-OMN: each in its native form."""
    await tab.fill("#everywhere-line", "task list --limit 1")

    await tab.sees("1 task", within="#slack-messages")
    await tab.sees("Re: ", within="#mail-list")
    await tab.sees("Created", within="#webhook-list")
    await tab.sees("1 task", within="#socket-list")
    await tab.sees('"items"', within="#rest-list")


async def test_delivery_is_shown_with_its_outcome_and_replayed(tab: Browser) -> None:
    await tab.press("Make a demo endpoint")
    await tab.until("document.querySelector('#webhook-endpoint').value")
    await tab.press("Deliver")

    await tab.sees("done in", within="#webhook-list")
    await tab.press("Replay")
    await tab.sees("nothing was run again", within="#webhook-list")


async def test_what_somebody_wrote_is_text(tab: Browser) -> None:
    """A message, an answer, a mail and a payload may hold anything."""
    await tab.fill("#slack-text", HOSTILE)
    await tab.fill("#slack-text", f"/ops task create '{HOSTILE}'")
    await tab.fill("#mail-text", f"!task create '{HOSTILE}'")
    await tab.fill("#rest-line", f"task create '{HOSTILE}'")
    await tab.fill("#socket-line", f"task create '{HOSTILE}'")
    await tab.sees("<img src=x", within="#slack-messages")
    await tab.sees("<img src=x", within="#rest-list")
    await tab.sees("<img src=x", within="#socket-list")
    await tab.until("document.querySelector('#mail-list iframe')")
    await asyncio.sleep(0.3)

    assert await tab.run("window.hit ?? 'nothing ran'") == "nothing ran"
    assert await tab.run("document.querySelectorAll('img').length") == 0
    sandbox = "document.querySelector('#mail-list iframe').getAttribute('sandbox')"
    assert await tab.run(sandbox) == ""


async def test_credential_stays_in_the_tab(tab: Browser) -> None:
    assert await tab.run("location.hash") == ""
    assert await tab.run("localStorage.length + document.cookie.length") == 0

    await tab.press("Sign out")

    assert await tab.run("sessionStorage.length") == 0
    await tab.sees("Paste the one-time link")


async def test_wrong_key_is_refused_with_the_reason(tab: Browser) -> None:
    await tab.press("Sign out")
    await tab.fill("#credential", f"{ADMIN_KEY}-not")

    await tab.sees("You are not signed in", within="#status")
