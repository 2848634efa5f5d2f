"""Every id of a reply is a link; its page says how to read it, and shows nothing."""

import pytest

from tests.api.gateway import Answer, Gateway
from tests.api.run_sets import a_held_run


async def page(gateway: Gateway, path: str) -> Answer:
    return await gateway.send("GET", path, None, {})


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("/r/rp_01JC8ZQ4T7000000000000000A", ("ops reply show", "GET /v1/replies/rp_")),
        ("/r/T-12", ("ops task show T-12", "GET /collab/tasks/T-12")),
        ("/r/A-3", ("ops artifact show A-3", "GET /v1/artifacts/A-3")),
        ("/r/R-7", ("ops run show R-7", "GET /v1/runs/R-7", "ops run logs R-7")),
        (
            "/r/R-7?step=migrate",
            (
                "ops run logs R-7 --step &#x27;migrate&#x27;",
                "GET /v1/runs/R-7/logs?step=migrate",
            ),
        ),
    ],
)
async def test_an_id_is_a_page_that_says_how_to_read_it(
    gateway: Gateway, path: str, lines: tuple[str, ...]
) -> None:
    """M-RUN-08: for whoever is not signed in, and whether it exists or not."""
    answer = await page(gateway, path)

    assert answer.status == 200
    for line in lines:
        assert line in answer.raw.decode()


@pytest.mark.parametrize("path", ["/r/Q-1", "/r/T-0", "/r/rp_1", "/r/R-7x", "/r/I-1"])
async def test_what_is_no_id_has_no_page(gateway: Gateway, path: str) -> None:
    assert (await page(gateway, path)).status == 404


async def test_a_page_repeats_nothing_that_could_be_run(gateway: Gateway) -> None:
    answer = await page(gateway, "/r/R-7?step=<script>alert(1)</script>")

    assert b"script" not in answer.raw
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_a_reply_about_a_log_links_to_its_line(gateway: Gateway) -> None:
    a_held_run(gateway)

    reply = (await gateway.admin.say("run logs R-1 --step migrate")).body

    assert reply["url"].endswith("/r/R-1?step=migrate#L3")
    (link,) = [each for each in reply["blocks"] if each["t"] == "link"]
    assert link["url"] == reply["url"]
    assert reply["blocks"][0] == {"t": "code", "text": "three", "lang": ""}
