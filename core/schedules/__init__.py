"""Schedules: commands and templates that start by the clock."""
