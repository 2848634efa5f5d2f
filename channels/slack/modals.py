"""Windows: choose a command, fill it in, make a task of a message, type an id."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from channels.slack.blocks import KitBlock, plain, section
from channels.slack.escapes import escape, unescape
from channels.slack.inputs import input_block
from channels.slack.wire import Form, Press
from core.kernel.catalog import Blank, Catalog, Entry, Input
from core.kernel.jsons import Json

View = dict[str, Json]
About = Mapping[str, Json]

CHOICE = "choose"
CHOICES_SHOWN = 50
_TITLE_CHARS = 24
_MOST_BLANKS = 98
_METADATA_CHARS = 3_000
_TASK_TITLE_CHARS = 150
_TASK_BODY_CHARS = 2_500
_TASK_BLANKS = ("title", "body", "lane", "assignee", "dod")
_CONFIRM = Blank(name="confirm", input=Input.TEXT, is_required=True)


def launcher(about: About) -> View:
    """Ask which command; what is typed is completed by `suggest`.

    `about` is where the answer goes, in the words of a place; it travels with the
    window, for the window itself stands nowhere.
    """
    choose: KitBlock = {
        "type": "actions",
        "block_id": CHOICE,
        "elements": [
            {
                "type": "external_select",
                "action_id": CHOICE,
                "min_query_length": 0,
                "placeholder": plain("Which command? Type to search", 150),
            }
        ],
    }
    return _window("Run a command", [choose], callback="launcher", about=about)


def suggest(catalog: Catalog, typed: str) -> list[Json]:
    """List the commands that may be meant, as options of the launcher's menu."""
    return [
        {
            "text": plain(entry.name, 75),
            "description": plain(entry.summary, 75),
            "value": entry.name,
        }
        for entry in catalog.search(unescape(typed), limit=CHOICES_SHOWN)
    ]


def form(
    entry: Entry,
    about: About,
    *,
    filled: Mapping[str, str] | None = None,
    only: Collection[str] = (),
) -> View:
    """Ask for the arguments of a command.

    Shape:  an input for each blank, or for those of `only`; `filled` says what stands
            in some of them already. What is submitted runs as if it had been typed.
    """
    given = filled or {}
    blanks = [each for each in entry.blanks if not only or each.name in only]
    blocks = [section(f"{escape(entry.summary)}\n`{escape(entry.usage[:1_000])}`")]
    blocks += [
        input_block(each, given.get(each.name, "")) for each in blanks[:_MOST_BLANKS]
    ]
    return _window(
        entry.name.capitalize(),
        blocks,
        callback=Form.COMMAND,
        about={**about, "command": entry.name},
        submit="Run",
    )


def task_from_message(catalog: Catalog, body: Mapping[str, Any]) -> View | None:
    """Offer to make a task of the message somebody chose; None where there are none.

    Shape:  its first line is the title; the task's text quotes it and links to it.
    """
    entry = catalog.find("task create")
    if entry is None:
        return None
    message = body.get("message") or {}
    text = unescape(str(message.get("text") or "")).strip()
    title = text.partition("\n")[0][:_TASK_TITLE_CHARS]
    source = permalink(body)
    quoted = text if len(text) <= _TASK_BODY_CHARS else f"{text[:_TASK_BODY_CHARS]}…"
    return form(
        entry,
        about_message(body),
        filled={"title": title, "body": f"{quoted}\n\n{source}".strip()},
        only=_TASK_BLANKS,
    )


def typed_id(body: Mapping[str, Any]) -> View | None:
    """Ask to type the id of what a pressed button would do beyond repair.

    Shape:  None when the button is no such one.
    """
    pressed = (body.get("actions") or [{}])[0]
    if not str(pressed.get("action_id") or "").startswith(f"{Press.TYPE}:"):
        return None
    said = str((body.get("message") or {}).get("text") or "This cannot be taken back.")
    blocks = [
        section(escape(unescape(said))[:2_900]),
        input_block(_CONFIRM, "", label="Type its id to confirm"),
    ]
    about = {**about_message(body), "button": str(pressed.get("value") or "")}
    return _window(
        "Confirm", blocks, callback=Form.TYPED_ID, about=about, submit="Confirm"
    )


def about_message(body: Mapping[str, Any]) -> dict[str, Json]:
    """Say where the answer about a message goes: to its channel, in its thread."""
    message, container = body.get("message") or {}, body.get("container") or {}
    thread = container.get("thread_ts") or message.get("thread_ts")
    is_shortcut = body.get("type") == "message_action"
    return {
        "channel": str((body.get("channel") or {}).get("id") or ""),
        "thread_ts": str(thread or (message.get("ts") if is_shortcut else "") or ""),
        "response_url": str(body.get("response_url") or ""),
    }


def permalink(body: Mapping[str, Any]) -> str:
    """Write the address of a message, "" when Slack did not say enough of it."""
    domain = str((body.get("team") or {}).get("domain") or "")
    channel = str((body.get("channel") or {}).get("id") or "")
    message = body.get("message") or {}
    ts = str(body.get("message_ts") or message.get("ts") or "")
    if not (domain and channel and ts):
        return ""
    address = f"https://{domain}.slack.com/archives/{channel}/p{ts.replace('.', '')}"
    thread = str(message.get("thread_ts") or "")
    is_answer = thread and thread != ts
    return f"{address}?thread_ts={thread}&cid={channel}" if is_answer else address


def _window(
    title: str, blocks: list[KitBlock], *, callback: str, about: About, submit: str = ""
) -> View:
    metadata = json.dumps(dict(about), separators=(",", ":"))
    if len(metadata) > _METADATA_CHARS:
        without = {**about, "response_url": ""}
        metadata = json.dumps(without, separators=(",", ":"))
    view: View = {
        "type": "modal",
        "callback_id": str(callback),
        "private_metadata": metadata,
        "title": plain(title, _TITLE_CHARS),
        "close": plain("Cancel", _TITLE_CHARS),
        "blocks": list[Json](blocks),
    }
    return {**view, "submit": plain(submit, _TITLE_CHARS)} if submit else view
