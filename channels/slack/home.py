"""The home tab: what needs you, your tasks, what runs, and who you are here."""

from collections.abc import Sequence

from channels.slack.blocks import (
    KitBlock,
    context,
    cut,
    header,
    plain,
    section,
    size_of,
)
from channels.slack.escapes import escape
from channels.slack.render import Profile, shown_blocks
from channels.slack.wire import Press
from core.kernel.jsons import Json
from core.kernel.reply import Reply

LAUNCH = "open:launcher"
_BLOCKS = 90
_CHARS = 30_000


def home(
    sections: Sequence[tuple[str, Reply]],
    *,
    is_linked: bool,
    profile: Profile,
    address: str = "",
) -> dict[str, Json]:
    """Show answers below their headings, as far as they fit.

    Shape:  what was only looked up has no buttons of its own: those stand at the top,
            and say lines that are the same for everybody. `address` is by which mail
            address Slack knows whoever is not linked yet.
    """
    blocks = _top() if is_linked else _unlinked(address)
    for heading, reply in sections:
        part = [header(heading), *shown_blocks(reply, profile)]
        if len(blocks) + len(part) > _BLOCKS or size_of([*blocks, *part]) > _CHARS:
            blocks.append(context("There is more: send `status`."))
            break
        blocks += part
    return {"type": "home", "blocks": list[Json](blocks)}


def _top() -> list[KitBlock]:
    return [_row(_open(), _say("mine", "My tasks"), _say("status"), _say("help"))]


def _unlinked(address: str) -> list[KitBlock]:
    """Say how to be recognised; the address only says which account that would be."""
    known = f" Slack knows you as {escape(cut(address, 200))}." if address else ""
    said = (
        "This account is not linked to a person yet, so it may only ask for help."
        f"{known} Ask for a code here, and confirm it where you are signed in."
    )
    return [section(said), _row(_say("link", "Link this account"), _say("help"))]


def _row(*buttons: dict[str, Json]) -> KitBlock:
    return {"type": "actions", "elements": list[Json](buttons)}


def _open() -> dict[str, Json]:
    return {
        "type": "button",
        "action_id": LAUNCH,
        "text": plain("Run a command", 75),
        "style": "primary",
        "value": "launcher",
    }


def _say(what: str, label: str = "") -> dict[str, Json]:
    return {
        "type": "button",
        "action_id": f"{Press.SAY}:{what}",
        "text": plain(label or what.capitalize(), 75),
        "value": what,
    }
