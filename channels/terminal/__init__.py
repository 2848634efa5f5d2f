"""Replies as people read them in a terminal, and data in the formats scripts want."""

from channels.terminal.render import commands_of, render, render_progress

__all__ = ["commands_of", "render", "render_progress"]
