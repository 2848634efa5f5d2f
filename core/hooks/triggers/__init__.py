"""Triggers: when an event or a delivery matches, one fixed command runs."""
