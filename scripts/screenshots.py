"""Takes the pictures of docs/simulators from a gateway in demo mode.

    python -m scripts.screenshots http://127.0.0.1:8000 <api key>

Needs Chromium; it is driven over its own debugging protocol.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.asyncio.client import ClientConnection, connect

from scripts.png import shrink

FOLDER = Path(__file__).parents[1] / "docs" / "simulators"
SIZE = 1440, 900
PATIENCE_SECONDS = 20.0

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)

    async def call(self, method: str, **params: Any) -> Any:
        """Send one command and wait for its answer."""
        number = next(self._numbers)
        await self._socket.send(
            json.dumps({"id": number, "method": method, "params": params})
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = json.loads(await self._socket.recv())
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    return answer["result"]

    async def run(self, script: str) -> Any:
        """Run a script on the page; give what it comes to."""
        answer = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, (script, answer)
        return answer["result"].get("value")

    async def resize(self, width: int, height: int) -> None:
        """Give the page the size of the pictures."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def until(self, condition: str) -> None:
        """Wait until something is true on the page."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.run(f"Boolean({condition})"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    async def shoot(self, name: str) -> None:
        """Keep a picture of what is seen."""
        await asyncio.sleep(0.3)
        picture = await self.call("Page.captureScreenshot", format="png")
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(shrink(base64.b64decode(picture["data"])))

    # ── what a person does ────────────────────────────────────────────────────
    async def fill(self, selector: str, text: str) -> None:
        """Write into a field and send its form."""
        await self.run(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)});"
            f" field.value = {json.dumps(text)}; field.form.requestSubmit(); }})()"
        )

    async def press(self, label: str, *, within: str = "body") -> None:
        """Press the last button that is called so, once it is there."""
        found = (
            f"[...document.querySelectorAll({json.dumps(within + ' button')})]"
            f".filter((each) => each.textContent.trim() === {json.dumps(label)}"
            f" || each.title === {json.dumps(label)}).pop()"
        )
        await self.until(found)
        await self.run(f"{found}.click()")

    async def sees(self, text: str, *, within: str = "body") -> None:
        """Wait until a text can be read."""
        shown = f"document.querySelector({json.dumps(within)}).innerText"
        await self.until(f"{shown}.includes({json.dumps(text)})")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start a browser with one page, and end it."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program is not None, "install chromium"
    with tempfile.TemporaryDirectory() as profile:
        process = await asyncio.create_subprocess_exec(
            program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            f"--window-size={SIZE[0]},{SIZE[1]}",
            "about:blank",
            stderr=subprocess.PIPE,
        )
        try:
            address = _page_of(await _address(process))
            async with connect(address, max_size=None) as socket:
                page = Browser(socket)
                await page.resize(*SIZE)
                yield page
        finally:
            process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while line := (await process.stderr.readline()).decode():
            if "listening on" in line:
                return line.rpartition(" ")[2].strip()
    raise RuntimeError("the browser does not start")


def _page_of(address: str) -> str:
    """Find the address of the one page of a browser."""
    host = address.split("/")[2]
    with urlopen(f"http://{host}/json/list") as answer:
        pages = [each for each in json.load(answer) if each["type"] == "page"]
    found: str = pages[0]["webSocketDebuggerUrl"]
    return found


async def take(page: Browser, url: str, key: str) -> None:
    """Play the scenes and keep a picture of each."""
    await page.open(f"{url}/simulators")
    await page.fill("#credential", key)
    await page.until("document.querySelector('#slack-messages .message, .empty')")
    await say_in_slack(page)
    await write_mail(page)
    await ask_everywhere(page)


async def slack(page: Browser, line: str, answer: str) -> None:
    """Type in Slack, and wait for the answer."""
    await page.fill("#slack-text", line)
    await page.sees(answer, within="#slack-messages")


async def say_in_slack(page: Browser) -> None:
    """A slash command, a mention in a thread, and a button that asks first."""
    await page.run("document.querySelector('input[value=bob]').click()")
    await slack(
        page, "/ops lease acquire deploy-prod --ttl 2h", "bob holds deploy-prod"
    )
    await page.run("document.querySelector('input[value=ann]').click()")
    await slack(page, "Deploys of prod hang since noon", "Deploys of prod")
    await page.press("Reply in thread", within="#slack-messages")
    await slack(page, '@ops task create "Deploys hang" --lane B', "Created")
    await page.press("leave it", within="#slack-form")
    await slack(page, "/ops lease list --holder bob", "1 lease")
    await slack(page, "/ops lease show #1", "held by bob")
    await page.press("Reclaim", within="#slack-messages")
    await page.sees("Are you sure?", within="#slack-overlay")
    await page.press("Slack")
    await page.shoot("slack-confirm.png")
    await page.press("Run it", within="#slack-overlay")
    await page.sees("Reclaimed", within="#slack-messages")
    await page.press("Slack")


async def write_mail(page: Browser) -> None:
    """A mail of three lines and its transcript."""
    await page.run("document.querySelector('#mail-subject').value = 'Monday'")
    lines = (
        '!task list --limit 3\n!task create "Order disks"\n!lease list\n\nthanks, ann'
    )
    await page.fill("#mail-text", lines)
    await page.sees("Re: ", within="#mail-list")
    await page.press("Mail")
    await page.shoot("mail-transcript.png")
    await page.press("Mail")


async def ask_everywhere(page: Browser) -> None:
    """One line at all five doors."""
    await page.fill("#everywhere-line", "task list --limit 3")
    await page.sees("task list", within="#rest-list")
    await page.sees("Created", within="#webhook-list")
    await asyncio.sleep(2)
    await page.shoot("overview.png")


async def main() -> None:
    """Take all pictures."""
    async with browser() as page:
        await take(page, sys.argv[1].rstrip("/"), sys.argv[2])


if __name__ == "__main__":
    asyncio.run(main())
