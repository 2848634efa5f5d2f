"""The collaboration files: the database, shown as files that are never torn."""

from gateway.mirror.mirror import Mirror

__all__ = ["Mirror"]
