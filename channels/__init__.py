"""The doors: one folder each, which knows envelopes and replies and nothing of commands."""
