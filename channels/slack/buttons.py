"""The buttons of a reply: what they say, what they carry, and which of them ask first."""

from dataclasses import dataclass

from channels.slack.blocks import BUTTON_CHARS, BUTTONS, KitBlock, plain, size_of
from channels.slack.wire import Press
from core.kernel.catalog import Catalog
from core.kernel.choices import choices, line_to_type_for
from core.kernel.jsons import Json
from core.kernel.reply import Action, Reply, ReplyStatus

_STYLES = ("primary", "danger")
_MOST = 100
_ROW_CHARS = 3  # what a button's share of its row is besides its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """The buttons of one reply; their numbers are the same in every message of it.

    Shape:  the values are opaque: the reply's id and the number, which the gateway
            turns into a line again. A reply without an id has no buttons.
    """

    reply: Reply
    catalog: Catalog

    def rows(self, *, room: int) -> tuple[list[KitBlock], bool]:
        """Show the buttons that fit, at most 25 to a block; tell whether all did.

        Units:  `room` counts characters of the message.
        """
        kept: list[Json] = []
        offered = choices(self.reply) if self.reply.id else ()
        for number, action in enumerate(offered):
            button = self._button(number, action)
            room -= size_of([button]) + _ROW_CHARS
            if room < 0 or len(kept) == _MOST:
                break
            kept.append(button)
        rows: list[KitBlock] = [
            {"type": "actions", "elements": kept[start : start + BUTTONS]}
            for start in range(0, len(kept), BUTTONS)
        ]
        return rows, len(kept) == len(offered)

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
