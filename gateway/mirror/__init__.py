"""The collaboration files: the database, shown as files that are never torn."""

from gateway.mirror.mirror import Mirror, is_followed

__all__ = ["Mirror", "is_followed"]
