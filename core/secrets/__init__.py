"""Secrets at rest: sealed in envelopes, under keys that the database never holds."""
