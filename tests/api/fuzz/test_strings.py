"""R-52: a text comes back as it was sent, or it is refused; it is never half kept."""

import unicodedata
from typing import Any

import orjson
import pytest

from tests.api.fuzz.strings import FAMILIES
from tests.api.gateway import Answer, Gateway, Person

LEFT_ALONE = {"\u200c", "\u200d"}  # what joins emoji and Persian letters


def shown(answer: Answer) -> list[str]:
    """Every text of a Reply that is for eyes."""
    texts: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            for each in value:
                walk(each)
        elif isinstance(value, dict):
            for name, each in value.items():
                if name not in ("data", "extra"):
                    walk(each)

    walk(answer.body)
    return texts


def is_visible(text: str) -> bool:
    return all(
        unicodedata.category(each) not in ("Cc", "Cs", "Zl", "Zp") or each in "\n\t"
        for each in text
    ) and not any(each in "\u200b\u202e\u2066\ufeff\u2060" for each in text)


def stored(answer: Answer, text: str, kept: object) -> bool:
    """Either it was kept to the letter, or refused with a reason."""
    if answer.status >= 400:
        return (
            answer.status < 500
            and bool(answer.error["fix"])
            and bool(answer.error["code"])
        )
    return kept == text


def test_there_are_enough_texts() -> None:
    assert sum(len(texts) for texts in FAMILIES.values()) >= 150


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_task_keeps_every_text_to_the_letter(ann: Person, family: str) -> None:
    """R-52: as title, body, checklist, label, note and reason."""
    for text in FAMILIES[family]:
        titled = await ann.post("/collab/tasks", {"title": text})
        assert stored(titled, text, titled.status < 400 and titled.body["title"]), (
            text,
            titled,
        )

        made = await ann.post(
            "/collab/tasks", {"title": "Fix login", "body": text, "dod": ["a"]}
        )
        assert stored(made, text, made.status < 400 and made.body["body"]), (text, made)
        if made.status >= 400:
            continue
        path = f"/collab/tasks/{made.body['id']}"
        assert (await ann.get(path)).body["body"] == text

        noted = await ann.post(f"{path}/notes", {"text": text})
        assert stored(
            noted, text, noted.status < 400 and noted.body["notes"][0]["text"]
        ), text
        blocked = await ann.post(f"{path}/block", {"reason": text})
        assert stored(blocked, text, blocked.status < 400 and blocked.body["reason"]), (
            text
        )


@pytest.mark.parametrize("family", FAMILIES)
async def test_an_event_keeps_every_text_to_the_letter(
    ann: Person, family: str
) -> None:
    """R-52: as value and as name inside of details, which are free JSON."""
    for text in FAMILIES[family]:
        details = {"it": text, text: ["x"]}
        added = await ann.post(
            "/collab/events", {"event": "fuzzed", "details": details}
        )

        assert added.status == 200 or (400 <= added.status < 500), (text, added)
        if added.status == 200:
            newest = (await ann.get("/v1/events/list?type=fuzzed&limit=100")).body[
                "items"
            ]
            assert any(each["details"].get("it") == text for each in newest), text


@pytest.mark.parametrize("family", FAMILIES)
async def test_nothing_shown_can_be_obeyed_by_a_terminal(
    ann: Person, family: str
) -> None:
    """R-52: what is for eyes is clean, and `data` is what was stored."""
    for text in FAMILIES[family]:
        made = await ann.command("task.create", title="Fix login", body=text)
        if made.status >= 400:
            assert all(map(is_visible, shown(made))), (text, made)
            continue
        task = made.data["id"]
        seen = await ann.say(f"task show {task}")

        assert all(map(is_visible, shown(seen))), (text, seen)
        assert seen.data["body"] == text


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_line_and_a_key_may_be_any_text(ann: Person, family: str) -> None:
    """R-52: as line, command name, argument name and idempotency key."""
    for text in FAMILIES[family]:
        bodies = (
            {"line": text},
            {"line": f"task create {text}"},
            {"command": text},
            {"command": "task.create", "args": {text: text}},
            {"line": "whoami", "id": text},
            {"line": 'task create "Fix login"', "id": text},
        )
        for body in bodies:
            answer = await ann.post("/v1/commands", body)

            assert answer.status < 500, (body, answer)
            assert all(map(is_visible, shown(answer))), (body, answer)
            if answer.status >= 400 and answer.body["error"]:
                assert answer.error["fix"], (body, answer)


async def test_a_lone_surrogate_is_no_text(gateway: Gateway, ann: Person) -> None:
    """R-52: JSON can spell it, no database can keep it."""
    for body in (
        rb'{"title":"\ud800"}',
        rb'{"title":"a\udfffb"}',
        b'{"title":"\xed\xa0\x80"}',
    ):
        headers = {"authorization": f"Bearer {ann.key}"}
        answer = await gateway.send("POST", "/collab/tasks", body, headers)

        assert answer.status == 400
        assert answer.error["code"] == "invalid_json"
        assert orjson.loads(answer.raw)["fix"]
