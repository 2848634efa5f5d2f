"""From what went wrong in a plugin to the line that tells its author."""

import logging
import traceback
from dataclasses import replace
from pathlib import Path

from core.kernel.sanitise import sanitise
from gateway.plugins.model import Fault, Offer, Plugin, PluginFault

_log = logging.getLogger(__name__)

_MOST_CHARS = 300


def failed(offer: Offer, fault: BaseException) -> Offer:
    """Have a plugin bring nothing, because something of it failed; log why this once."""
    told = fault_of(fault, offer.home)
    _log.error(
        "plugin.disabled",
        extra={"plugin": offer.name, "error": told.text},
        exc_info=None if isinstance(fault, PluginFault) else fault,
    )
    return replace(offer, fault=told, brings=Plugin())


def fault_of(fault: BaseException, home: Path) -> Fault:
    """Say what failed, and in which line of a file below `home`.

    Shape:  "NameError: name 'x' is not defined (plugins/hello.py:7)".
    """
    if isinstance(fault, PluginFault):
        text = _line(str(fault))
        return Fault(text=text, brief=text)
    kind, place = type(fault).__name__, _place(fault, home)
    said = fault.msg if isinstance(fault, SyntaxError) else str(fault)
    told = f"{kind}: {_line(said)}" if said else kind
    return Fault(text=f"{told}{place}", brief=f"{kind}{place}")


def _line(text: str) -> str:
    return " ".join(sanitise(text).split())[:_MOST_CHARS]


def _place(fault: BaseException, home: Path) -> str:
    """Name the innermost line of the plugin itself, "" if it was in none."""
    lines = [
        (frame.filename, frame.lineno)
        for frame in traceback.extract_tb(fault.__traceback__)
    ]
    if isinstance(fault, SyntaxError) and fault.filename:
        lines.append((fault.filename, fault.lineno))
    for name, number in reversed(lines):
        if (path := Path(name)).is_relative_to(home):
            return f" ({path.relative_to(home.parent)}:{number or 1})"
    return ""
