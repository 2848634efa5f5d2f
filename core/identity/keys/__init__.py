"""API keys: shown once, stored hashed, scoped, expiring, revocable."""
