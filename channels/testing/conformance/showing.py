"""Checks of what goes out: every reply is shown, within the limits, and harmless."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from channels.base import Capabilities
from channels.testing.conformance.replies import REPLIES
from core.kernel.reply import Reply

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A reply as a channel shows it.

    Shape:  `text` is everything that can be read there; `blocks` counts what a channel
            with a limit on them shows, and `aloud` is what is read to those who cannot
            see it.
    """

    text: str
    aloud: str
    blocks: int = 0


def check_renderer(show: Callable[[Reply], Shown], capabilities: Capabilities) -> None:
    """Check that a channel shows every reply within what it declares."""
    for name, reply in REPLIES.items():
        shown = show(reply)
        assert shown.text.strip(), f"{name}: nothing is shown"
        assert shown.aloud.strip(), f"{name}: nothing is read aloud"
        assert not _CONTROL.search(shown.text), f"{name}: it steers a terminal"
        if capabilities.max_text:
            assert len(shown.text) <= capabilities.max_text, f"{name}: too long"
        if capabilities.max_blocks:
            assert shown.blocks <= capabilities.max_blocks, f"{name}: too many blocks"
