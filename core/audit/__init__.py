"""Who decided what, when and how it ended: append-only and chained by hashes."""
