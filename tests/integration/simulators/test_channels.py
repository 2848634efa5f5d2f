"""In demo mode every channel gives its native answer, without any account."""

import orjson

from core.hooks.model import HookAuth
from tests.integration.simulators.conftest import OPS, Page


async def test_slash_command_is_answered_to_its_sender_alone(page: Page) -> None:
    """M-OMN: the fake Slack, over Socket Mode."""
    await page.type("/ops task list --limit 2")

    answer = await page.answer("2 tasks")
    assert answer["is_private"]
    assert [each["type"] for each in answer["blocks"]][:2] == ["section", "table"]
    others = (await page.state("bob"))["slack"]["messages"]
    assert answer["ts"] not in [each["ts"] for each in others]


async def test_mention_is_answered_in_its_thread(page: Page) -> None:
    await page.type("Deploys hang")
    [root] = (await page.state())["slack"]["messages"]
    await page.type("@ops task create 'Deploys hang'", thread=root["ts"])

    answer = await page.answer("Created")
    assert answer["thread"] == root["ts"]
    assert not answer["is_private"]


async def test_button_asks_first_and_runs_once_as_who_pressed_it(page: Page) -> None:
    await page.type("/ops lease acquire deploy-prod", who="bob")
    await page.answer("bob holds", who="bob")
    await page.type("/ops lease show L-1")
    shown = await page.answer("held by bob")
    [button] = shown["blocks"][-1]["elements"]
    assert button["confirm"]["text"]["text"] == "This runs: lease reclaim L-1"

    for _ in range(2):
        pressed = await page.slack(do="press", channel=OPS, ts=shown["ts"], index=0)
        assert pressed.json()["is_ok"]

    await page.answer("Reclaimed L-1")
    [entry] = (await page.say("audit list --action 'lease reclaim'"))["data"]["items"]
    assert entry["actor"] == "ann"


async def test_mail_of_three_lines_is_answered_in_its_thread(page: Page) -> None:
    """A transcript as text, as HTML and as JSON."""
    await page.write("!task list --limit 2\n!task create Disks\n!lease list\n\nann")

    answer = await page.mail("3 of 3")
    [sent] = [each for each in (await page.state())["mail"]["mails"] if each["is_sent"]]
    assert answer["thread"] == sent["thread"]
    assert "<table" in answer["html"]
    lines = orjson.loads(answer["json"])["data"]["items"]
    assert [each["status"] for each in lines] == ["ok", "ok", "ok"]


async def test_window_is_opened_filled_in_and_sent(page: Page) -> None:
    """The launcher finds a command, whose form runs it."""
    await page.slack(do="shortcut", callback="launch")
    window = await page.find(
        lambda s: [s["slack"]["view"]] if s["slack"]["view"] else []
    )
    at = {"view": window["id"], "block": "choose", "action": "choose"}
    options = (await page.slack(do="suggest", typed="whoami", **at)).json()["options"]
    await page.slack(do="choose", value=options[0]["value"], **at)
    form = await page.find(
        lambda s: [s["slack"]["view"]] if "submit" in (s["slack"]["view"] or {}) else []
    )

    sent = await page.slack(do="send", view=form["id"], values={})

    assert sent.json()["is_ok"]
    await page.answer("ann via slack")
    assert (await page.state())["slack"]["view"] is None


async def test_delivery_is_signed_as_its_sender_would(page: Page) -> None:
    made = await page.say(
        "webhook create alerts --command 'task create' "
        '--templates {"title":"{title}"}'
    )
    await page.say(f"confirm {made['data']['token']}")
    body = '{"title": "Disk is full"}'

    signed = (
        await page.client.post(
            "/simulators/api/webhook", json={"endpoint": "alerts", "body": body}
        )
    ).json()
    receipt = await page.client.post(
        signed["path"], content=body, headers=signed["headers"]
    )

    assert receipt.status_code == 202, receipt.text


async def test_every_kind_of_sender_is_played(page: Page) -> None:
    """Who shows a key instead of a signature is played by whoever is signed in."""
    body, statuses = '{"title": "Disk is full"}', {}
    for auth in HookAuth:
        line = f"webhook create {auth}-hook --auth {auth} --command version"
        made = await page.say(line)
        await page.say(f"confirm {made['data']['token']}")
        told = await page.client.post(
            "/simulators/api/webhook", json={"endpoint": f"{auth}-hook", "body": body}
        )
        delivery = told.json()
        receipt = await page.client.post(
            delivery["path"], content=body, headers=delivery["headers"]
        )
        statuses[auth] = receipt.status_code, bool(delivery["headers"])

    signed = {each: (202, each is not HookAuth.KEY) for each in HookAuth}
    assert statuses == signed | {HookAuth.SLACK: (200, True)}


async def test_self_tests_of_the_channels_pass(page: Page) -> None:
    for channel in ("slack", "email"):
        tested = await page.say(f"channel test {channel}")

        assert tested["status"] == "ok", tested
        assert tested["data"]["steps"], tested
        assert all(step["ok"] for step in tested["data"]["steps"]), tested
