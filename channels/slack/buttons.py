"""The buttons of a reply: what they say, what they carry, and which of them ask first."""

from collections.abc import Sequence
from dataclasses import dataclass

from channels.slack.blocks import BUTTON_CHARS, BUTTONS, KitBlock, plain
from channels.slack.escapes import escape
from channels.slack.wire import Press
from core.kernel.catalog import Catalog
from core.kernel.choices import choices, line_to_type_for
from core.kernel.jsons import Json
from core.kernel.reply import Action, Reply, ReplyStatus

_STYLES = ("primary", "danger")


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """The buttons of one reply; their numbers are the same in every message of it.

    Shape:  the values are opaque: the reply's id and the number, which the gateway
            turns into a line again. A reply without an id has no buttons.
    """

    reply: Reply
    catalog: Catalog

    def all(self) -> list[KitBlock]:
        """Show every button, at most 25 to a block."""
        if not self.reply.id:
            return []
        elements = [
            self._button(number, action)
            for number, action in enumerate(choices(self.reply))
        ]
        return [
            {"type": "actions", "elements": list(elements[start : start + BUTTONS])}
            for start in range(0, len(elements), BUTTONS)
        ]

    def _button(self, number: int, action: Action) -> dict[str, Json]:
        how = self._how(action)
        button: dict[str, Json] = {
            "type": "button",
            "action_id": f"{how.value}:{number}",
            "text": plain(action.label, BUTTON_CHARS),
            "value": f"{self.reply.id}.{number}",
        }
        if action.style in _STYLES:
            button["style"] = action.style
        if how is Press.SURE:
            button["confirm"] = _dialog(action)
        return button

    def _how(self, action: Action) -> Press:
        """Decide what a press does; a reply that asks for consent is not asked twice."""
        if action.command and action.command == line_to_type_for(self.reply):
            return Press.TYPE
        entry = self.catalog.of_line(action.command)
        if entry is None:
            return Press.DO
        if entry.is_read:
            return Press.LOOK
        is_asked = self.reply.status is ReplyStatus.NEEDS_CONFIRMATION
        return Press.SURE if entry.danger == "risky" and not is_asked else Press.DO


def _dialog(action: Action) -> dict[str, Json]:
    return {
        "title": plain("Are you sure?", 100),
        "text": plain(f"This runs: {action.command}", 300),
        "confirm": plain("Run it", 30),
        "deny": plain("Cancel", 30),
        "style": "danger",
    }


def texts(actions: Sequence[Action]) -> str:
    """Write buttons as lines to send, for where there can be none."""
    return "\n".join(
        f"• {escape(each.label)}: `{escape(each.command.replace('`', ''))}`"
        for each in actions
        if each.command
    )
