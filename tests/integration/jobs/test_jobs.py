"""Jobs of a gateway that works on them itself, over real sockets."""

import asyncio
import io
import zipfile
from typing import Any

import httpx2

from tests.integration.conftest import Serving

WORKING = {"workers": {"embedded": 4}}


async def asked(client: httpx2.AsyncClient, title: str) -> dict[str, Any]:
    """Ask for a job, and wait for its variants."""
    line = f'job create "{title}" --preset release-notes --wait 60s'
    answer = await client.post("/v1/commands", json={"line": line})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def taken(client: httpx2.AsyncClient, job: str) -> str:
    """Accept the first variant of a job and download it; give the text."""
    made = (await client.get(f"/jobs/{job}/variants")).json()["items"]
    chosen = await client.put(f"/variants/{made[0]['id']}", json={"accepted": True})
    assert chosen.json()["accepted_at"]
    file = await client.post(f"/export/{made[0]['id']}")
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        return archive.read("variant.md").decode()


async def test_three_jobs_at_once_go_all_the_way(serving: Serving) -> None:
    """M-JOB-07, M-JOB-12: made by the worker inside, each its own, none lost."""
    gateway = await serving(**WORKING)
    titles = ("red", "green", "blue")

    async with gateway.client() as client:
        told = await asyncio.gather(*(asked(client, title) for title in titles))
        texts = await asyncio.gather(*(taken(client, r["data"]["id"]) for r in told))
        kept = (await client.get("/exports")).json()["items"]

    assert [each["data"]["status"] for each in told] == ["review"] * 3
    assert [each["status"] for each in told] == ["ok"] * 3
    for title, text in zip(titles, texts, strict=True):
        assert text.startswith(f"# {title}\n")
    assert len(kept) == 3


async def test_a_link_is_followed_without_a_sign_in(serving: Serving) -> None:
    """M-JOB-05, R-67: as mail and Slack show it."""
    gateway = await serving(**WORKING)

    async with gateway.client() as client, gateway.client("") as stranger:
        job = (await asked(client, "red"))["data"]["id"]
        await taken(client, job)
        shown = (await client.get("/exports/X-1")).json()
        path = shown["url"].partition("/v1/")[2]
        file = await stranger.get(f"/v1/{path}")
        part = await stranger.get(f"/v1/{path}", headers={"Range": "bytes=0-1"})
        refused = await stranger.get("/exports/X-1")
        # What was noted goes before whatever is written later.
        await client.post("/collab/tasks", json={"title": "later"})
        noted = (await client.get("/v1/audit?action=export%20download")).json()

    assert (file.status_code, len(file.content)) == (200, shown["size_bytes"])
    assert file.headers["content-disposition"].startswith("attachment")
    assert (part.status_code, part.content) == (206, b"PK")
    assert refused.status_code == 401
    assert noted["items"][0]["actor"] == "link:X-1"
