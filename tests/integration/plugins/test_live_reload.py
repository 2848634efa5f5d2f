"""A saved file is a command at every door, a deleted one is none, and all goes on."""

from tests.integration.conftest import Serving
from tests.integration.plugins.conftest import HELLO, Workshop, disabled, gone, live


async def test_saving_a_file_makes_a_command_at_every_door(shop: Workshop) -> None:
    """What was looked up before the save, and remembered, is looked up again."""
    before = await shop.get("/v1/hello")
    assert before.status_code == 404
    assert "/v1/hello" not in await shop.paths()
    async with shop.socket() as socket:
        shop.save("hello.py", HELLO)
        await live(shop)

        framed = await socket.exec("x1", "hello say Ann")
        line = "hello s"
        await socket.send(t="complete", id="c1", line=line, pos=len(line))
        completed = await socket.take("completion")

    assert (await shop.say("hello say Ann"))["summary"] == "Hello, Ann!"
    assert framed["reply"]["summary"] == "Hello, Ann!"
    assert [each["text"] for each in completed["items"]] == ["say"]
    assert (await shop.get("/v1/hello?name=Bob")).json() == {"text": "Hello, Bob!"}
    described = (await shop.paths())["/v1/hello"]["get"]
    assert described["x-command"] == "hello say"
    catalog = (await shop.get("/v1/commands/catalog")).json()["items"]
    assert "hello say" in {each["name"] for each in catalog}
    helped = await shop.say("help hello")
    assert helped["data"]["items"][0]["name"] == "hello say"


async def test_deleting_it_takes_all_of_that_away(shop: Workshop) -> None:
    shop.save("hello.py", HELLO)
    await live(shop)
    assert (await shop.http.post("/v1/hello", json={})).status_code == 405

    shop.delete("hello.py")
    await gone(shop)

    refused = await shop.say("/ops hello say Ann")
    assert refused["error"]["code"] == "unknown_command"
    missing = await shop.get("/v1/hello")
    assert missing.json()["code"] == "no_such_page"
    assert (await shop.http.post("/v1/hello", json={})).status_code == 404
    assert "/v1/hello" not in await shop.paths()
    catalog = (await shop.get("/v1/commands/catalog")).json()["items"]
    assert "hello say" not in {each["name"] for each in catalog}


async def test_a_new_version_answers_a_line_that_was_asked_before(
    shop: Workshop,
) -> None:
    """A read that is asked again and again is remembered, but not past its command."""
    shop.save("hello.py", HELLO)
    await live(shop)
    assert (await shop.say("hello say Ann"))["summary"] == "Hello, Ann!"
    first = (await shop.plugin("hello"))["loaded_at"]

    shop.save("hello.py", HELLO.replace("Hello,", "Howdy,"))
    while (await shop.plugin("hello"))["loaded_at"] == first:
        await shop.get("/healthz")

    assert (await shop.say("hello say Ann"))["summary"] == "Howdy, Ann!"


async def test_a_version_that_fails_says_so_and_nothing_else_suffers(
    shop: Workshop,
) -> None:
    shop.save("hello.py", HELLO)
    shop.save("box.py", HELLO.replace("hello", "box"))
    await live(shop)
    await live(shop, "box")

    shop.save("hello.py", f"import sys\n\nsys.exit('a secret')\n{HELLO}")
    stand = await disabled(shop)

    assert stand["fault"] == "SystemExit: a secret (plugins/hello.py:3)"
    refused = (await shop.say("hello say Ann"))["error"]
    assert refused["code"] == "command_disabled"
    assert refused["detail"] == (
        "hello say is disabled: plugin hello failed: SystemExit (plugins/hello.py:3)"
    )
    assert refused["fix"] == ["plugin show hello"]
    assert (await shop.say("box say Ann"))["summary"] == "Hello, Ann!"
    assert (await shop.say("task list"))["status"] == "ok"
    ready = await shop.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["checks"]["plugins"] == {
        "ok": True,
        "detail": "1 live; disabled: hello",
    }
    told = (await shop.say("status"))["data"]["disabled"]
    assert {each["command"] for each in told} == {"hello", "hello say"}


async def test_a_mended_file_comes_back_to_life(shop: Workshop) -> None:
    shop.save("hello.py", HELLO[:40])
    stand = await disabled(shop)
    assert "(plugins/hello.py:" in stand["fault"] or "no command" in stand["fault"]

    shop.save("hello.py", HELLO)
    await live(shop)

    assert (await shop.say("hello say Ann"))["summary"] == "Hello, Ann!"


async def test_a_hundred_saves_end_with_the_last(shop: Workshop) -> None:
    for number in range(100):
        shop.save("hello.py", HELLO.replace("Hello,", f"Hello {number},"))
        if number % 10 == 0:
            await shop.say("task list")

    await live(shop)

    assert (await shop.say("hello say Ann"))["summary"] == "Hello 99, Ann!"


async def test_plugins_that_lie_there_at_the_start_answer_the_first_line(
    shop: Workshop, serving: Serving
) -> None:
    shop.save("hello.py", HELLO)
    second = await serving(plugins_folder=shop.folder)

    async with second.client() as http:
        there = Workshop(second, shop.folder, http)
        said = await there.say("hello say Ann")
        listed = await there.say("plugin list")

    [item] = listed["data"]["items"]
    assert said["summary"] == "Hello, Ann!"
    assert listed["summary"] == "1 plugin"
    assert item["commands"] == ["hello say"]
    assert item["kind"] == "file"
    assert item["place"] == "plugins/hello.py"


async def test_an_unknown_plugin_is_not_found(shop: Workshop) -> None:
    refused = (await shop.say("plugin show nowhere"))["error"]

    assert (refused["code"], refused["fix"]) == ("not_found", ["plugin list"])
