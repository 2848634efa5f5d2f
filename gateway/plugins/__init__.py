"""Commands and channels that others add: files of a folder, and what pip installed."""

from gateway.plugins.model import Plugin

__all__ = ["Plugin"]
