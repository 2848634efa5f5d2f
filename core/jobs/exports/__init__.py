"""Accepted work as files to take away."""
