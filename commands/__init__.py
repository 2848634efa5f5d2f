"""What can be asked, once, for all doors."""

from commands.registry import command

__all__ = ["command"]
