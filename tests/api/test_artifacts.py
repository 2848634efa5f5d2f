"""Contents of artifacts go up by a signed link and come down with a credential."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from commands.context import Context
from commands.registry import command
from core.kernel.principal import Role, TenantId
from core.kernel.reply import Reply
from core.runs import calls
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import UPLOAD, Artifact
from core.runs.model import Run, RunError
from core.runs.reports import Outcome
from core.secrets.links import Link
from tests.api.gateway import Gateway, Person
from tests.api.run_sets import admin_of, held_run
from tests.integration.served import Served

BIG = os.urandom(5_000_000)
DIGEST = sha256(BIG).hexdigest()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway on a socket."""
    server = Served(tmp_path / "data")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    """The admin, over that socket."""
    async with served.client() as client:
        yield client


async def announced(served: Served, client: httpx2.AsyncClient) -> dict[str, Any]:
    """Announce a file of a run, as its worker does."""
    held = held_run(served)
    body = {"run_id": held.id, "fence": held.fence, "name": "dump.bin"}
    put = await client.post(
        "/artifacts.put", json={**body, "size": len(BIG), "sha256": DIGEST}
    )
    assert put.status_code == 200, put.text
    answer: dict[str, Any] = put.json()
    return answer


def path_of(put: dict[str, Any]) -> str:
    """The path of the link that takes the content."""
    return "/" + str(put["upload_url"]).split("/", 3)[3]


async def test_a_file_of_5_mb_goes_up_and_down_unchanged(
    served: Served, client: httpx2.AsyncClient
) -> None:
    """M-RUN-08: a signed upload, over a socket, by somebody without a credential."""
    put = await announced(served, client)
    assert put["state"] == "waiting"

    async with served.client("") as stranger:
        up = await stranger.put(path_of(put), content=BIG)
        again = await stranger.put(path_of(put), content=BIG)
    down = await client.get(f"/v1/artifacts/{put['id']}/content")

    assert up.status_code == again.status_code == 200, up.text
    assert up.json()["state"] == "ready"
    assert down.content == BIG
    assert down.headers["etag"] == f'"{DIGEST}"'
    assert down.headers["content-length"] == str(len(BIG))
    assert down.headers["x-content-type-options"] == "nosniff"
    assert down.headers["content-disposition"].startswith("attachment; filename=")


async def test_what_is_not_what_was_announced_is_refused_and_waited_for(
    served: Served, client: httpx2.AsyncClient
) -> None:
    """M-RUN-08: a wrong digest, a wrong size, no size at all."""
    put = await announced(served, client)
    async with served.client("") as stranger:
        short = await stranger.put(path_of(put), content=BIG[:-1])

        async def chunked() -> AsyncIterator[bytes]:
            yield BIG

        unsized = await stranger.put(path_of(put), content=chunked())
        wrong = await stranger.put(path_of(put), content=bytes(len(BIG)))
        right = await stranger.put(path_of(put), content=BIG)
        other = await stranger.put(path_of(put), content=bytes(len(BIG)))

    assert (short.status_code, unsized.status_code) == (400, 400)
    assert wrong.status_code == 400
    assert "is not what was announced" in wrong.json()["detail"]
    assert right.status_code == 200, right.text
    assert (other.status_code, other.json()["sha256"]) == (409, DIGEST)
    down = await client.get(f"/v1/artifacts/{put['id']}/content")
    assert down.content == BIG


# ── in process ────────────────────────────────────────────────────────────────
def announce(gateway: Gateway, content: bytes) -> tuple[Run, Artifact]:
    run = held_run(gateway)
    artifact = gateway.graph.db.run(
        lambda tx: artifacts.begin(
            tx,
            subject=run.id,
            name="dump.bin",
            kind="file",
            size_bytes=len(content),
            sha256=sha256(content).hexdigest(),
            attempt=run.attempt,
        ),
        by=admin_of(gateway),
    )
    return run, artifact


def token_of(gateway: Gateway, subject: str, **more: Any) -> str:
    link: dict[str, Any] = {
        "kind": UPLOAD,
        "tenant": TenantId("default"),
        "subject": subject,
        "until": gateway.clock.now() + timedelta(minutes=1),
    }
    return gateway.graph.core.links.sign(Link(**{**link, **more}))


async def upload(gateway: Gateway, token: str, content: bytes = b"hello") -> int:
    headers = {"content-length": str(len(content))}
    answer = await gateway.send("PUT", f"/v1/uploads/{token}", content, headers)
    return answer.status


async def test_only_the_link_that_was_signed_for_it_takes_a_content(
    gateway: Gateway,
) -> None:
    """M-RUN-08: tampered, expired, for something else, for another tenant."""
    _, artifact = announce(gateway, b"hello")
    good = token_of(gateway, artifact.id)
    past = datetime(2020, 1, 1, tzinfo=UTC)

    assert await upload(gateway, f"{good[:-1]}{'A' if good[-1] != 'A' else 'B'}") == 404
    assert await upload(gateway, token_of(gateway, artifact.id, until=past)) == 410
    assert await upload(gateway, token_of(gateway, artifact.id, kind="export")) == 404
    other = token_of(gateway, artifact.id, tenant=TenantId("zulu"))
    assert await upload(gateway, other) == 404
    assert await upload(gateway, good) == 200


@pytest.mark.parametrize("status", ["succeeded", "failed", "retried"])
async def test_a_link_takes_nothing_once_its_attempt_has_ended(
    gateway: Gateway, status: str
) -> None:
    """M-RUN-08: but what came before may be sent again, as its answer may be lost."""
    run, artifact = announce(gateway, b"hello")
    by = admin_of(gateway)
    before = gateway.graph.db.run(
        lambda tx: artifacts.begin(
            tx, subject=run.id, name="early", kind="file", size_bytes=5,
            sha256=sha256(b"early").hexdigest(), attempt=run.attempt,
        ), by=by,
    )  # fmt: skip
    early = token_of(gateway, before.id)
    assert await upload(gateway, early, b"early") == 200
    error = RunError(code="exit_code", detail="3") if status != "succeeded" else None
    end = Outcome(
        status="succeeded" if error is None else "failed",
        error=error,
        is_final=status == "failed",
    )
    gateway.graph.db.run(
        lambda tx: calls.complete(tx, run.id, fence=run.fence, outcome=end), by=by
    )

    headers = {"content-length": "5"}
    path = f"/v1/uploads/{token_of(gateway, artifact.id)}"
    answer = await gateway.send("PUT", path, b"hello", headers)

    assert (answer.status, answer.error["code"]) == (409, "lease_lost")
    assert await upload(gateway, early, b"early") == 200
    assert await upload(gateway, early, b"other") == 409


async def test_an_upload_is_written_down(gateway: Gateway) -> None:
    _, artifact = announce(gateway, b"hello")

    await upload(gateway, token_of(gateway, artifact.id))

    entry = gateway.audits()[-1]
    assert (entry.action, entry.target) == ("artifact upload", artifact.id)


async def test_another_tenant_is_told_that_there_is_none(gateway: Gateway) -> None:
    _, artifact = announce(gateway, b"hello")
    await upload(gateway, token_of(gateway, artifact.id))
    zulu = gateway.person("zoe", Role.ADMIN, tenant="zulu")

    for path in ("", "/content"):
        answer = await zulu.get(f"/v1/artifacts/{artifact.id}{path}")
        assert answer.status == 404


async def test_a_content_takes_the_right_to_read_what_it_belongs_to(
    gateway: Gateway,
) -> None:
    _, artifact = announce(gateway, b"hello")
    path = f"/v1/artifacts/{artifact.id}/content"
    assert (await gateway.admin.get(path)).status == 409
    await upload(gateway, token_of(gateway, artifact.id))
    poor = gateway.person("poor", scopes=("tasks:read",))

    assert (await poor.get(path)).status == 403
    assert (await gateway.send("GET", path, None, {})).status == 401
    assert (await gateway.admin.get(path)).raw == b"hello"


async def test_a_part_or_nothing_is_sent_to_who_has_the_rest(gateway: Gateway) -> None:
    _, artifact = announce(gateway, b"hello")
    await upload(gateway, token_of(gateway, artifact.id))
    path = f"/v1/artifacts/{artifact.id}/content"

    whole = await gateway.admin.get(path)
    same = await gateway.admin.get(path, if_none_match=whole.etag)
    part = await gateway.admin.get(path, range="bytes=1-3")
    end = await gateway.admin.get(path, range="bytes=-2")
    outside = await gateway.admin.get(path, range="bytes=9-")
    odd = await gateway.admin.get(path, range="bytes=3-1")

    assert (same.status, same.raw) == (304, b"")
    assert (part.status, part.raw) == (206, b"ell")
    assert part.headers["content-range"] == "bytes 1-3/5"
    assert (end.status, end.raw) == (206, b"lo")
    assert (outside.status, odd.status) == (416, 200)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plan.md", "filename=\"plan.md\"; filename*=UTF-8''plan.md"),
        ("Übersicht;1.md", "_bersicht_1.md\"; filename*=UTF-8''%C3%9Cbersicht%3B1.md"),
        ("page.html", 'filename="page.html"'),
    ],
)
async def test_a_name_is_one_that_a_browser_saves(
    gateway: Gateway, name: str, shown: str
) -> None:
    """R-67: an attachment, whatever it is; no type that a browser would run."""
    run = held_run(gateway)
    content = b"<script>alert(1)</script>"
    made = gateway.graph.db.run(
        lambda tx: artifacts.put(
            tx, subject=run.id, name=name, kind="file", content=content
        ),
        by=admin_of(gateway),
    )

    answer = await gateway.admin.get(f"/v1/artifacts/{made.id}/content")

    assert shown in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert "html" not in answer.headers["content-type"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_what_a_worker_puts_is_fenced_and_bounded(gateway: Gateway) -> None:
    """M-RUN-08: small ones inside the command, in base64 if they are no text."""
    run = held_run(gateway)
    body = {"run_id": run.id, "fence": run.fence, "name": "a.bin"}

    made = await gateway.admin.post(
        "/artifacts.put", {**body, "content": "aGVsbG8=", "encoding": "base64"}
    )
    stale = await gateway.admin.post(
        "/artifacts.put", {**body, "fence": run.fence + 1, "content": "x"}
    )
    large = await gateway.admin.post(
        "/artifacts.put", {**body, "content": "x" * 70_000}
    )
    nasty = await gateway.admin.post(
        "/artifacts.put", {**body, "name": "../a", "content": "x"}
    )
    viewer = gateway.person("vi", Role.VIEWER)
    denied = await viewer.post("/artifacts.put", {**body, "content": "x"})

    assert made.body["size_bytes"] == 5
    assert made.body["upload_url"] == ""
    assert (stale.status, stale.error["code"]) == (409, "lease_lost")
    assert (large.status, nasty.status, denied.status) == (413, 422, 403)


# ── commands that answer with a file ──────────────────────────────────────────
@command("pack show", http="POST /v1/packs/{name}", file="artifact_id")
def pack(ctx: Context, name: str) -> Reply:
    """Answer with a file."""
    return Reply(summary="Packed", data={"artifact_id": "A-1", "name": name})


@pytest.fixture
def packing(gateway: Gateway) -> Person:
    """Somebody in whose gateway a command answers with a file."""
    gateway.graph.registry.add(pack)
    run = held_run(gateway)
    gateway.graph.db.run(
        lambda tx: artifacts.put(
            tx, subject=run.id, name="pack.zip", kind="file", content=b"PK\x03\x04\0"
        ),
        by=admin_of(gateway),
    )
    return gateway.admin


async def test_a_command_with_a_file_answers_with_its_bytes(packing: Person) -> None:
    answer = await packing.post("/v1/packs/x")

    assert answer.raw == b"PK\x03\x04\0"
    assert 'filename="pack.zip"' in answer.headers["content-disposition"]


async def test_a_command_with_a_file_answers_data_to_who_asks_for_json(
    packing: Person,
) -> None:
    by_header = await packing.post("/v1/packs/x", accept="application/json")
    by_query = await packing.post("/v1/packs/x?as=json")
    by_line = await packing.say("pack show x")

    assert by_header.body == by_query.body == {"artifact_id": "A-1", "name": "x"}
    assert by_line.data == by_header.body


async def test_both_faces_of_a_file_are_described(
    gateway: Gateway, packing: Person
) -> None:
    document = (await gateway.send("GET", "/openapi.json", None, {})).body

    ways = document["paths"]["/v1/packs/{name}"]["post"]["responses"]["200"]["content"]
    assert set(ways) == {"application/json", "application/octet-stream"}
    assert "put" in document["paths"]["/v1/uploads/{token}"]
    assert "get" in document["paths"]["/v1/artifacts/{artifact}/content"]
